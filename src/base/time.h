/* Calendar time. A moment is milliseconds since 1970-01-01T00:00:00Z; all text is UTC. */
#ifndef BP_BASE_TIME_H
#define BP_BASE_TIME_H

#include <stdint.h>

#include "base/err.h"

enum { BP_TIME_SIZE = 32 };

/* "2024-01-15T14:30:45Z" */
void bp_time_format(int64_t ms, char out[BP_TIME_SIZE]);

/* "2024-01-15T14-30-45Z": the form that names an archive. */
void bp_time_format_id(int64_t ms, char out[BP_TIME_SIZE]);

/*
 * "2024-01-15", "2024-01-15T14:30Z", "2024-01-15T14:30:45Z" with an optional fraction or a
 * numeric zone such as +02:00, and the form that names an archive. A date alone is its first
 * second. BP_EUSAGE names the text.
 */
enum bp_code bp_time_parse(const char *text, int64_t *out_ms, struct bp_err *err) BP_CHECK;

/* An HTTP date, "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7). BP_EFAILED. */
enum bp_code bp_time_parse_http(const char *text, int64_t *out_ms, struct bp_err *err) BP_CHECK;

#endif
