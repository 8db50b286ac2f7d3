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

TestSuite(cmd_seal, .init = set_up, .fini = tear_down);

Test(cmd_seal, a_file_is_sealed_for_all_recipients)
{
    BP_AUTO(bp_identities_free) struct bp_identities identities = {0};
    BP_AUTO(bp_recipients_free) struct bp_recipients recipients = {0};
    BP_AUTO(bp_buf_free) struct bp_buf sealed = {0};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    BP_AUTO(bp_freep) char *in = bp_format("%s/in", dir);
    BP_AUTO(bp_freep) char *out = bp_format("%s/out", dir);
    BP_AUTO(bp_freep) char *line = NULL;
    char one[BP_RECIPIENT_SIZE];
    char two[BP_RECIPIENT_SIZE];

    for (size_t i = 0; i < 2; i++) {
        bp_identities_make(&identities);
        bp_identity_recipient(&identities, i, &recipients);
    }
    bp_recipient_text(&recipients, 0, one);
    bp_recipient_text(&recipients, 1, two);
    cr_assert_eq(bp_file_write(in, "text", 4, &err), BP_OK);
    line = bp_format("seal --recipient %s --recipient %s %s %s", one, two, in, out);
    cr_expect_eq(fake_app_run(&fake, line), 0, "%s", fake.err);
    cr_assert_eq(bp_file_read(out, 4096, &sealed, &err), BP_OK, "%s", err.msg);
    for (size_t i = 0; i < 2; i++) {
        const struct bp_identities alone = {.at = &identities.at[i], .count = 1};

        cr_expect_eq(bp_unseal(&alone, sealed.data, sealed.len, 100, &text, &err), BP_OK);
        cr_expect_str_eq(bp_buf_str(&text), "text");
    }
    cr_expect_eq(fake_app_run(&fake, line), 2, "the file is there already");
}

Test(cmd_seal, needs_a_recipient)
{
    cr_expect_eq(fake_app_run(&fake, "seal a b"), 2);
    cr_expect_not_null(strstr(fake.err, "seal needs --recipient"), "%s", fake.err);
    cr_expect_eq(fake_app_run(&fake, "seal --recipient age1x a b"), 2);
    cr_expect_eq(fake_app_run(&fake, "seal --recipient age1x a b c"), 2);
}
