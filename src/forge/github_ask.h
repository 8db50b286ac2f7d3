/* The requests: which method, address and body each kind of question has. */
#ifndef BP_FORGE_GITHUB_ASK_H
#define BP_FORGE_GITHUB_ASK_H

#include "forge/forge.h"

/* Where the file of a workflow is: "backup.yml" in ".github/workflows/backup.yml". Lent. */
const char *bp_github_workflow_file(const char *workflow);

/* Whether a workflow is named by its number: which file that is, is not known. */
bool bp_github_workflow_is_number(const char *workflow);

const char *bp_github_method(enum bp_ask_kind kind);

/* From the slash behind the API's address on. Owned by the caller; NULL: there is nothing to ask.
 */
char *bp_github_path(const struct bp_ask *ask) BP_CHECK;

/* Owned by the caller; NULL: none. details: ask for the run's id (a dispatch, older version). */
struct bp_json *bp_github_body(const struct bp_ask *ask, bool details) BP_CHECK;

/* Whether the same may be asked again and again, so that its answer is worth keeping. */
bool bp_github_is_polled(enum bp_ask_kind kind);

#endif
