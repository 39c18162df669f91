// SPDX-License-Identifier: Apache-2.0
//
// measure's options from flags and from `-o key=value,...` (which overrides flags), with the
// refusals that instar documents and those of qemu-img: both refuse what the format cannot have.
#include "standin/lies.h"
#include "standin/measure.h"

#include <string.h>
#include <strings.h>

struct option_text {
    char key[64], value[64];
};

static bool truth_value(const char *text, bool *value) {
    static const char *const words[2][3] = {{"off", "false", "no"}, {"on", "true", "yes"}};
    for (int i = 0; i < 6; i++)
        if (!strcasecmp(text, words[i / 3][i % 3])) {
            *value = i >= 3;
            return true;
        }
    return false;
}

static bool named(const char *text, const char *const *names, int count, int *value) {
    for (int i = 0; i < count; i++)
        if (!strcmp(text, names[i])) {
            *value = i;
            return true;
        }
    return false;
}

static const char *const preallocation_names[] = {"off", "metadata", "falloc", "full"};

static bool set_qcow2(struct measure_options *options, const struct option_text *text,
                      bool *known) {
    int number;
    bool ignored;
    if (!strcmp(text->key, "cluster_size"))
        return parse_size(text->value, &options->cluster_size);
    if (!strcmp(text->key, "refcount_bits"))
        return parse_u32(text->value, &options->refcount_bits);
    if (!strcmp(text->key, "extended_l2"))
        return truth_value(text->value, &options->extended_l2);
    if (!strcmp(text->key, "lazy_refcounts"))
        return truth_value(text->value, &ignored);
    if (!strcmp(text->key, "compression_type"))
        return !strcmp(text->value, "zlib") || !strcmp(text->value, "zstd");
    if (!strcmp(text->key, "compat")) {
        options->compat_010 = !strcmp(text->value, "0.10");
        return options->compat_010 || !strcmp(text->value, "1.1");
    }
    if (!strcmp(text->key, "preallocation")) {
        if (!named(text->value, preallocation_names, 4, &number))
            return false;
        options->preallocation = (enum preallocation)number;
        return true;
    }
    return *known = false;
}

static bool set_vmdk(struct measure_options *options, const struct option_text *text, bool *known) {
    static const char *const without_effect[] = {"adapter_type", "hwversion", "toolsversion",
                                                 "zeroed_grain"};
    int number;
    if (!strcmp(text->key, "grain_size"))
        return parse_size(text->value, &options->grain_size);
    if (!strcmp(text->key, "subformat")) {
        if (!named(text->value, vmdk_create_types, VMDK_FLAT + 1, &number))
            return false;
        options->subformat = (enum vmdk_subformat)number;
        return true;
    }
    return (*known = named(text->key, without_effect, 4, &number));
}

static bool set_vpc(struct measure_options *options, const struct option_text *text, bool *known) {
    if (!strcmp(text->key, "subformat")) {
        options->vpc_fixed = !strcmp(text->value, "fixed");
        return options->vpc_fixed || !strcmp(text->value, "dynamic");
    }
    return (*known = !strcmp(text->key, "force_size") || !strcmp(text->key, "force_size_calc"));
}

static bool set_vhdx(struct measure_options *options, const struct option_text *text, bool *known) {
    if (!strcmp(text->key, "block_size"))
        return parse_size(text->value, &options->block_size);
    if (!strcmp(text->key, "subformat"))
        return !strcmp(text->value, "dynamic");
    return (*known = !strcmp(text->key, "log_size") || !strcmp(text->key, "block_state_zero"));
}

static int set_option(struct measure_options *options, const struct option_text *text) {
    static bool (*const setters[IMAGE_FORMATS])(
        struct measure_options *, const struct option_text *, bool *) = {[IMAGE_QCOW2] = set_qcow2,
                                                                         [IMAGE_VMDK] = set_vmdk,
                                                                         [IMAGE_VPC] = set_vpc,
                                                                         [IMAGE_VHDX] = set_vhdx};
    bool known = true;
    if (!setters[options->target])
        return refuse("-o is not supported for target format raw");
    if (setters[options->target](options, text, &known))
        return 0;
    return known ? refuse("invalid value for -o %s: '%s'", text->key, text->value)
                 : refuse("unrecognised -o key '%s'", text->key);
}

static int parse_list(struct measure_options *options, const char *list) {
    while (*list) {
        struct option_text text;
        size_t length = strcspn(list, ","), key = strcspn(list, "=,");
        size_t value = length > key ? length - key - 1 : 0;
        if (length == key || key >= sizeof text.key || value >= sizeof text.value)
            return refuse("invalid -o option '%.*s'", (int)length, list);
        snprintf(text.key, sizeof text.key, "%.*s", (int)key, list);
        snprintf(text.value, sizeof text.value, "%.*s", (int)value, list + key + 1);
        if (set_option(options, &text))
            return 1;
        list += length + (list[length] == ',');
    }
    return 0;
}

static bool within(uint64_t value, uint64_t low, uint64_t high) {
    return power_of_two(value) && value >= low && value <= high;
}

// Ranges that the formats have. Options of another target were never stored or are not looked at.
static bool options_fit(const struct measure_options *options) {
    switch (options->target) {
    case IMAGE_QCOW2:
        return within(options->cluster_size, 512, 2u << 20) &&
               within(options->refcount_bits, 1, 64) &&
               !(options->compat_010 && options->refcount_bits != 16 &&
                 !lie(LIE_COMPAT_REFCOUNTS_ACCEPTED)) &&
               !(options->compat_010 && options->extended_l2 &&
                 lie(LIE_COMPAT_EXTENDED_L2_REFUSED)) &&
               !(options->extended_l2 && options->cluster_size < 16384);
    case IMAGE_VMDK:
        return within(options->grain_size, 4096, 65536);
    case IMAGE_VPC:
        return !options->block_size || within(options->block_size, 512u << 10, 2ull << 30);
    case IMAGE_VHDX:
        return !options->block_size || within(options->block_size, 1u << 20, 256u << 20);
    case IMAGE_RAW:
    case IMAGE_FORMATS:
        break;
    }
    return true;
}

// The flags; instar's host accepts any power of two from 512 on and leaves ranges to the guest.
static int parse_flags(const struct arguments *arguments, struct measure_options *options) {
    static const enum option_id sizes[] = {OPT_CLUSTER_SIZE, OPT_GRAIN_SIZE, OPT_BLOCK_SIZE};
    uint64_t *const places[] = {&options->cluster_size, &options->grain_size, &options->block_size};
    int number;
    for (int i = 0; i < 3; i++) {
        uint64_t value = arguments->number[sizes[i]];
        if (value && (!power_of_two(value) || value < 512))
            return refuse("size must be a power of 2 and at least 512 (got %llu)",
                          (unsigned long long)value);
        if (value)
            *places[i] = value;
    }
    uint64_t bits = arguments->number[OPT_REFCOUNT_BITS];
    if (bits && !within(bits, 1, 64))
        return refuse("refcount bits must be 1, 2, 4, 8, 16, 32 or 64");
    if (bits)
        options->refcount_bits = bits;
    options->extended_l2 = arguments->position[OPT_EXTENDED_L2];
    const char *compat = arguments->text[OPT_COMPAT];
    options->compat_010 = compat && !strcmp(compat, "0.10");
    const char *preallocation = arguments->text[OPT_PREALLOCATION];
    if (preallocation && named(preallocation, preallocation_names, 4, &number))
        options->preallocation = (enum preallocation)number;
    const char *subformat = arguments->text[OPT_SUBFORMAT];
    if (subformat && named(subformat, vmdk_create_types, VMDK_FLAT + 1, &number))
        options->subformat = (enum vmdk_subformat)number;
    return 0;
}

int measure_options_parse(const struct arguments *arguments, struct measure_options *options) {
    const char *target = arguments->text[OPT_TARGET];
    *options =
        (struct measure_options){.cluster_size = 65536, .refcount_bits = 16, .grain_size = 65536};
    options->target = image_driver_named(target ? target : "raw")->format;
    if (parse_flags(arguments, options))
        return 1;
    for (size_t i = 0; i < arguments->key_value_count; i++)
        if (parse_list(options, arguments->key_values[i]))
            return 1;
    if (options_fit(options))
        return 0;
    fputs("measure: invalid option for target format\n", stderr);
    return refuse("measure failed: invalid option for target format");
}
