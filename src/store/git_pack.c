#include "store/git_pack.h"

#include <errno.h>
#include <fcntl.h>
#include <isa-l.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"

enum {
    LEVEL = 1, /* a third of the time of zlib's or libdeflate's lowest, and as small */
    BLOB = 3,  /* an object's type in a pack */
    HEAD_SIZE = 12,
    OBJECT_HEAD_SIZE = 16,
    SLACK = 4096, /* of the room for compressed bytes, besides an eighth */
    READ_SIZE = 1 << 20,
    FANOUT = 256,
};

struct object {
    git_oid id;
    uint32_t crc;    /* of its bytes in the pack */
    uint32_t offset; /* in the pack */
};

struct bp_git_pack {
    char *folder;
    int64_t limit;
    pthread_mutex_t lock;

    char *path; /* of the pack that is being written; NULL: none */
    int fd;
    int64_t bytes;
    struct object *objects;
    size_t count;
    size_t size;      /* allocated; a power of two */
    uint32_t *places; /* hash table of twice that size: 1 + an object's number, or 0 */

    struct bp_git_part *parts;
    size_t part_count;
};

static void put32(unsigned char *out, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (unsigned char)(value >> (24 - 8 * i));
}

static enum bp_code fail(const struct bp_git_pack *pack, const char *doing, struct bp_err *err)
{
    bool full = errno == ENOSPC || errno == EDQUOT;

    return bp_fail(
        err, BP_EFAILED, "cannot %s a pack in '%s': %m%s", doing, pack->folder,
        full ? "; hint: set TMPDIR (RUNNER_TEMP in a workflow) to a folder with more space" : "");
}

struct bp_git_pack *bp_git_pack_new(const char *folder, int64_t limit)
{
    struct bp_git_pack *pack = bp_alloc(1, sizeof(*pack));

    pack->folder = bp_strdup(folder);
    pack->limit = limit < BP_GIT_PACK_MOST ? limit : BP_GIT_PACK_MOST;
    pack->fd = -1;
    (void)pthread_mutex_init(&pack->lock, NULL);
    return pack;
}

void bp_git_pack_name(const void *data, size_t len, git_oid *out)
{
    BP_AUTO(bp_sha1_freep) struct bp_sha1 *hash = bp_sha1_new();
    char head[32];
    int head_len = snprintf(head, sizeof(head), "blob %zu", len);

    bp_sha1_add(hash, head, (size_t)head_len + 1); /* with its NUL */
    bp_sha1_add(hash, data, len);
    bp_sha1_end(hash, out->id);
}

/* Where the table has this name, or would have it: names are random already. */
static uint32_t *place_of(struct bp_git_pack *pack, const git_oid *id)
{
    size_t mask = 2 * pack->size - 1;
    uint64_t start = 0;

    memcpy(&start, id->id, sizeof(start));
    for (size_t i = (size_t)start & mask;; i = (i + 1) & mask) {
        uint32_t number = pack->places[i];

        if (number == 0 || git_oid_equal(&pack->objects[number - 1].id, id))
            return &pack->places[i];
    }
}

static bool has(struct bp_git_pack *pack, const git_oid *id)
{
    return pack->count > 0 && *place_of(pack, id) != 0;
}

static void add_object(struct bp_git_pack *pack, const struct object *object)
{
    if (pack->count == pack->size) {
        pack->size = pack->size > 0 ? 2 * pack->size : 64;
        pack->objects = bp_realloc(pack->objects, pack->size, sizeof(*pack->objects));
        bp_free(pack->places);
        pack->places = bp_alloc(2 * pack->size, sizeof(*pack->places));
        for (size_t i = 0; i < pack->count; i++)
            *place_of(pack, &pack->objects[i].id) = (uint32_t)i + 1;
    }
    pack->objects[pack->count] = *object;
    *place_of(pack, &object->id) = (uint32_t)pack->count + 1;
    pack->count++;
}

static bool write_all(int fd, const void *data, size_t len, int64_t offset)
{
    const char *at = data;

    while (len > 0) {
        ssize_t done = pwrite(fd, at, len, offset);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        at += done;
        offset += done;
        len -= (size_t)done;
    }
    return true;
}

/* Forget the pack that is being written; what has its name already stays. */
static void drop(struct bp_git_pack *pack)
{
    if (pack->fd >= 0)
        (void)close(pack->fd);
    if (pack->path != NULL)
        (void)unlink(pack->path);
    bp_freep(&pack->path);
    bp_freep(&pack->objects);
    bp_freep(&pack->places);
    pack->fd = -1;
    pack->bytes = 0;
    pack->count = 0;
    pack->size = 0;
}

static enum bp_code begin(struct bp_git_pack *pack, struct bp_err *err)
{
    /* The number of objects follows when it is known. */
    static const unsigned char head[HEAD_SIZE] = {'P', 'A', 'C', 'K', 0, 0, 0, 2};

    /* Git leaves files of this name alone. */
    pack->path = bp_format("%s/tmp_pack_XXXXXX", pack->folder);
    pack->fd = mkostemp(pack->path, O_CLOEXEC);
    if (pack->fd < 0) {
        bp_freep(&pack->path);
        return fail(pack, "begin", err);
    }
    if (!write_all(pack->fd, head, sizeof(head), 0)) {
        (void)fail(pack, "write", err);
        drop(pack);
        return err->code;
    }
    pack->bytes = HEAD_SIZE;
    return BP_OK;
}

/* The checksum of the whole pack, with its right head, which is written with it. */
static enum bp_code write_sum(struct bp_git_pack *pack, unsigned char sum[BP_SHA1_SIZE],
                              struct bp_err *err)
{
    BP_AUTO(bp_sha1_freep) struct bp_sha1 *hash = bp_sha1_new();
    BP_AUTO(bp_freep) char *buffer = bp_alloc(1, READ_SIZE);
    unsigned char number[4];
    ssize_t got = 1;
    off_t at = 0;

    put32(number, (uint32_t)pack->count);
    /* A write that failed may have left bytes behind the last object. */
    if (ftruncate(pack->fd, pack->bytes) != 0 ||
        !write_all(pack->fd, number, sizeof(number), HEAD_SIZE - (int64_t)sizeof(number)))
        return fail(pack, "write", err);
    while (got > 0) {
        got = pread(pack->fd, buffer, READ_SIZE, at);
        if (got < 0)
            return fail(pack, "read", err);
        bp_sha1_add(hash, buffer, (size_t)got);
        at += got;
    }
    bp_sha1_end(hash, sum);
    return write_all(pack->fd, sum, BP_SHA1_SIZE, at) ? BP_OK : fail(pack, "write", err);
}

static int by_id(const void *left, const void *right)
{
    return git_oid_cmp(&((const struct object *)left)->id, &((const struct object *)right)->id);
}

/* The objects themselves stay in order: the hash table has their numbers, and is needed still when
 * the pack cannot be ended. */
static void render_index(const struct bp_git_pack *pack, const unsigned char sum[BP_SHA1_SIZE],
                         struct bp_buf *out)
{
    static const unsigned char head[] = {0xff, 't', 'O', 'c', 0, 0, 0, 2};
    BP_AUTO(bp_freep) struct object *sorted = bp_alloc(pack->count, sizeof(*sorted));
    BP_AUTO(bp_sha1_freep) struct bp_sha1 *hash = bp_sha1_new();
    unsigned char bytes[BP_SHA1_SIZE];
    size_t below = 0;

    memcpy(sorted, pack->objects, pack->count * sizeof(*sorted));
    qsort(sorted, pack->count, sizeof(*sorted), by_id);
    bp_buf_add(out, head, sizeof(head));
    for (unsigned first = 0; first < FANOUT; first++) {
        while (below < pack->count && sorted[below].id.id[0] <= first)
            below++;
        put32(bytes, (uint32_t)below);
        bp_buf_add(out, bytes, 4);
    }
    for (size_t i = 0; i < pack->count; i++)
        bp_buf_add(out, sorted[i].id.id, BP_SHA1_SIZE);
    for (size_t i = 0; i < pack->count; i++) {
        put32(bytes, sorted[i].crc);
        bp_buf_add(out, bytes, 4);
    }
    for (size_t i = 0; i < pack->count; i++) {
        put32(bytes, sorted[i].offset);
        bp_buf_add(out, bytes, 4);
    }
    bp_buf_add(out, sum, BP_SHA1_SIZE);
    bp_sha1_add(hash, out->data, out->len);
    bp_sha1_end(hash, bytes);
    bp_buf_add(out, bytes, BP_SHA1_SIZE);
}

static enum bp_code write_index(struct bp_git_pack *pack, const char *path,
                                const unsigned char sum[BP_SHA1_SIZE], struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
    bool done = false;

    if (fd < 0)
        return fail(pack, "index", err);
    render_index(pack, sum, &text);
    done = write_all(fd, text.data, text.len, 0);
    return close(fd) == 0 && done ? BP_OK : fail(pack, "index", err);
}

/* The pack and then its index get their names: Git looks for the index. */
static enum bp_code give_names(struct bp_git_pack *pack, const unsigned char sum[BP_SHA1_SIZE],
                               struct bp_err *err)
{
    BP_AUTO(bp_freep) char *index = bp_format("%s.idx", pack->path);
    BP_AUTO(bp_freep) char *pack_name = NULL;
    BP_AUTO(bp_freep) char *index_name = NULL;
    char hex[2 * BP_SHA1_SIZE + 1];
    git_oid id;

    memcpy(id.id, sum, BP_SHA1_SIZE);
    (void)git_oid_tostr(hex, sizeof(hex), &id);
    pack_name = bp_format("%s/pack-%s.pack", pack->folder, hex);
    index_name = bp_format("%s/pack-%s.idx", pack->folder, hex);
    if (write_index(pack, index, sum, err) != BP_OK) {
        (void)unlink(index);
        return err->code;
    }
    if (rename(pack->path, pack_name) != 0 || rename(index, index_name) != 0)
        return fail(pack, "name", err);
    return BP_OK;
}

static void keep_part(struct bp_git_pack *pack)
{
    struct bp_git_part part = {.ids = bp_alloc(pack->count, sizeof(*part.ids)),
                               .count = pack->count,
                               .bytes = pack->bytes};

    for (size_t i = 0; i < pack->count; i++)
        part.ids[i] = pack->objects[i].id;
    pack->parts = bp_realloc(pack->parts, pack->part_count + 1, sizeof(*pack->parts));
    pack->parts[pack->part_count++] = part;
}

/* The file is not synced: a working copy does not outlive its run. */
static enum bp_code end(struct bp_git_pack *pack, struct bp_err *err)
{
    unsigned char sum[BP_SHA1_SIZE];

    if (write_sum(pack, sum, err) != BP_OK || give_names(pack, sum, err) != BP_OK)
        return err->code;
    keep_part(pack);
    drop(pack);
    return BP_OK;
}

/* zlib's format. Returns how many bytes it takes. */
static size_t deflate(const void *data, size_t len, unsigned char *out, size_t size)
{
    BP_AUTO(bp_freep) struct isal_zstream *stream = bp_alloc(1, sizeof(*stream));
    BP_AUTO(bp_freep) unsigned char *work = bp_alloc(1, ISAL_DEF_LVL1_DEFAULT);

    isal_deflate_init(stream);
    stream->gzip_flag = IGZIP_ZLIB;
    stream->level = LEVEL;
    stream->level_buf = work;
    stream->level_buf_size = ISAL_DEF_LVL1_DEFAULT;
    stream->end_of_stream = 1;
    stream->flush = NO_FLUSH;
    stream->next_in = (uint8_t *)(uintptr_t)data; /* it is only read */
    stream->avail_in = (uint32_t)len;
    stream->next_out = out;
    stream->avail_out = (uint32_t)size;
    if (isal_deflate(stream) != COMP_OK || stream->internal_state.state != ZSTATE_END)
        abort(); /* there is room for what cannot be compressed */
    return stream->total_out;
}

/* An object's head and its compressed bytes, as they stand in a pack. */
static size_t deflate_object(const void *data, size_t len, unsigned char **out)
{
    size_t bound = len + len / 8 + SLACK;
    unsigned char *at = bp_alloc(1, OBJECT_HEAD_SIZE + bound);
    size_t rest = len >> 4;
    size_t head = 0;

    *out = at;
    at[head++] = (unsigned char)(BLOB << 4 | (len & 15) | (rest > 0 ? 0x80 : 0));
    while (rest > 0) {
        at[head++] = (unsigned char)((rest & 0x7f) | (rest >> 7 > 0 ? 0x80 : 0));
        rest >>= 7;
    }
    return head + deflate(data, len, at + head, bound);
}

static enum bp_code append(struct bp_git_pack *pack, const git_oid *id, const unsigned char *bytes,
                           size_t len, struct bp_err *err)
{
    struct object object = {.id = *id};

    if (has(pack, id)) /* another thread was faster */
        return BP_OK;
    if (pack->fd < 0 && begin(pack, err) != BP_OK)
        return err->code;
    object.offset = (uint32_t)pack->bytes;
    object.crc = crc32_gzip_refl(0, bytes, len);
    if (!write_all(pack->fd, bytes, len, pack->bytes))
        return fail(pack, "write", err);
    add_object(pack, &object);
    pack->bytes += (int64_t)len;
    return pack->bytes >= pack->limit ? end(pack, err) : BP_OK;
}

enum bp_code bp_git_pack_add(struct bp_git_pack *pack, const git_oid *id, const void *data,
                             size_t len, struct bp_err *err)
{
    BP_AUTO(bp_freep) unsigned char *bytes = NULL;
    enum bp_code rc = BP_OK;
    size_t packed = 0;
    bool known = false;

    (void)pthread_mutex_lock(&pack->lock);
    known = has(pack, id);
    (void)pthread_mutex_unlock(&pack->lock);
    if (known)
        return BP_OK;
    packed = deflate_object(data, len, &bytes);
    (void)pthread_mutex_lock(&pack->lock);
    rc = append(pack, id, bytes, packed, err);
    (void)pthread_mutex_unlock(&pack->lock);
    return rc;
}

enum bp_code bp_git_pack_end(struct bp_git_pack *pack, struct bp_err *err)
{
    enum bp_code rc = BP_OK;

    (void)pthread_mutex_lock(&pack->lock);
    if (pack->count > 0)
        rc = end(pack, err);
    (void)pthread_mutex_unlock(&pack->lock);
    return rc;
}

int64_t bp_git_pack_open_bytes(struct bp_git_pack *pack)
{
    int64_t bytes = 0;

    (void)pthread_mutex_lock(&pack->lock);
    bytes = pack->bytes;
    (void)pthread_mutex_unlock(&pack->lock);
    return bytes;
}

bool bp_git_pack_part(struct bp_git_pack *pack, size_t index, struct bp_git_part *out)
{
    bool found = false;

    (void)pthread_mutex_lock(&pack->lock);
    found = index < pack->part_count;
    if (found)
        *out = pack->parts[index];
    (void)pthread_mutex_unlock(&pack->lock);
    return found;
}

void bp_git_pack_freep(struct bp_git_pack **pack)
{
    if (*pack == NULL)
        return;
    drop(*pack);
    for (size_t i = 0; i < (*pack)->part_count; i++)
        bp_free((*pack)->parts[i].ids);
    bp_free((*pack)->parts);
    bp_free((*pack)->folder);
    (void)pthread_mutex_destroy(&(*pack)->lock);
    bp_freep(pack);
}
