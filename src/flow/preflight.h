/*
 * What can be known to fail before anything is started: judgements over what the forge answered,
 * each one line with its fix. Nothing is asked here; dispatch_workflow.c asks.
 */
#ifndef BP_FLOW_PREFLIGHT_H
#define BP_FLOW_PREFLIGHT_H

#include "base/findings.h"
#include "forge/forge.h"

/* The token's kind and the days until it expires. */
void bp_preflight_token(struct bp_findings *findings, const struct bp_forge_token *token,
                        int64_t now_ms, int64_t warn_ms);

/* How far the clock of this machine is off the server's, of which now_ms and reply tell. */
void bp_preflight_clock(struct bp_findings *findings, const struct bp_reply *reply, int64_t now_ms);

/* Whether the requests that remain of the rate limit are enough for this many branches. */
void bp_preflight_budget(struct bp_findings *findings, const struct bp_reply *reply,
                         size_t branches);

/*
 * What the token may do there, as far as one can know. BP_EFAILED: the repository is archived or
 * disabled.
 */
enum bp_code bp_preflight_repo(struct bp_findings *findings, const char *name,
                               const struct bp_forge_repo *repo, struct bp_err *err) BP_CHECK;

/* BP_EFAILED: it is disabled. file is what it was asked by. */
enum bp_code bp_preflight_workflow(struct bp_findings *findings, const char *repo, const char *file,
                                   const struct bp_forge_workflow *workflow,
                                   struct bp_err *err) BP_CHECK;

/* Whether the server has disabled it, because nothing happened in the repository for a while. */
bool bp_preflight_is_inactive(const struct bp_forge_workflow *workflow);

#endif
