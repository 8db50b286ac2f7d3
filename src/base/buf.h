/*
 * A growing string of bytes. It always ends with a NUL that len does not count, so buf.data is a
 * C string when the content is text. A zeroed struct is an empty buffer.
 */
#ifndef BP_BASE_BUF_H
#define BP_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

#include "base/compiler.h"

struct bp_buf {
    char *data; /* NULL while nothing was ever added: use bp_buf_str() for a C string */
    size_t len;
    size_t size; /* allocated */
};

void bp_buf_add(struct bp_buf *buf, const void *data, size_t len);
void bp_buf_puts(struct bp_buf *buf, const char *text);
void bp_buf_putc(struct bp_buf *buf, char c);
void bp_buf_printf(struct bp_buf *buf, const char *fmt, ...) BP_PRINTF(2, 3);
void bp_buf_vprintf(struct bp_buf *buf, const char *fmt, va_list args) BP_PRINTF(2, 0);

/* Room for at least this many bytes more, so that adding them does not allocate. */
void bp_buf_reserve(struct bp_buf *buf, size_t more);

/* Keep the memory, drop the content (from len on). */
void bp_buf_cut(struct bp_buf *buf, size_t len);

/* The content as a C string; "" when empty. Lent until the next change. */
const char *bp_buf_str(const struct bp_buf *buf);

/* The content as a string owned by the caller; the buffer is empty afterwards. */
char *bp_buf_take(struct bp_buf *buf) BP_CHECK;

void bp_buf_free(struct bp_buf *buf); /* for BP_AUTO; the buffer is empty and usable afterwards */

#endif
