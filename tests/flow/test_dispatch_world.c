#include "flow/test_dispatch_world.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct world w;

void world_set_up(void)
{
    w = (struct world){.stop = {.fd = -1}};
    w.clock = fake_clock_new();
    w.clock.base.stop = &w.stop;
    w.forge = fake_forge(&w.clock);
    w.forge.stop = &w.stop;
    w.out = (struct bp_out){
        .out = stdout, .err = open_memstream(&w.printed, &w.printed_len), .level = BP_LEVEL_NORMAL};
    w.job = (struct bp_dispatch_job){
        .forge = &w.forge.base,
        .clock = &w.clock.base,
        .out = &w.out,
        .targets = &w.targets,
        .until = BP_UNTIL_STARTED,
        .token_warn_ms = INT64_C(14) * 24 * 3600 * 1000,
        .retries = 3,
        .retry_delay_ms = 5000,
        .settle_ms = 30000,
        .poll_interval_ms = 5000,
        .request_timeout_ms = 30000,
        .appear_timeout_ms = 120000,
        .start_timeout_ms = 600000,
        .finish_timeout_ms = 2700000,
        .timeout_ms = 900000,
        .seed = 1,
    };
}

void world_tear_down(void)
{
    bp_dispatch_results_free(&w.results);
    bp_dispatch_targets_free(&w.targets);
    (void)fclose(w.out.err);
    free(w.printed);
}

void world_target(const char *repo, const char *branch, const char *workflow)
{
    w.targets.at = bp_realloc(w.targets.at, w.targets.count + 1, sizeof(*w.targets.at));
    w.targets.at[w.targets.count++] = (struct bp_dispatch_target){
        .repo = bp_strdup(repo), .workflow = bp_strdup(workflow), .branch = bp_strdup(branch)};
}

struct fake_branch *world_branch(const char *name, int count, const enum fake_answer *script)
{
    struct fake_branch *b = fake_forge_branch(&w.forge, name);

    world_target("o/r", name, "backup.yml");
    for (int i = 0; i < count; i++)
        b->script[i] = script[i];
    b->script_len = count;
    return b;
}

enum bp_code world_try(void)
{
    w.rc = bp_flow_dispatch(&w.job, &w.results, &w.err);
    (void)fflush(w.out.err);
    return w.rc;
}

void world_run(void)
{
    cr_assert_eq(world_try(), BP_OK, "%s", w.err.msg);
}

int world_runs(const char *branch)
{
    int count = 0;

    for (int i = 0; i < w.forge.run_count; i++)
        count += strcmp(w.forge.runs[i].run.branch, branch) == 0 &&
                 strcmp(w.forge.runs[i].run.event, "workflow_dispatch") == 0;
    return count;
}

void world_expect(size_t which, enum bp_verdict verdict, const char *words)
{
    const struct bp_branch_result *r = &w.results.at[which];

    cr_expect_eq(r->verdict, verdict, "verdict %d: %s", (int)r->verdict, r->reason);
    cr_expect_not_null(strstr(r->reason, words), "%s", r->reason);
}
