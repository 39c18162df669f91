// SPDX-License-Identifier: Apache-2.0
//
// The third reader: a program that opens an image with libyal's libqcow, libvmdk or libvhdi and
// copies what the guest would see into a sparse raw file. It shares no code with the readers of
// this project or with QEMU, and that is all that it is for, so nothing of this project is linked.
// It is a program of its own because it is given whatever a tool wrote: a library that crashes or
// never ends takes nothing along.
//
//   third-reader FORMAT IMAGE RAW [OFFSET+LENGTH...]   all of the disk, or only those bytes of it
//   third-reader --version                             the libraries
//
// RAW must not exist and gets the disk's size; what is zero or was not asked for is a hole. A range
// that reaches behind the end is cut. Prints the size. Exit: 0 done; 1 the library refuses the
// image or a part of it (said on stderr); 2 bad use, or RAW cannot be written.
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libbfio.h>
#include <libqcow.h>
#include <libvhdi.h>
#include <libvmdk.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK (1u << 20)
#define HOLE  4096u // runs of zeros of that size stay holes

enum { EXIT_DONE, EXIT_REFUSED, EXIT_BAD_USE };

struct library {
    const char *const *formats;                 // ends with NULL
    const char *(*version)(void);               //
    int (*open)(const char *path, void **file); // 0; -1 after complain
    int (*size)(void *file, uint64_t *size);    // guest bytes
    ssize_t (*read)(void *file, uint64_t offset, void *buffer, size_t length);
};

static void complain(const char *library, const char *what, char *trace) {
    trace[strcspn(trace, "\n")] = 0;
    fprintf(stderr, "%s: %s: %s\n", library, what, trace);
}

// The three libraries have one interface under three names: `library`_`file` is the open image.
#define LIBRARY(library, file, after_open)                                                         \
    static int library##_fail(const char *what, library##_error_t *error) {                        \
        char trace[4096] = "no reason given";                                                      \
        if (error)                                                                                 \
            library##_error_sprint(error, trace, sizeof trace);                                    \
        complain(#library, what, trace);                                                           \
        library##_error_free(&error);                                                              \
        return -1;                                                                                 \
    }                                                                                              \
    static int library##_do_open(const char *path, void **opened) {                                \
        library##_##file##_t *to = NULL;                                                           \
        library##_error_t *error = NULL;                                                           \
        if (library##_##file##_initialize(&to, &error) != 1 ||                                     \
            library##_##file##_open(to, path, library##_get_access_flags_read(), &error) != 1 ||   \
            after_open(to, path, &error) != 1)                                                     \
            return library##_fail("cannot open", error);                                           \
        *opened = to;                                                                              \
        return 0;                                                                                  \
    }                                                                                              \
    static int library##_do_size(void *from, uint64_t *size) {                                     \
        library##_error_t *error = NULL;                                                           \
        return library##_##file##_get_media_size(from, size, &error) == 1                          \
                   ? 0                                                                             \
                   : library##_fail("cannot tell the size", error);                                \
    }                                                                                              \
    static ssize_t library##_do_read(void *from, uint64_t offset, void *buffer, size_t length) {   \
        library##_error_t *error = NULL;                                                           \
        ssize_t got = library##_##file##_read_buffer_at_offset(from, buffer, length,               \
                                                               (off64_t)offset, &error);           \
        return got > 0 ? got : library##_fail("cannot read", error);                               \
    }

// A sparse file of one extent holds its own data, whatever the descriptor inside calls it (writers
// put a fixed name there, and files are renamed); libvmdk would look for a file of that name.
// Extents of other layouts are files beside the image.
static int libvmdk_own_extent(libvmdk_handle_t *image, const char *path, libvmdk_error_t **error) {
    libbfio_handle_t *file = NULL;
    libbfio_pool_t *pool = NULL;
    int entry;
    if (libbfio_file_initialize(&file, NULL) != 1 ||
        libbfio_file_set_name(file, path, strlen(path), NULL) != 1 ||
        libbfio_pool_initialize(&pool, 0, LIBBFIO_POOL_UNLIMITED_NUMBER_OF_OPEN_HANDLES, NULL) !=
            1 ||
        libbfio_pool_append_handle(pool, &entry, file, LIBBFIO_OPEN_READ, NULL) != 1)
        return -1;
    return libvmdk_handle_open_extent_data_files_file_io_pool(image, pool, error);
}

static int libvmdk_extents(libvmdk_handle_t *image, const char *path, libvmdk_error_t **error) {
    int type;
    if (libvmdk_handle_get_disk_type(image, &type, error) != 1)
        return -1;
    if (type == LIBVMDK_DISK_TYPE_MONOLITHIC_SPARSE || type == LIBVMDK_DISK_TYPE_STREAM_OPTIMIZED)
        return libvmdk_own_extent(image, path, error);
    return libvmdk_handle_open_extent_data_files(image, error);
}

#define NOTHING_MORE(image, path, error) 1

LIBRARY(libqcow, file, NOTHING_MORE)
LIBRARY(libvmdk, handle, libvmdk_extents)
LIBRARY(libvhdi, file, NOTHING_MORE)

static const char *const qcow_formats[] = {"qcow2", NULL};
static const char *const vmdk_formats[] = {"vmdk", NULL};
static const char *const vhdi_formats[] = {"vpc", "vhdx", NULL};

static const struct library libraries[] = {
    {qcow_formats, libqcow_get_version, libqcow_do_open, libqcow_do_size, libqcow_do_read},
    {vmdk_formats, libvmdk_get_version, libvmdk_do_open, libvmdk_do_size, libvmdk_do_read},
    {vhdi_formats, libvhdi_get_version, libvhdi_do_open, libvhdi_do_size, libvhdi_do_read},
};
#define LIBRARIES (sizeof libraries / sizeof *libraries)

static const struct library *library_of(const char *format) {
    for (size_t i = 0; i < LIBRARIES; i++)
        for (const char *const *name = libraries[i].formats; *name; name++)
            if (strcmp(*name, format) == 0)
                return &libraries[i];
    return NULL;
}

static bool is_zero(const uint8_t *bytes, size_t length) {
    return !length || (!*bytes && !memcmp(bytes, bytes + 1, length - 1));
}

// The parts of a buffer that are not zero, to their place in the raw file.
static int store(int fd, uint64_t offset, const uint8_t *buffer, size_t length) {
    for (size_t at = 0, part; at < length; at += part) {
        part = length - at < HOLE ? length - at : HOLE;
        if (!is_zero(buffer + at, part) &&
            pwrite(fd, buffer + at, part, (off_t)(offset + at)) != (ssize_t)part) {
            fprintf(stderr, "third-reader: cannot write: %s\n", strerror(errno));
            return EXIT_BAD_USE;
        }
    }
    return EXIT_DONE;
}

static int copy(const struct library *library, void *file, int fd, uint64_t offset, uint64_t end) {
    static uint8_t buffer[CHUNK];
    while (offset < end) {
        size_t length = end - offset < CHUNK ? (size_t)(end - offset) : CHUNK;
        ssize_t got = library->read(file, offset, buffer, length);
        if (got < 0)
            return EXIT_REFUSED;
        int status = store(fd, offset, buffer, (size_t)got);
        if (status)
            return status;
        offset += (uint64_t)got;
    }
    return EXIT_DONE;
}

static int copy_ranges(const struct library *library, void *file, int fd, uint64_t size,
                       char **ranges) {
    for (; *ranges; ranges++) {
        uint64_t offset, length;
        int used = 0;
        if (sscanf(*ranges, "%" SCNu64 "+%" SCNu64 "%n", &offset, &length, &used) != 2 ||
            (*ranges)[used]) {
            fprintf(stderr, "third-reader: %s is no OFFSET+LENGTH\n", *ranges);
            return EXIT_BAD_USE;
        }
        if (offset >= size)
            continue;
        int status =
            copy(library, file, fd, offset, length < size - offset ? offset + length : size);
        if (status)
            return status;
    }
    return EXIT_DONE;
}

static int read_image(const struct library *library, char **argv) {
    void *file;
    uint64_t size;
    if (library->open(argv[2], &file) || library->size(file, &size))
        return EXIT_REFUSED;
    int fd = open(argv[3], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0 || ftruncate(fd, (off_t)size)) {
        fprintf(stderr, "third-reader: %s: %s\n", argv[3], strerror(errno));
        return EXIT_BAD_USE;
    }
    int status =
        argv[4] ? copy_ranges(library, file, fd, size, argv + 4) : copy(library, file, fd, 0, size);
    if (status == EXIT_DONE)
        printf("%" PRIu64 "\n", size);
    return status;
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("libyal: libqcow %s, libvmdk %s, libvhdi %s\n", libqcow_get_version(),
               libvmdk_get_version(), libvhdi_get_version());
        return EXIT_DONE;
    }
    const struct library *library = argc > 3 ? library_of(argv[1]) : NULL;
    if (!library) {
        fprintf(stderr,
                argc > 3 ? "third-reader: unsupported format %s\n"
                         : "usage: third-reader FORMAT IMAGE RAW [OFFSET+LENGTH...]%.0s\n",
                argv[1]);
        return EXIT_BAD_USE;
    }
    return read_image(library, argv);
}
