#include "flow/archive_ahead.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "support/fake_store.h"

enum { FILES = 50 };

static struct fake_store store;
static struct bp_catalog_entry entry;
static struct bp_err err;

static void set_up(void)
{
    store = fake_store();
    (void)snprintf(entry.path, sizeof(entry.path), "a");
}

static void tear_down(void)
{
    fake_store_release(&store);
}

TestSuite(archive_ahead, .init = set_up, .fini = tear_down, .timeout = 60);

/* What the manifest says of a file with this content; the path is the caller's. */
static struct bp_manifest_file describe(char *path, const char *text)
{
    struct bp_manifest_file file = {.path = path, .bytes = (int64_t)strlen(text)};

    bp_sha256_hex(text, strlen(text), file.sha256);
    return file;
}

Test(archive_ahead, each_file_comes_in_its_turn_while_the_one_before_it_stays)
{
    BP_AUTO(bp_archive_ahead_free) struct bp_archive_ahead ahead = {0};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    struct bp_manifest_file files[FILES];
    char paths[FILES][16];

    for (int i = 0; i < FILES; i++) {
        BP_AUTO(bp_freep) char *where = bp_format("a/f%d", i);
        BP_AUTO(bp_freep) char *content = bp_format("content %d", i);

        (void)snprintf(paths[i], sizeof(paths[i]), "f%d", i);
        fake_store_put(&store, where, content);
        files[i] = describe(paths[i], content);
    }
    bp_archive_ahead_begin(&ahead, &store.base, &entry, &files[0]);
    for (int i = 0; i < FILES; i++) {
        BP_AUTO(bp_freep) char *wanted = bp_format("content %d", i);

        cr_assert_eq(bp_archive_ahead_take(&ahead, &text, &err), BP_OK, "%s", err.msg);
        if (i + 1 < FILES)
            bp_archive_ahead_begin(&ahead, &store.base, &entry, &files[i + 1]);
        cr_expect_str_eq(bp_buf_str(&text), wanted);
    }
}

Test(archive_ahead, a_damaged_file_is_told_when_it_is_taken_and_the_next_one_is_read)
{
    BP_AUTO(bp_archive_ahead_free) struct bp_archive_ahead ahead = {0};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    char path[] = "f";
    struct bp_manifest_file bad = describe(path, "abd");
    struct bp_manifest_file good = describe(path, "abc");

    fake_store_put(&store, "a/f", "abc");
    bp_archive_ahead_begin(&ahead, &store.base, &entry, &bad);
    cr_expect_eq(bp_archive_ahead_take(&ahead, &text, &err), BP_EINTEGRITY);
    cr_expect_not_null(strstr(err.msg, "the checksum of 'f' is wrong"), "%s", err.msg);
    bp_archive_ahead_begin(&ahead, &store.base, &entry, &good);
    cr_assert_eq(bp_archive_ahead_take(&ahead, &text, &err), BP_OK, "%s", err.msg);
    cr_expect_str_eq(bp_buf_str(&text), "abc");
}

Test(archive_ahead, what_nobody_takes_is_waited_for_and_freed)
{
    struct bp_archive_ahead ahead = {0};
    char path[] = "f";
    struct bp_manifest_file file = describe(path, "abc");

    fake_store_put(&store, "a/f", "abc");
    bp_archive_ahead_begin(&ahead, &store.base, &entry, &file);
    bp_archive_ahead_free(&ahead);
    cr_expect_not(ahead.reading);
    cr_expect_null(ahead.text.data);
    bp_archive_ahead_free(&ahead);
}
