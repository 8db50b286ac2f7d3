#include <criterion/criterion.h>
#include <string.h>

#include "test_verify_world.h"

#define W     verify_world
#define USERS "public/tables/users/data.sql"
#define HEAD  "COPY \"public\".\"users\" (\"id\", \"v\") FROM stdin;\n"

TestSuite(verify_parse, .init = verify_world_open, .fini = verify_world_close, .timeout = 60);

/* The archive reaches L0 only, because of this. */
static void expect(const char *words)
{
    cr_expect_eq(verify_world_run(BP_L1), BP_EINTEGRITY);
    cr_expect_eq(W.result.level, BP_L0, "%s", W.err.msg);
    cr_expect(strstr(W.err.msg, words) != NULL, "%s", W.err.msg);
}

Test(verify_parse, a_row_of_another_number_of_values)
{
    verify_world_change(USERS, HEAD "1\ta\n2\n3\tc\n\\.\n");
    expect("'public/tables/users/data.sql': row 2 does not have 2 values");
}

Test(verify_parse, a_row_too_many)
{
    verify_world_change(USERS, HEAD "1\ta\n2\tb\n3\tc\n4\td\n\\.\n");
    expect("table 'public.users': its files hold 4 rows, the manifest says 3");
}

Test(verify_parse, a_file_of_rows_that_is_none)
{
    verify_world_change(USERS, "DROP TABLE users;\n");
    expect("this is no data file");
}

Test(verify_parse, a_checksum_of_a_table_that_is_not_that_of_its_files)
{
    const char *text = fake_store_get(&W.store, VERIFY_FOLDER "/manifest.json");
    BP_AUTO(bp_buf_free) struct bp_buf rendered = {0};
    struct bp_manifest m = {0};

    cr_assert_eq(bp_manifest_parse(text, strlen(text), &m, &W.err), BP_OK);
    m.tables[0].sha256[0] = m.tables[0].sha256[0] == 'a' ? 'b' : 'a';
    bp_manifest_render(&m, &rendered);
    bp_manifest_free(&m);
    fake_store_put(&W.store, VERIFY_FOLDER "/manifest.json", bp_buf_str(&rendered));
    expect("checksum of it is not that of its files");
}

Test(verify_parse, statements_without_an_end)
{
    verify_world_change("database/sequences.sql", "SELECT setval('x', 1)");
    expect("'database/sequences.sql': its last statement has no end");
    verify_world_change("database/sequences.sql", "SELECT setval('x, 1);\n");
    expect("'database/sequences.sql': something in it is quoted without an end");
}

Test(verify_parse, everything_that_is_wrong_is_named)
{
    verify_world_change("database/sequences.sql", "SELECT 'x");
    verify_world_change(USERS, HEAD "1\n\\.\n");
    expect("row 1 does not have 2 values");
    cr_expect_eq(W.result.findings.count, 2);
}
