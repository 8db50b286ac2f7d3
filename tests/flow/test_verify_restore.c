#include <criterion/criterion.h>
#include <string.h>

#include "test_verify_world.h"

#define W verify_world

static const char with_extension[] =
    "SET client_encoding = 'UTF8';\n\n--\n-- Name: postgis; Type: EXTENSION; Schema: -; "
    "Owner: -\n--\n\nCREATE EXTENSION postgis;\n";

TestSuite(verify_restore, .init = verify_world_open, .fini = verify_world_close, .timeout = 60);

Test(verify_restore, a_restore_that_fails_is_the_archives_fault)
{
    W.target.refuses = "sequences";
    cr_expect_eq(verify_world_run(BP_L2), BP_EINTEGRITY);
    cr_expect_eq(W.result.level, BP_L1);
    cr_expect_str_eq(verify_world_recorded(), "L1");
}

Test(verify_restore, on_another_major_version_it_may_be_the_servers)
{
    W.target.refuses = "sequences";
    W.scratch.version_num = 170001;
    cr_expect_eq(verify_world_run(BP_L2), BP_EFAILED);
    cr_expect_eq(W.result.level, BP_L1);
    cr_expect_eq(W.result.findings.count, 1);
}

Test(verify_restore, other_rules_for_text_are_told)
{
    W.scratch.other_collation = true;
    cr_expect_eq(verify_world_run(BP_L2), BP_OK, "%s", W.err.msg);
    cr_expect_eq(W.result.notes.count, 1);
    W.target.refuses = "sequences";
    cr_expect_eq(verify_world_run(BP_L2), BP_EFAILED);
}

Test(verify_restore, an_extension_that_is_missing_is_never_a_plain_success)
{
    verify_world_change("database/pre-data.sql", with_extension);
    cr_expect_eq(verify_world_run(BP_L2), BP_OK, "%s", W.err.msg);
    fake_target_release(&W.target);
    W.target = fake_target();
    W.scratch.missing = "postgis";
    cr_expect_eq(verify_world_run(BP_L3), BP_EFAILED);
    cr_expect_eq(W.result.level, BP_L1);
    cr_assert_eq(W.result.except.count, 1);
    cr_expect(strstr(W.result.except.at[0], "extension 'postgis' is not available in a fake") ==
              W.result.except.at[0]);
    cr_expect_str_eq(verify_world_recorded(), "L2", "what was proved before stays");
}

Test(verify_restore, a_check_that_is_not_true_keeps_the_last_level_away)
{
    W.scratch.answer = false;
    cr_expect_eq(verify_world_run(BP_L5), BP_EINTEGRITY);
    cr_expect_eq(W.result.level, BP_L4);
    cr_expect(strstr(W.err.msg, "check 1 of 1 (SELECT true;): it returned false") != NULL, "%s",
              W.err.msg);
}
