#include <criterion/criterion.h>
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "archive/path.h"
#include "base/list.h"
#include "base/mem.h"

static void expect_schema(const char *schema, const char *wanted)
{
    BP_AUTO(bp_freep) char *path = bp_path_schema(schema);

    cr_expect_str_eq(path, wanted, "'%s' gave '%s'", schema, path);
}

Test(path, ordinary_names_stay_readable)
{
    BP_AUTO(bp_freep) char *path = bp_path_table("public", "user_accounts-2.old");

    cr_expect_str_eq(path, "public/tables/user_accounts-2.old");
}

Test(path, nothing_else_gets_through)
{
    expect_schema(".", "%2E");
    expect_schema("..", "%2E.");
    expect_schema(".git", "%2Egit");
    expect_schema("a..b", "a..b");
    expect_schema("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd");
    expect_schema("a\\b", "a%5Cb");
    expect_schema("a\nb", "a%0Ab");
    expect_schema("a b~\"'", "a%20b%7E%22%27");
    expect_schema("%2E", "%252E");
    expect_schema("\xC3\xA9", "%C3%A9");
}

Test(path, a_schema_does_not_hide_what_lies_beside_it)
{
    expect_schema("database", "%64atabase");
    expect_schema("manifest.json", "%6Danifest.json");
    expect_schema("roles.sql", "%72oles.sql");
    expect_schema("restore.sh", "%72estore.sh");
    expect_schema("RESTORE.md", "%52ESTORE.md");
    expect_schema("%64atabase", "%2564atabase");
    expect_schema("Database", "Database");
}

Test(path, a_long_name_ends_in_a_hash)
{
    char name[400];

    memset(name, 'x', sizeof(name));
    for (size_t len = 110; len < sizeof(name); len++) {
        BP_AUTO(bp_freep) char *path = NULL;
        char saved = name[len];

        name[len] = '\0';
        path = bp_path_schema(name);
        name[len] = saved;
        cr_expect_leq(strlen(path), 120, "%zu letters", len);
        cr_expect_eq(strchr(path, '~') != NULL, len > 120, "%zu letters", len);
    }
}

Test(path, an_escape_is_not_cut_in_two)
{
    char name[101] = "";

    for (int shift = 0; shift < 3; shift++) {
        BP_AUTO(bp_freep) char *path = NULL;
        const char *tilde = NULL;

        memset(name, '/', 100);
        memset(name, 'x', (size_t)shift);
        path = bp_path_schema(name);
        tilde = strchr(path, '~');
        cr_assert_not_null(tilde, "%s", path);
        cr_expect_eq(strlen(tilde), 17, "%s", path);
        cr_expect_eq(strncmp(tilde - 3, "%2F", 3), 0, "shift %d: %s", shift, path);
    }
}

/* A name of letters that meet in the encoding: escapes, what marks them, dots and the cut. */
static void make_name(uint32_t *state, char out[161])
{
    static const char letters[] = "aA.%/~2EF-_\\\n \x7F\xC3\xA9";
    size_t longest = *state % 11 == 0 ? 160 : *state % 7 == 0 ? 70 : 4;
    size_t len = 0;

    *state = *state * 1664525U + 1013904223U;
    len = 1 + (*state >> 16) % longest;
    for (size_t i = 0; i < len; i++) {
        *state = *state * 1664525U + 1013904223U;
        out[i] = letters[(*state >> 16) % (sizeof(letters) - 1)];
    }
    out[len] = '\0';
}

static void expect_safe_part(const char *part, const char *name)
{
    cr_assert_neq(part[0], '\0', "'%s'", name);
    cr_assert_neq(part[0], '.', "'%s' gave '%s'", name, part);
    cr_assert_leq(strlen(part), 120, "'%s' gave '%s'", name, part);
    for (const char *p = part; *p != '\0'; p++)
        cr_assert(isalnum((unsigned char)*p) || strchr("-_.%~", *p) != NULL, "'%s' gave '%s'", name,
                  part);
}

Test(path, two_names_never_give_the_same_part)
{
    BP_AUTO(bp_list_free) struct bp_list names = {0};
    BP_AUTO(bp_list_free) struct bp_list parts = {0};
    uint32_t state = 3;
    size_t distinct = 0;

    for (int i = 0; i < 60000; i++) {
        char name[161];

        make_name(&state, name);
        bp_list_add(&names, name);
    }
    bp_list_sort(&names);
    for (size_t i = 0; i < names.count; i++) {
        if (i > 0 && strcmp(names.at[i], names.at[i - 1]) == 0)
            continue;
        bp_list_take(&parts, bp_path_schema(names.at[i]));
        expect_safe_part(parts.at[distinct], names.at[i]);
        distinct++;
    }
    bp_list_sort(&parts);
    cr_assert_gt(distinct, 20000);
    for (size_t i = 1; i < parts.count; i++)
        cr_assert_str_neq(parts.at[i], parts.at[i - 1]);
}

Test(path, a_slash_in_a_name_does_not_move_it)
{
    BP_AUTO(bp_freep) char *first = bp_path_table("a/tables/b", "c");
    BP_AUTO(bp_freep) char *second = bp_path_table("a", "b/tables/c");

    cr_expect_str_eq(first, "a%2Ftables%2Fb/tables/c");
    cr_expect_str_eq(second, "a/tables/b%2Ftables%2Fc");
}

static void expect_dump(const char *schema, const char *wanted)
{
    BP_AUTO(bp_freep) char *path = bp_path_schema_dump(schema);

    cr_expect_str_eq(path, wanted, "'%s' gave '%s'", schema, path);
}

Test(path, the_dump_of_a_schema_lies_in_its_folder)
{
    expect_dump("public", "public/public.dump");
    expect_dump("tables", "tables/tables.dump");
    expect_dump("a.dump", "a.dump/a.dump.dump");
    expect_dump("../x", "%2E.%2Fx/%2E.%2Fx.dump");
    expect_dump("database", "%64atabase/database.dump");
    expect_dump("roles.sql", "%72oles.sql/roles.sql.dump");
}

Test(path, the_dump_of_a_schema_never_meets_its_tables_or_another_dump)
{
    static const char *const names[] = {"a", "tables", "a.dump", "A", "a/a", "a%2Fa", "%61"};
    BP_AUTO(bp_list_free) struct bp_list paths = {0};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        BP_AUTO(bp_freep) char *table = bp_path_table(names[i], names[i]);

        bp_list_take(&paths, bp_path_schema_dump(names[i]));
        cr_expect_neq(strncmp(paths.at[i], table, strlen(paths.at[i])), 0, "%s", paths.at[i]);
    }
    bp_list_sort(&paths);
    for (size_t i = 1; i < paths.count; i++)
        cr_expect_str_neq(paths.at[i], paths.at[i - 1]);
}

Test(path, the_dump_of_a_schema_with_a_long_name_has_a_name_that_file_systems_take)
{
    char name[400] = "";
    BP_AUTO(bp_freep) char *path = NULL;

    memset(name, '/', sizeof(name) - 1);
    path = bp_path_schema_dump(name);
    cr_assert_not_null(strchr(path, '/'));
    cr_expect_leq(strlen(strchr(path, '/') + 1), 255, "%s", path);
    cr_expect_str_eq(path + strlen(path) - 5, ".dump");
}
