#include <criterion/criterion.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "gha/summary.h"

static char *folder;
static char *path;
static char *variable;
static const char *vars[2];
static const struct bp_env env = {.vars = vars};
static struct bp_secrets secrets;
static struct bp_buf text;
static struct bp_err err;
static const char note[] = "\n... shortened, GitHub shows at most 1 MiB\n";

static void set_up(void)
{
    cr_assert_eq(bp_tempdir_new("/tmp", &folder, &err), BP_OK, "%s", err.msg);
    path = bp_format("%s/summary", folder);
    variable = bp_format("GITHUB_STEP_SUMMARY=%s", path);
    vars[0] = variable;
}

static void tear_down(void)
{
    bp_buf_free(&text);
    bp_secrets_free(&secrets);
    bp_freep(&variable);
    bp_freep(&path);
    bp_tempdir_removep(&folder);
}

TestSuite(summary, .init = set_up, .fini = tear_down);

static void add(const char *markdown)
{
    cr_assert_eq(bp_gha_summary(&env, &secrets, markdown, &err), BP_OK, "%s", err.msg);
    bp_buf_cut(&text, 0);
    cr_assert_eq(bp_file_read(path, 10000000, &text, &err), BP_OK, "%s", err.msg);
}

/* Lines of ten bytes each. */
static char *ten_bytes_times(size_t lines)
{
    struct bp_buf many = {0};

    for (size_t i = 0; i < lines; i++)
        bp_buf_printf(&many, "%09zu\n", i);
    return bp_buf_take(&many);
}

Test(summary, is_added_to_what_the_step_has_written)
{
    add("## one\n");
    add("## two\n");
    cr_expect_str_eq(bp_buf_str(&text), "## one\n## two\n");
}

Test(summary, a_secret_never_goes_out)
{
    bp_secrets_add(&secrets, "s3cr3t");
    add("it is s3cr3t\n");
    cr_expect_str_eq(bp_buf_str(&text), "it is ***\n");
}

Test(summary, what_fits_is_not_cut)
{
    BP_AUTO(bp_freep) char *all = ten_bytes_times(BP_GHA_SUMMARY_LIMIT / 10);

    add(all);
    cr_expect_str_eq(bp_buf_str(&text), all);
}

Test(summary, is_cut_at_the_end_of_a_line_and_says_so)
{
    BP_AUTO(bp_freep) char *all = ten_bytes_times(BP_GHA_SUMMARY_LIMIT / 10 + 1);

    add(all);
    cr_expect_leq(text.len, (size_t)BP_GHA_SUMMARY_LIMIT);
    cr_expect_gt(text.len, (size_t)BP_GHA_SUMMARY_LIMIT - 20);
    cr_expect(bp_text_ends_with(bp_buf_str(&text), note));
    cr_expect_eq((text.len - strlen(note)) % 10, 0u, "only whole lines");
}

Test(summary, what_the_step_has_written_before_counts)
{
    BP_AUTO(bp_freep) char *before = ten_bytes_times(BP_GHA_SUMMARY_LIMIT / 10 - 10);
    BP_AUTO(bp_freep) char *more = ten_bytes_times(100);

    cr_assert_eq(bp_file_write(path, before, strlen(before), &err), BP_OK);
    add(more);
    cr_expect_leq(text.len, (size_t)BP_GHA_SUMMARY_LIMIT);
    cr_expect_eq(strncmp(text.data, before, strlen(before)), 0);
    cr_expect(bp_text_ends_with(bp_buf_str(&text), note));
    add(more);
    cr_expect_leq(text.len, (size_t)BP_GHA_SUMMARY_LIMIT);
}

Test(summary, a_full_one_is_left_alone)
{
    BP_AUTO(bp_freep) char *before = ten_bytes_times(BP_GHA_SUMMARY_LIMIT / 10 + 5);

    cr_assert_eq(bp_file_write(path, before, strlen(before), &err), BP_OK);
    add("one more\n");
    cr_expect_str_eq(bp_buf_str(&text), before);
}

Test(summary, a_line_without_end_is_not_cut_in_the_middle)
{
    BP_AUTO(bp_freep) char *line = bp_alloc(BP_GHA_SUMMARY_LIMIT + 10, 1);

    memset(line, 'x', BP_GHA_SUMMARY_LIMIT + 9);
    add(line);
    cr_expect_str_eq(bp_buf_str(&text), note);
}

Test(summary, outside_a_runner_nothing_happens)
{
    vars[0] = NULL;
    cr_expect_eq(bp_gha_summary(&env, &secrets, "x\n", &err), BP_OK);
}

Test(summary, names_the_file_that_cannot_be_written)
{
    vars[0] = "GITHUB_STEP_SUMMARY=/dev/full";
    cr_expect_eq(bp_gha_summary(&env, &secrets, "x\n", &err), BP_EFAILED);
    cr_expect_str_eq(err.msg,
                     "cannot write to '/dev/full' (GITHUB_STEP_SUMMARY): No space left on device");
}
