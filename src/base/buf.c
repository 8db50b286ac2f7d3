#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

void bp_buf_reserve(struct bp_buf *buf, size_t more)
{
    size_t need = buf->len + more + 1;
    size_t size = buf->size > 0 ? buf->size : 64;

    if (need <= buf->size)
        return;
    while (size < need)
        size += size / 2;
    buf->data = bp_realloc(buf->data, size, 1);
    buf->size = size;
}

void bp_buf_add(struct bp_buf *buf, const void *data, size_t len)
{
    bp_buf_reserve(buf, len);
    if (len > 0)
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void bp_buf_puts(struct bp_buf *buf, const char *text)
{
    bp_buf_add(buf, text, strlen(text));
}

void bp_buf_putc(struct bp_buf *buf, char c)
{
    bp_buf_add(buf, &c, 1);
}

void bp_buf_vprintf(struct bp_buf *buf, const char *fmt, va_list args)
{
    va_list again;
    int len = 0;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (len < 0)
        return;
    bp_buf_reserve(buf, (size_t)len);
    (void)vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, args);
    buf->len += (size_t)len;
}

void bp_buf_printf(struct bp_buf *buf, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    bp_buf_vprintf(buf, fmt, args);
    va_end(args);
}

void bp_buf_cut(struct bp_buf *buf, size_t len)
{
    if (len >= buf->len)
        return;
    buf->len = len;
    buf->data[len] = '\0';
}

const char *bp_buf_str(const struct bp_buf *buf)
{
    return buf->data != NULL ? buf->data : "";
}

char *bp_buf_take(struct bp_buf *buf)
{
    char *text = buf->data != NULL ? buf->data : bp_strdup("");

    *buf = (struct bp_buf){0};
    return text;
}

void bp_buf_free(struct bp_buf *buf)
{
    bp_free(buf->data);
    *buf = (struct bp_buf){0};
}
