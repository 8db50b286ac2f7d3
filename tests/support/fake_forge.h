/*
 * A forge in memory, on a clock whose waits pass at once. A branch's dispatches get the answers of
 * its script, one after the other (the last one stays); an accepted one makes a run, which grows
 * older with the clock as its branch's plan says. Anything else can be made to fail, to be limited
 * or to get no answer with fake_forge_fault(). What was asked is kept.
 */
#ifndef TESTS_SUPPORT_FAKE_FORGE_H
#define TESTS_SUPPORT_FAKE_FORGE_H

#include "forge/forge.h"
#include "support/fake_clock.h"

enum fake_answer {
    FAKE_OK,              /* accepted, the run's id is told */
    FAKE_OK_NO_ID,        /* accepted, 204 */
    FAKE_REJECTED,        /* BP_EFAILED */
    FAKE_NO_BRANCH,       /* BP_ENOTFOUND, also when the branch is looked up */
    FAKE_FORBIDDEN,       /* BP_EAUTH */
    FAKE_NOT_SENT,        /* BP_EUNAVAILABLE, safe to resend */
    FAKE_AMBIGUOUS_NOT,   /* unknown; in truth it was not accepted */
    FAKE_AMBIGUOUS_TAKEN, /* unknown; in truth it was accepted */
    FAKE_HANGS_NOT,       /* no answer; the same */
    FAKE_HANGS_TAKEN,
    FAKE_LIMITED /* fake_forge.retry_after_ms */
};

enum { FAKE_SCRIPT = 12, FAKE_RUNS = 256, FAKE_BRANCHES = 32, FAKE_LOG = 2048, FAKE_FAULTS = 8 };

/* How a run goes: milliseconds of its age; -1: never. */
struct fake_plan {
    int64_t appear_ms; /* the server shows it */
    int64_t start_ms;
    int64_t finish_ms;
    const char *before;     /* the status until it starts; "queued" */
    const char *conclusion; /* "success" */
    bool no_job_started;    /* jobs say that no runner took them */
    bool a_job_ran;         /* jobs say that one did, whatever the run's status */
};

struct fake_branch {
    char name[64];
    enum fake_answer script[FAKE_SCRIPT];
    int script_len; /* 0: always FAKE_OK */
    int dispatches;
    int64_t sent_at_ms[FAKE_SCRIPT]; /* when each dispatch came */
    struct fake_plan plan;
};

struct fake_run {
    struct bp_run run;
    struct fake_plan plan;
    int64_t made_ms; /* by the clock */
    bool cancelled;
};

struct fake_fault {
    enum bp_ask_kind kind;
    int after; /* let so many pass first */
    int times;
    enum bp_code code;
    enum bp_limit limited;
    int64_t retry_after_ms; /* -1: not told */
    bool hangs;             /* until it times out */
};

struct fake_asked {
    enum bp_ask_kind kind;
    int64_t at_ms;
    int64_t run_id;
    char branch[64];
    char text[256]; /* the inputs of a dispatch, "success: text" of a status */
};

struct fake_forge {
    struct bp_forge base;
    struct fake_clock *clock;
    struct fake_branch branches[FAKE_BRANCHES];
    int branch_count;
    struct fake_run runs[FAKE_RUNS];
    int run_count;
    struct fake_fault faults[FAKE_FAULTS];
    int fault_count;
    struct fake_asked log[FAKE_LOG];
    int asked;
    struct bp_ask *under_way[FAKE_BRANCHES * 2];
    int64_t done_at_ms[FAKE_BRANCHES * 2];
    int under_way_count;

    int64_t next_id;
    int64_t latency_ms;      /* of every answer */
    int64_t timeout_ms;      /* of an ask that has none of its own */
    int64_t retry_after_ms;  /* of FAKE_LIMITED; -1: not told */
    int64_t server_ahead_ms; /* its clock */
    int64_t stop_at_ms;      /* a signal comes; 0: never */
    struct bp_stop *stop;    /* that one */
    int64_t remaining;       /* of the rate limit; -1: not told */
    int64_t reset_in_ms;
    int late_runs;           /* runs that show themselves with the next accepted dispatch */
    int crowd;               /* pushes that are listed before anything else, once we dispatched */
    bool hides_titles;       /* runs do not show their inputs */
    const char *runs_branch; /* the branch that new runs claim to be of, unless NULL */
    const char *actor;       /* who dispatches, as runs show it; "octocat" */
    const char *also_by;     /* somebody who dispatches the same just before us, unless NULL */
    const char *state;       /* of the workflow; "active" */
    bool archived;
    bool actions_off;
    struct bp_forge_token token;
    const char *user;         /* who we are; NULL: it is not told */
    enum bp_code repo_result; /* BP_OK */
    enum bp_code workflow_result;
    enum bp_code trigger_result;
    struct bp_holdup holdup;
    bool no_holdup; /* this server does not tell */
};

struct fake_forge fake_forge(struct fake_clock *clock);
struct fake_branch *fake_forge_branch(struct fake_forge *forge, const char *name);
struct fake_run *fake_forge_add_run(struct fake_forge *forge, const char *branch,
                                    const char *event);

/* The next times questions of this kind fail with code (BP_OK: hang, or are limited). */
struct fake_fault *fake_forge_fault(struct fake_forge *forge, enum bp_ask_kind kind, int times,
                                    enum bp_code code);

/* How often this was asked. */
int fake_forge_asked(const struct fake_forge *forge, enum bp_ask_kind kind);

#endif
