/*
 * New file contents on their way into packs. Each is compressed once, here, by the thread that
 * brings it; a push then copies the bytes. The index is written from what is known already, so
 * nothing is read back but the bytes of the pack, for its checksum.
 * The formats: https://git-scm.com/docs/gitformat-pack
 */
#ifndef BP_STORE_GIT_PACK_H
#define BP_STORE_GIT_PACK_H

#include <git2.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* An index of this form has 31 bits for a place in the pack. */
#define BP_GIT_PACK_MOST (INT64_C(1800) << 20)

/* What is in a pack that was ended. */
struct bp_git_part {
    git_oid *ids;
    size_t count;
    int64_t bytes;
};

struct bp_git_pack;

/*
 * Packs go into this folder, the objects/pack of a repository. One that has reached `limit` bytes
 * (BP_GIT_PACK_MOST when that is less) is ended, and another one begun. Nothing is made before the
 * first content. Owned by the caller.
 */
struct bp_git_pack *bp_git_pack_new(const char *folder, int64_t limit) BP_CHECK;

/* The name that Git gives to a content. */
void bp_git_pack_name(const void *data, size_t len, git_oid *out);

/* Add a content with its name, unless the pack that is open has it. This and what follows may be
 * done by several threads. */
enum bp_code bp_git_pack_add(struct bp_git_pack *pack, const git_oid *id, const void *data,
                             size_t len, struct bp_err *err) BP_CHECK;

/* Make all that was added so far readable in the repository. */
enum bp_code bp_git_pack_end(struct bp_git_pack *pack, struct bp_err *err) BP_CHECK;

/* How many bytes the pack that was not ended has. */
int64_t bp_git_pack_open_bytes(struct bp_git_pack *pack);

/* The packs that were ended, in order: the index-th, whose ids are lent; false when there are
 * fewer. */
bool bp_git_pack_part(struct bp_git_pack *pack, size_t index, struct bp_git_part *out);

/* One that was not ended is removed. For BP_AUTO. */
void bp_git_pack_freep(struct bp_git_pack **pack);

#endif
