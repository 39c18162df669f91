// SPDX-License-Identifier: Apache-2.0
//
// A stand-in for instar: an honest C program with instar's command line, so that the harness, its
// tests and its benchmarks run where instar cannot (it needs /dev/kvm), and so that planted
// deviations (STANDIN_LIE) can measure what the fuzzer finds. It is not instar and is never
// presented as instar; what is found against it says nothing about instar.
//
// Policy: without a lie it takes instar's command line and prints instar's texts, and in everything
// that the harness compares it agrees with qemu-img 7.2: what it accepts and refuses, sizes,
// measure results, guest content. Where instar documents something else (lengths rounded to 64 KiB,
// an empty disk refused, an unreadable header shown with rc 0) the stand-in follows qemu-img, and
// the difference is a lie's business. So an empty raw file converts to everything but vmdk.
#include "standin/lies.h"
#include "standin/standin.h"

#include <string.h>

static const struct command *const commands[] = {&command_info,    &command_check,
                                                 &command_measure, &command_convert,
                                                 &command_map,     &command_compare};

// What instar has and this program has not.
static const char *const absent[] = {"copy",  "dd",     "create", "resize",   "rebase", "commit",
                                     "amend", "bitmap", "bench",  "snapshot", "config"};

static void print_version(void) {
    if (lies_played())
        printf("instar stand-in 0.1, playing instar %s (not instar; imitates its documentation)\n",
               lies_played());
    else
        puts("instar stand-in 0.1 (not instar; imitates its command line)");
}

static void print_help(FILE *to) {
    fputs(
        "A stand-in for instar. It is NOT instar: it imitates instar's command line over the disk\n"
        "image readers and writers of instar-fuzz, so that the fuzzer can run against qemu-img on\n"
        "machines where instar cannot, and so that planted lies measure what the fuzzer finds.\n"
        "\n"
        "Usage: instar [-v|--verbose] <COMMAND>\n"
        "\n"
        "Commands:\n",
        to);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(to, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
    fputs("  lies     list the deviations that STANDIN_LIE=name[,name] turns on;\n"
          "           as-instar: play the documented instar; documented: with all it documents\n"
          "  help     print this\n"
          "Formats: raw, qcow2, vmdk, vpc, vhdx. Every other command of instar's exits with 1.\n",
          to);
}

static int run(const struct command *command, char **argv) {
    struct arguments arguments;
    int status;
    if (arguments_parse(command, argv, &arguments, &status))
        return status;
    return command->run(&arguments);
}

int main(int argc, char **argv) {
    (void)argc;
    if (!lies_begin())
        return 2;
    // An empty argv is possible by exec; it is the same as no command.
    char **at = *argv ? argv + 1 : argv;
    while (*at && (!strcmp(*at, "-v") || !strcmp(*at, "--verbose")))
        at++;
    const char *name = *at;
    if (!name) {
        print_help(stderr);
        return 2;
    }
    if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
        print_version();
        return 0;
    }
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
        print_help(stdout);
        return 0;
    }
    if (!strcmp(name, "lies")) {
        lies_list();
        return 0;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(name, commands[i]->name))
            return run(commands[i], at + 1);
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        if (!strcmp(name, absent[i]))
            return refuse("%s: not in this stand-in", name);
    return usage_error(
        name[0] == '-' ? "unexpected argument '%s' found" : "unrecognized subcommand '%s'", name);
}
