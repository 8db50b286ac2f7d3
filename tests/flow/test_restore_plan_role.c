#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "flow/test_restore_plan_world.h"

static struct bp_role_maps maps;
static struct bp_list given;
static struct bp_err err;

static void tear_down(void)
{
    bp_role_maps_free(&maps);
    bp_list_free(&given);
}

TestSuite(restore_plan_role, .fini = tear_down);

static void expect(const char *sql, const char *expected)
{
    BP_AUTO(bp_freep) char *found = NULL;

    if (maps.from.count == 0) {
        bp_list_add(&given, "a=n");
        bp_list_add(&given, "\"A \"\"=\"=b=c");
        cr_assert_eq(bp_role_maps_read(&given, &maps, &err), BP_OK, "%s", err.msg);
    }
    found = bp_restore_role_sql(sql, &maps, false);
    cr_expect_str_eq(found, expected, "%s", found);
}

Test(restore_plan_role, owners_and_grants_name_the_new_role)
{
    expect("ALTER TABLE a.a OWNER TO a;\n", "ALTER TABLE a.a OWNER TO \"n\";\n");
    expect("ALTER TABLE x OWNER TO \"A \"\"=\";", "ALTER TABLE x OWNER TO \"b=c\";");
    expect("GRANT SELECT(a) ON TABLE a.a TO a WITH GRANT OPTION;",
           "GRANT SELECT(a) ON TABLE a.a TO \"n\" WITH GRANT OPTION;");
    expect("REVOKE ALL ON FUNCTION f(a integer) FROM a;",
           "REVOKE ALL ON FUNCTION f(a integer) FROM \"n\";");
    expect("GRANT ALL ON TYPE a TO PUBLIC;", "GRANT ALL ON TYPE a TO PUBLIC;");
    expect("SET SESSION AUTHORIZATION a;\nGRANT SELECT ON TABLE a TO x;\n"
           "RESET SESSION AUTHORIZATION;",
           "SET SESSION AUTHORIZATION \"n\";\nGRANT SELECT ON TABLE a TO x;\n"
           "RESET SESSION AUTHORIZATION;");
    expect("ALTER DEFAULT PRIVILEGES FOR ROLE a IN SCHEMA a GRANT ALL ON TABLES TO a;",
           "ALTER DEFAULT PRIVILEGES FOR ROLE \"n\" IN SCHEMA a GRANT ALL ON TABLES TO \"n\";");
}

Test(restore_plan_role, policies_and_user_mappings_name_the_new_role)
{
    expect("CREATE POLICY a ON a FOR SELECT TO x, a USING ((a = CURRENT_USER));",
           "CREATE POLICY a ON a FOR SELECT TO x, \"n\" USING ((a = CURRENT_USER));");
    expect("CREATE USER MAPPING FOR a SERVER a OPTIONS (\"user\" 'a');",
           "CREATE USER MAPPING FOR \"n\" SERVER a OPTIONS (\"user\" 'a');");
}

Test(restore_plan_role, words_in_literals_and_bodies_stay)
{
    expect("COMMENT ON TABLE x IS 'GRANT a TO a; OWNER TO a;';",
           "COMMENT ON TABLE x IS 'GRANT a TO a; OWNER TO a;';");
    expect("CREATE FUNCTION f() AS $$GRANT x TO a;$$;",
           "CREATE FUNCTION f() AS $$GRANT x TO a;$$;");
}

Test(restore_plan_role, without_owners_the_rest_of_a_block_stays)
{
    BP_AUTO(bp_freep)
    char *rest =
        bp_restore_role_sql("CREATE TABLE t ();\n\n\nALTER TABLE t OWNER TO a;\n", &maps, true);
    BP_AUTO(bp_freep)
    char *nothing = bp_restore_role_sql("SET default_tablespace = '';\nALTER TABLE t OWNER TO a;\n",
                                        &maps, true);

    cr_expect_str_eq(rest, "CREATE TABLE t ();\n");
    cr_expect_str_eq(nothing, "");
}

Test(restore_plan_role, maps_that_cannot_be_read_are_refused)
{
    static const char *const wrong[] = {"", "a", "=a", "a=", "\"a=b", "\"a\"b=c", "a=\"b\"c"};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct bp_role_maps some = {0};

        bp_list_free(&given);
        bp_list_add(&given, wrong[i]);
        cr_expect_eq(bp_role_maps_read(&given, &some, &err), BP_EUSAGE, "%s", wrong[i]);
        bp_role_maps_free(&some);
    }
}

Test(restore_plan_role, one_role_is_mapped_once)
{
    bp_list_add(&given, "a=b");
    bp_list_add(&given, "\"a\"=c");
    cr_expect_eq(bp_role_maps_read(&given, &maps, &err), BP_EUSAGE);
    cr_expect_not_null(strstr(err.msg, "'a' twice"));
}

Test(restore_plan_role, a_mapped_role_is_not_made_nor_given_members)
{
    static const char *const roles =
        "DO $b$\nBEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'a') THEN RETURN; END IF;"
        " CREATE ROLE a; END\n$b$;\n"
        "DO $b$ SELECT WHERE r.rolname = 'x' AND u.rolname = 'a'; GRANT x TO a; $b$;\n"
        "DO $b$ SELECT WHERE rolname = 'x'; CREATE ROLE x; COMMENT ON ROLE x IS 'a'; $b$;\n";
    BP_AUTO(bp_freep) char *rest = NULL;

    bp_list_add(&given, "a=n");
    cr_assert_eq(bp_role_maps_read(&given, &maps, &err), BP_OK);
    rest = bp_restore_roles_without(roles, &maps);
    cr_expect_str_eq(
        rest,
        "\nDO $b$ SELECT WHERE rolname = 'x'; CREATE ROLE x; COMMENT ON ROLE x IS 'a'; $b$;\n");
}

Test(restore_plan_role, large_objects_get_the_owners_and_grants_that_are_wanted)
{
    static const char *const text = "SELECT pg_catalog.lo_create(1);\n"
                                    "ALTER LARGE OBJECT 1 OWNER TO a;\n"
                                    "GRANT SELECT ON LARGE OBJECT 1 TO a;\n";
    struct bp_restore_want want = {.role_maps = &given, .no_privileges = true};
    BP_AUTO(bp_freep) char *mapped = NULL;
    BP_AUTO(bp_freep) char *bare = NULL;

    bp_list_add(&given, "a=n");
    cr_assert_eq(bp_restore_objects(&want, text, &mapped, &err), BP_OK, "%s", err.msg);
    cr_expect_str_eq(mapped, "SELECT pg_catalog.lo_create(1);\n"
                             "ALTER LARGE OBJECT 1 OWNER TO \"n\";\n");
    want.no_owner = true;
    cr_assert_eq(bp_restore_objects(&want, text, &bare, &err), BP_OK);
    cr_expect_str_eq(bare, "SELECT pg_catalog.lo_create(1);\n");
}
