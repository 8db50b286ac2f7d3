/*
 * The keys that options name: recipients, identities, the chunk key, the signing key, trusted keys.
 * Secret ones come from files or from the environment and are registered, so that nothing shows
 * them. What is not given is left empty; all of them BP_EUSAGE, and the message shows no secret.
 */
#ifndef BP_CMD_KEYS_H
#define BP_CMD_KEYS_H

#include "cmd/cmd.h"
#include "flow/catalog.h"

/* --recipient: each a recipient or a file of them. */
enum bp_code bp_keys_recipients(struct bp_app *app, struct bp_recipients *out,
                                struct bp_err *err) BP_CHECK;

/* --identity: each a file, or in the environment an identity itself. */
enum bp_code bp_keys_identities(struct bp_app *app, struct bp_identities *out,
                                struct bp_err *err) BP_CHECK;

enum bp_code bp_keys_chunk(struct bp_app *app, struct bp_chunk_key *out,
                           struct bp_err *err) BP_CHECK;

/* The key or its file. *given: there is one. */
enum bp_code bp_keys_sign(struct bp_app *app, struct bp_sign_key *out, bool *given,
                          struct bp_err *err) BP_CHECK;

/* --trusted-key: each a key or its file. */
enum bp_code bp_keys_trusted(struct bp_app *app, struct bp_trusted_keys *out,
                             struct bp_err *err) BP_CHECK;

/* What these keys open; lent. */
struct bp_opener bp_keys_opener(const struct bp_identities *identities,
                                const struct bp_trusted_keys *trusted);

#endif
