#include "flow/row_join.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"

enum {
    HASH = 16,
    MOST_BUCKETS = 512,
    BUCKET_ROWS = 200000, /* so many rows or more make another bucket */
    BUFFERED = 400,       /* rows of a bucket that wait to be written */
};

/* The pile, in a record's file. */
static const uint32_t now_bit = UINT32_C(1) << 31;

struct record {
    unsigned char key[HASH];
    unsigned char content[HASH];
    uint32_t file;
    uint32_t offset;
};

struct bucket {
    struct record *waiting; /* BUFFERED of them, once there is one */
    size_t count;
};

struct bp_row_join {
    char *dir;
    size_t keep;
    size_t bucket_count; /* a power of two */
    struct bucket *buckets;
    struct bp_sha256 *hash;
};

/* ---- into the buckets ---- */

enum bp_code bp_row_join_new(const struct bp_row_join_options *options, struct bp_row_join **out,
                             struct bp_err *err)
{
    struct bp_row_join *join = bp_alloc(1, sizeof(*join));

    join->bucket_count = 1;
    while (join->bucket_count < MOST_BUCKETS &&
           (int64_t)join->bucket_count * BUCKET_ROWS < options->rows)
        join->bucket_count *= 2;
    join->buckets = bp_alloc(join->bucket_count, sizeof(*join->buckets));
    join->keep = options->keep;
    join->hash = bp_sha256_new();
    *out = join;
    if (bp_tempdir_new(options->temp_parent, &join->dir, err) != BP_OK) {
        bp_row_join_freep(out);
        return err->code;
    }
    return BP_OK;
}

void bp_row_join_freep(struct bp_row_join **join)
{
    if (*join == NULL)
        return;
    for (size_t i = 0; i < (*join)->bucket_count; i++)
        bp_free((*join)->buckets[i].waiting);
    bp_free((*join)->buckets);
    bp_sha256_freep(&(*join)->hash);
    bp_tempdir_removep(&(*join)->dir);
    bp_free(*join);
    *join = NULL;
}

static void hash_of(struct bp_row_join *join, const struct bp_field *text, unsigned char out[HASH])
{
    unsigned char digest[BP_SHA256_SIZE];

    bp_sha256_add(join->hash, text->at, text->len);
    bp_sha256_end_raw(join->hash, digest);
    memcpy(out, digest, HASH);
}

static char *path_of(const struct bp_row_join *join, const struct bucket *bucket)
{
    return bp_format("%s/%zu", join->dir, (size_t)(bucket - join->buckets));
}

static enum bp_code flush(const struct bp_row_join *join, struct bucket *bucket, struct bp_err *err)
{
    BP_AUTO(bp_freep) char *path = NULL;
    FILE *file = NULL;
    size_t written = 0;

    if (bucket->count == 0)
        return BP_OK;
    path = path_of(join, bucket);
    file = fopen(path, "abe");
    if (file != NULL)
        written = fwrite(bucket->waiting, sizeof(*bucket->waiting), bucket->count, file);
    if (file == NULL || fclose(file) != 0 || written != bucket->count)
        return bp_fail(err, BP_EFAILED,
                       "cannot write to the temporary folder '%s': %m; hint: set TMPDIR "
                       "(RUNNER_TEMP in a workflow) to a folder with more space",
                       join->dir);
    bucket->count = 0;
    return BP_OK;
}

static size_t bucket_of(const struct bp_row_join *join, const unsigned char key[HASH])
{
    return (key[0] + 256U * key[1]) & (join->bucket_count - 1);
}

enum bp_code bp_row_join_add(struct bp_row_join *join, const struct bp_joined_row *row,
                             struct bp_err *err)
{
    struct record record = {.file = row->place.file, .offset = row->place.offset};
    struct bucket *bucket = NULL;

    hash_of(join, &row->content, record.content);
    memcpy(record.key, record.content, HASH);
    if (row->key.at != row->content.at || row->key.len != row->content.len)
        hash_of(join, &row->key, record.key);
    if (row->pile == BP_PILE_NOW)
        record.file |= now_bit;
    bucket = &join->buckets[bucket_of(join, record.key)];
    if (bucket->waiting == NULL)
        bucket->waiting = bp_alloc(BUFFERED, sizeof(*bucket->waiting));
    bucket->waiting[bucket->count++] = record;
    return bucket->count == BUFFERED ? flush(join, bucket, err) : BP_OK;
}

/* ---- one bucket ---- */

/* All rows of a key and a content. */
struct same {
    unsigned char key[HASH];
    unsigned char content[HASH];
    int64_t more; /* in the later pile than in the earlier one */
    struct bp_row_pair first;
};

/* A hash table of them: slots hold a place in the list and one, or 0. */
struct sames {
    struct same *at;
    size_t count;
    size_t size; /* allocated */
    uint32_t *slots;
    size_t slot_count; /* a power of two */
};

static void free_sames(struct sames *sames)
{
    bp_free(sames->at);
    bp_free(sames->slots);
    *sames = (struct sames){0};
}

/* The buckets are made by the first bytes of the key, which may be the content. */
static size_t start_slot(const struct sames *sames, const unsigned char content[HASH])
{
    uint64_t bits = 0;

    memcpy(&bits, content + HASH - sizeof(bits), sizeof(bits));
    return (size_t)bits & (sames->slot_count - 1);
}

static uint32_t *find_slot(const struct sames *sames, const struct record *record)
{
    size_t slot = start_slot(sames, record->content);

    while (sames->slots[slot] != 0) {
        const struct same *same = &sames->at[sames->slots[slot] - 1];

        if (memcmp(same->content, record->content, HASH) == 0 &&
            memcmp(same->key, record->key, HASH) == 0)
            break;
        slot = (slot + 1) & (sames->slot_count - 1);
    }
    return &sames->slots[slot];
}

static void grow(struct sames *sames)
{
    if (sames->count < sames->size)
        return;
    sames->size = sames->size > 0 ? sames->size * 2 : 1024;
    sames->at = bp_realloc(sames->at, sames->size, sizeof(*sames->at));
    sames->slot_count = sames->size * 2;
    bp_free(sames->slots);
    sames->slots = bp_alloc(sames->slot_count, sizeof(*sames->slots));
    for (size_t i = 0; i < sames->count; i++) {
        size_t slot = start_slot(sames, sames->at[i].content);

        while (sames->slots[slot] != 0)
            slot = (slot + 1) & (sames->slot_count - 1);
        sames->slots[slot] = (uint32_t)(i + 1);
    }
}

static int by_place(const struct bp_row_place *a, const struct bp_row_place *b)
{
    if (a->file != b->file)
        return a->file < b->file ? -1 : 1;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

static void count_row(struct sames *sames, const struct record *record)
{
    static const struct bp_row_place far = {UINT32_MAX, UINT32_MAX};
    const struct bp_row_place place = {record->file & ~now_bit, record->offset};
    bool now = (record->file & now_bit) != 0;
    uint32_t *slot = NULL;
    struct same *same = NULL;
    struct bp_row_place *first = NULL;

    grow(sames);
    slot = find_slot(sames, record);
    if (*slot == 0) {
        same = &sames->at[sames->count++];
        *slot = (uint32_t)sames->count;
        *same = (struct same){.first = {.old = far, .now = far}};
        memcpy(same->key, record->key, HASH);
        memcpy(same->content, record->content, HASH);
    }
    same = &sames->at[*slot - 1];
    same->more += now ? 1 : -1;
    first = now ? &same->first.now : &same->first.old;
    if (by_place(&place, first) < 0)
        *first = place;
}

static enum bp_code read_bucket(const struct bp_row_join *join, struct bucket *bucket,
                                struct sames *sames, struct bp_err *err)
{
    BP_AUTO(bp_freep) char *path = path_of(join, bucket);
    BP_AUTO(bp_freep) struct record *records = bp_alloc(BUFFERED, sizeof(*records));
    FILE *file = fopen(path, "rbe");
    size_t got = 0;
    bool broken = file == NULL;

    while (!broken && (got = fread(records, sizeof(*records), BUFFERED, file)) > 0) {
        for (size_t i = 0; i < got; i++)
            count_row(sames, &records[i]);
    }
    broken = broken || ferror(file) != 0;
    if (broken)
        (void)bp_fail(err, BP_EFAILED, "cannot read from the temporary folder '%s': %m", join->dir);
    if (file != NULL)
        (void)fclose(file);
    (void)unlink(path);
    return broken ? BP_EFAILED : BP_OK;
}

/* ---- the differences ---- */

static int by_key(const void *left, const void *right)
{
    const struct same *a = left;
    const struct same *b = right;
    int order = memcmp(a->key, b->key, HASH);

    if (order == 0)
        order = by_place(&a->first.old, &b->first.old);
    return order != 0 ? order : by_place(&a->first.now, &b->first.now);
}

static int by_pair(const void *left, const void *right)
{
    const struct bp_row_pair *a = left;
    const struct bp_row_pair *b = right;
    int order = by_place(&a->old, &b->old);

    return order != 0 ? order : by_place(&a->now, &b->now);
}

/* Keep the first ones. */
static void cut_pairs(struct bp_row_pairs *pairs, size_t keep)
{
    if (pairs->count > 0)
        qsort(pairs->at, pairs->count, sizeof(*pairs->at), by_pair);
    if (pairs->count > keep)
        pairs->count = keep;
}

static void add_pair(struct bp_row_pairs *pairs, size_t keep, const struct bp_row_pair *pair)
{
    if (keep == 0)
        return;
    if (pairs->count >= 2 * keep)
        cut_pairs(pairs, keep);
    if (pairs->count == pairs->size) {
        pairs->size = pairs->size > 0 ? pairs->size * 2 : 16;
        pairs->at = bp_realloc(pairs->at, pairs->size, sizeof(*pairs->at));
    }
    pairs->at[pairs->count++] = *pair;
}

struct settling {
    size_t keep;
    struct bp_row_join_result *out;
};

/* So many rows of this kind, of which one is known. */
static void tell(const struct settling *s, enum bp_row_change kind, int64_t count,
                 const struct bp_row_pair *pair)
{
    if (count == 0)
        return;
    s->out->counts[kind] += count;
    for (int64_t i = 0; i < count && i < (int64_t)s->keep; i++)
        add_pair(&s->out->first[kind], s->keep, pair);
}

/*
 * The rows of one key: those that only one pile has are paired as long as both have some. A key
 * has one row, unless a mask made keys equal.
 */
static void settle_key(const struct settling *s, struct same *sames, size_t count)
{
    size_t old = 0;
    size_t now = 0;

    for (;;) {
        struct bp_row_pair pair = {0};
        int64_t both = 0;

        while (old < count && sames[old].more >= 0)
            old++;
        while (now < count && sames[now].more <= 0)
            now++;
        if (old == count || now == count)
            break;
        pair = (struct bp_row_pair){.old = sames[old].first.old, .now = sames[now].first.now};
        both = -sames[old].more < sames[now].more ? -sames[old].more : sames[now].more;
        tell(s, BP_ROW_CHANGED, both, &pair);
        sames[old].more += both;
        sames[now].more -= both;
    }
    for (size_t i = 0; i < count; i++) {
        if (sames[i].more > 0)
            tell(s, BP_ROW_ADDED, sames[i].more, &sames[i].first);
        else
            tell(s, BP_ROW_REMOVED, -sames[i].more, &sames[i].first);
    }
}

static void settle(const struct settling *s, struct sames *sames)
{
    size_t kept = 0;
    size_t end = 0;

    for (size_t i = 0; i < sames->count; i++) {
        if (sames->at[i].more != 0)
            sames->at[kept++] = sames->at[i];
    }
    sames->count = kept;
    if (kept > 0)
        qsort(sames->at, kept, sizeof(*sames->at), by_key);
    for (size_t start = 0; start < kept; start = end) {
        end = start + 1;
        while (end < kept && memcmp(sames->at[start].key, sames->at[end].key, HASH) == 0)
            end++;
        settle_key(s, sames->at + start, end - start);
    }
}

static enum bp_code run_bucket(struct bp_row_join *join, struct bucket *bucket,
                               struct bp_row_join_result *out, struct bp_err *err)
{
    const struct settling settling = {.keep = join->keep, .out = out};
    BP_AUTO(free_sames) struct sames sames = {0};

    if (bucket->waiting == NULL) /* it never had a row */
        return BP_OK;
    if (flush(join, bucket, err) != BP_OK || read_bucket(join, bucket, &sames, err) != BP_OK)
        return err->code;
    settle(&settling, &sames);
    return BP_OK;
}

enum bp_code bp_row_join_run(struct bp_row_join *join, const struct bp_stop *stop,
                             struct bp_row_join_result *out, struct bp_err *err)
{
    *out = (struct bp_row_join_result){0};
    for (size_t i = 0; i < join->bucket_count; i++) {
        if (bp_stop_check(stop, err) != BP_OK ||
            run_bucket(join, &join->buckets[i], out, err) != BP_OK) {
            bp_row_join_result_free(out);
            return err->code;
        }
    }
    for (size_t kind = 0; kind < BP_ROW_CHANGES; kind++)
        cut_pairs(&out->first[kind], join->keep);
    return BP_OK;
}

void bp_row_join_result_free(struct bp_row_join_result *result)
{
    for (size_t kind = 0; kind < BP_ROW_CHANGES; kind++)
        bp_free(result->first[kind].at);
    *result = (struct bp_row_join_result){0};
}
