#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int exit_status;
} codes[BP_CODE_COUNT] = {
    [BP_OK] = {"ok", 0},
    [BP_EFAILED] = {"failed", 1},
    [BP_EUSAGE] = {"usage", 2},
    [BP_EAUTH] = {"permission", 3},
    [BP_ENOTFOUND] = {"not-found", 4},
    [BP_EUNAVAILABLE] = {"unavailable", 5},
    [BP_ETIMEOUT] = {"timeout", 6},
    [BP_ELOCKED] = {"locked", 7},
    [BP_EINTEGRITY] = {"integrity", 8},
    [BP_ESTOPPED] = {"stopped", 130},
};

/* Cut a message that did not fit at a character boundary and say so. */
static void mark_cut(char *msg, size_t size, int wanted)
{
    static const char mark[] = "...";
    size_t end = size - sizeof(mark);

    if (wanted < 0 || (size_t)wanted < size)
        return;
    while (end > 0 && ((unsigned char)msg[end] & 0xC0U) == 0x80U)
        end--;
    memcpy(msg + end, mark, sizeof(mark));
}

enum bp_code bp_fail(struct bp_err *err, enum bp_code code, const char *fmt, ...)
{
    va_list args;

    if (err == NULL)
        return code;
    err->code = code;
    va_start(args, fmt);
    mark_cut(err->msg, sizeof(err->msg), vsnprintf(err->msg, sizeof(err->msg), fmt, args));
    va_end(args);
    return code;
}

enum bp_code bp_wrap(struct bp_err *err, const char *fmt, ...)
{
    struct bp_err inner = *err;
    char context[256];
    va_list args;

    va_start(args, fmt);
    mark_cut(context, sizeof(context), vsnprintf(context, sizeof(context), fmt, args));
    va_end(args);
    return bp_fail(err, inner.code, "%s: %s", context, inner.msg);
}

const char *bp_code_name(enum bp_code code)
{
    return code < BP_CODE_COUNT ? codes[code].name : "unknown";
}

int bp_code_exit_status(enum bp_code code)
{
    return code < BP_CODE_COUNT ? codes[code].exit_status : 1;
}
