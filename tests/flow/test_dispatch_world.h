/* A dispatch on a virtual clock, against the fake forge: what all tests of flow/dispatch share. */
#ifndef TESTS_FLOW_DISPATCH_WORLD_H
#define TESTS_FLOW_DISPATCH_WORLD_H

#include "flow/dispatch.h"
#include "support/fake_forge.h"

/* One at a time: Criterion runs each test in a process of its own. */
struct world {
    struct fake_clock clock;
    struct fake_forge forge;
    struct bp_stop stop;
    struct bp_out out;
    struct bp_dispatch_targets targets;
    struct bp_dispatch_job job;
    struct bp_dispatch_results results;
    struct bp_err err;
    enum bp_code rc;
    char *printed; /* what the flow said */
    size_t printed_len;
};

extern struct world w;

/* For TestSuite's .init and .fini, and between the rounds of one test. */
void world_set_up(void);
void world_tear_down(void);

/* A target of o/r, and its branch at the forge with count answers; 0: always accepted. */
struct fake_branch *world_branch(const char *name, int count, const enum fake_answer *script);
void world_target(const char *repo, const char *branch, const char *workflow);

/* Run the flow, which must return BP_OK. */
void world_run(void);

/* Run it, whatever comes. */
enum bp_code world_try(void);

/* How many runs that a dispatch started the branch has. */
int world_runs(const char *branch);

/* The result is this, and its reason holds these words. */
void world_expect(size_t which, enum bp_verdict verdict, const char *words);

/* For world_branch(): how many answers, and which. */
#define SCRIPT(...)                                                              \
    (int)(sizeof((enum fake_answer[]){__VA_ARGS__}) / sizeof(enum fake_answer)), \
        (enum fake_answer[])                                                     \
    {                                                                            \
        __VA_ARGS__                                                              \
    }

#endif
