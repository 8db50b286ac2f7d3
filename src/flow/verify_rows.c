/*
 * Tables whose files differ may hold the same rows: masked values are sorted differently than what
 * they stand for, and the hash of an enum's value, which decides its partition, is another one in
 * each database. So their rows are compared as sets, and those of one partition tree together.
 *
 * A set is told by its number of rows and the sum of their hashes, which no order changes. Nobody
 * can choose rows to cheat it: the files that the archive's rows come from have checksums.
 */
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "archive/rows.h"
#include "base/hash.h"
#include "base/mem.h"
#include "flow/archive_file.h"
#include "flow/verify_internal.h"

enum { WORDS = BP_SHA256_SIZE / sizeof(uint64_t) };

struct rowset {
    int64_t rows;
    uint64_t sum[WORDS];
};

/* Tables whose rows are loaded by the same statement. */
struct group {
    char *copy;
    struct rowset archive;
    struct rowset scratch;
};

struct groups {
    struct bp_verify *v;
    struct bp_sha256 *hash;
    struct group *at;
    size_t count;
    size_t *of; /* by pair */
};

static void add_row(struct groups *groups, struct rowset *set, const char *row, size_t len)
{
    unsigned char raw[BP_SHA256_SIZE];
    uint64_t word = 0;

    bp_sha256_add(groups->hash, row, len);
    bp_sha256_end_raw(groups->hash, raw);
    for (size_t i = 0; i < WORDS; i++) {
        memcpy(&word, raw + i * sizeof(word), sizeof(word));
        set->sum[i] += word;
    }
    set->rows++;
}

static size_t find_group(struct groups *groups, const char *copy, size_t len)
{
    for (size_t i = 0; i < groups->count; i++) {
        if (strlen(groups->at[i].copy) == len && memcmp(groups->at[i].copy, copy, len) == 0)
            return i;
    }
    groups->at[groups->count] = (struct group){.copy = bp_strndup(copy, len)};
    return groups->count++;
}

/* ---- the archive's side ---- */

static enum bp_code add_file(struct groups *groups, size_t pair, const char *path,
                             struct bp_err *err)
{
    struct bp_verify *v = groups->v;
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    BP_AUTO(bp_rows_free) struct bp_rows rows = {0};
    struct bp_field row = {0};

    if (bp_stop_check(v->job->clock->stop, err) != BP_OK ||
        bp_verify_read(v, path, &text, err) != BP_OK ||
        bp_rows_open(bp_buf_str(&text), text.len, &rows, err) != BP_OK)
        return err->code;
    groups->of[pair] = find_group(groups, text.data, (size_t)(rows.at - text.data - 1));
    while (bp_rows_next(&rows, &row))
        add_row(groups, &groups->at[groups->of[pair]].archive, row.at, row.len);
    return BP_OK;
}

/* ---- the scratch's side ---- */

struct sink {
    struct groups *groups;
    struct rowset *set;
};

static enum bp_code on_row(void *ctx, const char *line, size_t len, struct bp_err *err)
{
    struct sink *sink = ctx;

    (void)err;
    add_row(sink->groups, sink->set, line, len - 1);
    return BP_OK;
}

static const struct bp_table *find_table(const struct bp_tables *tables,
                                         const struct bp_manifest_table *wanted)
{
    for (size_t i = 0; i < tables->count; i++) {
        if (strcmp(tables->at[i].schema, wanted->schema) == 0 &&
            strcmp(tables->at[i].name, wanted->name) == 0)
            return &tables->at[i];
    }
    return NULL;
}

static enum bp_code add_table(struct groups *groups, const struct bp_table *table,
                              struct bp_reader *reader, struct bp_err *err)
{
    struct sink sink = {.groups = groups};

    sink.set = &groups->at[find_group(groups, table->copy_in, strlen(table->copy_in))].scratch;
    for (size_t i = 0; i < table->slices; i++) {
        const struct bp_slice slice = {.table = table, .number = i};

        if (reader->ops->rows(reader, &slice, on_row, &sink, err) != BP_OK)
            return err->code;
    }
    return BP_OK;
}

static enum bp_code add_scratch(struct groups *groups, struct bp_source *source,
                                const struct bp_verify_pair *pairs, size_t count,
                                struct bp_tables *tables, struct bp_err *err)
{
    BP_AUTO(bp_reader_freep) struct bp_reader *reader = NULL;
    struct bp_source_info info = {0};
    enum bp_code rc = source->ops->snapshot(source, &info, tables, err);

    bp_source_info_free(&info);
    if (rc == BP_OK)
        rc = source->ops->reader(source, 0, groups->v->job->clock, &reader, err);
    for (size_t i = 0; i < count && rc == BP_OK; i++) {
        const struct bp_table *table = find_table(tables, pairs[i].scratch);

        if (table == NULL)
            rc = bp_fail(err, BP_EFAILED, "table '%s.%s' of the restored database is gone",
                         pairs[i].scratch->schema, pairs[i].scratch->name);
        else
            rc = add_table(groups, table, reader, err);
    }
    return rc;
}

static enum bp_code sum_scratch(struct groups *groups, const struct bp_verify_pair *pairs,
                                size_t count, struct bp_err *err)
{
    struct bp_scratch *scratch = groups->v->job->scratch;
    const struct bp_scope scope = bp_verify_scope(groups->v);
    BP_AUTO(bp_source_freep) struct bp_source *source = scratch->ops->source(scratch, &scope);
    BP_AUTO(bp_tables_free) struct bp_tables tables = {0};

    return add_scratch(groups, source, pairs, count, &tables, err);
}

/* ---- both ---- */

static bool is_equal(const struct group *group)
{
    return group->archive.rows == group->scratch.rows &&
           memcmp(group->archive.sum, group->scratch.sum, sizeof(group->archive.sum)) == 0;
}

static enum bp_code tell(struct bp_verify *v, const struct bp_verify_pair *pair, struct bp_err *err)
{
    const struct bp_manifest_table *a = pair->archive;

    if (a->rows != pair->scratch->rows)
        return bp_verify_fault(v, err,
                               "table '%s.%s' has %" PRId64
                               " rows in the restored database, %" PRId64 " in the archive",
                               a->schema, a->name, pair->scratch->rows, a->rows);
    return bp_verify_fault(v, err,
                           "table '%s.%s': its %" PRId64
                           " rows in the restored database are not those of the source",
                           a->schema, a->name, a->rows);
}

static void free_groups(struct groups *groups)
{
    for (size_t i = 0; i < groups->count; i++)
        bp_free(groups->at[i].copy);
    bp_free(groups->at);
    bp_free(groups->of);
    bp_sha256_freep(&groups->hash);
}

enum bp_code bp_verify_rows(struct bp_verify *v, const struct bp_verify_pair *pairs, size_t count,
                            struct bp_err *err)
{
    BP_AUTO(free_groups)
    struct groups groups = {.v = v,
                            .hash = bp_sha256_new(),
                            .at = bp_alloc(2 * count, sizeof(*groups.at)),
                            .of = bp_alloc(count, sizeof(*groups.of))};
    enum bp_code rc = BP_OK;

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < pairs[i].archive->files.count; j++) {
            if (add_file(&groups, i, pairs[i].archive->files.at[j], err) != BP_OK)
                return err->code;
        }
    }
    if (sum_scratch(&groups, pairs, count, err) != BP_OK)
        return err->code;
    for (size_t i = 0; i < count; i++) {
        if (!is_equal(&groups.at[groups.of[i]]))
            rc = tell(v, &pairs[i], err);
    }
    return rc;
}
