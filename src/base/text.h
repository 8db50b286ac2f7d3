/* Small text helpers: numbers with units in and out, encodings, text that others wrote. */
#ifndef BP_BASE_TEXT_H
#define BP_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* A whole decimal number in [min, max]. BP_EUSAGE names the text and the range. */
enum bp_code bp_parse_int(const char *text, int64_t min, int64_t max, int64_t *out,
                          struct bp_err *err) BP_CHECK;

/* "500ms", "90s", "15m", "36h", "30d" -> milliseconds; at most 10 years. BP_EUSAGE. */
enum bp_code bp_parse_duration(const char *text, int64_t *out_ms, struct bp_err *err) BP_CHECK;

/* "512B", "64KiB", "4MiB", "2GB" -> bytes. BP_EUSAGE. */
enum bp_code bp_parse_size(const char *text, int64_t *out_bytes, struct bp_err *err) BP_CHECK;

/* For people: "850 ms", "12.3 s", "4 m 05 s", "2 h 10 m". */
void bp_put_duration(struct bp_buf *out, int64_t ms);

/* For people: "512 B", "4.2 MiB". */
void bp_put_size(struct bp_buf *out, int64_t bytes);

/* 48210 -> "48,210". */
void bp_put_count(struct bp_buf *out, int64_t count);

/* Cut white space (line ends too) from both ends, in place. */
void bp_text_trim(char *text);

bool bp_text_starts_with(const char *text, const char *prefix);
bool bp_text_ends_with(const char *text, const char *suffix);
bool bp_text_is_utf8(const char *text, size_t len);

/* Standard base64 with padding. Owned by the caller. */
char *bp_text_base64(const void *data, size_t len) BP_CHECK;

/* Append what base64 text stands for; white space in it counts for nothing. false: it is none. */
bool bp_text_unbase64(const char *text, struct bp_buf *out) BP_CHECK;

/*
 * %XX for every byte that is neither an ASCII letter or digit nor in keep.
 * decode leaves a '%' that two hex digits do not follow as it is. Both are owned by the caller.
 */
char *bp_percent_encode(const char *text, const char *keep) BP_CHECK;
char *bp_percent_decode(const char *text) BP_CHECK;

/*
 * Append text that somebody else wrote (a server, a database) so that it stays on one line:
 * control characters become a space, at most limit bytes are taken, cut between characters.
 */
void bp_put_foreign(struct bp_buf *out, const char *text, size_t limit);

/* The same into a field of fixed size, cut to fit; NULL gives "". */
void bp_copy_foreign(char *out, size_t size, const char *text);

#endif
