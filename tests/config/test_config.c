#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "config/config.h"

enum { FORGE = BP_GROUP_GENERAL | BP_GROUP_FORGE | BP_GROUP_DISPATCH };

static const char *vars[8];
static struct bp_config cfg;
static struct bp_secrets secrets;
static struct bp_err err;

static void tear_down(void)
{
    bp_config_free(&cfg);
    bp_secrets_free(&secrets);
}

TestSuite(config, .fini = tear_down);

/* Words are separated by single blanks. */
static enum bp_code load(unsigned groups, const char *line)
{
    BP_AUTO(bp_freep) char *copy = bp_strdup(line);
    struct bp_env env = {.vars = vars};
    const char *words[16] = {NULL};
    char *more = NULL;
    size_t count = 0;

    for (char *w = strtok_r(copy, " ", &more); w != NULL; w = strtok_r(NULL, " ", &more))
        words[count++] = w;
    bp_config_free(&cfg);
    return bp_config_load(&cfg, groups, words, &env, &secrets, &err);
}

Test(config, a_value_comes_from_the_line_then_ours_then_theirs_then_the_default)
{
    cr_assert_eq(load(FORGE, ""), BP_OK, "%s", err.msg);
    cr_expect_null(bp_config_text(&cfg, BP_OPT_REPO));
    cr_expect_eq(bp_config_origin(&cfg, BP_OPT_REPO), BP_FROM_NOWHERE);
    cr_expect_str_eq(bp_config_text(&cfg, BP_OPT_API_URL), "https://api.github.com");
    cr_expect_eq(bp_config_origin(&cfg, BP_OPT_API_URL), BP_FROM_DEFAULT);

    vars[0] = "GITHUB_REPOSITORY=their/s";
    cr_assert_eq(load(FORGE, ""), BP_OK);
    cr_expect_str_eq(bp_config_text(&cfg, BP_OPT_REPO), "their/s");
    vars[1] = "BACKPROOF_REPO=our/s";
    cr_assert_eq(load(FORGE, ""), BP_OK);
    cr_expect_str_eq(bp_config_text(&cfg, BP_OPT_REPO), "our/s");
    cr_expect_eq(bp_config_origin(&cfg, BP_OPT_REPO), BP_FROM_ENVIRONMENT);
    cr_assert_eq(load(FORGE, "--repo line/s"), BP_OK);
    cr_expect_str_eq(bp_config_text(&cfg, BP_OPT_REPO), "line/s");
    cr_expect_eq(bp_config_origin(&cfg, BP_OPT_REPO), BP_FROM_COMMAND_LINE);
}

Test(config, an_empty_variable_is_unset)
{
    vars[0] = "BACKPROOF_REPO=";
    vars[1] = "GITHUB_REPOSITORY=their/s";
    cr_assert_eq(load(FORGE, ""), BP_OK);
    cr_expect_str_eq(bp_config_text(&cfg, BP_OPT_REPO), "their/s");
}

Test(config, the_last_word_counts)
{
    cr_assert_eq(load(FORGE, "--retries 1 --retries=2"), BP_OK);
    cr_expect_eq(bp_config_number(&cfg, BP_OPT_RETRIES), 2);
}

Test(config, reads_every_type)
{
    cr_assert_eq(load(FORGE | BP_GROUP_FIND,
                      "--retries 7 --settle 90s --since 1970-01-02 --format json --dry-run -vq"),
                 BP_OK, "%s", err.msg);
    cr_expect_eq(bp_config_number(&cfg, BP_OPT_RETRIES), 7);
    cr_expect_eq(bp_config_number(&cfg, BP_OPT_SETTLE), 90000);
    cr_expect_eq(bp_config_number(&cfg, BP_OPT_SINCE), 86400000);
    cr_expect(bp_config_is(&cfg, BP_OPT_FORMAT, "json"));
    cr_expect(bp_config_flag(&cfg, BP_OPT_DRY_RUN));
    cr_expect(bp_config_flag(&cfg, BP_OPT_VERBOSE));
    cr_expect(bp_config_flag(&cfg, BP_OPT_QUIET));
}

Test(config, a_flag_can_be_turned_off)
{
    static const char *const off[] = {"false", "0", "no", "off"};

    for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
        BP_AUTO(bp_freep) char *line = bp_format("--dry-run=%s", off[i]);

        cr_assert_eq(load(FORGE, line), BP_OK, "%s", line);
        cr_expect_not(bp_config_flag(&cfg, BP_OPT_DRY_RUN), "%s", line);
    }
    vars[0] = "RUNNER_DEBUG=1";
    cr_assert_eq(load(FORGE, ""), BP_OK);
    cr_expect(bp_config_flag(&cfg, BP_OPT_VERBOSE));
}

Test(config, a_list_is_repeated_or_one_per_line)
{
    cr_assert_eq(load(FORGE, "--branch main --branch=dev"), BP_OK);
    cr_assert_eq(bp_config_list(&cfg, BP_OPT_BRANCH)->count, 2u);
    cr_expect_str_eq(bp_config_list(&cfg, BP_OPT_BRANCH)->at[1], "dev");
    vars[0] = "BACKPROOF_BRANCH=\n main \r\n\nrelease/1.x\n";
    cr_assert_eq(load(FORGE, ""), BP_OK);
    cr_assert_eq(bp_config_list(&cfg, BP_OPT_BRANCH)->count, 2u);
    cr_expect_str_eq(bp_config_list(&cfg, BP_OPT_BRANCH)->at[0], "main");
    cr_assert_eq(load(FORGE, "--branch one"), BP_OK);
    cr_expect_eq(bp_config_list(&cfg, BP_OPT_BRANCH)->count, 1u, "the line replaces, not adds");
}

Test(config, a_list_may_be_a_json_array)
{
    const struct bp_list *branches = NULL;

    vars[0] = "BACKPROOF_BRANCH=\n [\"main\", \" release/1.x \",\n \"\", \"gr\\u00f6\\u00dfe\"]\n";
    cr_assert_eq(load(FORGE, ""), BP_OK, "%s", err.msg);
    branches = bp_config_list(&cfg, BP_OPT_BRANCH);
    cr_assert_eq(branches->count, 3u);
    cr_expect_str_eq(branches->at[0], "main");
    cr_expect_str_eq(branches->at[1], "release/1.x");
    cr_expect_str_eq(branches->at[2], "größe");
    cr_assert_eq(load(FORGE, "--branch [\"a\",\"b\"] --branch c"), BP_OK, "%s", err.msg);
    cr_expect_eq(bp_config_list(&cfg, BP_OPT_BRANCH)->count, 3u);
    vars[0] = "BACKPROOF_BRANCH=[]";
    cr_assert_eq(load(FORGE, ""), BP_OK, "%s", err.msg);
    cr_expect_eq(bp_config_list(&cfg, BP_OPT_BRANCH)->count, 0u);
    cr_expect_eq(bp_config_origin(&cfg, BP_OPT_BRANCH), BP_FROM_ENVIRONMENT);
}

Test(config, a_json_array_that_is_broken_or_holds_no_strings_is_refused)
{
    static const char *const broken[] = {"[",           "[\"main\"",   "[\"main\",]",
                                         "[main, dev]", "[\"a\"] [1]", "['main']"};
    static const char *const others[] = {"[1]", "[\"main\", null]", "[[\"main\"]]",
                                         "[{\"branch\": \"main\"}]"};

    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        BP_AUTO(bp_freep) char *variable = bp_format("BACKPROOF_BRANCH=%s", broken[i]);

        vars[0] = variable;
        cr_expect_eq(load(FORGE, ""), BP_EUSAGE, "%s", broken[i]);
        cr_expect_eq(err.code, BP_EUSAGE, "%s", broken[i]);
        cr_expect_not_null(strstr(err.msg, "BACKPROOF_BRANCH: what begins with '[' must be a JSON "
                                           "array of strings: not JSON (stopped at byte "),
                           "%s", err.msg);
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        BP_AUTO(bp_freep) char *variable = bp_format("BACKPROOF_BRANCH=%s", others[i]);

        vars[0] = variable;
        cr_expect_eq(load(FORGE, ""), BP_EUSAGE, "%s", others[i]);
        cr_expect_str_eq(err.msg, "BACKPROOF_BRANCH: the JSON array holds something else than "
                                  "strings; hint: write it like [\"main\", \"dev\"]");
    }
    vars[0] = NULL;
    cr_expect_eq(load(FORGE, "--branch [1]"), BP_EUSAGE);
    cr_expect_eq(strncmp(err.msg, "--branch: ", 10), 0, "%s", err.msg);
}

Test(config, names_what_it_does_not_accept)
{
    static const struct {
        const char *line;
        const char *message;
    } rows[] = {
        {"--token x", "--token would show in the process list; set BACKPROOF_TOKEN instead"},
        {"--token=x", "--token would show in the process list; set BACKPROOF_TOKEN instead"},
        {"--brnch x", "no option --brnch; hint: did you mean --branch?"},
        {"--frobnicate", "no option --frobnicate; hint: --help lists the options"},
        {"--database-url x", "no option --database-url; hint: --help lists the options"},
        {"-x", "no option -x; hint: --help lists the options"},
        {"--repo", "--repo needs a value"},
        {"--repo=", "--repo is empty"},
        {"--retries -1", "--retries: '-1' is not a whole number from 0 to 1000000"},
        {"--retry-delay 5", "--retry-delay: '5' is not a duration; hint: write it like 90s, 15m, "
                            "36h or 30d"},
        {"--format yaml", "--format: 'yaml' is none of text, json"},
        {"--dry-run=maybe", "--dry-run: 'maybe' is neither true nor false"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_expect_eq(load(FORGE, rows[i].line), BP_EUSAGE, "%s", rows[i].line);
        cr_expect_str_eq(err.msg, rows[i].message);
    }
}

Test(config, names_the_variable_that_is_wrong)
{
    vars[0] = "BACKPROOF_RETRIES=x";
    cr_expect_eq(load(FORGE, ""), BP_EUSAGE);
    cr_expect_str_eq(err.msg, "BACKPROOF_RETRIES: 'x' is not a whole number from 0 to 1000000");
}

Test(config, what_only_the_line_may_say_is_not_looked_up)
{
    vars[0] = "BACKPROOF_REPO=a/b";
    vars[1] = "BACKPROOF_LIMIT=1";
    cr_assert_eq(load(BP_GROUP_FIND, ""), BP_OK);
    cr_expect_null(bp_config_text(&cfg, BP_OPT_FROM_REPO));
    cr_expect_eq(bp_config_number(&cfg, BP_OPT_LIMIT), 20);
}

Test(config, other_words_are_arguments)
{
    cr_assert_eq(load(FORGE, "one --retries 1 two -- --three -"), BP_OK);
    cr_assert_eq(cfg.args.count, 4u);
    cr_expect_str_eq(cfg.args.at[2], "--three");
    cr_expect_str_eq(cfg.args.at[3], "-");
}

Test(config, help_wins_over_what_is_missing_or_wrong_elsewhere)
{
    vars[0] = "BACKPROOF_RETRIES=x";
    cr_assert_eq(load(FORGE, "--help"), BP_OK);
    cr_expect(cfg.help);
    cr_assert_eq(load(FORGE, "-h"), BP_OK);
    cr_expect(cfg.help);
}

Test(config, every_secret_of_the_environment_is_hidden)
{
    struct bp_buf text = {0};

    vars[0] = "GITHUB_TOKEN=ghs_one11";
    vars[1] = "WORKFLOW_TRIGGER_TOKEN=ghp_two22";
    vars[2] = "BACKPROOF_BACKUP_TOKEN=ghp_three33";
    /* Also those of options that this command does not take. */
    cr_assert_eq(load(BP_GROUP_GENERAL, ""), BP_OK);
    bp_secrets_mask(&secrets, "ghs_one11 ghp_two22 ghp_three33", &text);
    cr_expect_str_eq(bp_buf_str(&text), "*** *** ***");
    bp_buf_free(&text);
}

Test(config, a_letter_takes_its_value_from_the_same_word_or_the_next)
{
    static const char *const lines[] = {"-j4", "-j 4", "-vj4", "-vqj 4", "--jobs 4", NULL};

    for (const char *const *line = lines; *line != NULL; line++) {
        cr_assert_eq(load(BP_GROUP_GENERAL | BP_GROUP_BACKUP, *line), BP_OK, "%s: %s", *line,
                     err.msg);
        cr_expect_eq(bp_config_number(&cfg, BP_OPT_JOBS), 4, "%s", *line);
        cr_expect_eq(cfg.args.count, 0, "%s", *line);
    }
    cr_expect_eq(load(BP_GROUP_GENERAL | BP_GROUP_BACKUP, "-vj"), BP_EUSAGE);
    cr_expect_str_eq(err.msg, "--jobs needs a value");
}
