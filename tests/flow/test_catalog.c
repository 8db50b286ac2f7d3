#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "flow/catalog.h"
#include "support/fake_store.h"

static struct fake_store store;
static struct bp_catalog catalog;
static struct bp_err err;

/* An archive whose folder and manifest say the same. */
static void put(const char *folder, const char *repo, const char *event, const char *sha)
{
    struct bp_manifest m = {0};
    struct bp_archive_name name;
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    BP_AUTO(bp_freep) char *path = bp_format("%s/manifest.json", folder);

    cr_assert(bp_archive_name_parse(strrchr(folder, '/') + 1, &name));
    m.id = bp_strdup(name.id);
    m.source.repository = bp_strdup(repo);
    m.source.event = bp_strdup(event);
    m.source.sha = bp_strdup(sha);
    bp_manifest_render(&m, &text);
    fake_store_put(&store, path, bp_buf_str(&text));
    bp_manifest_free(&m);
}

static void set_up(void)
{
    store = fake_store();
    put("backups/archive/2024-01-02T00-00-00Z--o-a--push--1111111", "o/a", "push", "1111111ff");
    put("backups/archive/2024-01-03T00-00-00Z--o-a--schedule--2222222", "o/a", "schedule",
        "2222222ff");
    put("backups/archive/2024-01-03T00-00-00Z--o-a--push--2222222--2", "o/a", "push", "2222222ff");
    put("backups/latest/latest_2024-01-04T00-00-00Z", "o/b", "push", "3333333ff");
    fake_store_put(&store, "backups/archive/README/notes.txt", "x");
    fake_store_put(&store, "backups/current/manifest.json", "{}");
    cr_assert_eq(bp_catalog_load(&store.base, &catalog, &err), BP_OK);
}

static void tear_down(void)
{
    bp_catalog_free(&catalog);
    fake_store_release(&store);
}

TestSuite(catalog, .init = set_up, .fini = tear_down);

static size_t select_with(struct bp_catalog_filter filter)
{
    bp_catalog_free(&catalog);
    cr_assert_eq(bp_catalog_load(&store.base, &catalog, &err), BP_OK);
    cr_assert_eq(bp_catalog_select(&catalog, &store.base, &filter, &err), BP_OK, "%s", err.msg);
    return catalog.count;
}

Test(catalog, lists_archives_newest_first_and_nothing_else)
{
    cr_assert_eq(catalog.count, 4u);
    cr_expect_str_eq(catalog.at[0].name.id, "2024-01-04T00-00-00Z");
    cr_expect_str_eq(catalog.at[1].name.id, "2024-01-03T00-00-00Z--2");
    cr_expect_str_eq(catalog.at[2].name.id, "2024-01-03T00-00-00Z");
    cr_expect_eq(store.fetches, 0, "names are enough");
}

Test(catalog, selects_by_time_repository_event_and_commit)
{
    cr_expect_eq(select_with((struct bp_catalog_filter){0}), 4u);
    cr_expect_eq(select_with((struct bp_catalog_filter){.limit = 2}), 2u);
    cr_expect_eq(select_with((struct bp_catalog_filter){.event = "push"}), 3u);
    cr_expect_eq(select_with((struct bp_catalog_filter){.event = "push", .limit = 1}), 1u);
    cr_expect_eq(select_with((struct bp_catalog_filter){.repository = "o/a"}), 3u);
    cr_expect_eq(select_with((struct bp_catalog_filter){.repository = "o-a"}), 0u);
    cr_expect_eq(select_with((struct bp_catalog_filter){.sha = "222"}), 2u);
    cr_expect_eq(select_with((struct bp_catalog_filter){.sha = "2222222ff"}), 2u);
    cr_expect_eq(select_with((struct bp_catalog_filter){.sha = "2222222fe"}), 0u);
    cr_expect_eq(select_with((struct bp_catalog_filter){.since_ms = INT64_C(1704240000000)}), 3u);
    cr_expect_eq(select_with((struct bp_catalog_filter){.until_ms = INT64_C(1704153600000)}), 1u);
}

Test(catalog, the_limit_counts_what_matches)
{
    /* The latest does not match by its manifest only: it must not use up the limit. */
    cr_expect_eq(select_with((struct bp_catalog_filter){.repository = "o/a", .limit = 3}), 3u);
}

Test(catalog, shows_damage_instead_of_hiding_the_archive)
{
    fake_store_put(&store, "backups/latest/latest_2024-01-04T00-00-00Z/manifest.json", "{");
    cr_expect_eq(select_with((struct bp_catalog_filter){0}), 4u);
    cr_expect_not(catalog.at[0].described);
    cr_expect(strstr(catalog.at[0].damage, "damaged") != NULL);
}

Test(catalog, finds_by_id_folder_beginning_and_latest)
{
    static const struct {
        const char *text;
        const char *id;
    } rows[] = {{"latest", "2024-01-04T00-00-00Z"},
                {"2024-01-03T00-00-00Z", "2024-01-03T00-00-00Z"},
                {"2024-01-03T00-00-00Z--2", "2024-01-03T00-00-00Z--2"},
                {"2024-01-02T00-00-00Z--o-a--push--1111111", "2024-01-02T00-00-00Z"},
                {"2024-01-02", "2024-01-02T00-00-00Z"}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bp_catalog_entry *found = NULL;

        cr_assert_eq(bp_catalog_find(&catalog, rows[i].text, &found, &err), BP_OK, "%s",
                     rows[i].text);
        cr_expect_str_eq(found->name.id, rows[i].id);
    }
}

Test(catalog, says_why_nothing_is_found)
{
    struct bp_catalog_entry *found = NULL;
    struct bp_catalog empty = {0};

    cr_expect_eq(bp_catalog_find(&catalog, "2024-01-03", &found, &err), BP_EUSAGE);
    cr_expect(strstr(err.msg, "the beginning of 2 archives' ids") != NULL);
    cr_expect_eq(bp_catalog_find(&catalog, "2023", &found, &err), BP_ENOTFOUND);
    cr_expect_eq(bp_catalog_find(&catalog, "", &found, &err), BP_ENOTFOUND);
    cr_expect_eq(bp_catalog_find(&empty, "latest", &found, &err), BP_ENOTFOUND);
}
