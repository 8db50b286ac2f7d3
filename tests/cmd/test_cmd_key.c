#include <criterion/criterion.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "support/fake_app.h"
#include "support/fake_archive.h"
#include "support/fake_clock.h"
#include "support/fake_sealed.h"

static struct fake_clock fclock;
static struct fake_store store;
static struct fake_app fake;
static char *dir;
static struct bp_recipients recipients;
static char public[BP_RECIPIENT_SIZE];
static struct bp_err err;

/* The folder holds mine.txt, which opens the archive, and other.txt, which does not. */
static void set_up(void)
{
    static const char *const names[] = {"mine.txt", "other.txt"};
    BP_AUTO(bp_identities_free) struct bp_identities identities = {0};

    fclock = fake_clock_new();
    store = fake_store();
    fake = fake_app(&fclock.base);
    fake.env[0] = "GITHUB_REF_NAME=main";
    cr_assert_eq(bp_tempdir_new("/tmp", &dir, &err), BP_OK, "%s", err.msg);
    for (size_t i = 0; i < 2; i++) {
        BP_AUTO(bp_freep) char *path = bp_format("%s/%s", dir, names[i]);
        char secret[BP_IDENTITY_SIZE];

        bp_identities_make(&identities);
        bp_identity_text(&identities, i, secret);
        cr_assert_eq(bp_file_write(path, secret, strlen(secret), &err), BP_OK, "%s", err.msg);
    }
    bp_identity_recipient(&identities, 0, &recipients);
    bp_recipient_text(&recipients, 0, public);
}

static void tear_down(void)
{
    fake_app_release(&fake);
    fake_store_release(&store);
    bp_recipients_free(&recipients);
    bp_tempdir_removep(&dir);
}

TestSuite(cmd_key, .init = set_up, .fini = tear_down);

/* With the identities of these files; NULL: none. */
static int run(const char *words, const char *one, const char *two)
{
    BP_AUTO(bp_buf_free) struct bp_buf line = {0};

    bp_buf_printf(&line, "key %s --backup-repo /x", words);
    if (one != NULL)
        bp_buf_printf(&line, " --identity %s/%s", dir, one);
    if (two != NULL)
        bp_buf_printf(&line, " --identity %s/%s", dir, two);
    fake.app.store = &store.base;
    return fake_app_run(&fake, bp_buf_str(&line));
}

Test(cmd_key, names_the_identity_that_opens_the_archive)
{
    BP_AUTO(bp_freep)
    char *line = bp_format("2024-01-16T14-30-45Z is opened by the identity of %s\n", public);

    fake_sealed(&store, &recipients, NULL);
    cr_expect_eq(run("check", "other.txt", "mine.txt"), 0, "%s", fake.err);
    cr_expect_str_eq(fake.out, line);
    cr_expect_not_null(strstr(fake.err, "2 of its files were opened"), "%s", fake.err);
}

Test(cmd_key, prints_one_json_object)
{
    BP_AUTO(bp_json_freep) struct bp_json *json = NULL;

    fake_sealed(&store, &recipients, NULL);
    cr_expect_eq(run("check --format json", "mine.txt", NULL), 0, "%s", fake.err);
    cr_assert_eq(bp_json_parse(fake.out, strlen(fake.out), &json, &err), BP_OK, "%s", fake.out);
    cr_expect_str_eq(bp_json_get_text(json, "archive"), "2024-01-16T14-30-45Z");
    cr_expect(bp_json_get_bool(json, "sealed", false));
    cr_expect_str_eq(bp_json_text(bp_json_first(bp_json_get(json, "opened_by"))), public);
}

Test(cmd_key, none_that_opens_it_is_status_3_and_no_archive_4)
{
    cr_expect_eq(run("check", "mine.txt", NULL), 4, "%s", fake.err);
    fake_sealed(&store, &recipients, NULL);
    cr_expect_eq(run("check", "other.txt", NULL), 3, "%s", fake.err);
    cr_expect_eq(run("check", NULL, NULL), 2, "%s", fake.err);
    cr_expect_str_empty(fake.out);
}

Test(cmd_key, a_readable_archive_needs_none)
{
    struct fake_archive archive = fake_archive(&store, FAKE_SEALED_PATH);

    fake_archive_end(&archive);
    cr_expect_eq(run("check", NULL, NULL), 0, "%s", fake.err);
    cr_expect_str_eq(fake.out, "2024-01-16T14-30-45Z is readable: no key is needed\n");
}

Test(cmd_key, knows_only_check)
{
    cr_expect_eq(run("make", "mine.txt", NULL), 2);
    cr_expect_not_null(strstr(fake.err, "hint: key check"), "%s", fake.err);
    cr_expect_eq(run("", NULL, NULL), 2);
}
