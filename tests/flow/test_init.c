#include <criterion/criterion.h>
#include <string.h>

#include "archive/embedded.h"
#include "base/mem.h"
#include "flow/init.h"

static struct bp_list branches;
static struct bp_init_answers answers;

static void set_up(void)
{
    bp_list_add(&branches, "main");
    bp_list_add(&branches, "o'brien/\"x\"");
    answers = (struct bp_init_answers){.server = "https://github.com",
                                       .repo = "myorg/myapp",
                                       .branches = &branches,
                                       .schedule = "5 4 * * 1-5",
                                       .workflow = "nightly.yml",
                                       .backup_repo = "myorg/vault"};
}

static void tear_down(void)
{
    bp_list_free(&branches);
}

TestSuite(init, .init = set_up, .fini = tear_down);

Test(init, fills_the_marked_lines_and_leaves_the_others)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    struct bp_err err;

    cr_assert_eq(bp_init_fill("a: 1 # kept\n"
                              "  - cron: 'x' # init: schedule\n"
                              "  # gone # init: leave out\n"
                              "if: gone # init: leave out\n"
                              "B: '[]' # init: branches\n"
                              "r: x # init: backup-repo\n"
                              "w: x # init: workflow",
                              &answers, &text, &err),
                 BP_OK);
    cr_expect_str_eq(bp_buf_str(&text), "a: 1 # kept\n"
                                        "  - cron: '5 4 * * 1-5'\n"
                                        "B: '[\"main\", \"o''brien/\\\"x\\\"\"]'\n"
                                        "r: 'https://github.com/myorg/vault'\n"
                                        "w: 'nightly.yml'\n");
}

Test(init, a_mark_that_nobody_knows_is_an_error)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    struct bp_err err;

    cr_expect_eq(bp_init_fill("a: b # init: color\n", &answers, &text, &err), BP_EFAILED);
    cr_expect_not_null(strstr(err.msg, "a mark 'color'"), "%s", err.msg);
}

Test(init, our_own_templates_are_filled_in_whole)
{
    BP_AUTO(bp_buf_free) struct bp_buf backup = {0};
    BP_AUTO(bp_buf_free) struct bp_buf scheduled = {0};
    struct bp_err err;

    cr_assert_eq(bp_init_backup(&answers, &backup, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(bp_init_scheduled(&answers, &scheduled, &err), BP_OK, "%s", err.msg);
    cr_expect_not_null(strstr(bp_embedded_backup_yml, "BACKPROOF_ENABLED"));
    cr_expect_null(strstr(backup.data, "BACKPROOF_ENABLED"), "it would never run elsewhere");
    cr_expect_null(strstr(scheduled.data, "BACKPROOF_ENABLED"));
    cr_expect_null(strstr(backup.data, "init:"));
    cr_expect_null(strstr(scheduled.data, "init:"));
    cr_expect_not_null(strstr(backup.data, "backup-repo: 'https://github.com/myorg/vault'\n"));
    cr_expect_not_null(strstr(scheduled.data, "- cron: '5 4 * * 1-5'\n"));
    cr_expect_not_null(strstr(scheduled.data, "workflow: 'nightly.yml'\n"));
}

Test(init, names_the_secrets_with_what_they_may)
{
    struct bp_init_secret secrets[BP_INIT_SECRETS];

    bp_init_secrets(&answers, secrets);
    cr_expect_str_eq(secrets[0].command, "gh secret set WORKFLOW_TRIGGER_TOKEN -R myorg/myapp");
    cr_expect_not_null(strstr(secrets[0].what, "Actions: read and write"));
    cr_expect_str_eq(secrets[1].command, "gh secret set BACKUP_TOKEN -R myorg/myapp");
    cr_expect_not_null(
        strstr(secrets[1].what, "https://github.com/myorg/vault: Contents: read and"));
    cr_expect_str_eq(secrets[2].name, "DATABASE_URL");
    bp_init_secrets_free(secrets);
    answers.server = "https://git.example.org";
    bp_init_secrets(&answers, secrets);
    cr_expect_str_eq(secrets[1].command,
                     "gh secret set BACKUP_TOKEN -R git.example.org/myorg/myapp");
    bp_init_secrets_free(secrets);
}

Test(init, the_check_it_names_is_safe_in_a_shell)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_list_add(&branches, "$(touch_x);y");
    answers.server = "https://git.example.org";
    bp_init_put_check(&answers, &text);
    cr_expect_str_eq(text.data,
                     "backproof check --repo myorg/myapp --branch main --branch "
                     "'o'\\''brien/\"x\"' --branch '$(touch_x);y' --workflow nightly.yml "
                     "--api-url https://git.example.org/api/v3");
}
