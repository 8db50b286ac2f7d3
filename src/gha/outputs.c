#include "gha/outputs.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/random.h"
#include "base/text.h"
#include "gha/append.h"

enum { MARK_SIZE = 48 };

/* "=" and "<<" would end a name; a runner allows more than this, expressions do not. */
static bool is_name(const char *name)
{
    if (!isalpha((unsigned char)name[0]) && name[0] != '_')
        return false;
    for (const char *p = name; *p != '\0'; p++) {
        if (!isalnum((unsigned char)*p) && *p != '_' && *p != '-')
            return false;
    }
    return true;
}

/* The line that ends a value. Nobody who writes a part of the value can know it before. */
static void new_mark(const char *value, char mark[MARK_SIZE])
{
    uint64_t random[2];

    do {
        bp_random(random, sizeof(random));
        (void)snprintf(mark, MARK_SIZE, "end_%016llx%016llx", (unsigned long long)random[0],
                       (unsigned long long)random[1]);
    } while (strstr(value, mark) != NULL);
}

static void put_output(struct bp_buf *out, const struct bp_secrets *secrets, const char *name,
                       const char *value)
{
    BP_AUTO(bp_buf_free) struct bp_buf masked = {0};
    BP_AUTO(bp_buf_free) struct bp_buf plain = {0};
    char mark[MARK_SIZE];

    bp_secrets_mask(secrets, value, &masked);
    if (bp_text_is_utf8(bp_buf_str(&masked), masked.len))
        bp_buf_puts(&plain, bp_buf_str(&masked));
    else
        bp_put_foreign(&plain, bp_buf_str(&masked), SIZE_MAX);
    new_mark(bp_buf_str(&plain), mark);
    bp_buf_printf(out, "%s<<%s\n%s\n%s\n", name, mark, bp_buf_str(&plain), mark);
}

enum bp_code bp_gha_outputs(const struct bp_env *env, const struct bp_secrets *secrets,
                            const struct bp_list *pairs, struct bp_err *err)
{
    const char *path = bp_env_get(env, "GITHUB_OUTPUT");
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    if (path == NULL)
        return BP_OK;
    for (size_t i = 0; i + 1 < pairs->count; i += 2) {
        if (!is_name(pairs->at[i]))
            return bp_fail(err, BP_EFAILED, "'%s' is no name of an output", pairs->at[i]);
        put_output(&text, secrets, pairs->at[i], pairs->at[i + 1]);
    }
    return bp_gha_append("GITHUB_OUTPUT", path, bp_buf_str(&text), err);
}
