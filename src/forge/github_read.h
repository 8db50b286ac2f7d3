/*
 * What the answers say. Every text in them was written by somebody else, so it comes out on one
 * line, cut to its field.
 */
#ifndef BP_FORGE_GITHUB_READ_H
#define BP_FORGE_GITHUB_READ_H

#include "base/json.h"
#include "forge/forge.h"

/*
 * Fill what ask->out points to (of a repository all but the token, of a dispatch all but the
 * outcome) from an answer with a status of 2xx; json may be NULL. BP_EUNAVAILABLE: the answer makes
 * no sense, another try may give a better one. BP_ASK_TRIGGER has more, see forge.h.
 */
enum bp_code bp_github_take(const struct bp_ask *ask, const struct bp_json *json,
                            struct bp_err *err) BP_CHECK;

#endif
