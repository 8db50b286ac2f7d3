#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/seal.h"
#include "archive/sign.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "support/fake_app.h"
#include "support/fake_clock.h"

static struct fake_clock fclock;
static struct fake_app fake;
static char *dir;
static char *path;
static struct bp_err err;

static void set_up(void)
{
    fclock = fake_clock_new();
    fake = fake_app(&fclock.base);
    cr_assert_eq(bp_tempdir_new("/tmp", &dir, &err), BP_OK, "%s", err.msg);
    path = bp_format("%s/key", dir);
}

static void tear_down(void)
{
    fake_app_release(&fake);
    bp_tempdir_removep(&dir);
    bp_freep(&path);
}

TestSuite(cmd_keygen, .init = set_up, .fini = tear_down);

static int run(const char *words)
{
    BP_AUTO(bp_freep) char *line = bp_format("keygen %s --output %s", words, path);

    return fake_app_run(&fake, line);
}

static void read_file(const char *name, struct bp_buf *out)
{
    bp_buf_cut(out, 0);
    cr_assert_eq(bp_file_read(name, 4096, out, &err), BP_OK, "%s", err.msg);
}

Test(cmd_keygen, prints_a_pair_as_age_keygen_does)
{
    BP_AUTO(bp_identities_free) struct bp_identities identities = {0};
    BP_AUTO(bp_recipients_free) struct bp_recipients recipients = {0};
    char public[BP_RECIPIENT_SIZE];

    cr_expect_eq(fake_app_run(&fake, "keygen"), 0, "%s", fake.err);
    cr_assert_eq(bp_identities_add(&identities, fake.out, "out", &err), BP_OK, "%s", err.msg);
    bp_identity_recipient(&identities, 0, &recipients);
    bp_recipient_text(&recipients, 0, public);
    cr_expect_eq(strncmp(fake.out, "# created: ", 11), 0, "%s", fake.out);
    cr_expect_not_null(strstr(fake.out, "\n# public key: age1"), "%s", fake.out);
    cr_expect_not_null(strstr(fake.out, public), "%s", fake.out);
    cr_expect_not_null(strstr(fake.err, "keep two copies"), "%s", fake.err);
    cr_expect_null(strstr(fake.err, "AGE-SECRET"), "%s", fake.err);
}

Test(cmd_keygen, writes_the_secret_and_prints_the_public_key)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    struct stat info;

    cr_expect_eq(run("identity"), 0, "%s", fake.err);
    read_file(path, &text);
    cr_expect_not_null(strstr(text.data, "\nAGE-SECRET-KEY-1"), "%s", text.data);
    cr_expect_not_null(strstr(text.data, fake.out), "%s", fake.out);
    cr_expect_eq(strncmp(fake.out, "age1", 4), 0, "%s", fake.out);
    cr_expect_null(strstr(fake.out, "AGE-SECRET"));
    cr_expect_null(strstr(fake.err, "AGE-SECRET"));
    cr_assert_eq(stat(path, &info), 0);
    cr_expect_eq(info.st_mode & 0777, 0600);
}

Test(cmd_keygen, never_replaces_a_key)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    BP_AUTO(bp_freep) char *public = bp_format("%s.pub", path);

    cr_assert_eq(bp_file_write(path, "precious", 8, &err), BP_OK);
    cr_expect_eq(run("identity"), 2);
    cr_expect_eq(run("chunk"), 2);
    cr_expect_eq(run("signing"), 2);
    cr_expect_not_null(strstr(fake.err, "is there already"), "%s", fake.err);
    cr_expect_str_empty(fake.out);
    read_file(path, &text);
    cr_expect_str_eq(text.data, "precious");
    cr_assert_eq(rename(path, public), 0);
    cr_expect_eq(run("signing"), 2, "neither of the two files");
    cr_expect_neq(access(path, F_OK), 0);
}

Test(cmd_keygen, makes_the_two_files_of_minisign)
{
    BP_AUTO(bp_buf_free) struct bp_buf secret = {0};
    BP_AUTO(bp_buf_free) struct bp_buf public = {0};
    BP_AUTO(bp_buf_free) struct bp_buf signature = {0};
    BP_AUTO(bp_freep) char *public_path = bp_format("%s.pub", path);
    BP_AUTO(bp_trusted_keys_free) struct bp_trusted_keys trusted = {0};
    struct bp_sign_key key;

    cr_expect_eq(run("signing"), 0, "%s", fake.err);
    read_file(path, &secret);
    read_file(public_path, &public);
    cr_expect_str_eq(fake.out, public.data);
    cr_assert_eq(bp_sign_key_parse(secret.data, "s", &key, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(bp_trusted_keys_add(&trusted, public.data, "p", &err), BP_OK, "%s", err.msg);
    bp_sign(&key, "text", 4, "", &signature);
    cr_expect_eq(bp_sign_check(&trusted, "text", 4, signature.data, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(fake_app_run(&fake, "keygen signing"), 0);
    cr_expect_not_null(strstr(fake.out, "backproof secret key"), "both are printed");
    cr_expect_not_null(strstr(fake.out, "backproof public key"), "both are printed");
}

Test(cmd_keygen, makes_a_chunk_key)
{
    struct bp_chunk_key key;

    cr_expect_eq(fake_app_run(&fake, "keygen chunk"), 0, "%s", fake.err);
    cr_expect_eq(bp_chunk_key_parse(fake.out, &key, &err), BP_OK, "%s", err.msg);
    cr_expect_not_null(strstr(fake.err, "BACKPROOF_CHUNK_KEY"), "%s", fake.err);
}

Test(cmd_keygen, prints_one_json_object)
{
    BP_AUTO(bp_json_freep) struct bp_json *json = NULL;

    cr_expect_eq(fake_app_run(&fake, "keygen --format json"), 0, "%s", fake.err);
    cr_assert_eq(bp_json_parse(fake.out, strlen(fake.out), &json, &err), BP_OK, "%s", fake.out);
    cr_expect_str_eq(bp_json_get_text(json, "kind"), "identity");
    cr_expect_not_null(strstr(bp_json_get_text(json, "secret"), "AGE-SECRET-KEY-1"));
    cr_expect_eq(run("--format json"), 0);
    cr_expect_null(strstr(fake.out, "secret"), "it is in the file: %s", fake.out);
}

Test(cmd_keygen, a_dry_run_writes_nothing)
{
    cr_expect_eq(run("signing --dry-run"), 0, "%s", fake.err);
    cr_expect_neq(access(path, F_OK), 0);
    cr_expect_not_null(strstr(fake.err, "would write the secret key"), "%s", fake.err);
}

Test(cmd_keygen, does_not_print_a_secret_into_the_log_of_a_job)
{
    fake.env[0] = "GITHUB_ACTIONS=true";
    cr_expect_eq(fake_app_run(&fake, "keygen"), 2);
    cr_expect_not_null(strstr(fake.err, "would show in the job's log"), "%s", fake.err);
    cr_expect_str_empty(fake.out);
}

Test(cmd_keygen, knows_three_kinds)
{
    cr_expect_eq(fake_app_run(&fake, "keygen rsa"), 2);
    cr_expect_not_null(strstr(fake.err, "there is no key 'rsa'; hint: identity, chunk or signing"));
}
