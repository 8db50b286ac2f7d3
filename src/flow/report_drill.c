/* What a drill found. */
#include <inttypes.h>

#include "base/markdown.h"
#include "base/text.h"
#include "base/time.h"
#include "flow/drill.h"
#include "flow/report.h"

enum { SHOWN = 300, MOST_ROWS = 500 };

static void put_time(struct bp_buf *out, int64_t ms)
{
    if (ms < 0)
        bp_buf_puts(out, "-");
    else
        bp_put_duration(out, ms);
}

/* A cell of its own. */
static void add_time(struct bp_list *cells, int64_t ms)
{
    struct bp_buf cell = {0};

    put_time(&cell, ms);
    bp_list_take(cells, bp_buf_take(&cell));
}

static int64_t rto_of(const struct bp_drill_branch *b)
{
    return b->verified.recovery_ms > 0 ? b->verified.recovery_ms : -1;
}

static const char *word_of(const struct bp_drill_branch *b)
{
    if (b->code == BP_OK)
        return "proved";
    return b->verified.except.count > 0 ? "verified except" : "failed";
}

static const char *id_of(const struct bp_drill_branch *b)
{
    return b->verified.id[0] != '\0' ? b->verified.id : "-";
}

static void add_branch(const struct bp_drill_branch *b, struct bp_list *cells)
{
    bp_list_add(cells, b->branch);
    bp_list_add(cells, id_of(b));
    add_time(cells, b->gaps.age_ms);
    bp_list_add(cells, b->verified.level == BP_UNPROVED ? "-" : bp_proof_name(b->verified.level));
    add_time(cells, rto_of(b));
    add_time(cells, bp_drill_rpo(&b->gaps));
    bp_list_add(cells, word_of(b));
}

static const char *const headings[] = {"BRANCH", "ARCHIVE", "AGE", "LEVEL", "RTO", "RPO", "RESULT"};
enum { COLUMNS = sizeof(headings) / sizeof(headings[0]) };

static void put_reasons(const struct bp_drill_result *result, const struct bp_secrets *secrets,
                        struct bp_buf *out)
{
    for (size_t i = 0; i < result->count; i++) {
        const struct bp_drill_branch *b = &result->at[i];
        BP_AUTO(bp_buf_free) struct bp_buf masked = {0};

        if (b->code == BP_OK)
            continue;
        if (secrets != NULL)
            bp_secrets_mask(secrets, b->reason, &masked);
        else
            bp_buf_puts(&masked, b->reason);
        bp_buf_printf(out, "\n%s: %s\n", b->branch, bp_buf_str(&masked));
        for (size_t j = 0; j < b->verified.except.count; j++)
            bp_buf_printf(out, "  except   %s\n", b->verified.except.at[j]);
        for (size_t j = 0; j < b->verified.findings.count; j++)
            bp_buf_printf(out, "  wrong    %s\n", b->verified.findings.at[j]);
    }
}

void bp_drill_text(const struct bp_drill_result *result, const struct bp_secrets *secrets,
                   struct bp_buf *out)
{
    struct bp_report_table table = {.columns = COLUMNS, .secrets = secrets};

    for (size_t i = 0; i < COLUMNS; i++)
        bp_list_add(&table.cells, headings[i]);
    for (size_t i = 0; i < result->count; i++)
        add_branch(&result->at[i], &table.cells);
    bp_report_table(&table, out);
    bp_list_free(&table.cells);
    put_reasons(result, secrets, out);
}

/* ---- JSON ---- */

static struct bp_json *list_new(const struct bp_list *list)
{
    struct bp_json *array = bp_json_array_new();

    for (size_t i = 0; i < list->count; i++)
        bp_json_push(array, bp_json_text_new(list->at[i]));
    return array;
}

static void set_time(struct bp_json *object, const char *key, int64_t ms)
{
    if (ms >= 0)
        bp_json_set_int(object, key, ms);
    else
        bp_json_set(object, key, bp_json_text_new(NULL));
}

static struct bp_json *branch_new(const struct bp_drill_branch *b)
{
    const struct bp_verify_result *v = &b->verified;
    struct bp_json *one = bp_json_object_new();

    bp_json_set_text(one, "branch", b->branch);
    bp_json_set_text(one, "archive", v->id[0] != '\0' ? v->id : NULL);
    bp_json_set_text(one, "result", b->code == BP_OK ? "proved" : bp_code_name(b->code));
    bp_json_set_text(one, "reason", b->reason);
    bp_json_set_text(one, "level", v->level != BP_UNPROVED ? bp_proof_name(v->level) : NULL);
    bp_json_set_text(one, "wanted", bp_proof_name(v->wanted));
    bp_json_set(one, "except", list_new(&v->except));
    bp_json_set(one, "findings", list_new(&v->findings));
    set_time(one, "rto_ms", rto_of(b));
    bp_json_set_int(one, "restore_ms", v->restore_ms);
    bp_json_set_int(one, "took_ms", v->took_ms);
    set_time(one, "rpo_ms", bp_drill_rpo(&b->gaps));
    set_time(one, "age_ms", b->gaps.age_ms);
    bp_json_set_int(one, "largest_gap_ms", b->gaps.gap_ms);
    bp_json_set_int(one, "good_archives", b->gaps.good);
    bp_json_set_int(one, "damaged_archives", b->gaps.damaged);
    bp_json_set_text(one, "commit", v->commit);
    return one;
}

struct bp_json *bp_drill_json(const struct bp_drill_result *result)
{
    struct bp_json *top = bp_json_object_new();
    struct bp_json *branches = bp_json_array_new();
    bool proved = result->count > 0;

    for (size_t i = 0; i < result->count; i++) {
        proved = proved && result->at[i].code == BP_OK;
        bp_json_push(branches, branch_new(&result->at[i]));
    }
    bp_json_set_bool(top, "proved", proved);
    bp_json_set(top, "branches", branches);
    bp_json_set_int(top, "took_ms", result->took_ms);
    return top;
}

/* ---- Markdown ---- */

static void put_row(const struct bp_drill_branch *b, const struct bp_secrets *secrets,
                    struct bp_buf *out)
{
    struct bp_list cells = {0};

    add_branch(b, &cells);
    bp_buf_puts(out, "|");
    for (size_t i = 0; i < cells.count; i++) {
        bp_buf_puts(out, " ");
        bp_markdown_put(out, secrets, cells.at[i], SHOWN);
        bp_buf_puts(out, " |");
    }
    bp_buf_puts(out, " ");
    bp_markdown_put(out, secrets, b->reason, SHOWN);
    bp_buf_puts(out, " |\n");
    bp_list_free(&cells);
}

void bp_drill_summary(const struct bp_drill_result *result, const struct bp_secrets *secrets,
                      struct bp_buf *out)
{
    size_t proved = 0;

    for (size_t i = 0; i < result->count; i++)
        proved += result->at[i].code == BP_OK;
    bp_buf_printf(out,
                  "### Restore drill: %zu of %zu branches proved\n\n"
                  "| Branch | Archive | Age | Level | RTO | RPO | Result | |\n"
                  "| --- | --- | --- | --- | --- | --- | --- | --- |\n",
                  proved, result->count);
    for (size_t i = 0; i < result->count && i < MOST_ROWS; i++)
        put_row(&result->at[i], secrets, out);
    if (result->count > MOST_ROWS)
        bp_buf_printf(out, "\n%zu more\n", result->count - MOST_ROWS);
    bp_buf_puts(out, "\nRTO: fetch, check and restore, as measured. RPO: the longest time between "
                     "two good archives of the last 30 days, or the age of the newest one.\n");
}
