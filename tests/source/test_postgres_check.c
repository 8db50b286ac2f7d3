#include "source/postgres_check.h"

#include <criterion/criterion.h>
#include <string.h>

#include "test_postgres_support.h"

static const struct bp_finding *find(const struct bp_findings *findings, const char *about,
                                     enum bp_finding_level level)
{
    for (size_t i = 0; i < findings->count; i++) {
        if (strcmp(findings->at[i].about, about) == 0 && findings->at[i].level == level)
            return &findings->at[i];
    }
    return NULL;
}

Test(postgres_check, finds_nothing_wrong_with_a_good_database)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_findings_free) struct bp_findings findings = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE t (id int PRIMARY KEY)");
    cr_assert_eq(bp_pg_check(&db.options, &findings, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(bp_findings_verdict(&findings), BP_OK);
    cr_expect_not_null(find(&findings, "tables", BP_FOUND_OK));
    cr_expect_not_null(find(&findings, "pg_dump", BP_FOUND_OK));
}

Test(postgres_check, finds_that_there_is_no_table)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_findings_free) struct bp_findings findings = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    cr_assert_eq(bp_pg_check(&db.options, &findings, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(bp_findings_verdict(&findings), BP_EFAILED);
    cr_expect_not_null(find(&findings, "tables", BP_FOUND_FAILURE));
}

Test(postgres_check, a_database_that_is_not_there_is_a_finding_and_no_error)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_findings_free) struct bp_findings findings = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    test_db_drop(&db);
    cr_assert_eq(bp_pg_check(&db.options, &findings, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(bp_findings_verdict(&findings), BP_ENOTFOUND);
    cr_expect_not_null(find(&findings, "database", BP_FOUND_FAILURE));
}
