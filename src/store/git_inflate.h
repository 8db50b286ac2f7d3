/*
 * Reading what zlib has compressed, from a place in a file: a third of zlib's own time.
 *
 * The file may be damaged, or somebody's who wants harm: whatever it holds, no more is written than
 * was asked for. One thread at a time.
 *
 * RFC 1950; https://github.com/intel/isa-l/blob/master/include/igzip_lib.h
 */
#ifndef BP_STORE_GIT_INFLATE_H
#define BP_STORE_GIT_INFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct bp_git_inflate;

/* The stream that begins at this place. The file is lent for its life, and its position unused. */
struct bp_git_inflate *bp_git_inflate_new(int fd, int64_t at) BP_CHECK;

/* The next len bytes; false: there are not as many, the file cannot be read or is damaged. */
bool bp_git_inflate_read(struct bp_git_inflate *in, void *out, size_t len) BP_CHECK;

/* Whether all was read, and has the checksum that stands behind it. */
bool bp_git_inflate_end(struct bp_git_inflate *in) BP_CHECK;

void bp_git_inflate_freep(struct bp_git_inflate **in); /* for BP_AUTO */

#endif
