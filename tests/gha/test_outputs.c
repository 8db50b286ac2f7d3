#include <criterion/criterion.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "gha/outputs.h"

static char *folder;
static char *path;
static char *variable;
static const char *vars[2];
static const struct bp_env env = {.vars = vars};
static struct bp_secrets secrets;
static struct bp_list pairs;
static struct bp_list lines;
static struct bp_err err;

static void set_up(void)
{
    cr_assert_eq(bp_tempdir_new("/tmp", &folder, &err), BP_OK, "%s", err.msg);
    path = bp_format("%s/output", folder);
    variable = bp_format("GITHUB_OUTPUT=%s", path);
    vars[0] = variable;
}

static void tear_down(void)
{
    bp_list_free(&pairs);
    bp_list_free(&lines);
    bp_secrets_free(&secrets);
    bp_freep(&variable);
    bp_freep(&path);
    bp_tempdir_removep(&folder);
}

TestSuite(outputs, .init = set_up, .fini = tear_down);

static void set(const char *name, const char *value)
{
    bp_list_add(&pairs, name);
    bp_list_add(&pairs, value);
}

/* Writes, and reads the file as lines. */
static void write_outputs(void)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    char *line = NULL;

    cr_assert_eq(bp_gha_outputs(&env, &secrets, &pairs, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(bp_file_read(path, 100000, &text, &err), BP_OK, "%s", err.msg);
    bp_list_free(&lines);
    for (line = text.data; *line != '\0';) {
        char *end = strchr(line, '\n');

        cr_assert_not_null(end, "the last line has no end");
        *end = '\0';
        bp_list_add(&lines, line);
        line = end + 1;
    }
}

/* "name<<mark" on this line begins a value that ends with the mark; the mark. */
static const char *mark_of(size_t line, const char *name)
{
    size_t len = strlen(name);

    cr_assert_lt(line, lines.count);
    cr_assert_eq(strncmp(lines.at[line], name, len), 0, "%s", lines.at[line]);
    cr_assert_eq(strncmp(lines.at[line] + len, "<<", 2), 0, "%s", lines.at[line]);
    return lines.at[line] + len + 2;
}

Test(outputs, each_value_stands_between_two_marks)
{
    set("results", "[{\"branch\": \"main\"}]");
    set("run-ids", "");
    write_outputs();
    cr_assert_eq(lines.count, 6u);
    cr_expect_str_eq(lines.at[1], "[{\"branch\": \"main\"}]");
    cr_expect_str_eq(lines.at[2], mark_of(0, "results"));
    cr_expect_str_eq(lines.at[4], "");
    cr_expect_str_eq(lines.at[5], mark_of(3, "run-ids"));
    cr_expect_str_neq(mark_of(0, "results"), mark_of(3, "run-ids"));
    cr_expect_geq(strlen(mark_of(0, "results")), 32u);
}

Test(outputs, a_value_with_line_ends_sets_no_other_output)
{
    set("reason", "one\nevil=1\nevil<<E\nx\nE\n::set-output name=a::b");
    write_outputs();
    cr_assert_eq(lines.count, 8u);
    cr_expect_str_eq(lines.at[7], mark_of(0, "reason"));
    for (size_t i = 1; i < 7; i++)
        cr_expect_str_neq(lines.at[i], lines.at[7]);
}

Test(outputs, later_calls_add)
{
    set("a", "1");
    write_outputs();
    write_outputs();
    cr_expect_eq(lines.count, 6u);
}

Test(outputs, a_secret_never_goes_out)
{
    bp_secrets_add(&secrets, "s3cr3t\"x");
    set("a", "it is s3cr3t\"x and \"s3cr3t\\\"x\"");
    write_outputs();
    cr_expect_str_eq(lines.at[1], "it is *** and \"***\"");
}

Test(outputs, what_is_not_utf8_becomes_it)
{
    set("a", "gr\xf6\xdf"
             "e\nx");
    set("b", "größe\nx");
    write_outputs();
    cr_assert_eq(lines.count, 7u);
    cr_expect_str_eq(lines.at[1], "gr??e x");
    cr_expect_str_eq(lines.at[4], "größe");
}

Test(outputs, outside_a_runner_nothing_happens)
{
    vars[0] = "GITHUB_OUTPUT=";
    set("a", "1");
    cr_expect_eq(bp_gha_outputs(&env, &secrets, &pairs, &err), BP_OK);
    vars[0] = NULL;
    cr_expect_eq(bp_gha_outputs(&env, &secrets, &pairs, &err), BP_OK);
}

Test(outputs, a_name_that_could_end_early_is_refused)
{
    static const char *const names[] = {"", "a=b", "a<<b", "a\nb", "a b", "1a", "-a", "ä"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        bp_list_free(&pairs);
        set("good", "1");
        set(names[i], "1");
        cr_expect_eq(bp_gha_outputs(&env, &secrets, &pairs, &err), BP_EFAILED, "'%s'", names[i]);
    }
    cr_expect_str_eq(err.msg, "'ä' is no name of an output");
    cr_expect_eq(bp_file_read(path, 10, &(struct bp_buf){0}, &err), BP_ENOTFOUND, "none is set");
}

Test(outputs, names_the_file_that_cannot_be_written)
{
    vars[0] = "GITHUB_OUTPUT=/dev/full";
    set("a", "1");
    cr_expect_eq(bp_gha_outputs(&env, &secrets, &pairs, &err), BP_EFAILED);
    cr_expect_str_eq(err.msg,
                     "cannot write to '/dev/full' (GITHUB_OUTPUT): No space left on device");
}
