/* What prune and `backup --prune` share: the options of a retention, and what became of it. */
#ifndef BP_CMD_PRUNING_H
#define BP_CMD_PRUNING_H

#include "base/json.h"
#include "cmd/cmd.h"
#include "flow/prune.h"

/* The job that the options describe, without its store. BP_EUSAGE: they would keep nothing. */
enum bp_code bp_pruning_job(struct bp_app *app, struct bp_prune_job *job,
                            struct bp_err *err) BP_CHECK;

/* BP_EUSAGE when there are options of a retention, and nothing says whether there is one. */
enum bp_code bp_pruning_unasked(const struct bp_config *cfg, struct bp_err *err) BP_CHECK;

/* For people: results to stdout, advice to stderr. */
void bp_pruning_print(struct bp_app *app, const struct bp_prune_result *result);

/* One object; owned by the caller. */
struct bp_json *bp_pruning_json(const struct bp_app *app,
                                const struct bp_prune_result *result) BP_CHECK;

#endif
