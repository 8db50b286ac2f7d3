/* Steps: which of them may run at the same time. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "flow/restore_plan_internal.h"

enum { LABEL_LIMIT = 200 };

/* Steps of one kind that stand together may run at the same time. */
enum kind {
    ALONE,
    BUILD,      /* an index, a constraint */
    FOREIGN_KEY /* needs the unique indexes */
};

static void step_free(struct bp_restore_step *step)
{
    bp_free(step->label);
    bp_free(step->sql);
    bp_free(step->table);
    bp_free(step->other);
    *step = (struct bp_restore_step){0};
}

void bp_restore_steps_free(struct bp_restore_steps *steps)
{
    for (size_t i = 0; i < steps->count; i++)
        step_free(&steps->at[i]);
    bp_free(steps->at);
    *steps = (struct bp_restore_steps){0};
}

void bp_restore_steps_take(struct bp_restore_steps *steps, struct bp_restore_step *step)
{
    /* full at each power of two */
    if ((steps->count & (steps->count - 1)) == 0)
        steps->at =
            bp_realloc(steps->at, steps->count > 0 ? steps->count * 2 : 1, sizeof(*steps->at));
    steps->at[steps->count++] = *step;
    *step = (struct bp_restore_step){0};
}

static size_t next_group(const struct bp_restore_steps *steps)
{
    return steps->count > 0 ? steps->at[steps->count - 1].group + 1 : 0;
}

static char *label_of(const struct bp_script_block *block, const char *file)
{
    BP_AUTO(bp_buf_free) struct bp_buf name = {0};

    if (block->schema[0] != '\0') {
        bp_put_foreign(&name, block->schema, LABEL_LIMIT);
        bp_buf_putc(&name, '.');
    }
    bp_put_foreign(&name, block->name, LABEL_LIMIT);
    return bp_format("%s: %s%s%s", file, block->type, name.len > 0 ? " " : "", bp_buf_str(&name));
}

/* ---- what a step locks ---- */

static char *take_table(struct bp_sql *sql)
{
    BP_AUTO(bp_qname_free) struct bp_qname name = {0};
    struct bp_sql only = *sql;

    if (bp_sql_next_solid(&only) && bp_sql_is_word(&only, "only"))
        *sql = only;
    return bp_qname_take(sql, &name) ? bp_qname_quoted(name.schema, name.name) : NULL;
}

/* Go behind the next such word of the statement. */
static bool seek(struct bp_sql *sql, const char *word)
{
    while (bp_sql_next_solid(sql) && !bp_sql_is(sql, ';')) {
        if (bp_sql_is_word(sql, word))
            return true;
    }
    return false;
}

static bool alters_table(struct bp_sql sql)
{
    while (bp_sql_next_solid(&sql)) {
        if (bp_sql_is_word(&sql, "alter") && bp_sql_next_solid(&sql) &&
            bp_sql_is_word(&sql, "table"))
            return true;
    }
    return false;
}

static enum kind kind_of(const char *type)
{
    if (strcmp(type, "INDEX") == 0 || strcmp(type, "CONSTRAINT") == 0 ||
        strcmp(type, "CHECK CONSTRAINT") == 0)
        return BUILD;
    return strcmp(type, "FK CONSTRAINT") == 0 ? FOREIGN_KEY : ALONE;
}

/* CREATE INDEX ... ON table; ALTER TABLE table ... REFERENCES other. A constraint of a domain has
 * no table: that stays alone. */
static enum kind read_tables(const struct bp_script_block *block, struct bp_restore_step *step)
{
    struct bp_sql sql = bp_script_sql(block->sql);
    enum kind kind = kind_of(block->type);
    bool index = strcmp(block->type, "INDEX") == 0;

    step->locks = !index || alters_table(sql);
    if (kind == ALONE || !seek(&sql, index ? "on" : "table"))
        return ALONE;
    step->table = take_table(&sql);
    if (kind == FOREIGN_KEY && seek(&sql, "references"))
        step->other = take_table(&sql);
    return step->table != NULL ? kind : ALONE;
}

/* ---- steps ---- */

static void append(struct bp_restore_step *step, const char *sql)
{
    char *joined = bp_format("%s%s", step->sql, sql);

    bp_free(step->sql);
    step->sql = joined;
}

static void put(const struct bp_script *script, const char *file, bool grouped,
                struct bp_restore_steps *out)
{
    enum kind last = ALONE;

    for (size_t i = 0; i < script->count; i++) {
        const struct bp_script_block *block = &script->at[i];
        struct bp_restore_step step = {.group = next_group(out)};
        enum kind kind = ALONE;

        if (block->sql[0] == '\0')
            continue;
        if (last != ALONE && strcmp(block->type, "COMMENT") == 0) {
            append(&out->at[out->count - 1], block->sql);
            continue;
        }
        if (grouped)
            kind = read_tables(block, &step);
        if (kind != ALONE && kind == last)
            step.group--;
        last = kind;
        step.label = label_of(block, file);
        step.sql = bp_strdup(block->sql);
        bp_restore_steps_take(out, &step);
    }
}

void bp_restore_steps_serial(const struct bp_script *script, const char *file,
                             struct bp_restore_steps *out)
{
    put(script, file, false, out);
}

void bp_restore_steps_grouped(const struct bp_script *script, const char *file,
                              struct bp_restore_steps *out)
{
    put(script, file, true, out);
}

static void put_statement(const char *at, const char *end, const char *file,
                          struct bp_restore_steps *out)
{
    struct bp_restore_step step = {.group = next_group(out)};

    step.sql = bp_format("%.*s\n", (int)(end - at), at);
    step.label = bp_strdup(file);
    bp_restore_steps_take(out, &step);
}

enum bp_code bp_restore_steps_split(const char *text, const char *file,
                                    struct bp_restore_steps *out, struct bp_err *err)
{
    struct bp_sql sql = {.at = text, .end = text + strlen(text)};
    const char *start = NULL;

    while (bp_sql_next_solid(&sql)) {
        start = start != NULL ? start : sql.token;
        if (!bp_sql_is(&sql, ';'))
            continue;
        put_statement(start, sql.at, file, out);
        start = NULL;
    }
    if (start != NULL)
        return bp_fail(err, BP_EINTEGRITY, "%s: a statement has no end", file);
    return BP_OK;
}
