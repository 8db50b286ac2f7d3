#include "store/git_blobs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/git_inflate.h"

enum {
    BLOB = 3, /* an object's type in a pack */
    ID_SIZE = 20,
    FANOUT = 256,
    INDEX_HEAD = 8 + 4 * FANOUT,
    INDEX_TAIL = 2 * ID_SIZE,
    PACK_HEAD = 12,
    SIZE_MOST = 10,  /* bytes of an object's type and size */
    LOOSE_HEAD = 32, /* "blob 123" and its NUL have fewer */
    PACKS_MOST = 64, /* each has two open files; of the others libgit2 reads */
};

struct pack {
    char *name; /* without ".idx" */
    int index;
    int data;
    int64_t index_size;
    int64_t data_size;
    uint32_t below[FANOUT]; /* how many names begin with this byte or a lower one */
};

struct bp_git_blobs {
    char *folder;
    pthread_mutex_t lock;   /* of the list of packs; their files stay open */
    struct timespec looked; /* the change of the folder of packs that was seen last */
    struct pack packs[PACKS_MOST];
    size_t pack_count;
};

static uint32_t get32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool read_at(int fd, int64_t at, void *out, size_t len)
{
    ssize_t got = -1;

    do {
        got = pread(fd, out, len, at);
    } while (got < 0 && errno == EINTR);
    return got == (ssize_t)len;
}

struct bp_git_blobs *bp_git_blobs_new(const char *folder)
{
    struct bp_git_blobs *blobs = bp_alloc(1, sizeof(*blobs));

    blobs->folder = bp_strdup(folder);
    (void)pthread_mutex_init(&blobs->lock, NULL);
    return blobs;
}

/* ---- packs ---- */

static void close_pack(struct pack *pack)
{
    if (pack->index >= 0)
        (void)close(pack->index);
    if (pack->data >= 0)
        (void)close(pack->data);
    bp_free(pack->name);
}

static int open_file(const char *folder, const char *name, const char *end, int64_t *size)
{
    BP_AUTO(bp_freep) char *path = bp_format("%s/pack/%s%s", folder, name, end);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (fd < 0)
        return -1;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        *size = st.st_size;
        return fd;
    }
    (void)close(fd);
    return -1;
}

/* Version 2 of an index, which Git has written since 2008. */
static bool read_heads(struct pack *pack)
{
    static const unsigned char index_head[] = {0xff, 't', 'O', 'c', 0, 0, 0, 2};
    unsigned char index[INDEX_HEAD];
    unsigned char data[PACK_HEAD];

    if (!read_at(pack->index, 0, index, sizeof(index)) ||
        memcmp(index, index_head, sizeof(index_head)) != 0 ||
        !read_at(pack->data, 0, data, sizeof(data)) || memcmp(data, "PACK\0\0\0\2", 8) != 0)
        return false;
    for (size_t i = 0; i < FANOUT; i++) {
        pack->below[i] = get32(index + sizeof(index_head) + 4 * i);
        if (i > 0 && pack->below[i] < pack->below[i - 1])
            return false;
    }
    return pack->index_size >=
           INDEX_HEAD + INDEX_TAIL + (int64_t)pack->below[FANOUT - 1] * (ID_SIZE + 8);
}

static void add_pack(struct bp_git_blobs *blobs, const char *name)
{
    struct pack pack = {.name = bp_strdup(name)};

    pack.index = open_file(blobs->folder, name, ".idx", &pack.index_size);
    pack.data = open_file(blobs->folder, name, ".pack", &pack.data_size);
    if (pack.index >= 0 && pack.data >= 0 && read_heads(&pack))
        blobs->packs[blobs->pack_count++] = pack;
    else
        close_pack(&pack);
}

static bool has_pack(const struct bp_git_blobs *blobs, const char *name)
{
    for (size_t i = 0; i < blobs->pack_count; i++) {
        if (strcmp(blobs->packs[i].name, name) == 0)
            return true;
    }
    return false;
}

static int is_index(const struct dirent *entry)
{
    return bp_text_starts_with(entry->d_name, "pack-") && bp_text_ends_with(entry->d_name, ".idx");
}

static void offer_pack(struct bp_git_blobs *blobs, const char *index)
{
    BP_AUTO(bp_freep) char *name = bp_strndup(index, strlen(index) - strlen(".idx"));

    if (blobs->pack_count < PACKS_MOST && !has_pack(blobs, name))
        add_pack(blobs, name);
}

/* Whether there are packs that were not there before. */
static bool look_again(struct bp_git_blobs *blobs)
{
    BP_AUTO(bp_freep) char *path = bp_format("%s/pack", blobs->folder);
    BP_AUTO(bp_freep) struct dirent **entries = NULL;
    size_t before = blobs->pack_count;
    struct stat st;
    int count = 0;

    if (stat(path, &st) != 0 ||
        (st.st_mtim.tv_sec == blobs->looked.tv_sec && st.st_mtim.tv_nsec == blobs->looked.tv_nsec))
        return false;
    blobs->looked = st.st_mtim;
    count = scandir(path, &entries, is_index, NULL); // cppcheck-suppress nullPointer
    for (int i = 0; i < count; i++) {
        offer_pack(blobs, entries[i]->d_name);
        bp_free(entries[i]);
    }
    return blobs->pack_count > before;
}

/* The object's number among the sorted names; false: it is not in this pack. */
static bool find_name(const struct pack *pack, const git_oid *id, uint32_t *number)
{
    uint32_t low = id->id[0] > 0 ? pack->below[id->id[0] - 1] : 0;
    uint32_t high = pack->below[id->id[0]];

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        unsigned char name[ID_SIZE];
        int order = 0;

        if (!read_at(pack->index, INDEX_HEAD + (int64_t)middle * ID_SIZE, name, sizeof(name)))
            return false;
        order = memcmp(id->id, name, sizeof(name));
        if (order == 0) {
            *number = middle;
            return true;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

/* Behind the names stand as many checksums, then the places, then those above 2 GiB. */
static bool find_place(const struct pack *pack, uint32_t number, int64_t *out)
{
    int64_t all = pack->below[FANOUT - 1];
    int64_t places = INDEX_HEAD + all * (ID_SIZE + 4);
    unsigned char bytes[8];
    uint64_t place = 0;

    if (!read_at(pack->index, places + 4 * (int64_t)number, bytes, 4))
        return false;
    place = get32(bytes);
    if ((place & 0x80000000U) != 0) {
        int64_t far = places + 4 * all + 8 * (int64_t)(place & 0x7fffffffU);

        if (!read_at(pack->index, far, bytes, sizeof(bytes)))
            return false;
        place = (uint64_t)get32(bytes) << 32 | get32(bytes + 4);
    }
    if (place < PACK_HEAD || place >= (uint64_t)pack->data_size)
        return false;
    *out = (int64_t)place;
    return true;
}

static bool find_in_packs(const struct bp_git_blobs *blobs, size_t first, const git_oid *id,
                          int *fd, int64_t *place)
{
    for (size_t i = first; i < blobs->pack_count; i++) {
        uint32_t number = 0;

        if (find_name(&blobs->packs[i], id, &number) &&
            find_place(&blobs->packs[i], number, place)) {
            *fd = blobs->packs[i].data;
            return true;
        }
    }
    return false;
}

static bool find_packed(struct bp_git_blobs *blobs, const git_oid *id, int *fd, int64_t *place)
{
    bool found = false;
    size_t known = 0;

    (void)pthread_mutex_lock(&blobs->lock);
    found = find_in_packs(blobs, 0, id, fd, place);
    known = blobs->pack_count;
    if (!found && look_again(blobs))
        found = find_in_packs(blobs, known, id, fd, place);
    (void)pthread_mutex_unlock(&blobs->lock);
    return found;
}

/* ---- contents ---- */

/* The rest of a stream, which has to have this many bytes. */
static bool read_content(struct bp_git_inflate *in, size_t len, struct bp_buf *out)
{
    bp_buf_reserve(out, len);
    if (!bp_git_inflate_read(in, out->data + out->len, len) || !bp_git_inflate_end(in)) {
        out->data[out->len] = '\0';
        return false;
    }
    out->len += len;
    out->data[out->len] = '\0';
    return true;
}

/* In front of an object: four bits of its size and its type, then seven bits at a time. */
static bool read_size(int fd, int64_t *place, size_t limit, size_t *size)
{
    unsigned char head[SIZE_MOST] = {0};
    ssize_t got = pread(fd, head, sizeof(head), *place);
    uint64_t value = head[0] & 15;
    size_t used = 1;

    if (got < 1 || (head[0] >> 4 & 7) != BLOB)
        return false;
    for (unsigned shift = 4; (head[used - 1] & 0x80) != 0; shift += 7) {
        if (used == (size_t)got || shift > 53)
            return false;
        value |= (uint64_t)(head[used++] & 0x7f) << shift;
    }
    *place += (int64_t)used;
    *size = (size_t)value;
    return value <= limit;
}

static bool read_packed(struct bp_git_blobs *blobs, const git_oid *id, size_t limit,
                        struct bp_buf *out)
{
    BP_AUTO(bp_git_inflate_freep) struct bp_git_inflate *in = NULL;
    int64_t place = 0;
    size_t size = 0;
    int fd = -1;

    if (!find_packed(blobs, id, &fd, &place) || !read_size(fd, &place, limit, &size))
        return false;
    in = bp_git_inflate_new(fd, place);
    return read_content(in, size, out);
}

/* "blob 123" and a NUL stand before the content, in the stream. */
static bool read_loose_head(struct bp_git_inflate *in, size_t limit, size_t *size)
{
    char head[LOOSE_HEAD] = {0};
    struct bp_err ignored = {0};
    int64_t value = 0;

    for (size_t i = 0; i < sizeof(head); i++) {
        if (!bp_git_inflate_read(in, &head[i], 1))
            return false;
        if (head[i] == '\0')
            break;
    }
    if (head[sizeof(head) - 1] != '\0' || !bp_text_starts_with(head, "blob ") ||
        bp_parse_int(head + strlen("blob "), 0, (int64_t)limit, &value, &ignored) != BP_OK)
        return false;
    *size = (size_t)value;
    return true;
}

static bool read_loose(const struct bp_git_blobs *blobs, const git_oid *id, size_t limit,
                       struct bp_buf *out)
{
    BP_AUTO(bp_git_inflate_freep) struct bp_git_inflate *in = NULL;
    BP_AUTO(bp_freep) char *path = NULL;
    char hex[2 * ID_SIZE + 1];
    size_t size = 0;
    bool done = false;
    int fd = -1;

    (void)git_oid_tostr(hex, sizeof(hex), id);
    path = bp_format("%s/%.2s/%s", blobs->folder, hex, hex + 2);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    in = bp_git_inflate_new(fd, 0);
    done = read_loose_head(in, limit, &size) && read_content(in, size, out);
    (void)close(fd);
    return done;
}

bool bp_git_blobs_read(struct bp_git_blobs *blobs, const git_oid *id, size_t limit,
                       struct bp_buf *out)
{
    return read_packed(blobs, id, limit, out) || read_loose(blobs, id, limit, out);
}

void bp_git_blobs_freep(struct bp_git_blobs **blobs)
{
    if (*blobs == NULL)
        return;
    for (size_t i = 0; i < (*blobs)->pack_count; i++)
        close_pack(&(*blobs)->packs[i]);
    (void)pthread_mutex_destroy(&(*blobs)->lock);
    bp_free((*blobs)->folder);
    bp_freep(blobs);
}
