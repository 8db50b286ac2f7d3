#include "archive/manifest.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"

struct bp_manifest_table *bp_manifest_add_table(struct bp_manifest *m)
{
    if ((m->table_count & (m->table_count + 1)) == 0) /* grows at 0, 1, 3, 7 ... */
        m->tables = bp_realloc(m->tables, 2 * m->table_count + 1, sizeof(*m->tables));
    m->tables[m->table_count] = (struct bp_manifest_table){0};
    return &m->tables[m->table_count++];
}

struct bp_manifest_file *bp_manifest_add_file(struct bp_manifest *m, const char *path,
                                              int64_t bytes)
{
    if ((m->file_count & (m->file_count + 1)) == 0)
        m->files = bp_realloc(m->files, 2 * m->file_count + 1, sizeof(*m->files));
    m->files[m->file_count] = (struct bp_manifest_file){.path = bp_strdup(path), .bytes = bytes};
    return &m->files[m->file_count++];
}

int64_t bp_manifest_rows(const struct bp_manifest *m)
{
    int64_t rows = 0;

    for (size_t i = 0; i < m->table_count; i++)
        rows += m->tables[i].rows;
    return rows;
}

int64_t bp_manifest_bytes(const struct bp_manifest *m)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < m->file_count; i++)
        bytes += m->files[i].bytes;
    return bytes;
}

static char *take_text(const struct bp_json *object, const char *key)
{
    const char *text = bp_json_get_text(object, key);

    return bp_strdup(text != NULL ? text : "");
}

static enum bp_code damaged(struct bp_err *err, const char *what)
{
    return bp_fail(err, BP_EINTEGRITY, "the manifest is damaged: %s", what);
}

/* 4 TiB, or as many rows: a million of them add up without an overflow. */
static const int64_t largest_number = INT64_C(1) << 42;

static bool take_number(const struct bp_json *object, const char *key, int64_t *out)
{
    return bp_json_get_int(object, key, out) && *out >= 0 && *out <= largest_number;
}

/* Below the archive: relative, without empty, "." or ".." parts, of printable ASCII. */
static bool is_safe_path(const char *path)
{
    size_t part = 0;

    for (const char *p = path;; p++) {
        if (*p == '/' || *p == '\0') {
            if (part == 0 || (part == 1 && p[-1] == '.') ||
                (part == 2 && p[-1] == '.' && p[-2] == '.'))
                return false;
            part = 0;
        } else {
            part++;
        }
        if (*p == '\0')
            return true;
        if (!isgraph((unsigned char)*p) || *p == '\\' || *p == '"')
            return false;
    }
}

static bool take_sha256(const struct bp_json *object, char out[BP_SHA256_HEX_SIZE])
{
    const char *text = bp_json_get_text(object, "sha256");

    if (text == NULL || strlen(text) != BP_SHA256_HEX_SIZE - 1 ||
        strspn(text, "0123456789abcdef") != BP_SHA256_HEX_SIZE - 1)
        return false;
    memcpy(out, text, BP_SHA256_HEX_SIZE);
    return true;
}

static enum bp_code take_sealed(const struct bp_json *object, struct bp_manifest_file *file,
                                struct bp_err *err)
{
    const char *sealed = bp_json_get_text(object, "sealed");

    if (sealed == NULL || !is_safe_path(sealed))
        return bp_fail(err, BP_EINTEGRITY,
                       "the manifest is damaged: '%s' is sealed without a proper path", file->path);
    file->sealed = bp_strdup(sealed);
    return BP_OK;
}

static enum bp_code parse_files(const struct bp_json *array, struct bp_manifest *m,
                                struct bp_err *err)
{
    for (const struct bp_json *f = bp_json_first(array); f != NULL; f = bp_json_next(f)) {
        const char *path = bp_json_get_text(f, "path");
        struct bp_manifest_file *file = NULL;

        if (path == NULL || !is_safe_path(path))
            return damaged(err, "a file without a proper path");
        if (m->file_count == BP_MANIFEST_FILES_LIMIT)
            return damaged(err, "more than 1,000,000 files");
        file = bp_manifest_add_file(m, path, 0);
        if (!take_number(f, "bytes", &file->bytes) || !take_sha256(f, file->sha256))
            return bp_fail(err, BP_EINTEGRITY,
                           "the manifest is damaged: '%s' has no size or checksum", path);
        if (bp_json_get(f, "sealed") != NULL && take_sealed(f, file, err) != BP_OK)
            return err->code;
    }
    return BP_OK;
}

static int by_path(const void *left, const void *right)
{
    const struct bp_manifest_file *a = left;
    const struct bp_manifest_file *b = right;

    return strcmp(a->path, b->path);
}

const struct bp_manifest_file *bp_manifest_file(const struct bp_manifest *m, const char *path)
{
    struct bp_manifest_file key = {0};
    BP_AUTO(bp_freep) char *copy = bp_strdup(path);

    key.path = copy;
    if (m->file_count == 0)
        return NULL;
    return bsearch(&key, m->files, m->file_count, sizeof(*m->files), by_path);
}

static enum bp_code parse_table(const struct bp_json *object, struct bp_manifest *m,
                                struct bp_err *err)
{
    struct bp_manifest_table *t = bp_manifest_add_table(m);
    const struct bp_json *files = bp_json_get(object, "files");

    t->schema = take_text(object, "schema");
    t->name = take_text(object, "name");
    t->order = take_text(object, "order");
    if (t->schema[0] == '\0' || t->name[0] == '\0')
        return damaged(err, "a table without a name");
    if (!take_number(object, "rows", &t->rows) || !take_number(object, "bytes", &t->bytes) ||
        !take_sha256(object, t->sha256) || !bp_json_is_array(files))
        return bp_fail(err, BP_EINTEGRITY, "the manifest is damaged: table '%s.%s' is incomplete",
                       t->schema, t->name);
    for (const struct bp_json *f = bp_json_first(files); f != NULL; f = bp_json_next(f)) {
        const char *path = bp_json_text(f);

        if (path == NULL || bp_manifest_file(m, path) == NULL)
            return bp_fail(err, BP_EINTEGRITY,
                           "the manifest is damaged: table '%s.%s' names a file that is not listed",
                           t->schema, t->name);
        bp_list_add(&t->files, path);
    }
    return BP_OK;
}

static enum bp_code parse_tables(const struct bp_json *array, struct bp_manifest *m,
                                 struct bp_err *err)
{
    if (m->file_count > 1)
        qsort(m->files, m->file_count, sizeof(*m->files), by_path);
    for (size_t i = 1; i < m->file_count; i++) {
        if (by_path(&m->files[i - 1], &m->files[i]) == 0)
            return bp_fail(err, BP_EINTEGRITY, "the manifest is damaged: '%s' is listed twice",
                           m->files[i].path);
    }
    for (const struct bp_json *t = bp_json_first(array); t != NULL; t = bp_json_next(t)) {
        enum bp_code rc = parse_table(t, m, err);

        if (rc != BP_OK)
            return rc;
    }
    return BP_OK;
}

static void parse_head(const struct bp_json *top, struct bp_manifest *m)
{
    const struct bp_json *source = bp_json_get(top, "source");
    const struct bp_json *database = bp_json_get(top, "database");

    m->id = take_text(top, "id");
    m->tool_version = take_text(bp_json_get(top, "tool"), "version");
    m->source.repository = take_text(source, "repository");
    m->source.ref = take_text(source, "ref");
    m->source.sha = take_text(source, "sha");
    m->source.event = take_text(source, "event");
    m->source.run_id = take_text(source, "run_id");
    m->source.run_url = take_text(source, "run_url");
    m->database.name = take_text(database, "name");
    m->database.server_version = take_text(database, "server_version");
    m->database.encoding = take_text(database, "encoding");
    m->database.collation = take_text(database, "collation");
    m->database.system_identifier = take_text(database, "system_identifier");
    m->database.snapshot = take_text(database, "snapshot");
    m->database.lsn = take_text(database, "lsn");
    m->pg_dump_version = take_text(top, "pg_dump_version");
    bp_manifest_options_parse(bp_json_get(top, "options"), &m->options);
}

/* The format number first: a newer format may have changed everything else. */
static enum bp_code check_format(const struct bp_json *top, struct bp_err *err)
{
    int64_t format = 0;
    const char *version = bp_json_get_text(bp_json_get(top, "tool"), "version");
    BP_AUTO(bp_buf_free) struct bp_buf shown = {0};

    if (!bp_json_get_int(top, "format", &format) || format < 1)
        return damaged(err, "it has no format number");
    if (format <= BP_MANIFEST_FORMAT)
        return BP_OK;
    bp_put_foreign(&shown, version != NULL ? version : "(unknown)", 40);
    return bp_fail(err, BP_EINTEGRITY,
                   "the manifest has format %" PRId64 ", this version reads %d; hint: it was "
                   "written by backproof %s, use that or a newer one",
                   format, BP_MANIFEST_FORMAT, bp_buf_str(&shown));
}

static enum bp_code parse_numbers(const struct bp_json *top, struct bp_manifest *m,
                                  struct bp_err *err)
{
    const struct bp_json *database = bp_json_get(top, "database");
    const char *started = bp_json_get_text(top, "started_at");
    const char *finished = bp_json_get_text(top, "finished_at");
    struct bp_err why;

    if (!bp_json_get_int(database, "server_version_num", &m->database.version_num) ||
        !bp_json_get_int(database, "size_bytes", &m->database.size_bytes) ||
        !bp_json_get_int(database, "large_objects", &m->large_objects))
        return damaged(err, "the description of the database is incomplete");
    if (started == NULL || finished == NULL ||
        bp_time_parse(started, &m->started_ms, &why) != BP_OK ||
        bp_time_parse(finished, &m->finished_ms, &why) != BP_OK)
        return damaged(err, "it does not say when it was made");
    return BP_OK;
}

enum bp_code bp_manifest_parse(const char *text, size_t len, struct bp_manifest *out,
                               struct bp_err *err)
{
    BP_AUTO(bp_json_freep) struct bp_json *top = NULL;
    const struct bp_json *files = NULL;
    const struct bp_json *tables = NULL;
    enum bp_code rc = bp_json_parse(text, len, &top, err);

    *out = (struct bp_manifest){0};
    if (rc != BP_OK) {
        err->code = BP_EINTEGRITY;
        return bp_wrap(err, "the manifest is damaged");
    }
    rc = check_format(top, err);
    if (rc != BP_OK)
        return rc;
    files = bp_json_get(top, "files");
    tables = bp_json_get(top, "tables");
    parse_head(top, out);
    out->sealed = bp_json_get_bool(top, "sealed", false);
    if (out->id[0] == '\0' || !bp_json_is_array(files) || !bp_json_is_array(tables))
        rc = damaged(err, "it is incomplete");
    if (rc == BP_OK)
        rc = parse_numbers(top, out, err);
    if (rc == BP_OK)
        rc = bp_manifest_verification_parse(bp_json_get(top, "verification"), &out->verification,
                                            err);
    if (rc == BP_OK)
        rc = parse_files(files, out, err);
    if (rc == BP_OK)
        rc = parse_tables(tables, out, err);
    if (rc != BP_OK)
        bp_manifest_free(out);
    return rc;
}

void bp_manifest_free(struct bp_manifest *m)
{
    char *const texts[] = {m->id,
                           m->tool_version,
                           m->source.repository,
                           m->source.ref,
                           m->source.sha,
                           m->source.event,
                           m->source.run_id,
                           m->source.run_url,
                           m->database.name,
                           m->database.server_version,
                           m->database.encoding,
                           m->database.collation,
                           m->database.system_identifier,
                           m->database.snapshot,
                           m->database.lsn,
                           m->pg_dump_version};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        bp_free(texts[i]);
    for (size_t i = 0; i < m->table_count; i++) {
        bp_free(m->tables[i].schema);
        bp_free(m->tables[i].name);
        bp_free(m->tables[i].order);
        bp_list_free(&m->tables[i].files);
    }
    for (size_t i = 0; i < m->file_count; i++) {
        bp_free(m->files[i].path);
        bp_free(m->files[i].sealed);
    }
    bp_manifest_options_free(&m->options);
    bp_manifest_verification_free(&m->verification);
    bp_free(m->tables);
    bp_free(m->files);
    *m = (struct bp_manifest){0};
}
