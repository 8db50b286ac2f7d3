#include <criterion/criterion.h>
#include <string.h>

#include "flow/preflight.h"
#include "support/fake_clock.h"
#include "support/fake_forge.h"

static struct bp_err err;
static struct bp_out out = {.level = BP_LEVEL_QUIET};

static enum bp_code check(struct fake_forge *forge)
{
    struct fake_clock clock = fake_clock_new();
    struct bp_preflight_job job = {.forge = &forge->base,
                                   .out = &out,
                                   .repo = "o/r",
                                   .workflow = "backup.yml",
                                   .retry = {.clock = &clock.base, .retries = 3, .delay_ms = 5000}};

    return bp_preflight(&job, &err);
}

Test(preflight, does_not_give_up_at_the_first_outage)
{
    struct fake_forge forge = fake_forge(NULL);

    forge.outages = 3;
    cr_expect_eq(check(&forge), BP_OK, "%s", err.msg);
    forge.outages = 4;
    cr_expect_eq(check(&forge), BP_EUNAVAILABLE);
}

Test(preflight, passes_when_all_is_well)
{
    struct fake_forge forge = fake_forge(NULL);

    cr_expect_eq(check(&forge), BP_OK);
}

Test(preflight, names_what_is_wrong_with_its_fix)
{
    struct fake_forge forge = fake_forge(NULL);

    forge.state = "disabled_manually";
    cr_expect_eq(check(&forge), BP_EFAILED);
    cr_expect_str_eq(err.msg,
                     "workflow 'backup.yml' is disabled_manually; hint: gh workflow enable "
                     "backup.yml -R o/r");
    forge.archived = true;
    cr_expect_eq(check(&forge), BP_EFAILED);
    cr_expect(strstr(err.msg, "is archived; hint: unarchive it") != NULL);
    forge.repo_result = BP_EAUTH;
    cr_expect_eq(check(&forge), BP_EAUTH);
}

Test(preflight, inputs_are_an_object_of_at_most_25_values)
{
    static const char *const bad[] = {"", "[1]", "1", "\"x\"", "{", "{\"a\":1}x", "null"};
    BP_AUTO(bp_buf_free) struct bp_buf many = {0};
    struct bp_json *json = NULL;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_expect_eq(bp_preflight_inputs(bad[i], &json, &err), BP_EUSAGE, "%s", bad[i]);
        cr_expect_null(json, "%s", bad[i]);
        cr_expect(strstr(err.msg, "hint: write it like") != NULL, "%s", err.msg);
    }
    for (int count = 25; count <= 26; count++) {
        bp_buf_cut(&many, 0);
        for (int i = 0; i < count; i++)
            bp_buf_printf(&many, "%s\"k%d\": 1", i == 0 ? "{" : ",", i);
        bp_buf_puts(&many, "}");
        cr_expect_eq(bp_preflight_inputs(many.data, &json, &err), count == 25 ? BP_OK : BP_EUSAGE);
        bp_json_freep(&json);
    }
}

Test(preflight, a_repository_is_owner_and_name)
{
    static const char *const good[] = {"o/r", "my-org/my.repo_1"};
    static const char *const bad[] = {"", "o", "/r", "o/", "o/r/x", "o r/x", "o/../x", "o/r?x"};

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        cr_expect_eq(bp_preflight_repo_name(good[i], &err), BP_OK, "%s", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_expect_eq(bp_preflight_repo_name(bad[i], &err), BP_EUSAGE, "%s", bad[i]);
}

Test(preflight, branches_are_given_once_each)
{
    BP_AUTO(bp_list_free) struct bp_list branches = {0};

    cr_expect_eq(bp_preflight_branches(&branches, &err), BP_EUSAGE);
    bp_list_add(&branches, "main");
    bp_list_add(&branches, "dev");
    cr_expect_eq(bp_preflight_branches(&branches, &err), BP_OK);
    bp_list_add(&branches, "main");
    cr_expect_eq(bp_preflight_branches(&branches, &err), BP_EUSAGE);
    cr_expect_str_eq(err.msg, "branch 'main' is given twice");
}
