#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/backup_proof.h"
#include "support/fake_app.h"
#include "support/fake_clock.h"
#include "support/fake_source.h"
#include "support/fake_store.h"

static const struct fake_source_table tables[] = {{"public", "users", 3, 30}, {NULL, NULL, 0, 0}};

static struct fake_clock fclock;
static struct fake_source source;
static struct fake_store store;
static struct fake_app fake;

static void set_up(void)
{
    fclock = fake_clock_new();
    source = fake_source(tables);
    store = fake_store();
    fake = fake_app(&fclock.base);
}

static void tear_down(void)
{
    fake_app_release(&fake);
    fake_store_release(&store);
}

TestSuite(backup_proof, .init = set_up, .fini = tear_down);

static int run(const char *options)
{
    BP_AUTO(bp_freep) char *line = bp_format("backup --backup-repo /no/such/place %s", options);

    fake.app.source = &source.base;
    fake.app.store = &store.base;
    return fake_app_run(&fake, line);
}

Test(backup_proof, nothing_is_proved_unasked)
{
    cr_expect_eq(run("--format json"), 0, "%s", fake.err);
    cr_expect_null(strstr(fake.out, "\"verification\""), "%s", fake.out);
}

Test(backup_proof, the_last_level_needs_checks_before_anything_is_backed_up)
{
    cr_expect_eq(run("--verify L5"), 2);
    cr_expect_not_null(strstr(fake.err, "--verify L5 needs your own checks"), "%s", fake.err);
    cr_expect_eq(run("--verify L3 --check-sql /no/such/file"), 2);
    cr_expect_eq(store.opens, 0);
}

Test(backup_proof, a_dry_run_has_nothing_to_prove)
{
    cr_expect_eq(run("--verify L0 --dry-run --format json"), 0, "%s", fake.err);
    cr_expect_null(strstr(fake.out, "\"verification\""), "%s", fake.out);
}

/* The proof opens the repository anew; here that is none, while the backup went to the fake. */
Test(backup_proof, a_proof_that_cannot_be_made_fails_the_run_and_the_backup_stays)
{
    cr_expect_eq(run("--verify L0 --prune --keep-last 1 --format json"), 4, "%s", fake.err);
    cr_expect_not_null(
        strstr(fake.err, "the backup 2024-01-15T14-30-45Z is pushed, but not proved: "), "%s",
        fake.err);
    cr_expect_eq(store.commits, 1);
    cr_expect_not_null(strstr(fake.out, "\"verification\": {\"error\": \"the backup 2024"), "%s",
                       fake.out);
    cr_expect_null(strstr(fake.out, "\"prune\""), "nothing goes then: %s", fake.out);
}

Test(backup_proof, the_level_is_told_when_it_was_reached)
{
    struct bp_backup_proof proof = {.wanted = true};

    cr_expect_str_eq(bp_backup_proof_level(&proof), "");
    proof.begun = true;
    cr_expect_str_eq(bp_backup_proof_level(&proof), "", "it found no archive");
    (void)snprintf(proof.result.id, sizeof(proof.result.id), "2024-01-15T14-30-45Z");
    proof.result.level = BP_L2;
    cr_expect_str_eq(bp_backup_proof_level(&proof), "L2");
    proof.code = BP_EINTEGRITY;
    cr_expect_str_eq(bp_backup_proof_level(&proof), "L2", "so far it came");
    proof.code = BP_EUNAVAILABLE;
    cr_expect_str_eq(bp_backup_proof_level(&proof), "");
    proof.code = BP_OK;
    proof.result.level = BP_UNPROVED;
    cr_expect_str_eq(bp_backup_proof_level(&proof), "");
}
