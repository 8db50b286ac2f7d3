#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

#include "archive/manifest.h"
#include "base/json.h"
#include "base/mem.h"

#define SHA_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHA_B "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct bp_manifest m;
static struct bp_err err;

static void tear_down(void)
{
    bp_manifest_free(&m);
}

TestSuite(manifest, .fini = tear_down);

static void add_file(const char *path, int64_t bytes, const char *sha256)
{
    memcpy(bp_manifest_add_file(&m, path, bytes)->sha256, sha256, BP_SHA256_HEX_SIZE);
}

static void add_table(const char *schema, const char *name, int64_t rows, const char *file)
{
    struct bp_manifest_table *t = bp_manifest_add_table(&m);

    t->schema = bp_strdup(schema);
    t->name = bp_strdup(name);
    t->order = bp_strdup("id");
    t->rows = rows;
    t->bytes = rows * 10;
    memcpy(t->sha256, SHA_B, sizeof(SHA_B));
    if (file != NULL)
        bp_list_add(&t->files, file);
}

/* One with every field filled, each in its own way. */
static void fill(void)
{
    char **const texts[] = {&m.id,
                            &m.tool_version,
                            &m.source.repository,
                            &m.source.ref,
                            &m.source.sha,
                            &m.source.event,
                            &m.source.run_id,
                            &m.source.run_url,
                            &m.database.name,
                            &m.database.server_version,
                            &m.database.encoding,
                            &m.database.collation,
                            &m.database.system_identifier,
                            &m.database.snapshot,
                            &m.database.lsn,
                            &m.pg_dump_version};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        *texts[i] = bp_format("text %zu \"\\\n\xC3\xA9", i);
    m.started_ms = INT64_C(1705329045000);
    m.finished_ms = INT64_C(1705329099000);
    m.database.version_num = 150004;
    m.database.size_bytes = INT64_C(123456789012345);
    m.large_objects = 3;
    m.verification = (struct bp_manifest_verification){
        .level = bp_strdup("L3"), .at_ms = INT64_C(1705401000000), .took_ms = 81234};
    add_file("database/schema.sql", 100, SHA_A);
    add_file("public/tables/users/00001.copy", 5000000000, SHA_B);
    add_file("public/tables/users/00002.copy", 7, SHA_B);
    add_table("public", "users", 48210, "public/tables/users/00001.copy");
    bp_list_add(&m.tables[0].files, "public/tables/users/00002.copy");
    add_table("odd \"schema\"", "tab\nle", 0, NULL);
}

static char *rendered(const struct bp_manifest *manifest)
{
    struct bp_buf out = {0};

    bp_manifest_render(manifest, &out);
    return bp_buf_take(&out);
}

Test(manifest, what_is_rendered_is_parsed)
{
    BP_AUTO(bp_manifest_free) struct bp_manifest got = {0};
    BP_AUTO(bp_freep) char *first = NULL;
    BP_AUTO(bp_freep) char *second = NULL;

    fill();
    first = rendered(&m);
    cr_assert_eq(bp_manifest_parse(first, strlen(first), &got, &err), BP_OK, "%s", err.msg);
    second = rendered(&got);
    cr_expect_str_eq(second, first);
    cr_expect_str_eq(got.id, m.id);
    cr_expect_str_eq(got.pg_dump_version, m.pg_dump_version);
    cr_expect_eq(got.started_ms, m.started_ms);
    cr_expect_eq(got.finished_ms, m.finished_ms);
    cr_expect_eq(got.database.size_bytes, m.database.size_bytes);
    cr_expect_eq(got.large_objects, 3);
    cr_expect_str_eq(got.verification.level, "L3");
    cr_expect_eq(got.verification.at_ms, m.verification.at_ms);
    cr_expect_eq(got.verification.took_ms, 81234);
    cr_assert_eq(got.table_count, 2);
    cr_expect_str_eq(got.tables[1].name, "tab\nle");
    cr_expect_eq(got.tables[0].rows, 48210);
    cr_expect_eq(got.tables[0].bytes, 482100);
    cr_assert_eq(got.tables[0].files.count, 2);
    cr_expect_str_eq(got.tables[0].files.at[1], "public/tables/users/00002.copy");
    cr_expect_eq(bp_manifest_rows(&got), 48210);
    cr_expect_eq(bp_manifest_bytes(&got), 5000000107);
}

Test(manifest, an_empty_one_needs_an_id_only)
{
    BP_AUTO(bp_manifest_free) struct bp_manifest got = {0};
    BP_AUTO(bp_freep) char *text = NULL;

    m.id = bp_strdup("2024-01-15T14-30-45Z");
    text = rendered(&m);
    cr_assert_eq(bp_manifest_parse(text, strlen(text), &got, &err), BP_OK, "%s", err.msg);
    cr_expect_str_eq(got.database.name, "", "NULL is written as an empty text");
    cr_expect_eq(got.table_count, 0);
    cr_expect_not(bp_manifest_is_verified(&got.verification));
    cr_expect_eq(bp_manifest_rows(&got), 0);
    cr_expect_eq(bp_manifest_bytes(&got), 0);
}

/* restore.sh reads these lines with sed. */
Test(manifest, has_a_line_for_each_table_and_file)
{
    BP_AUTO(bp_freep) char *text = NULL;

    fill();
    text = rendered(&m);
    cr_expect_not_null(strstr(text, "\n    {\"bytes\": 100, \"path\": \"database/schema.sql\", "
                                    "\"sha256\": \"" SHA_A "\"},\n"));
    cr_expect_not_null(strstr(text, "\n    {\"bytes\": 5000000000, \"path\": \"public/tables/"
                                    "users/00001.copy\", \"sha256\": \"" SHA_B "\"},\n"));
    cr_expect_not_null(strstr(text, "\n    {\"bytes\": 482100, \"files\": [\"public/tables/users/"
                                    "00001.copy\", \"public/tables/users/00002.copy\"], \"name\": "
                                    "\"users\", \"order\": \"id\", \"rows\": 48210, "));
    cr_expect_eq(text[strlen(text) - 1], '\n');
}

Test(manifest, holds_many_tables_and_files)
{
    BP_AUTO(bp_manifest_free) struct bp_manifest got = {0};
    BP_AUTO(bp_freep) char *text = NULL;

    m.id = bp_strdup("x");
    for (int i = 0; i < 3000; i++) {
        BP_AUTO(bp_freep) char *path = bp_format("s/tables/t%d/00001.copy", (i * 7) % 3000);

        add_file(path, i, SHA_A);
        add_table("s", path, 2, path);
    }
    text = rendered(&m);
    cr_assert_eq(bp_manifest_parse(text, strlen(text), &got, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(got.file_count, 3000);
    cr_expect_eq(got.table_count, 3000);
    cr_expect_eq(bp_manifest_rows(&got), 6000);
}

/* A whole one in which one piece of text is replaced; NULL: cut it off there. */
static enum bp_code parse_changed(const char *old, const char *new)
{
    struct bp_manifest got = {0};
    BP_AUTO(bp_freep) char *text = rendered(&m);
    BP_AUTO(bp_buf_free) struct bp_buf changed = {0};
    const char *at = strstr(text, old);
    enum bp_code rc = BP_OK;

    cr_assert_not_null(at, "no %s in %s", old, text);
    bp_buf_add(&changed, text, (size_t)(at - text));
    if (new != NULL) {
        bp_buf_puts(&changed, new);
        bp_buf_puts(&changed, at + strlen(old));
    }
    rc = bp_manifest_parse(bp_buf_str(&changed), changed.len, &got, &err);
    cr_expect(rc == BP_OK || (got.id == NULL && got.files == NULL && got.tables == NULL),
              "%s left something behind", old);
    bp_manifest_free(&got);
    return rc;
}

static void expect_damage(const char *old, const char *new, const char *message)
{
    err = (struct bp_err){0};
    cr_expect_eq(parse_changed(old, new), BP_EINTEGRITY, "%s -> %s: %s", old, new, err.msg);
    cr_expect_eq(err.code, BP_EINTEGRITY, "%s -> %s", old, new);
    cr_expect_not_null(strstr(err.msg, message), "%s -> %s: %s", old, new, err.msg);
}

Test(manifest, refuses_what_is_incomplete)
{
    static const struct {
        const char *old;
        const char *new;
        const char *message;
    } rows[] = {
        {"\"totals\"", NULL, "the manifest is damaged: not JSON"},
        {"{", NULL, "the manifest is damaged: not JSON"},
        {"\"format\": 1", "\"form\": 1", "it has no format number"},
        {"\"format\": 1", "\"format\": 0", "it has no format number"},
        {"\"format\": 1", "\"format\": \"1\"", "it has no format number"},
        {"\"id\": ", "\"ID\": ", "it is incomplete"},
        {"\"tables\": [", "\"table\": [", "it is incomplete"},
        {"\"files\": [\n", "\"file\": [\n", "it is incomplete"},
        {"\"server_version_num\": 150004", "\"server_version_num\": 1.5", "the database"},
        {"\"size_bytes\": 1", "\"size\": 1", "the database"},
        {"\"large_objects\": 3", "\"large_objects\": null", "the database"},
        {"\"started_at\": \"2024", "\"started_at\": \"x2024", "when it was made"},
        {"\"finished_at\"", "\"finished\"", "when it was made"},
        {"\"name\": \"users\"", "\"name\": \"\"", "a table without a name"},
        {"\"schema\": \"public\"", "\"schema\": 5", "a table without a name"},
        {"\"rows\": 48210", "\"rows\": -1", "table 'public.users' is incomplete"},
        {"\"rows\": 48210", "\"rows\": 4398046511105", "table 'public.users' is incomplete"},
        {"\"bytes\": 482100", "\"bytes\": true", "table 'public.users' is incomplete"},
        {"[\"public/tables/users/00001.copy\", ", "[5, ", "a file that is not listed"},
        {"[\"public/tables/users/00001.copy\", ", "[\"public/tables/users/00003.copy\", ",
         "table 'public.users' names a file that is not listed"},
        {"\"bytes\": 100,", "\"bytes\": -100,", "'database/schema.sql' has no size or checksum"},
        {"\"bytes\": 100,", "\"bytes\": 4398046511105,", "'database/schema.sql' has no size"},
        {"\"bytes\": 100,", "", "'database/schema.sql' has no size or checksum"},
        {SHA_A, "AAAA", "'database/schema.sql' has no size or checksum"},
        {SHA_A, SHA_A "a", "'database/schema.sql' has no size or checksum"},
        {"\"" SHA_A, "\"A" SHA_A, "'database/schema.sql' has no size or checksum"},
        {"aaaa\"", "aaaG\"", "'database/schema.sql' has no size or checksum"},
    };

    fill();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        expect_damage(rows[i].old, rows[i].new, rows[i].message);
}

Test(manifest, refuses_paths_that_lead_out_of_the_archive)
{
    static const char *const paths[] = {
        "",     "/",      "/etc/passwd", "..",      "../x",  "a/../../x", "a/..",
        ".",    "./a",    "a/./b",       "a//b",    "a/",    "a b",       "a\\\\b",
        "a\\n", "a\\\"b", "\xC3\xA9",    "\\u0001", "a\\tb",
    };

    fill();
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        BP_AUTO(bp_freep) char *path = bp_format("\"path\": \"%s\"", paths[i]);

        expect_damage("\"path\": \"database/schema.sql\"", path, "a file without a proper path");
    }
    cr_expect_eq(parse_changed("\"path\": \"database/schema.sql\"", "\"path\": \"...\""), BP_OK);
    cr_expect_eq(parse_changed("\"path\": \"database/schema.sql\"", "\"path\": \".a/b..c/%2E\""),
                 BP_OK, "%s", err.msg);
}

Test(manifest, refuses_a_file_that_is_listed_twice)
{
    fill();
    add_file("database/schema.sql", 100, SHA_A);
    expect_damage("\"format\"", "\"format\"", "'database/schema.sql' is listed twice");
}

Test(manifest, refuses_a_newer_format)
{
    fill();
    expect_damage("\"format\": 1", "\"format\": 2",
                  "the manifest has format 2, this version reads 1; hint: it was written by "
                  "backproof text 1");
    bp_freep(&m.tool_version);
    m.tool_version = bp_strdup("0.9\n::error::x");
    expect_damage("\"format\": 1", "\"format\": 2", "backproof 0.9 ::error::x, use that");
}

Test(manifest, a_newer_format_may_have_changed_everything_else)
{
    static const char text[] = "{\"format\": 3, \"files\": 7}";
    struct bp_manifest got;

    cr_expect_eq(bp_manifest_parse(text, strlen(text), &got, &err), BP_EINTEGRITY);
    cr_expect_not_null(strstr(err.msg, "has format 3"), "%s", err.msg);
    cr_expect_not_null(strstr(err.msg, "backproof (unknown)"), "%s", err.msg);
}

Test(manifest, refuses_what_is_no_object)
{
    static const char *const texts[] = {
        "", "null", "[]", "5", "\"format\"", "{}", "[{\"format\":1}]"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct bp_manifest got;

        cr_expect_eq(bp_manifest_parse(texts[i], strlen(texts[i]), &got, &err), BP_EINTEGRITY, "%s",
                     texts[i]);
        cr_expect_null(got.id, "%s", texts[i]);
    }
}

/* However it is cut, it is refused: no half of a manifest is a backup. */
Test(manifest, refuses_every_beginning_of_itself)
{
    BP_AUTO(bp_freep) char *text = NULL;
    size_t len = 0;

    fill();
    text = rendered(&m);
    len = strlen(text) - 1; /* without the line end it is still whole */
    for (size_t cut = 0; cut < len; cut++) {
        struct bp_manifest got;

        cr_assert_eq(bp_manifest_parse(text, cut, &got, &err), BP_EINTEGRITY, "at byte %zu", cut);
    }
}
