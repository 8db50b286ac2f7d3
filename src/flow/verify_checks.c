#include <string.h>

#include "base/mem.h"
#include "base/sql.h"
#include "flow/verify.h"

enum { MOST_CHECKS = 1000 };

static enum bp_code add(const char *start, size_t len, const char *name, struct bp_list *out,
                        struct bp_err *err)
{
    if (out->count == MOST_CHECKS)
        return bp_fail(err, BP_EUSAGE, "'%s': there are more than %d checks", name, MOST_CHECKS);
    bp_list_addf(out, "%.*s%s", (int)len, start, start[len - 1] == ';' ? "" : ";");
    return BP_OK;
}

enum bp_code bp_verify_checks(const char *text, const char *name, struct bp_list *out,
                              struct bp_err *err)
{
    struct bp_sql sql = {.at = text, .end = text + strlen(text)};
    const char *start = NULL; /* of the statement that is read; NULL: none has begun */
    const char *end = NULL;   /* of what is known of it */
    size_t before = out->count;

    while (bp_sql_next_solid(&sql)) {
        if (sql.open)
            return bp_fail(err, BP_EUSAGE, "'%s': something in it is quoted without an end", name);
        if (start == NULL && bp_sql_is(&sql, '\\'))
            return bp_fail(err, BP_EUSAGE,
                           "'%s': it holds a command of psql (\\...); hint: checks are queries",
                           name);
        end = sql.at;
        if (start == NULL && bp_sql_is(&sql, ';'))
            continue;
        start = start != NULL ? start : sql.token;
        if (!bp_sql_is(&sql, ';'))
            continue;
        if (add(start, (size_t)(end - start), name, out, err) != BP_OK)
            return err->code;
        start = NULL;
    }
    if (start != NULL && add(start, (size_t)(end - start), name, out, err) != BP_OK)
        return err->code;
    if (out->count == before)
        return bp_fail(err, BP_EUSAGE, "'%s' holds no query", name);
    return BP_OK;
}
