#include "flow/slices.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#include "archive/chunk.h"
#include "base/mem.h"

enum {
    SHOWN_ROWS = 4096, /* progress is told in steps of so many rows */
    LOOK_MS = 10,      /* while another reader is waited for */
};

static const char end_of_copy[] = "\\.\n";

/* One slice. What others may ask for is under the lock. */
struct part {
    const struct bp_table *table;
    size_t number;
    char *head; /* of its files */

    bool taken;      /* somebody reads it, or has read it */
    bool head_known; /* its rows up to and with the first fence have been counted */
    bool fenced;     /* there is a fence among them */
    int64_t head_rows;

    struct bp_stage_files files;
    int64_t rows;     /* that the server sent for this slice, each counted once */
    bool done;        /* all of them have been read */
    int64_t credited; /* of its size, to the progress */
};

struct bp_slices {
    const struct bp_tables *tables;
    struct bp_store *store;
    struct bp_sealing *sealing;
    struct bp_slices_progress *progress;
    pthread_mutex_t lock;
    struct part *parts; /* the slices of one table one after the other, in order */
    size_t count;
    size_t *first; /* of each table: where its parts begin */
};

/* One reader at work on a part, and maybe on those behind it. */
struct reading {
    struct bp_slices *slices;
    struct part *own;
    struct bp_reader *reader;
    struct bp_clock *clock;
    struct bp_lines lines;
    struct part *present; /* what is read now */
    bool skipping;        /* the first fence of its own part was not there yet */
    int64_t rows;         /* of the present statement */
    int64_t new_rows;     /* written since progress was told */
    int64_t new_bytes;
};

struct entry {
    const struct bp_table *table;
};

/* Largest first; the slices of one table stay together and in order. */
static int by_size(const void *left, const void *right)
{
    const struct bp_table *a = ((const struct entry *)left)->table;
    const struct bp_table *b = ((const struct entry *)right)->table;

    if (a->size_bytes != b->size_bytes)
        return a->size_bytes < b->size_bytes ? 1 : -1;
    return (a > b) - (a < b);
}

struct bp_slices *bp_slices_new(const struct bp_tables *tables, struct bp_store *store,
                                struct bp_sealing *sealing, struct bp_slices_progress *progress)
{
    BP_AUTO(bp_freep)
    struct entry *sorted = bp_alloc(tables->count + 1, sizeof(*sorted));
    struct bp_slices *slices = bp_alloc(1, sizeof(*slices));
    size_t total = 0;

    for (size_t i = 0; i < tables->count; i++) {
        sorted[i].table = &tables->at[i];
        total += tables->at[i].slices;
    }
    qsort(sorted, tables->count, sizeof(*sorted), by_size);
    *slices = (struct bp_slices){
        .tables = tables, .store = store, .sealing = sealing, .progress = progress};
    (void)pthread_mutex_init(&slices->lock, NULL);
    slices->parts = bp_alloc(total + 1, sizeof(*slices->parts));
    slices->first = bp_alloc(tables->count + 1, sizeof(*slices->first));
    for (size_t i = 0; i < tables->count; i++) {
        slices->first[sorted[i].table - tables->at] = slices->count;
        for (size_t n = 0; n < sorted[i].table->slices; n++)
            slices->parts[slices->count++] =
                (struct part){.table = sorted[i].table,
                              .number = n,
                              .head = bp_format("%s\n", sorted[i].table->copy_in)};
    }
    return slices;
}

size_t bp_slices_count(const struct bp_slices *slices)
{
    return slices->count;
}

const struct bp_table *bp_slices_table(const struct bp_slices *slices, size_t i)
{
    return slices->parts[i].table;
}

/* ---- what readers know of each other ---- */

static bool is_taken(struct bp_slices *slices, const struct part *part)
{
    bool taken = false;

    (void)pthread_mutex_lock(&slices->lock);
    taken = part->taken;
    (void)pthread_mutex_unlock(&slices->lock);
    return taken;
}

static bool take(struct bp_slices *slices, struct part *part)
{
    bool free = false;

    (void)pthread_mutex_lock(&slices->lock);
    free = !part->taken;
    part->taken = true;
    (void)pthread_mutex_unlock(&slices->lock);
    return free;
}

static void tell_head(struct bp_slices *slices, struct part *part, int64_t rows, bool fenced)
{
    (void)pthread_mutex_lock(&slices->lock);
    part->head_rows = rows;
    part->fenced = fenced;
    part->head_known = true;
    (void)pthread_mutex_unlock(&slices->lock);
}

/* Its reader counts without waiting for anybody, so this ends. */
static enum bp_code wait_for_head(struct bp_slices *slices, struct part *part,
                                  struct bp_clock *clock, struct bp_err *err)
{
    enum bp_code rc = BP_OK;

    (void)pthread_mutex_lock(&slices->lock);
    while (!part->head_known && rc == BP_OK) {
        (void)pthread_mutex_unlock(&slices->lock);
        rc = bp_clock_sleep(clock, LOOK_MS, err);
        (void)pthread_mutex_lock(&slices->lock);
    }
    (void)pthread_mutex_unlock(&slices->lock);
    return rc;
}

/* ---- reading ---- */

/* What a part takes on the server's disk. */
static int64_t size_of(const struct part *part)
{
    return part->table->size_bytes / (int64_t)part->table->slices;
}

/* Of the size, at most as much as there are bytes, until all is read. */
static void credit(struct reading *r, struct part *part, int64_t size)
{
    int64_t left = size_of(part) - part->credited;

    if (size > left)
        size = left;
    part->credited += size;
    atomic_fetch_add_explicit(&r->slices->progress->size, size, memory_order_relaxed);
}

static void tell_progress(struct reading *r)
{
    credit(r, r->present, r->new_bytes);
    atomic_fetch_add_explicit(&r->slices->progress->rows, r->new_rows, memory_order_relaxed);
    atomic_fetch_add_explicit(&r->slices->progress->bytes, r->new_bytes, memory_order_relaxed);
    r->new_rows = 0;
    r->new_bytes = 0;
}

static enum bp_code on_row(void *ctx, const char *line, size_t len, struct bp_err *err)
{
    struct reading *r = ctx;

    r->rows++;
    if (!r->skipping) {
        r->new_bytes += (int64_t)len;
        if (++r->new_rows == SHOWN_ROWS)
            tell_progress(r);
        return bp_lines_add(&r->lines, line, len, err);
    }
    if (bp_chunk_is_fence(
            &(struct bp_chunk_row){.text = line, .len = len, .key = r->own->table->key_columns})) {
        r->skipping = false;
        tell_head(r->slices, r->own, r->rows, true);
    }
    return BP_OK;
}

/* The rows of a part, or with a limit that many from its start. */
static enum bp_code read_part(struct reading *r, struct part *part, int64_t limit,
                              struct bp_err *err)
{
    const struct bp_slice slice = {.table = part->table, .number = part->number, .limit = limit};
    enum bp_code rc = BP_OK;

    r->rows = 0;
    /* The head of a part belongs to the progress of its own reader, who may be at work on it. */
    r->present = limit == 0 ? part : r->own;
    rc = r->reader->ops->rows(r->reader, &slice, on_row, r, err);
    tell_progress(r);
    if (limit == 0)
        credit(r, part, INT64_MAX);
    return rc;
}

static enum bp_code read_own(struct reading *r, struct bp_err *err)
{
    r->skipping = r->own->number > 0;
    if (read_part(r, r->own, 0, err) != BP_OK)
        return err->code;
    r->own->rows = r->rows;
    r->own->done = true;
    if (r->skipping)
        tell_head(r->slices, r->own, r->rows, false);
    return BP_OK;
}

/*
 * Go on to the first fence behind the own part. A part that nobody has begun is read whole: that
 * costs less than to begin it.
 */
static enum bp_code read_on(struct reading *r, struct bp_err *err)
{
    const struct part *end = r->slices->parts + r->slices->count;
    bool fenced = false;

    for (struct part *next = r->own + 1; !fenced && next < end && next->table == r->own->table;
         next++) {
        if (take(r->slices, next)) {
            if (read_part(r, next, 0, err) != BP_OK)
                return err->code;
            next->rows = r->rows;
            next->done = true;
            continue;
        }
        if (wait_for_head(r->slices, next, r->clock, err) != BP_OK)
            return err->code;
        if (next->head_rows > 0 && read_part(r, next, next->head_rows, err) != BP_OK)
            return err->code;
        fenced = next->fenced;
    }
    return BP_OK;
}

enum bp_code bp_slices_claim(struct bp_slices *slices, size_t i, struct bp_reader *reader,
                             struct bp_err *err)
{
    const struct part *part = &slices->parts[i];

    if (is_taken(slices, part))
        return BP_OK;
    return reader->ops->hold(reader, part->table, err);
}

enum bp_code bp_slices_read(struct bp_slices *slices, size_t i, struct bp_reader *reader,
                            struct bp_clock *clock, struct bp_err *err)
{
    struct part *own = &slices->parts[i];
    struct reading r = {.slices = slices,
                        .own = own,
                        .reader = reader,
                        .clock = clock,
                        .lines = {.store = slices->store,
                                  .sealing = slices->sealing,
                                  .head = own->head,
                                  .tail = end_of_copy,
                                  .fences = own->table->all_differ,
                                  .key = own->table->key_columns,
                                  .files = &own->files}};
    enum bp_code rc = BP_OK;

    if (!take(slices, own))
        return BP_OK;
    rc = read_own(&r, err);
    if (rc == BP_OK && !r.skipping)
        rc = read_on(&r, err);
    if (rc == BP_OK)
        rc = bp_lines_end(&r.lines, own->number == 0 && own->files.count == 0, err);
    bp_lines_free(&r.lines);
    if (rc != BP_OK)
        return bp_wrap(err, "table '%s.%s'", own->table->schema, own->table->name);
    return BP_OK;
}

enum bp_code bp_slices_take(struct bp_slices *slices, const struct bp_table *table,
                            struct bp_stage_files *out, struct bp_err *err)
{
    struct part *part = &slices->parts[slices->first[table - slices->tables->at]];
    int64_t rows = 0;
    bool done = true;

    *out = (struct bp_stage_files){0};
    for (size_t n = 0; n < table->slices; n++, part++) {
        done = done && part->done;
        rows += part->rows;
        bp_stage_files_join(out, &part->files);
    }
    if (!done || out->count == 0)
        return bp_fail(err, BP_EFAILED, "table '%s.%s' was not read to its end", table->schema,
                       table->name);
    if (rows != out->lines)
        return bp_fail(err, BP_EFAILED,
                       "table '%s.%s' has %" PRId64 " rows and %" PRId64 " of them were written",
                       table->schema, table->name, rows, out->lines);
    return BP_OK;
}

void bp_slices_freep(struct bp_slices **slices)
{
    struct bp_slices *s = *slices;

    *slices = NULL;
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->count; i++) {
        bp_free(s->parts[i].head);
        bp_stage_files_free(&s->parts[i].files);
    }
    bp_free(s->parts);
    bp_free(s->first);
    (void)pthread_mutex_destroy(&s->lock);
    bp_free(s);
}
