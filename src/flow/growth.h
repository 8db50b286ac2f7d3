/*
 * How large the branch is, and when it will be full. A backup sees one commit of the branch and
 * none of the others, so the count travels in that commit's message:
 *
 *     Store: 123456789 bytes, 100000000 at 2024-01-15T14-30-45Z
 *
 * The first number is what all backups pushed, compressed: about what a clone takes, before the
 * server packs it better. The second one is what it was then, for the rate. "Store: at least ..."
 * when the branch held something before the count began.
 */
#ifndef BP_FLOW_GROWTH_H
#define BP_FLOW_GROWTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Of a repository: GitHub "strongly recommends" less than 5 GB, and at most 10 GB on its disk.
 * https://docs.github.com/en/repositories/creating-and-managing-repositories/repository-limits */
#define BP_GROWTH_ADVISED (INT64_C(5) << 30)
#define BP_GROWTH_LIMIT   (INT64_C(10) << 30)

/* The same page allows 3,000 entries in a folder. */
enum { BP_GROWTH_ENTRIES = 3000 };

/* All zero: unknown. */
struct bp_growth {
    int64_t bytes;
    int64_t began_bytes; /* at most bytes */
    int64_t began_ms;    /* 0: unknown */
    bool at_least;       /* what was there before the count began is not in it */
};

/* From a commit's message: the last line of this kind counts. Unknown when there is none, or when
 * it is not what bp_growth_write() writes. */
void bp_growth_read(const char *message, struct bp_growth *out);

/* Append the line with its line end; nothing when unknown. */
void bp_growth_write(const struct bp_growth *g, struct bp_buf *out);

/* Append the line of another commit's message: for a commit that adds next to nothing. */
void bp_growth_carry(const char *message, struct bp_buf *out);

/* So many bytes more; what is unknown begins here. The rate is that of the last weeks: a beginning
 * that is older than two months moves. */
void bp_growth_add(struct bp_growth *g, int64_t bytes, int64_t now_ms);

/* When it will hold limit bytes at the present rate, or now_ms when it does; at most a hundred
 * years from now. 0: unknown, because it was not counted for a day or did not grow. */
int64_t bp_growth_full_ms(const struct bp_growth *g, int64_t now_ms, int64_t limit);

/* The next limit that it has not reached; 0: it is beyond them. */
int64_t bp_growth_next(const struct bp_growth *g);

/* Append "about 1.2 GiB and grows by about 31.0 MiB a day: 5 GiB in about 4 months", or what is
 * known of it; nothing when unknown. */
void bp_growth_put(const struct bp_growth *g, int64_t now_ms, struct bp_buf *out);

/* Append what is to be said when it comes near a limit, with a hint. false: nothing is. */
bool bp_growth_warn(const struct bp_growth *g, int64_t now_ms, struct bp_buf *out);

/* The same for the number of entries in the folder of archives. */
bool bp_growth_warn_entries(size_t entries, struct bp_buf *out);

#endif
