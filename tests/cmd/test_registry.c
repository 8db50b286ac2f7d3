#include <criterion/criterion.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "cmd/registry.h"
#include "support/fake_app.h"
#include "support/fake_clock.h"

static struct fake_clock fclock;
static struct fake_app fake;

static void set_up(void)
{
    fclock = fake_clock_new();
    fake = fake_app(&fclock.base);
}

static void tear_down(void)
{
    fake_app_release(&fake);
}

TestSuite(registry, .init = set_up, .fini = tear_down);

Test(registry, without_a_token_says_how_to_set_one)
{
    cr_expect_eq(fake_app_run(&fake, "check --repo o/r"), 3);
    cr_expect(strstr(fake.err, "backproof: error: there is no trigger token; hint: set "
                               "WORKFLOW_TRIGGER_TOKEN") == fake.err,
              "%s", fake.err);
}

Test(registry, a_malformed_token_is_not_sent_anywhere)
{
    fake.env[0] = "WORKFLOW_TRIGGER_TOKEN=two words";
    fake.env[1] = "GITHUB_API_URL=http://127.0.0.1:1";
    cr_expect_eq(fake_app_run(&fake, "check --repo o/r"), 3);
    cr_expect_not_null(strstr(fake.err, "the token is malformed"));
}

Test(registry, makes_a_driver_that_fails_only_when_it_is_used)
{
    fake.env[0] = "WORKFLOW_TRIGGER_TOKEN=ghp_x12345";
    fake.env[1] = "GITHUB_API_URL=http://127.0.0.1:1";
    cr_expect_eq(fake_app_run(&fake, "check --repo o/r --retries 0"), 5);
    cr_expect_not_null(strstr(fake.err, "127.0.0.1"));
    cr_expect_null(strstr(fake.err, "ghp_x12345"));
}

Test(registry, a_password_on_the_command_line_is_refused_in_every_form)
{
    static const char *const lines[] = {
        "backup --backup-repo /x --database-url postgresql://u:hunter22@h/d",
        "backup --backup-repo /x --database-url postgresql://u@h/d?password=hunter22",
        "backup --backup-repo /x --database-url postgresql://u@h/d?sslpassword=hunter22",
        "backup --backup-repo /x --database-url password=hunter22",
        "backup --backup-repo /x --database-url sslpassword=hunter22",
        "restore latest --backup-repo /x --to postgresql://u:hunter22@h/d",
        "list --backup-repo https://u:hunter22@h/r",
        "list --backup-repo /x --proxy http://u:hunter22@h:1",
        "check --repo o/r --api-url https://u:hunter22@h",
        "check --repo o/r --proxy http://u:hunter22@h:1",
    };

    fake.env[0] = "WORKFLOW_TRIGGER_TOKEN=ghp_x12345";
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        cr_expect_eq(fake_app_run(&fake, lines[i]), 2, "%s", lines[i]);
        cr_expect_not_null(strstr(fake.err, "would show in the process list; set BACKPROOF_"),
                           "%s: %s", lines[i], fake.err);
        cr_expect_null(strstr(fake.err, "hunter22"), "%s", lines[i]);
    }
}

static char *new_archive(void)
{
    struct bp_err err = {0};
    char *folder = NULL;

    cr_assert_eq(bp_tempdir_new("/tmp", &folder, &err), BP_OK, "%s", err.msg);
    {
        BP_AUTO(bp_freep) char *manifest = bp_format("%s/manifest.json", folder);

        cr_assert_eq(bp_file_put(manifest, "{\"id\": \"2024-01-15T14-30-45Z\"}", true, &err),
                     BP_OK);
    }
    return folder;
}

Test(registry, a_plain_folder_is_read_without_git)
{
    BP_AUTO(bp_tempdir_removep) char *folder = new_archive();
    BP_AUTO(bp_freep) char *line = bp_format("show latest --backup-repo %s", folder);

    cr_expect_eq(fake_app_run(&fake, line), 8);
    cr_expect_not_null(strstr(fake.err, "2024-01-15T14-30-45Z"), "%s", fake.err);
}

Test(registry, an_id_that_is_the_folder_of_an_archive_needs_no_repository)
{
    BP_AUTO(bp_tempdir_removep) char *folder = new_archive();
    BP_AUTO(bp_store_freep) struct bp_store *store = NULL;
    struct bp_err err = {0};
    struct bp_app app = {0};
    const char *id = NULL;

    cr_assert_eq(bp_registry_archive_store(&app, folder, &id, &store, &err), BP_OK, "%s", err.msg);
    cr_expect_str_eq(id, "latest");
    cr_expect_eq(store->ops->open(store, &err), BP_OK, "%s", err.msg);
    bp_store_freep(&store);
    cr_expect_eq(bp_registry_archive_store(&app, "2024-01-15", &id, &store, &err), BP_EUSAGE);
    cr_expect_not_null(strstr(err.msg, "--backup-repo"));
}
