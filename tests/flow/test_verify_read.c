#include <criterion/criterion.h>
#include <string.h>

#include "test_verify_world.h"

#define W verify_world

static const struct fake_source_table fewer[] = {{"public", "users", 3, 30}, {NULL, NULL, 0, 0}};
static const struct fake_source_table more[] = {{"public", "users", 3, 30},
                                                {"public", "orders", 2, 40},
                                                {"public", "extra", 0, 40},
                                                {NULL, NULL, 0, 0}};

TestSuite(verify_read, .init = verify_world_open, .fini = verify_world_close, .timeout = 60);

/* The archive reaches this level and not the next, because of this. */
static void expect(enum bp_proof reached, const char *words)
{
    cr_expect_eq(verify_world_run(BP_L4), BP_EINTEGRITY);
    cr_expect_eq(W.result.level, reached, "%s", W.err.msg);
    cr_expect(strstr(W.err.msg, words) != NULL, "%s", W.err.msg);
}

Test(verify_read, a_table_that_is_not_there)
{
    W.source.tables = fewer;
    expect(BP_L2, "table 'public.orders' is not in the restored database");
}

Test(verify_read, a_table_that_should_not_be_there)
{
    W.source.tables = more;
    expect(BP_L2, "table 'public.extra' is restored, and not in the manifest");
}

Test(verify_read, large_objects_that_are_others)
{
    W.source.large_object_lines = 3;
    expect(BP_L2, "the restored database has 3 large objects, the archive 2");
}

Test(verify_read, a_definition_that_is_another_one)
{
    verify_world_change("database/sequences.sql", "-- sequences\nSELECT 1;\n");
    expect(BP_L3, "'database/sequences.sql' is not what the restored database gives (- archive, + "
                  "restored):\n  -SELECT 1;");
}

Test(verify_read, lines_that_tell_versions_do_not_count)
{
    verify_world_change("database/sequences.sql",
                        "-- Dumped by pg_dump version 15.2\n-- sequences\n\\restrict x\n");
    cr_expect_eq(verify_world_run(BP_L4), BP_EINTEGRITY, "psql's command is no SQL");
    cr_expect_eq(W.result.level, BP_L0);
    verify_world_change("database/sequences.sql",
                        "-- Dumped by pg_dump version 15.2\n-- sequences\n");
    fake_target_release(&W.target);
    W.target = fake_target();
    cr_expect_eq(verify_world_run(BP_L4), BP_OK, "%s", W.err.msg);
}

Test(verify_read, a_scratch_of_another_major_words_definitions_differently)
{
    verify_world_change("database/sequences.sql", "-- sequences\nSELECT 1;\n");
    W.scratch.version_num = 170001;
    cr_expect_eq(verify_world_run(BP_L4), BP_EFAILED);
    cr_expect_eq(W.result.level, BP_L3);
    cr_expect_eq(W.result.except.count, 1);
}
