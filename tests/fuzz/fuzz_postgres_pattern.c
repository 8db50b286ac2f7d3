/*
 * source/postgres_pattern.h and source/postgres_mask_parse.h: what a user writes is refused or
 * understood, and an understood expression stays where it is put.
 */
#include <string.h>

#include "base/mem.h"
#include "fuzz/fuzz.h"
#include "source/postgres_mask_parse.h"
#include "source/postgres_pattern.h"
#include "source/postgres_script.h"

static void check_expression(const char *expression)
{
    must(expression[0] == '^' && expression[1] == '(');
    must(strcmp(expression + strlen(expression) - 2, ")$") == 0);
    must(strcmp(expression, "^()$") != 0);
}

static void check_pattern(const char *text, enum bp_pg_pattern_kind kind)
{
    BP_AUTO(bp_pg_pattern_free) struct bp_pg_pattern pattern = {0};
    struct bp_err err = {0};

    if (bp_pg_pattern_parse(text, kind, &pattern, &err) != BP_OK) {
        must(err.code == BP_EUSAGE && fuzz_is_plain(err.msg) && pattern.name == NULL);
        return;
    }
    check_expression(pattern.name);
    must(kind == BP_PG_PATTERN_TABLE || pattern.schema == NULL);
    if (pattern.schema != NULL)
        check_expression(pattern.schema);
}

/* The same without the backslashes, between "^(" and ")$": the name again. */
static void check_exact(const char *text)
{
    BP_AUTO(bp_buf_free) struct bp_buf quoted = {0};
    BP_AUTO(bp_buf_free) struct bp_buf plain = {0};
    BP_AUTO(bp_pg_pattern_free) struct bp_pg_pattern pattern = {0};
    struct bp_err err = {0};
    size_t end = 0;

    if (text[0] == '\0')
        return;
    bp_pg_pattern_put_exact(&quoted, text);
    must(bp_pg_pattern_parse(quoted.data, BP_PG_PATTERN_SCHEMA, &pattern, &err) == BP_OK);
    end = strlen(pattern.name) - 2;
    for (size_t i = 2; i < end; i++) {
        must(strchr("|*+?()[]{}.^$", pattern.name[i]) == NULL);
        if (pattern.name[i] == '\\')
            i++;
        bp_buf_putc(&plain, pattern.name[i]);
    }
    must(strcmp(bp_buf_str(&plain), text) == 0);
}

static void check_mask(const char *text)
{
    BP_AUTO(bp_pg_mask_free) struct bp_pg_mask mask = {0};
    BP_AUTO(bp_freep) char *statement = NULL;
    struct bp_pg_script script = {0};
    struct bp_err err = {0};

    if (bp_pg_mask_parse(text, &mask, &err) != BP_OK) {
        must(err.code == BP_EUSAGE && fuzz_is_plain(err.msg) && mask.table == NULL);
        return;
    }
    must(mask.table[0] != '\0' && mask.column[0] != '\0');
    must((mask.expression != NULL) ==
         (mask.kind == BP_PG_MASK_LITERAL || mask.kind == BP_PG_MASK_EXPRESSION));
    if (mask.expression == NULL)
        return;
    /* Another reader of SQL sees one statement, and the end of it is ours. */
    statement = bp_format("(%s);x", mask.expression);
    script.text = statement;
    must(bp_pg_script_next(&script) && script.start == 0);
    must(strcmp(statement + script.end, ";x") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BP_AUTO(bp_freep) char *text = fuzz_string(data, size);

    check_pattern(text, BP_PG_PATTERN_SCHEMA);
    check_pattern(text, BP_PG_PATTERN_TABLE);
    check_exact(text);
    check_mask(text);
    return 0;
}
