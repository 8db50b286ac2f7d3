/*
 * A forge in memory with scripted answers. Each branch's dispatch gives the next answer of the
 * script (the last one stays); an accepted dispatch makes a run that list and get then show.
 */
#ifndef TESTS_SUPPORT_FAKE_FORGE_H
#define TESTS_SUPPORT_FAKE_FORGE_H

#include "base/clock.h"
#include "forge/forge.h"

enum fake_answer {
    FAKE_OK,              /* accepted, the run's id is told */
    FAKE_OK_NO_ID,        /* accepted, 204 */
    FAKE_REJECTED,        /* BP_EFAILED */
    FAKE_NO_BRANCH,       /* BP_ENOTFOUND */
    FAKE_FORBIDDEN,       /* BP_EAUTH */
    FAKE_NOT_PROCESSED,   /* BP_EUNAVAILABLE, safe to resend */
    FAKE_AMBIGUOUS_NOT,   /* unknown; in truth it was not accepted */
    FAKE_AMBIGUOUS_TAKEN, /* unknown; in truth it was accepted */
    FAKE_RATE_LIMITED     /* not processed, retry_after_ms is set */
};

enum { FAKE_SCRIPT = 12, FAKE_RUNS = 32, FAKE_BRANCHES = 8 };

struct fake_branch {
    char name[64];
    enum fake_answer script[FAKE_SCRIPT];
    int script_len; /* 0: always FAKE_OK */
    int dispatches;
    int64_t sent_at_ms[FAKE_SCRIPT]; /* when each dispatch came */
};

struct fake_forge {
    struct bp_forge base;
    struct bp_clock *clock;
    struct fake_branch branches[FAKE_BRANCHES];
    int branch_count;
    struct bp_run runs[FAKE_RUNS];
    int run_count;
    int64_t next_id;
    int64_t retry_after_ms;
    int looks_until_queued; /* a run is 'pending' for this many looks */
    int unknown_looks;      /* get of a run says not found this often */
    int outages;            /* the next looks at the repository fail with BP_EUNAVAILABLE */
    int list_failures;      /* the next lists fail with BP_EUNAVAILABLE */
    int lists;
    int gets;
    int late_runs;           /* runs that show themselves with the next accepted dispatch */
    const char *runs_branch; /* the branch that new runs claim to be of, unless NULL */
    const char *conclusion;  /* with status completed, unless NULL */
    const char *state;       /* of the workflow; "active" */
    enum bp_code repo_result;
    enum bp_code workflow_result;
    bool archived;
};

struct fake_forge fake_forge(struct bp_clock *clock);
struct fake_branch *fake_forge_branch(struct fake_forge *forge, const char *name);
void fake_forge_add_run(struct fake_forge *forge, const char *branch, const char *event);

#endif
