#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "archive/name.h"

#define COUNT_OF(rows) (sizeof(rows) / sizeof((rows)[0]))

static const int64_t moment = INT64_C(1705329045000); /* 2024-01-15T14:30:45Z */

Test(name, an_id_is_the_timestamp_and_the_copy)
{
    char id[BP_ARCHIVE_ID_SIZE];

    bp_archive_id(moment, 1, id);
    cr_expect_str_eq(id, "2024-01-15T14-30-45Z");
    bp_archive_id(moment + 999, 2, id);
    cr_expect_str_eq(id, "2024-01-15T14-30-45Z--2");
    bp_archive_id(moment, 9999, id);
    cr_expect_str_eq(id, "2024-01-15T14-30-45Z--9999");
}

Test(name, reads_each_form)
{
    static const struct {
        const char *folder;
        const char *id;
        const char *source;
        const char *event;
        const char *sha;
        int copy;
        bool latest;
    } rows[] = {
        {"latest_2024-01-15T14-30-45Z", "2024-01-15T14-30-45Z", "", "", "", 1, true},
        {"latest_2024-01-15T14-30-45Z--3", "2024-01-15T14-30-45Z--3", "", "", "", 3, true},
        {"2024-01-15T14-30-45Z--myorg-myapp--push--def5678", "2024-01-15T14-30-45Z", "myorg-myapp",
         "push", "def5678", 1, false},
        {"2024-01-15T14-30-45Z--myorg-myapp--pr--def5678--2", "2024-01-15T14-30-45Z--2",
         "myorg-myapp", "pr", "def5678", 2, false},
        {"2024-01-15T14-30-45Z--my--app--push--def5678", "2024-01-15T14-30-45Z", "my--app", "push",
         "def5678", 1, false},
        {"2024-01-15T14-30-45Z--my--app--push--1234567", "2024-01-15T14-30-45Z", "my--app", "push",
         "1234567", 1, false},
        {"2024-01-15T14-30-45Z--my--app--push--def5678--12", "2024-01-15T14-30-45Z--12", "my--app",
         "push", "def5678", 12, false},
        {"2024-01-15T14-30-45Z--o-app---push--def5678", "2024-01-15T14-30-45Z", "o-app-", "push",
         "def5678", 1, false},
        {"2024-01-15T14-30-45Z------push--def5678", "2024-01-15T14-30-45Z", "--", "push", "def5678",
         1, false},
        {"2024-01-15T14-30-45Z--standalone--standalone--standalone", "2024-01-15T14-30-45Z",
         "standalone", "standalone", "standalone", 1, false},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct bp_archive_name name;
        char again[BP_ARCHIVE_NAME_SIZE];

        cr_assert(bp_archive_name_parse(rows[i].folder, &name), "%s", rows[i].folder);
        cr_expect_str_eq(name.id, rows[i].id, "%s", rows[i].folder);
        cr_expect_str_eq(name.source, rows[i].source, "%s: %s", rows[i].folder, name.source);
        cr_expect_str_eq(name.event, rows[i].event, "%s: %s", rows[i].folder, name.event);
        cr_expect_str_eq(name.sha, rows[i].sha, "%s: %s", rows[i].folder, name.sha);
        cr_expect_eq(name.copy, rows[i].copy, "%s", rows[i].folder);
        cr_expect_eq(name.latest, rows[i].latest, "%s", rows[i].folder);
        cr_expect_eq(name.time_ms, moment, "%s", rows[i].folder);
        bp_archive_name_format(&name, again);
        cr_expect_str_eq(again, rows[i].folder);
    }
}

Test(name, refuses_what_is_no_archive)
{
    static const char *const bad[] = {
        "",
        "latest_",
        "latest",
        "current",
        "README.md",
        "2024-01-15T14-30-45Z",
        "2024-01-15T14-30-45Z--",
        "2024-01-15T14-30-45Z--a--b",
        "2024-01-15T14-30-45Z-a--b--c",
        "2024-01-15T14-30-45Z--a--b--",
        "2024-01-15T14-30-45Z--a----c",
        "2024-01-15T14-30-45Z----b--c",
        "2024-01-15T14-30-45Z--a--b--1234567890123456",
        "2024-01-15T14-30-45Z--a--an-event-too-long--c",
        "2024-01-15T14:30:45Z--a--b--c",
        "2024-01-15t14-30-45Z--a--b--c",
        "2024-01-15 14-30-45Z--a--b--c",
        "2024-01-15T14-30-45z--a--b--c",
        "2024-01-15T14-30.45Z--a--b--c",
        "2024-04-31T14-30-45Z--a--b--c",
        "2024-01-15T24-00-00Z--a--b--c",
        "latest_2024-01-15T14-30-45Z--1",
        "latest_2024-01-15T14-30-45Z--0",
        "latest_2024-01-15T14-30-45Z--02",
        "latest_2024-01-15T14-30-45Z--10000",
        "latest_2024-01-15T14-30-45Z--a--b--c",
        "latest_2024-01-15T14-30-45Z--",
        "Latest_2024-01-15T14-30-45Z",
        " latest_2024-01-15T14-30-45Z",
        "latest_latest_2024-01-15T14-30-45Z",
    };

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct bp_archive_name name;

        cr_expect_not(bp_archive_name_parse(bad[i], &name), "'%s' was accepted", bad[i]);
    }
}

Test(name, a_source_may_be_as_long_as_its_field)
{
    struct bp_archive_name name;
    char folder[400];

    (void)snprintf(folder, sizeof(folder), "2024-01-15T14-30-45Z--%0*d--push--def5678",
                   (int)sizeof(name.source) - 1, 0);
    cr_expect(bp_archive_name_parse(folder, &name));
    (void)snprintf(folder, sizeof(folder), "2024-01-15T14-30-45Z--%0*d--push--def5678",
                   (int)sizeof(name.source), 0);
    cr_expect_not(bp_archive_name_parse(folder, &name));
}

Test(name, what_follows_many_separators_is_not_dropped)
{
    struct bp_archive_name name;
    char folder[400];
    char dashes[129];

    memset(dashes, '-', 128);
    for (size_t len = 100; len <= 128; len++) {
        dashes[len] = '\0';
        (void)snprintf(folder, sizeof(folder), "2024-01-15T14-30-45Z--%s--push--abc--junk", dashes);
        if (bp_archive_name_parse(folder, &name)) {
            char again[BP_ARCHIVE_NAME_SIZE];

            bp_archive_name_format(&name, again);
            cr_expect_str_eq(again, folder, "%zu dashes", len);
        }
        dashes[len] = '-';
    }
}

Test(name, describes_what_a_folder_cannot_hold)
{
    static const struct {
        const char *given[3];
        const char *described[3];
    } rows[] = {
        {{"myorg/my.app_1", "schedule", "def56789abcdef"},
         {"myorg-my.app_1", "schedule", "def5678"}},
        {{NULL, NULL, NULL}, {"standalone", "standalone", "standalone"}},
        {{"", "", ""}, {"standalone", "standalone", "standalone"}},
        {{"a b\n\xC3\xA9", "..", "a:b"}, {"a_b___", "..", "a_b"}},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct bp_archive_name name = {0};

        bp_archive_name_describe(&name, rows[i].given[0], rows[i].given[1], rows[i].given[2]);
        cr_expect_str_eq(name.source, rows[i].described[0], "row %zu", i);
        cr_expect_str_eq(name.event, rows[i].described[1], "row %zu", i);
        cr_expect_str_eq(name.sha, rows[i].described[2], "row %zu", i);
    }
}

/* Whatever GitHub allows as the name of a repository comes back from its folder's name. */
Test(name, what_is_formatted_is_parsed)
{
    static const char *const events[] = {"push", "pr", "schedule", "manual", "standalone"};
    static const char letters[] = "a-Z-_0.-9";
    uint32_t state = 7;

    for (int round = 0; round < 20000; round++) {
        char repository[64] = "o/";
        char sha[41];
        struct bp_archive_name name = {.time_ms = moment + round * INT64_C(86477000),
                                       .copy = 1 + round % 3,
                                       .latest = round % 7 == 0};
        struct bp_archive_name got;
        char folder[BP_ARCHIVE_NAME_SIZE];
        size_t len = 2;

        for (int i = round % 20; i >= 0; i--) {
            state = state * 1664525U + 1013904223U;
            repository[len++] = letters[(state >> 16) % (sizeof(letters) - 1)];
        }
        (void)snprintf(sha, sizeof(sha), "%040" PRIx32, state);
        memmove(sha, sha + 33, 8);
        if (!name.latest)
            bp_archive_name_describe(&name, repository, events[round % 5], sha);
        bp_archive_id(name.time_ms, name.copy, name.id);
        bp_archive_name_format(&name, folder);
        cr_assert(bp_archive_name_parse(folder, &got), "%s", folder);
        cr_assert_eq(got.latest, name.latest, "%s", folder);
        cr_assert_eq(got.copy, name.copy, "%s", folder);
        cr_assert_eq(got.time_ms, name.time_ms, "%s", folder);
        cr_assert_str_eq(got.id, name.id, "%s", folder);
        cr_assert_str_eq(got.source, name.source, "%s", folder);
        cr_assert_str_eq(got.event, name.event, "%s", folder);
        cr_assert_str_eq(got.sha, name.sha, "%s", folder);
    }
}
