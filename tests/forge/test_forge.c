#include <criterion/criterion.h>

#include "forge/forge.h"
#include "support/fake_clock.h"
#include "support/fake_forge.h"

Test(forge, a_dry_one_reads_through_and_starts_nothing)
{
    struct fake_clock clock = fake_clock_new();
    struct fake_forge inner = fake_forge(&clock.base);
    struct bp_forge *dry = bp_forge_dry_new(&inner.base);
    struct bp_forge_dispatch what = {.repo = "o/r", .workflow = "b.yml", .branch = "main"};
    struct bp_dispatch_answer answer;
    struct bp_forge_workflow workflow;
    struct bp_err err;
    static struct bp_runs runs;

    cr_expect_eq(dry->ops->workflow(dry, "o/r", "b.yml", &workflow, &err), BP_OK);
    cr_expect_str_eq(workflow.state, "active");
    cr_expect_eq(dry->ops->runs(dry, &what, &runs, &err), BP_OK);
    cr_expect_eq(dry->ops->dispatch(dry, &what, &answer, &err), BP_OK);
    cr_expect_eq(answer.outcome, BP_DISPATCH_DRY_RUN);
    cr_expect_eq(inner.run_count, 0);
    bp_forge_freep(&dry);
    cr_expect_null(dry);
}
