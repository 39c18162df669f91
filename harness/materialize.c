// SPDX-License-Identifier: Apache-2.0
//
// Building the source file of a case, adopting a tool's output as an input, and noticing that
// somebody changed either.
#include "materialize.h"

#include "base/bytes.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void material_free(struct material *material) {
    content_free(&material->content);
    content_free(&material->own);
    for (size_t i = 0; i < CASE_MAX_SNAPSHOTS; i++) {
        content_free(&material->snapshot_contents[i]);
        content_free(&material->snapshot_own[i]);
    }
    for (size_t i = 0; i < CASE_MAX_BITMAPS; i++)
        image_map_free(&material->dirty[i]);
    image_written_free(&material->written);
    image_written_free(&material->below_written);
    image_map_free(&material->allocation);
    image_map_free(&material->spare);
    *material = (struct material){0};
}

static uint64_t mix(uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    return hash ^ (hash >> 29);
}

// Hashes the bytes of one extent at their offsets; zero words leave no trace, so that a hole and
// stored zeros hash alike (a tool may legally punch nothing into a file it only reads, but the
// file system may report extents differently). The sum of what each word contributes, so that no
// word waits for the one before it: every factor is odd and depends on the offset, so one changed
// word always shows, and the shift between them lets no two changes meet in the top bits alone.
static uint64_t hash_words(const uint8_t *bytes, size_t length, uint64_t offset) {
    const uint64_t step = 8 * 0x9e3779b97f4a7c15u;
    uint64_t sum = 0, factor = offset / 8 * step + 0xd1342543de82ef95u;
    for (size_t i = 0; i + 8 <= length; i += 8, factor += step) {
        uint64_t word = get_le64(bytes + i) * factor;
        sum += (word ^ word >> 32) * (factor >> 32 | 1);
    }
    if (length % 8) {
        uint8_t last[8] = {0};
        memcpy(last, bytes + length / 8 * 8, length % 8);
        sum += hash_words(last, sizeof last, offset + length / 8 * 8);
    }
    return sum;
}

#define HASH_CHUNK (32u << 10) // stays in a fast cache between the copy and the sum

static int hash_extent(int fd, uint64_t from, uint64_t to, uint64_t *sum, struct fault *fault) {
    static _Thread_local uint8_t buffer[HASH_CHUNK];
    while (from < to) {
        size_t length = (size_t)min_u64(to - from, sizeof buffer);
        if (file_pread(fd, buffer, length, from, fault))
            return -1;
        *sum += hash_words(buffer, length, from);
        from += length;
    }
    return 0;
}

int material_hash(const char *path, uint64_t *hash, struct fault *fault) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fault_errno(fault, "%s", path);
    off_t end = lseek(fd, 0, SEEK_END), at = 0;
    uint64_t sum = 0;
    int status = 0;
    while (status == 0 && at < end) {
        off_t data = lseek(fd, at, SEEK_DATA);
        if (data < 0)
            break; // ENXIO: only holes are left
        off_t hole = lseek(fd, data, SEEK_HOLE);
        if (hole < 0)
            hole = end;
        // Whole words at fixed places, wherever the file system lets an extent begin.
        status = hash_extent(fd, round_down((uint64_t)data, 8), (uint64_t)hole, &sum, fault);
        at = hole;
    }
    close(fd);
    *hash = mix(mix(0, (uint64_t)end), sum);
    return status;
}

static int64_t time_ns(struct timespec time) {
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}

// A kernel stamps files with the time of its last tick, every 4 ms or so: a quick tool could write
// within the tick of the building. Not so where that tick has passed, nor where kernels from 6.13
// on give a file that was asked for its times a finer stamp, which is ahead of the tick.
static bool tick_differs(int64_t stamp_ns) {
    struct timespec tick;
    return clock_gettime(CLOCK_REALTIME_COARSE, &tick) == 0 && time_ns(tick) != stamp_ns;
}

static int remember_file(struct material *material, const char *directory, const char *name,
                         struct fault *fault) {
    if (material->file_count == MATERIAL_MAX_FILES)
        return fault_set(fault, "a case of more than %d files", MATERIAL_MAX_FILES);
    struct material_file *file = &material->files[material->file_count++];
    char path[4096];
    struct stat info;
    snprintf(file->name, sizeof file->name, "%s", name);
    snprintf(path, sizeof path, "%s/%s", directory, name);
    if (stat(path, &info))
        return fault_errno(fault, "%s", path);
    file->size = (uint64_t)info.st_size;
    file->mtime_ns = time_ns(info.st_mtim);
    file->ctime_ns = time_ns(info.st_ctim);
    file->times_tell = tick_differs(file->ctime_ns);
    return material_hash(path, &file->hash, fault);
}

// The file and those that were written beside it, none of them writable any longer.
static int protect(const char *directory, const char *name, const struct image_written *written,
                   struct fault *fault) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    if (chmod(path, 0444))
        return fault_errno(fault, "%s", path);
    for (size_t i = 0; i < written->file_count; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, written->files[i]);
        if (chmod(path, 0444))
            return fault_errno(fault, "%s", path);
    }
    return 0;
}

static int remember_written(struct material *material, const char *directory, const char *name,
                            const struct image_written *written, struct fault *fault) {
    if (protect(directory, name, written, fault) || remember_file(material, directory, name, fault))
        return -1;
    for (size_t i = 0; i < written->file_count; i++)
        if (remember_file(material, directory, written->files[i], fault))
            return -1;
    return 0;
}

// --- building ------------------------------------------------------------------------------------

static void layer_name(uint32_t layer, enum image_format format, char *name, size_t room) {
    static const char *const stems[CASE_MAX_LAYERS] = {"src", "base", "base2", "base3"};
    snprintf(name, room, "%s.%s", stems[layer], image_driver(format)->name);
}

// What a tool sees allocated in a file below another one. qemu-img has no block status for vhdx:
// all of it is data.
static void add_allocation(struct material *material, const struct testcase *layer,
                           const struct image_written *written, uint64_t below_size) {
    struct image_map whole = {0};
    const struct image_map *above = &written->map;
    if (layer->format == IMAGE_VHDX && layer->layer > 0) {
        image_map_add(&whole, 0, written->virtual_size, IMAGE_DATA);
        above = &whole;
    }
    // Neither what lies behind the end of this file nor what lies behind that of the one below.
    image_map_overlay(&material->allocation, min_u64(below_size, written->virtual_size), above,
                      &material->spare);
    image_map_free(&whole);
}

// The snapshots of a qcow2 source. `material->content` holds what lies below it.
static size_t make_snapshots(struct material *material, const struct testcase *testcase,
                             struct content_layer pairs[CASE_MAX_SNAPSHOTS],
                             struct image_snapshot snapshots[CASE_MAX_SNAPSHOTS]) {
    uint32_t count = case_snapshots(testcase);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t size = case_snapshot_size(testcase, i);
        struct content *merged = &material->snapshot_contents[i], *own = &material->snapshot_own[i];
        content_begin(own, size);
        case_snapshot_writes(testcase, i, own);
        content_copy(merged, &material->content);
        content_resize(merged, size);
        case_snapshot_writes(testcase, i, merged);
        snapshots[i] = (struct image_snapshot){case_snapshot_id(i), case_snapshot_name(i), {0}};
        pairs[i] = (struct content_layer){own, merged};
        if (material->options.backing)
            content_as_overlay(&pairs[i], &snapshots[i].source);
        else
            content_as_source(own, &snapshots[i].source);
    }
    return count;
}

static size_t make_bitmaps(struct material *material, const struct testcase *testcase) {
    struct image_bitmap *bitmaps = material->bitmaps;
    uint32_t count = case_bitmaps(testcase);
    for (uint32_t i = 0; i < count; i++) {
        case_bitmap(testcase, i, &bitmaps[i], &material->dirty[i]);
        bitmaps[i].dirty = &material->dirty[i];
    }
    return count;
}

// One file of the chain. `backing` is the file below it, NULL for the lowest; afterwards it is this
// one. `material->content` grows from what lies below to what this file shows.
static int build_layer(struct material *material, const struct testcase *layer,
                       const char *directory, struct image_backing *backing, bool has_backing,
                       struct fault *fault) {
    char path[4096], name[IMAGE_NAME_ROOM];
    bool is_source = layer->layer == 0;
    struct image_written *written = is_source ? &material->written : &material->below_written;
    struct image_options *options = &material->options;
    struct image_snapshot snapshots[CASE_MAX_SNAPSHOTS];
    struct content_layer pair = {&material->own, &material->content}, pairs[CASE_MAX_SNAPSHOTS];
    uint64_t size = case_virtual_size(layer), below_size = material->content.size;
    struct image_source source;

    layer_name(layer->layer, (enum image_format)layer->format, name, sizeof name);
    snprintf(path, sizeof path, "%s/%s", directory, name);
    case_image_options(layer, options);
    options->backing = has_backing ? backing : NULL;
    if (is_source) {
        options->snapshot_count = make_snapshots(material, layer, pairs, snapshots);
        options->bitmap_count = make_bitmaps(material, layer);
        options->snapshots = snapshots;
        options->bitmaps = material->bitmaps;
    }
    // The rest of a last sector is the file's too, and shows what lies below.
    if (has_backing)
        size = round_up(size, 512);
    case_content(layer, &material->own);
    content_resize(&material->own, size);
    content_resize(&material->content, size);
    case_writes(layer, &material->content);
    if (has_backing)
        content_as_overlay(&pair, &source);
    else
        content_as_source(&material->own, &source);
    if (image_write(path, (enum image_format)layer->format, options, &source, written, fault))
        return fault_prefix(fault, "building %s: ", name);
    add_allocation(material, layer, written, below_size);
    // The file may declare more than was asked for; a file above it sees zeros there. It may
    // declare less (VPC_CREATOR_VPC): nobody sees what lies behind that, above it or not.
    if (!is_source || written->virtual_size < size)
        content_resize(&material->content, written->virtual_size);
    *backing = (struct image_backing){.format = (enum image_format)layer->format};
    snprintf(backing->name, sizeof backing->name, "%s", name);
    memcpy(backing->identity, written->identity, sizeof backing->identity);
    options->backing = NULL;
    options->snapshots = NULL;
    return remember_written(material, directory, name, written, fault);
}

static int finish(struct material *material, const char *directory, struct fault *fault) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, material->name);
    if (image_probe(path, &material->probed, fault))
        return -1;
    material->usable = true;
    return 0;
}

int material_build(struct material *material, const struct testcase *testcase,
                   const char *directory, struct fault *fault) {
    struct testcase layer;
    struct image_backing backing;
    uint32_t layers = case_layers(testcase);

    material->usable = false;
    material->file_count = 0;
    image_map_clear(&material->allocation);
    content_begin(&material->content, 0);
    for (uint32_t i = layers; i-- > 0;) {
        case_layer(testcase, i, &layer);
        if (build_layer(material, &layer, directory, &backing, i + 1 < layers, fault))
            return -1;
    }
    snprintf(material->name, sizeof material->name, "%.31s", backing.name);
    const struct image_written *written = &material->written;
    material->truth = (struct truth){
        .format = (enum image_format)testcase->format,
        .content = &material->content,
        .asked_size = material->content.size,
        .declared_size = written->virtual_size,
        .shown_size = round_up(written->virtual_size, 512),
        .recorded_size = written->recorded_size,
        .unit = written->unit,
        .extended_l2 = material->options.extended_l2,
        .vmdk_footer =
            testcase->format == IMAGE_VMDK && material->options.vmdk_subformat == VMDK_STREAM,
        .create_type = testcase->format == IMAGE_VMDK
                           ? vmdk_create_types[material->options.vmdk_subformat]
                           : "",
        .allocation = &material->allocation,
        .own_allocation = &written->map,
        .options = &material->options,
        .layers = layers,
        .snapshots = material->snapshot_contents,
        .snapshot_count = case_snapshots(testcase),
    };
    for (size_t i = 0; i < material->file_count; i++)
        if (strcmp(material->files[i].name, material->name) == 0)
            material->truth.file_size = material->files[i].size;
    return finish(material, directory, fault);
}

// One of the names that outlive the image.
static const char *known_create_type(const char *type) {
    for (int i = 0; i < VMDK_SUBFORMATS; i++)
        if (strcmp(vmdk_create_types[i], type) == 0)
            return vmdk_create_types[i];
    return "";
}

int material_adopt(struct material *material, const char *directory, const char *name,
                   struct image *image, const struct content *content, uint64_t asked_size,
                   struct fault *fault) {
    snprintf(material->name, sizeof material->name, "%s", name);
    material->usable = false;
    material->file_count = 0;
    image_map_clear(&material->allocation);
    if (image_map_of(image, &material->allocation, fault) ||
        remember_file(material, directory, name, fault))
        return -1;
    for (size_t i = 0; i < image->file_count; i++)
        if (remember_file(material, directory, image->files[i], fault))
            return -1;
    struct image_info info;
    image->driver->info(image, &info);
    material->truth = (struct truth){
        .format = image->driver->format,
        .content = content,
        .asked_size = asked_size,
        .declared_size = image->virtual_size,
        .shown_size = round_up(image->virtual_size, 512),
        .file_size = material->files[0].size,
        .unit = image->unit,
        .extended_l2 = info.extended_l2,
        .create_type = known_create_type(info.vmdk_create_type),
        .vmdk_footer = info.vmdk_footer,
        .allocation = &material->allocation,
        .own_allocation = &material->allocation,
        .layers = 1,
    };
    return finish(material, directory, fault);
}

static bool file_modified(const struct material_file *file, const char *directory) {
    char path[4096];
    struct stat info;
    snprintf(path, sizeof path, "%s/%s", directory, file->name);
    if (stat(path, &info) || (uint64_t)info.st_size != file->size)
        return true;
    if (time_ns(info.st_mtim) != file->mtime_ns)
        return true;
    if (time_ns(info.st_ctim) == file->ctime_ns && file->times_tell)
        return false;
    uint64_t hash;
    return material_hash(path, &hash, NULL) || hash != file->hash;
}

bool material_modified(const struct material *material, const char *directory) {
    for (size_t i = 0; i < material->file_count; i++)
        if (file_modified(&material->files[i], directory))
            return true;
    return false;
}
