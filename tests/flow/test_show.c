#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "flow/show.h"
#include "support/fake_archive.h"
#include "support/fake_clock.h"
#include "support/fake_sealed.h"

#define OLD    "backups/archive/2024-01-14T00-00-00Z--o-a--push--1111111"
#define BEFORE "backups/archive/2024-01-15T00-00-00Z--o-a--push--2222222"
#define LATEST "backups/latest/latest_2024-01-16T00-00-00Z"

static struct fake_clock fclock;
static struct fake_store store;
static struct bp_shown shown;
static struct bp_out out;
static char *said;
static size_t said_len;
static struct bp_err err;
static struct bp_identities mine;
static struct bp_recipients recipients;
static struct bp_opener opener;

static void put(const char *path, const char *rows)
{
    struct fake_archive archive = fake_archive(&store, path);
    const char *const files[] = {rows, NULL};

    fake_archive_table(&archive, "t", "id", "CREATE TABLE t;\n", files);
    fake_archive_end(&archive);
}

static void set_up(void)
{
    fclock = fake_clock_new();
    store = fake_store();
    out = (struct bp_out){
        .err = open_memstream(&said, &said_len), .clock = &fclock.base, .level = BP_LEVEL_NORMAL};
    put(OLD, "1\n");
    put(BEFORE, "1\n2\n");
    put(LATEST, "1\n2\n3\n");
}

static void tear_down(void)
{
    bp_shown_free(&shown);
    bp_identities_free(&mine);
    bp_recipients_free(&recipients);
    fake_store_release(&store);
    (void)fclose(out.err);
    bp_free(said);
}

TestSuite(show, .init = set_up, .fini = tear_down);

static enum bp_code show(const char *archive)
{
    const struct bp_show_job job = {
        .store = &store.base, .out = &out, .archive = archive, .branch = "main", .opener = opener};

    bp_shown_free(&shown);
    return bp_flow_show(&job, &shown, &err);
}

Test(show, compares_with_the_archive_before)
{
    cr_assert_eq(show("latest"), BP_OK, "%s", err.msg);
    cr_expect_str_eq(shown.entry->name.id, "2024-01-16T00-00-00Z");
    cr_assert_not_null(shown.previous);
    cr_expect_str_eq(shown.previous->name.id, "2024-01-15T00-00-00Z");
    cr_assert_eq(shown.comparison.count, 1);
    cr_expect_eq(shown.comparison.tables[0].old->rows, 2);
    cr_expect_eq(shown.comparison.tables[0].now->rows, 3);
    cr_expect_eq(shown.comparison.new_files, 1);
}

Test(show, the_first_archive_has_none_before_it)
{
    cr_assert_eq(show("2024-01-14"), BP_OK, "%s", err.msg);
    cr_expect_null(shown.previous);
    cr_expect_eq(bp_table_change_kind(&shown.comparison.tables[0]), BP_CHANGE_NEW);
}

Test(show, one_before_that_cannot_be_read_is_passed_over_with_a_warning)
{
    fake_store_put(&store, BEFORE "/manifest.json", "{");
    cr_assert_eq(show("latest"), BP_OK, "%s", err.msg);
    cr_assert_not_null(shown.previous);
    cr_expect_str_eq(shown.previous->name.id, "2024-01-14T00-00-00Z");
    (void)fflush(out.err);
    cr_expect_not_null(strstr(said, "warning: archive '2024-01-15T00-00-00Z': the manifest is "
                                    "damaged"),
                       "%s", said);
}

Test(show, says_what_is_not_there_or_damaged)
{
    cr_expect_eq(show("2023"), BP_ENOTFOUND);
    fake_store_put(&store, LATEST "/manifest.json", "{");
    cr_expect_eq(show("latest"), BP_EINTEGRITY);
    store.fetch_outages = 1;
    cr_expect_eq(show("2024-01-14"), BP_EUNAVAILABLE);
    store.missing = true;
    cr_expect_eq(show("latest"), BP_ENOTFOUND);
    cr_expect_not_null(strstr(err.msg, "no branch 'main'"));
}

Test(show, of_very_many_tables_those_that_changed_are_shown)
{
    struct fake_archive archive = fake_archive(&store, "backups/archive/"
                                                       "2024-01-17T00-00-00Z--o-a--push--3333333");
    struct fake_archive next = fake_archive(&store, "backups/archive/"
                                                    "2024-01-18T00-00-00Z--o-a--push--4444444");
    const char *const none[] = {NULL};
    BP_AUTO(bp_buf_free) struct bp_buf some = {0};
    BP_AUTO(bp_buf_free) struct bp_buf all = {0};

    for (int i = 0; i < 300; i++) {
        struct bp_manifest_table *t = bp_manifest_add_table(&archive.manifest);
        struct bp_manifest_table *n = bp_manifest_add_table(&next.manifest);

        t->schema = bp_strdup("app");
        n->schema = bp_strdup("app");
        t->name = bp_format("t%03d", i);
        n->name = bp_format("t%03d", i);
        n->rows = i == 123;
        bp_sha256_hex("", 0, t->sha256);
        bp_sha256_hex(i == 123 ? "x" : "", i == 123, n->sha256);
    }
    fake_archive_table(&next, "fresh", "id", "", none);
    fake_archive_end(&archive);
    fake_archive_end(&next);
    cr_assert_eq(show("2024-01-18"), BP_OK, "%s", err.msg);
    bp_show_text(&shown, false, &some);
    cr_expect_not_null(strstr(bp_buf_str(&some), "app.t123      1     0 B   0      +1 row\n"), "%s",
                       bp_buf_str(&some));
    cr_expect_not_null(strstr(bp_buf_str(&some), "public.fresh"));
    cr_expect_null(strstr(bp_buf_str(&some), "app.t124"));
    cr_expect_not_null(strstr(bp_buf_str(&some), "299 tables are the same; --verbose shows"));
    bp_show_text(&shown, true, &all);
    cr_expect_not_null(strstr(bp_buf_str(&all), "app.t124"));
}

/* The newest archive is sealed. */
static void seal(void)
{
    bp_identities_make(&mine);
    bp_identity_recipient(&mine, 0, &recipients);
    fake_sealed(&store, &recipients, NULL);
}

Test(show, of_a_sealed_archive_without_a_key_what_everybody_may_know_is_shown)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    BP_AUTO(bp_json_freep) struct bp_json *json = NULL;

    seal();
    cr_assert_eq(show("latest"), BP_OK, "%s", err.msg);
    cr_expect_str_eq(shown.entry->name.id, "2024-01-16T14-30-45Z");
    bp_show_text(&shown, true, &text);
    cr_expect_not_null(strstr(bp_buf_str(&text), "\nsealed     3 files, "), "%s",
                       bp_buf_str(&text));
    cr_expect_not_null(strstr(bp_buf_str(&text), "--identity FILE opens it"), "%s",
                       bp_buf_str(&text));
    cr_expect_null(strstr(bp_buf_str(&text), "0 tables"), "%s", bp_buf_str(&text));
    cr_expect_null(strstr(bp_buf_str(&text), "TABLE"), "%s", bp_buf_str(&text));
    json = bp_show_json(&shown);
    cr_expect(bp_json_get_bool(json, "sealed", false));
    cr_expect_not(bp_json_is_array(bp_json_get(json, "tables")));
    cr_expect_null(bp_json_get_text(bp_json_get(json, "database"), "name"));
}

Test(show, of_a_sealed_archive_that_was_opened_everything_is_shown)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    BP_AUTO(bp_json_freep) struct bp_json *json = NULL;

    seal();
    opener.identities = &mine;
    cr_assert_eq(show("latest"), BP_OK, "%s", err.msg);
    cr_expect_not_null(bp_manifest_file(&shown.entry->manifest, "roles.sql"));
    bp_show_text(&shown, true, &text);
    cr_expect_not_null(strstr(bp_buf_str(&text), "; opened\nholds      0 tables, 0 rows, 2 files"),
                       "%s", bp_buf_str(&text));
    json = bp_show_json(&shown);
    cr_expect(bp_json_get_bool(json, "sealed", false));
    cr_expect(bp_json_is_array(bp_json_get(json, "tables")));
}

Test(show, a_key_that_does_not_open_it_is_told)
{
    BP_AUTO(bp_identities_free) struct bp_identities stranger = {0};

    seal();
    bp_identities_make(&stranger);
    opener.identities = &stranger;
    cr_expect_eq(show("latest"), BP_EAUTH, "%s", err.msg);
}

Test(show, what_changed_since_one_that_stays_shut_is_not_known)
{
    seal();
    put("backups/archive/2024-01-17T00-00-00Z--o-a--push--3333333", "1\n");
    cr_assert_eq(show("2024-01-17"), BP_OK, "%s", err.msg);
    cr_expect_null(shown.previous);
    (void)fflush(out.err);
    cr_expect_not_null(strstr(said, "since '2024-01-16T14-30-45Z' is not known: it is sealed"),
                       "%s", said);
    opener.identities = &mine;
    cr_assert_eq(show("2024-01-17"), BP_OK, "%s", err.msg);
    cr_assert_not_null(shown.previous);
}
