/*
 * Contents in a folder of Git objects, read faster than libgit2 does: those that lie in a file of
 * their own, and those that lie whole in a pack. Everything else, a delta first of all, and
 * whatever is damaged, is left to libgit2, which has the words for it.
 *
 * The folder may be somebody's who wants harm: what its files say is believed only within the
 * files' own bounds. Like libgit2 as it is used here, it does not hash what it reads: who asks for
 * a content knows its checksum.
 *
 * https://git-scm.com/docs/gitformat-pack and
 * https://git-scm.com/book/en/v2/Git-Internals-Git-Objects#_object_storage
 */
#ifndef BP_STORE_GIT_BLOBS_H
#define BP_STORE_GIT_BLOBS_H

#include <git2/oid.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct bp_git_blobs;

/* The folder "objects" of a repository. Packs may come and go meanwhile. */
struct bp_git_blobs *bp_git_blobs_new(const char *folder) BP_CHECK;

/*
 * Append a content to out; false: ask libgit2, out is as it was. That is also the answer for what
 * has more than limit bytes. For several threads at once.
 */
bool bp_git_blobs_read(struct bp_git_blobs *blobs, const git_oid *id, size_t limit,
                       struct bp_buf *out) BP_CHECK;

void bp_git_blobs_freep(struct bp_git_blobs **blobs); /* for BP_AUTO */

#endif
