#include <criterion/criterion.h>
#include <string.h>

#include "flow/dispatch_targets.h"

static struct bp_list branches;
static struct bp_list targets;
static struct bp_dispatch_targets out;
static struct bp_err err;
static struct bp_dispatch_targets_spec spec;

static void set_up(void)
{
    spec = (struct bp_dispatch_targets_spec){
        .repo = "o/r", .workflow = "backup.yml", .branches = &branches, .targets = &targets};
}

static void tear_down(void)
{
    bp_list_free(&branches);
    bp_list_free(&targets);
    bp_dispatch_targets_free(&out);
}

TestSuite(dispatch_targets, .init = set_up, .fini = tear_down);

static enum bp_code read(void)
{
    bp_dispatch_targets_free(&out);
    return bp_dispatch_targets_read(&spec, &out, &err);
}

static void expect(size_t which, const char *repo, const char *branch, const char *workflow)
{
    cr_assert_lt(which, out.count);
    cr_expect_str_eq(out.at[which].repo, repo);
    cr_expect_str_eq(out.at[which].branch, branch);
    cr_expect_str_eq(out.at[which].workflow, workflow);
}

Test(dispatch_targets, branches_are_of_the_repository)
{
    bp_list_add(&branches, "main");
    bp_list_add(&branches, "release/1.x");
    cr_assert_eq(read(), BP_OK, "%s", err.msg);
    expect(0, "o/r", "main", "backup.yml");
    expect(1, "o/r", "release/1.x", "backup.yml");
}

Test(dispatch_targets, targets_name_repository_branch_and_workflow)
{
    bp_list_add(&branches, "main");
    bp_list_add(&targets, "other/app@feature/a@b");
    bp_list_add(&targets, "other/app@main:nightly.yml");
    cr_assert_eq(read(), BP_OK, "%s", err.msg);
    expect(1, "other/app", "feature/a@b", "backup.yml");
    expect(2, "other/app", "main", "nightly.yml");
}

Test(dispatch_targets, need_no_repository_of_their_own)
{
    spec.repo = NULL;
    bp_list_add(&targets, "other/app@main");
    cr_expect_eq(read(), BP_OK, "%s", err.msg);
    bp_list_add(&branches, "main");
    cr_expect_eq(read(), BP_EUSAGE);
    cr_expect_not_null(strstr(err.msg, "hint: set --repo"));
}

Test(dispatch_targets, what_is_no_target_is_named)
{
    static const char *const bad[] = {"main",      "o/r",     "o/r@",    "@main",
                                      "o/r@main:", "or@main", "o/r@:w",  "o/../r@main",
                                      "/r@m",      "o/@m",    "o/r/x@m", "o r/x@m"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        bp_list_free(&targets);
        bp_list_add(&targets, bad[i]);
        cr_expect_eq(read(), BP_EUSAGE, "%s", bad[i]);
    }
}

Test(dispatch_targets, a_repository_is_owner_and_name)
{
    static const char *const good[] = {"o/r", "my-org/my.repo_1"};
    static const char *const bad[] = {"", "o", "/r", "o/", "o/r/x", "o r/x", "o/../x", "o/r?x"};

    bp_list_add(&branches, "main");
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        spec.repo = good[i];
        cr_expect_eq(read(), BP_OK, "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        spec.repo = bad[i];
        cr_expect_eq(read(), BP_EUSAGE, "%s", bad[i]);
    }
}

Test(dispatch_targets, are_given_once_each)
{
    bp_list_add(&branches, "main");
    bp_list_add(&targets, "o/r@main:other.yml");
    cr_expect_eq(read(), BP_OK, "%s", err.msg);
    bp_list_add(&targets, "o/r@main");
    cr_expect_eq(read(), BP_EUSAGE);
    cr_expect_str_eq(err.msg, "branch 'main' of 'o/r' is given twice");
}

Test(dispatch_targets, the_same_place_in_other_words_is_the_same_place)
{
    bp_list_add(&branches, "main");
    bp_list_add(&targets, "O/R@main:.github/workflows/backup.yml");
    cr_expect_eq(read(), BP_EUSAGE, "it would be dispatched twice");
}

Test(dispatch_targets, none_is_an_error_unless_the_default_branch_will_do)
{
    cr_expect_eq(read(), BP_EUSAGE);
    cr_expect_not_null(strstr(err.msg, "hint: --branch main"));
    spec.or_default = true;
    cr_expect_eq(read(), BP_OK);
    expect(0, "o/r", "", "backup.yml");
    bp_list_add(&branches, "");
    cr_expect_eq(read(), BP_EUSAGE);
}

Test(dispatch_targets, are_at_most_a_hundred)
{
    for (int i = 0; i < BP_DISPATCH_TARGETS_MAX; i++)
        bp_list_addf(&branches, "b%d", i);
    cr_expect_eq(read(), BP_OK);
    bp_list_add(&branches, "one more");
    cr_expect_eq(read(), BP_EUSAGE);
}

Test(dispatch_targets, inputs_are_an_object_of_at_most_25_values)
{
    static const char *const bad[] = {"", "[1]", "1", "\"x\"", "{", "{\"a\":1}x", "null"};
    BP_AUTO(bp_buf_free) struct bp_buf many = {0};
    struct bp_json *json = NULL;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_expect_eq(bp_dispatch_targets_inputs(bad[i], &json, &err), BP_EUSAGE, "%s", bad[i]);
        cr_expect_null(json, "%s", bad[i]);
        cr_expect(strstr(err.msg, "hint: write it like") != NULL, "%s", err.msg);
    }
    for (int count = 25; count <= 26; count++) {
        bp_buf_cut(&many, 0);
        for (int i = 0; i < count; i++)
            bp_buf_printf(&many, "%s\"k%d\": 1", i == 0 ? "{" : ",", i);
        bp_buf_puts(&many, "}");
        cr_expect_eq(bp_dispatch_targets_inputs(many.data, &json, &err),
                     count == 25 ? BP_OK : BP_EUSAGE);
        bp_json_freep(&json);
    }
}
