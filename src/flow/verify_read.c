/* L3: the scratch holds the rows that the source had. L4: and its definitions. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/crew.h"
#include "base/mem.h"
#include "base/text.h"
#include "flow/verify_internal.h"

#define LARGE_OBJECTS "database/large-objects/"

enum { LINES_SHOWN = 12, LINE_SHOWN = 160, MAJOR = 10000 };

/* ---- a store that keeps nothing ---- */

/* Whoever puts a content into it hashes that himself. */
static enum bp_code keep_nothing(struct bp_store *self, const void *data, size_t len,
                                 struct bp_blob *out, struct bp_err *err)
{
    (void)self;
    (void)data;
    (void)len;
    (void)err;
    *out = (struct bp_blob){0};
    return BP_OK;
}

static enum bp_code stage_nothing(struct bp_store *self, const char *path,
                                  const struct bp_blob *blob, bool executable, struct bp_err *err)
{
    (void)self;
    (void)path;
    (void)blob;
    (void)executable;
    (void)err;
    return BP_OK;
}

static const struct bp_store_ops nothing_ops = {
    .put = keep_nothing, .hash = keep_nothing, .stage = stage_nothing};

/* ---- the scratch is read as a backup reads its source ---- */

struct bp_scope bp_verify_scope(const struct bp_verify *v)
{
    const struct bp_manifest_options *o = &v->manifest->options;

    /* Without the masks: what was masked is in the scratch as it is in the archive. */
    return (struct bp_scope){.schemas = o->schemas,
                             .exclude_schemas = o->exclude_schemas,
                             .tables = o->tables,
                             .exclude_tables = o->exclude_tables,
                             .exclude_table_data = o->exclude_table_data};
}

static int major_of(const char *version)
{
    return version != NULL ? (int)strtol(version, NULL, 10) : 0;
}

static enum bp_code read_scratch(struct bp_verify *v, struct bp_source *source, struct bp_err *err)
{
    struct bp_store nothing = {.ops = &nothing_ops};
    struct bp_out silent = {.out = v->job->out->out, .err = v->job->out->err};
    const struct bp_backup_job job = {.source = source,
                                      .store = &nothing,
                                      .clock = v->job->clock,
                                      .out = &silent,
                                      .branch = v->job->branch};
    struct bp_source_info info = {0};
    struct bp_backup *again = &v->again;
    enum bp_code rc = source->ops->snapshot(source, &info, &again->tables, err);

    v->again_version = major_of(info.pg_dump_version);
    bp_source_info_free(&info);
    if (rc != BP_OK)
        return rc;
    again->job = &job;
    again->workers = v->job->jobs > 0 ? v->job->jobs : bp_crew_cores();
    rc = bp_backup_read(again, err);
    again->job = NULL;
    return rc;
}

static enum bp_code read_again(struct bp_verify *v, struct bp_err *err)
{
    struct bp_scratch *scratch = v->job->scratch;
    const struct bp_scope scope = bp_verify_scope(v);
    BP_AUTO(bp_source_freep) struct bp_source *source = scratch->ops->source(scratch, &scope);
    enum bp_code rc = BP_OK;

    bp_info(v->job->out, "reading %s again", v->scratch.where);
    rc = read_scratch(v, source, err);
    if (rc == BP_EUSAGE) /* a pattern that meant something to another user */
        rc = bp_fail(err, BP_EFAILED, "%s", err->msg);
    return rc == BP_OK ? BP_OK : bp_wrap(err, "the restored database");
}

/* ---- L3 ---- */

struct named {
    const struct bp_manifest_table *table;
};

static int by_name(const void *left, const void *right)
{
    const struct bp_manifest_table *a = ((const struct named *)left)->table;
    const struct bp_manifest_table *b = ((const struct named *)right)->table;
    int schemas = strcmp(a->schema, b->schema);

    return schemas != 0 ? schemas : strcmp(a->name, b->name);
}

/* The tables of a manifest by their names; owned. */
static struct named *sort_tables(const struct bp_manifest *m)
{
    struct named *sorted = bp_alloc(m->table_count + 1, sizeof(*sorted));

    for (size_t i = 0; i < m->table_count; i++)
        sorted[i].table = &m->tables[i];
    if (m->table_count > 1)
        qsort(sorted, m->table_count, sizeof(*sorted), by_name);
    return sorted;
}

static bool is_same(const struct bp_manifest_table *a, const struct bp_manifest_table *b)
{
    return a->rows == b->rows && strcmp(a->sha256, b->sha256) == 0;
}

/* Tables with one name on both sides that differ; what is on one side only is a finding. */
static size_t pair_tables(struct bp_verify *v, struct bp_verify_pair *pairs, enum bp_code *rc,
                          struct bp_err *err)
{
    const struct bp_manifest *m = v->manifest;
    const struct bp_manifest *n = &v->again.manifest;
    BP_AUTO(bp_freep) struct named *a = sort_tables(m);
    BP_AUTO(bp_freep) struct named *b = sort_tables(n);
    size_t count = 0;
    size_t i = 0;
    size_t j = 0;

    while (i < m->table_count || j < n->table_count) {
        int order = i == m->table_count ? 1 : j == n->table_count ? -1 : by_name(&a[i], &b[j]);

        if (order < 0)
            *rc = bp_verify_fault(v, err, "table '%s.%s' is not in the restored database",
                                  a[i].table->schema, a[i].table->name);
        else if (order > 0)
            *rc = bp_verify_fault(v, err, "table '%s.%s' is restored, and not in the manifest",
                                  b[j].table->schema, b[j].table->name);
        else if (!is_same(a[i].table, b[j].table))
            pairs[count++] = (struct bp_verify_pair){.archive = a[i].table, .scratch = b[j].table};
        i += order <= 0;
        j += order >= 0;
    }
    return count;
}

/* The checksums of the large objects' files, in order. */
static void sum_large_objects(const struct bp_manifest *m, struct bp_buf *out)
{
    bp_buf_printf(out, "%" PRId64 "\n", m->large_objects);
    for (size_t i = 0; i < m->file_count; i++) {
        if (bp_text_starts_with(m->files[i].path, LARGE_OBJECTS))
            bp_buf_printf(out, "%s %s\n", m->files[i].path, m->files[i].sha256);
    }
}

static enum bp_code compare_large_objects(struct bp_verify *v, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf wanted = {0};
    BP_AUTO(bp_buf_free) struct bp_buf got = {0};

    sum_large_objects(v->manifest, &wanted);
    sum_large_objects(&v->again.manifest, &got);
    if (strcmp(wanted.data, got.data) == 0)
        return BP_OK;
    if (v->manifest->large_objects != v->again.manifest.large_objects)
        return bp_verify_fault(
            v, err, "the restored database has %" PRId64 " large objects, the archive %" PRId64,
            v->again.manifest.large_objects, v->manifest->large_objects);
    return bp_verify_fault(v, err, "the restored large objects are not those of the archive");
}

enum bp_code bp_verify_content(struct bp_verify *v, struct bp_err *err)
{
    BP_AUTO(bp_freep) struct bp_verify_pair *pairs = NULL;
    size_t count = 0;
    enum bp_code rc = read_again(v, err);
    enum bp_code one = BP_OK;

    if (rc != BP_OK)
        return rc;
    pairs = bp_alloc(v->manifest->table_count + 1, sizeof(*pairs));
    count = pair_tables(v, pairs, &rc, err);
    if (count > 0)
        one = bp_verify_rows(v, pairs, count, err);
    if (one != BP_OK && one != BP_EINTEGRITY)
        return one;
    rc = rc == BP_OK ? one : rc;
    one = compare_large_objects(v, err);
    return rc == BP_OK ? one : rc;
}

/* ---- L4 ---- */

/* Lines that tell which program wrote the text, or that are derived from all others. */
static bool is_accidental(const char *line)
{
    static const char *const starts[] = {"-- Dumped from database version ",
                                         "-- Dumped by pg_dump version ", "\\restrict ",
                                         "\\unrestrict "};

    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        if (bp_text_starts_with(line, starts[i]))
            return true;
    }
    return false;
}

static void make_canonical(const char *text, struct bp_buf *out)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");

        len += text[len] == '\n';
        if (!is_accidental(text))
            bp_buf_add(out, text, len);
        text += len;
    }
}

/* The first lines of a patch that say something. */
static void shorten_patch(const char *patch, struct bp_buf *out)
{
    size_t shown = 0;

    for (const char *line = strstr(patch, "\n@@"); line != NULL && shown <= LINES_SHOWN;
         line = strchr(line + 1, '\n')) {
        BP_AUTO(bp_freep) char *one = bp_strndup(line + 1, strcspn(line + 1, "\n"));

        if ((one[0] != '+' && one[0] != '-') || one[1] == '\0')
            continue;
        if (shown++ == LINES_SHOWN) {
            bp_buf_puts(out, "\n  ...");
            break;
        }
        bp_buf_puts(out, "\n  ");
        bp_put_foreign(out, one, LINE_SHOWN);
    }
}

static enum bp_code compare_text(struct bp_verify *v, const char *path, const char *now,
                                 struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    BP_AUTO(bp_buf_free) struct bp_buf wanted = {0};
    BP_AUTO(bp_buf_free) struct bp_buf got = {0};
    BP_AUTO(bp_buf_free) struct bp_buf patch = {0};
    BP_AUTO(bp_buf_free) struct bp_buf shown = {0};

    if (bp_verify_read(v, path, &text, err) != BP_OK)
        return err->code;
    make_canonical(bp_buf_str(&text), &wanted);
    make_canonical(now != NULL ? now : "", &got);
    if (strcmp(bp_buf_str(&wanted), bp_buf_str(&got)) == 0)
        return BP_OK;
    if (bp_store_patch(path, &wanted, &got, &patch, err) != BP_OK)
        return err->code;
    shorten_patch(bp_buf_str(&patch), &shown);
    return bp_verify_fault(
        v, err, "'%s' is not what the restored database gives (- archive, + restored):%s", path,
        bp_buf_str(&shown));
}

enum bp_code bp_verify_definitions(struct bp_verify *v, struct bp_err *err)
{
    const struct bp_ddl *ddl = &v->again.ddl;
    const struct {
        const char *path;
        const char *now;
    } texts[] = {{"database/pre-data.sql", ddl->pre_data},
                 {"database/post-data.sql", ddl->post_data},
                 {"database/sequences.sql", ddl->sequences},
                 {"database/refresh.sql", ddl->refresh}};
    enum bp_code rc = BP_OK;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        enum bp_code one = compare_text(v, texts[i].path, texts[i].now, err);

        if (one != BP_OK && one != BP_EINTEGRITY)
            return one;
        rc = rc == BP_OK ? one : rc;
    }
    if (rc == BP_OK ||
        (!bp_verify_is_elsewhere(v) && v->again_version == major_of(v->manifest->pg_dump_version)))
        return rc;
    bp_list_addf(&v->result->except,
                 "the definitions: the archive was written by pg_dump %s of PostgreSQL %s, they "
                 "were read again with pg_dump %d of PostgreSQL %d, which words some differently",
                 v->manifest->pg_dump_version, v->manifest->database.server_version,
                 v->again_version, v->scratch.version_num / MAJOR);
    return bp_fail(err, BP_EFAILED, "%s", v->result->except.at[v->result->except.count - 1]);
}
