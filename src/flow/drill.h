/*
 * A drill: the newest archive of every branch is proved, as if it were needed today, and what a
 * disaster would cost is told: how long a recovery takes (RTO), and how much may be lost (RPO).
 */
#ifndef BP_FLOW_DRILL_H
#define BP_FLOW_DRILL_H

#include "flow/verify.h"

/* All lent for the length of the call. */
struct bp_drill_job {
    const struct bp_list *branches;
    bool named; /* by a person: one without an archive is an error, and else passed over */
    /* Make what a branch needs; owned by the drill. scratch: not called below L2. */
    enum bp_code (*store)(void *ctx, const char *branch, struct bp_store **out, struct bp_err *err);
    enum bp_code (*scratch)(void *ctx, struct bp_scratch **out, struct bp_err *err);
    void *ctx;
    struct bp_clock *clock;
    struct bp_out *out;
    struct bp_opener opener;
    enum bp_proof level;
    const struct bp_list *checks;
    size_t jobs;
    bool record;
};

/*
 * What the branch's archives of the last 30 days tell, or the two newest when there are fewer.
 * Good ones count: those whose manifest can be read, but for one that this drill found at fault.
 */
struct bp_drill_gaps {
    int64_t age_ms; /* of the newest good archive; -1: there is none */
    int64_t gap_ms; /* the longest time between two good archives that follow each other */
    int64_t good;
    int64_t damaged;
};

struct bp_drill_branch {
    char *branch;
    enum bp_code code;
    char *reason; /* "" */
    struct bp_verify_result verified;
    struct bp_drill_gaps gaps;
};

struct bp_drill_result {
    struct bp_drill_branch *at;
    size_t count;
    int64_t took_ms;
};

void bp_drill_result_free(struct bp_drill_result *result); /* for BP_AUTO */

/*
 * BP_OK: every archive was proved to the level. BP_EINTEGRITY: at least one is at fault; else what
 * the first branch that failed has returned. Only a stop ends it before all branches were tried.
 * BP_ENOTFOUND: there is no archive anywhere.
 */
enum bp_code bp_flow_drill(const struct bp_drill_job *job, struct bp_drill_result *result,
                           struct bp_err *err) BP_CHECK;

/* Pure: from archives that were described, newest first. bad: an id that does not count; "". */
void bp_drill_gaps(const struct bp_catalog *catalog, const char *bad, int64_t now_ms,
                   struct bp_drill_gaps *out);

/* How much may be lost: the longer of the largest gap and the age of the newest; -1: unknown. */
int64_t bp_drill_rpo(const struct bp_drill_gaps *gaps);

/* report_drill.c: a table with what was wrong below it; one object; Markdown. */
void bp_drill_text(const struct bp_drill_result *result, const struct bp_secrets *secrets,
                   struct bp_buf *out);
struct bp_json *bp_drill_json(const struct bp_drill_result *result) BP_CHECK;
void bp_drill_summary(const struct bp_drill_result *result, const struct bp_secrets *secrets,
                      struct bp_buf *out);

#endif
