#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "source/postgres_script.h"

/* The statements of the text, each followed by '|'. */
static void expect_split(const char *text, const char *expected)
{
    struct bp_pg_script script = {.text = text};
    BP_AUTO(bp_buf_free) struct bp_buf all = {0};

    while (bp_pg_script_next(&script)) {
        bp_buf_add(&all, text + script.start, script.end - script.start);
        bp_buf_putc(&all, '|');
    }
    cr_expect_str_eq(bp_buf_str(&all), expected, "of '%s': '%s'", text, bp_buf_str(&all));
}

Test(postgres_script, splits_at_semicolons)
{
    expect_split("", "");
    expect_split("  ;; \n;", "");
    expect_split("SELECT 1", "SELECT 1|");
    expect_split("SELECT 1;SELECT 2;", "SELECT 1|SELECT 2|");
    expect_split("a; -- b; c\n/* d; /* e; */ f; */ g;", "a|g|");
}

Test(postgres_script, does_not_split_inside_quotes)
{
    expect_split("a 'x;''y;' b; c", "a 'x;''y;' b|c|");
    expect_split("a E'x\\';y' b; c", "a E'x\\';y' b|c|");
    expect_split("a 'x\\'; c", "a 'x\\'|c|");
    expect_split("a \"x;\"\"\" b; c", "a \"x;\"\"\" b|c|");
    expect_split("a $$x;$$ b; c", "a $$x;$$ b|c|");
    expect_split("a $t$x;$$;$T$;$t$; c", "a $t$x;$$;$T$;$t$|c|");
    expect_split("a name$1$; b", "a name$1$|b|");
    expect_split("a $1; b", "a $1|b|");
}

Test(postgres_script, does_not_split_inside_parentheses_or_bodies)
{
    expect_split("CREATE RULE r DO (a; b); c", "CREATE RULE r DO (a; b)|c|");
    expect_split("CREATE FUNCTION f() BEGIN ATOMIC a; CASE WHEN b THEN c END; END; d",
                 "CREATE FUNCTION f() BEGIN ATOMIC a; CASE WHEN b THEN c END; END|d|");
    expect_split("create or replace procedure f() begin atomic a; end; d",
                 "create or replace procedure f() begin atomic a; end|d|");
    expect_split("BEGIN; a; END; b", "BEGIN|a|END|b|");
}

Test(postgres_script, survives_what_never_ends)
{
    expect_split("a 'x;", "a 'x;|");
    expect_split("a $$x;", "a $$x;|");
    expect_split("a (b;", "a (b;|");
    expect_split("a /* b;", "a /* b;|");
    expect_split("a E'\\", "a E'\\|");
}

Test(postgres_script, cuts_an_excerpt_by_number_or_position)
{
    static const char text[] = "SELECT '\303\244;';\n  SELECT\n 2;";
    BP_AUTO(bp_buf_free) struct bp_buf out = {0};

    bp_pg_script_excerpt(text, 1, &out);
    cr_expect_str_eq(bp_buf_str(&out), "SELECT  2");
    bp_buf_cut(&out, 0);
    bp_pg_script_excerpt(text, 2, &out);
    cr_expect_str_eq(bp_buf_str(&out), "");
    bp_pg_script_excerpt_at(text, 9, &out);
    cr_expect_str_eq(bp_buf_str(&out), "SELECT '\303\244;'");
    bp_buf_cut(&out, 0);
    bp_pg_script_excerpt_at(text, 16, &out);
    cr_expect_str_eq(bp_buf_str(&out), "SELECT  2");
}

Test(postgres_script, blanks_the_lines_for_psql)
{
    BP_AUTO(bp_freep)
    char *text = bp_pg_script_without_meta("-- c\n\\restrict a\nS 'x\n\\restrict b\n';\n"
                                           "\\unrestrict a\n\n");

    cr_expect_str_eq(text, "-- c\n           \nS 'x\n\\restrict b\n';\n             \n\n");
}
