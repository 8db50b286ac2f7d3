#include "source/postgres_toc.h"

#include <criterion/criterion.h>

#include "base/mem.h"

static const char list[] = ";\n"
                           "; Archive created at 2024-01-15 14:30:45 UTC\n"
                           ";     dbname: 1; 1259 99 TABLE\n"
                           ";\n"
                           "2; 3079 16385 EXTENSION - citext \n"
                           "219; 1259 16406 TABLE app users owner\n"
                           "7; 1259 16390 SEQUENCE app b 1; 1259 5 TABLE\n"
                           "3320; 0 16406 TABLE DATA app users owner\n"
                           "220; 1259 4294967295 VIEW public largest postgres\n"
                           "3321; 2606 16410 CONSTRAINT app users users_pkey owner\n";

static void expect_read(const char *text, const char *expected)
{
    BP_AUTO(bp_pg_relations_free) struct bp_pg_relations relations = {0};
    BP_AUTO(bp_buf_free) struct bp_buf out = {0};

    bp_pg_relations_read(text, &relations);
    bp_pg_relations_put(&relations, &out);
    cr_expect_str_eq(out.data, expected, "%s gives %s", text, out.data);
}

Test(postgres_toc, finds_the_relations_in_a_list_of_contents)
{
    expect_read(list, "'{16390,16406,4294967295}'");
    expect_read("219; 1259 16406 TABLE app users owner", "'{16406}'");
}

Test(postgres_toc, finds_nothing_in_lines_that_are_no_entries)
{
    static const char *const lines[] = {
        "",
        "\n\n",
        "; 1259 5 TABLE\n",
        "219 1259 5 TABLE\n",
        "219; 1259\n",
        "219; 1259",
        "219;\n1259 5 TABLE\n",
        "219; 12590 5 TABLE\n",
        "219; 1259 x TABLE\n",
        "219; 1259 -5 TABLE\n",
        "219; 1259 4294967296 TABLE\n",
        "219; 1259 99999999999999999999999 TABLE\n",
        "99999999999999999999999; 1259 5 TABLE\n",
        "x219; 1259 5 TABLE\n",
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        expect_read(lines[i], "'{}'");
}

Test(postgres_toc, knows_which_relations_there_are)
{
    BP_AUTO(bp_pg_relations_free) struct bp_pg_relations relations = {0};

    cr_expect_not(bp_pg_relations_has(&relations, 0), "nothing was read yet");
    bp_pg_relations_read(list, &relations);
    cr_assert_eq(relations.count, 3);
    cr_expect(bp_pg_relations_has(&relations, 16390));
    cr_expect(bp_pg_relations_has(&relations, 16406));
    cr_expect(bp_pg_relations_has(&relations, UINT32_MAX));
    cr_expect_not(bp_pg_relations_has(&relations, 0));
    cr_expect_not(bp_pg_relations_has(&relations, 5), "a name that looks like an entry");
    cr_expect_not(bp_pg_relations_has(&relations, 99), "a comment that looks like an entry");
    cr_expect_not(bp_pg_relations_has(&relations, 16385), "an extension is no relation");
    cr_expect_not(bp_pg_relations_has(&relations, 16407));
}

Test(postgres_toc, appends_to_a_statement)
{
    const struct bp_pg_relations none = {0};
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};

    bp_buf_puts(&sql, "SELECT ");
    bp_pg_relations_put(&none, &sql);
    cr_expect_str_eq(sql.data, "SELECT '{}'");
}

static struct bp_table make_table(const char *name, uint32_t id, const char *condition)
{
    return (struct bp_table){.schema = bp_strdup("app"),
                             .name = bp_strdup(name),
                             .id = id,
                             .condition = bp_strdup(condition)};
}

Test(postgres_toc, names_a_table_with_rows_and_without_a_definition)
{
    BP_AUTO(bp_tables_free) struct bp_tables tables = {.at = bp_alloc(3, sizeof(struct bp_table))};
    BP_AUTO(bp_pg_relations_free) struct bp_pg_relations relations = {0};
    struct bp_err err = {0};

    bp_pg_relations_read(list, &relations);
    tables.at[tables.count++] = make_table("users", 16406, NULL);
    tables.at[tables.count++] = make_table("of_an_extension", 1, "");
    cr_expect_eq(bp_pg_relations_check(&relations, &tables, &err), BP_OK, "%s", err.msg);
    tables.at[tables.count++] = make_table("lost", 2, NULL);
    cr_expect_eq(bp_pg_relations_check(&relations, &tables, &err), BP_EFAILED);
    cr_expect_str_eq(err.msg,
                     "pg_dump wrote no definition of table 'app.lost', whose rows are backed up");
}
