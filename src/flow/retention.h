/*
 * Which archives are kept: a plan from names and times alone. It reads nothing, asks no clock and
 * changes nothing.
 *
 * Each rule keeps some archives, and what any rule keeps is kept; so one more rule never removes
 * more. Whatever the policy, these stay: the newest one, the newest good one, the newest verified
 * one, marked ones, those of which nothing could be learned, and those dated in the future, which
 * count for no rule.
 */
#ifndef BP_FLOW_RETENTION_H
#define BP_FLOW_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"

enum bp_period { BP_HOURLY, BP_DAILY, BP_WEEKLY, BP_MONTHLY, BP_YEARLY, BP_PERIODS };

/* A zero is a rule that is not used. All zero: everything within 30 days. */
struct bp_retention_policy {
    int64_t last;             /* the newest N */
    int64_t within_ms;        /* all that are at most this much older than the newest */
    int64_t each[BP_PERIODS]; /* the newest of each of the last N hours, days ... that have one */
};

/* The reason of the newest verified one. */
#define BP_RETENTION_VERIFIED "newest verified"

struct bp_retention_item {
    int64_t time_ms;
    bool latest;      /* it has the place of the latest */
    bool damaged;     /* its manifest cannot be read: a good one is kept besides it */
    bool unread;      /* nobody knows what it is: damaged as well */
    bool verified;    /* a restore has proved it */
    const char *mark; /* why somebody marked it, or ""; NULL: nobody did. Lent. */

    /* The plan: */
    bool kept;
    bool asked;             /* others go because of it: they may not if it is damaged */
    struct bp_list reasons; /* why it is kept: "last 3", "daily 2024-01-14" ... */
};

/* Items are newest first; time is UTC. */
void bp_retention_plan(const struct bp_retention_policy *policy, int64_t now_ms,
                       struct bp_retention_item *items, size_t count);

/* "last 3, within 30 d, daily 7" */
void bp_retention_put_policy(const struct bp_retention_policy *policy, struct bp_buf *out);

#endif
