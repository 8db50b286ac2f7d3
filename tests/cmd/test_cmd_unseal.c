#include <criterion/criterion.h>
#include <string.h>

#include "archive/seal.h"
#include "base/file.h"
#include "base/mem.h"
#include "support/fake_app.h"
#include "support/fake_clock.h"

static struct fake_clock fclock;
static struct fake_app fake;
static char *dir;
static struct bp_err err;

static void set_up(void)
{
    fclock = fake_clock_new();
    fake = fake_app(&fclock.base);
    cr_assert_eq(bp_tempdir_new("/tmp", &dir, &err), BP_OK, "%s", err.msg);
}

static void tear_down(void)
{
    fake_app_release(&fake);
    bp_tempdir_removep(&dir);
}

TestSuite(cmd_unseal, .init = set_up, .fini = tear_down);

Test(cmd_unseal, a_sealed_file_is_opened)
{
    BP_AUTO(bp_identities_free) struct bp_identities identities = {0};
    BP_AUTO(bp_recipients_free) struct bp_recipients recipients = {0};
    BP_AUTO(bp_buf_free) struct bp_buf sealed = {0};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    BP_AUTO(bp_freep) char *key = bp_format("%s/key", dir);
    BP_AUTO(bp_freep) char *in = bp_format("%s/in", dir);
    BP_AUTO(bp_freep) char *out = bp_format("%s/out", dir);
    BP_AUTO(bp_freep) char *line = bp_format("unseal --identity %s %s %s", key, in, out);
    BP_AUTO(bp_freep) char *stream = bp_format("unseal --identity %s %s", key, in);
    char secret[BP_IDENTITY_SIZE];

    bp_identities_make(&identities);
    bp_identity_recipient(&identities, 0, &recipients);
    bp_identity_text(&identities, 0, secret);
    cr_assert_eq(bp_file_write(key, secret, strlen(secret), &err), BP_OK);
    cr_assert_eq(bp_seal(&recipients, "text", 4, &sealed, &err), BP_OK);
    cr_assert_eq(bp_file_write(in, sealed.data, sealed.len, &err), BP_OK);
    cr_expect_eq(fake_app_run(&fake, line), 0, "%s", fake.err);
    cr_assert_eq(bp_file_read(out, 100, &text, &err), BP_OK, "%s", err.msg);
    cr_expect_str_eq(text.data, "text");
    cr_expect_eq(fake_app_run(&fake, line), 2, "the file is there already");
    cr_expect_eq(fake_app_run(&fake, stream), 0, "%s", fake.err);
    cr_expect_str_eq(fake.out, "text");
    cr_assert_eq(bp_file_write(in, sealed.data, sealed.len - 1, &err), BP_OK);
    cr_expect_eq(fake_app_run(&fake, stream), 8);
    cr_expect_str_empty(fake.out);
}

Test(cmd_unseal, needs_an_identity)
{
    cr_expect_eq(fake_app_run(&fake, "unseal a b"), 2);
    cr_expect_not_null(strstr(fake.err, "unseal needs --identity"), "%s", fake.err);
    cr_expect_eq(fake_app_run(&fake, "unseal --identity /no/such/key a b"), 2);
}
