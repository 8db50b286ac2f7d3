/* How far an archive was proved, for people and for programs. */
#include <inttypes.h>

#include "base/text.h"
#include "base/time.h"
#include "flow/verify.h"

enum { SHOWN = 1000 };

void bp_verify_words(const struct bp_verify_result *result, struct bp_buf *out)
{
    if (result->level == BP_UNPROVED)
        bp_buf_puts(out, "not proved");
    else
        bp_buf_printf(out, "proved to %s%s", bp_proof_name(result->level),
                      result->except.count > 0 ? " except:" : "");
    for (size_t i = 0; i < result->except.count; i++) {
        bp_buf_puts(out, i > 0 ? "; " : " ");
        bp_put_foreign(out, result->except.at[i], SHOWN);
    }
}

/* Lines after the first one of a text stand further to the right. */
static void put_list(const struct bp_list *list, const char *word, struct bp_buf *out)
{
    for (size_t i = 0; i < list->count; i++) {
        const char *text = list->at[i];

        bp_buf_printf(out, "  %-9s", word);
        for (; *text != '\0'; text++) {
            bp_buf_putc(out, *text);
            if (*text == '\n')
                bp_buf_puts(out, "           ");
        }
        bp_buf_putc(out, '\n');
    }
}

static void put_contents(const struct bp_verify_result *result, struct bp_buf *out)
{
    if (result->files > 0) {
        bp_buf_puts(out, "  checked  ");
        bp_put_count(out, result->files);
        bp_buf_puts(out, " files, ");
        bp_put_size(out, result->bytes);
        if (result->tables > 0) {
            bp_buf_printf(out, ", %" PRId64 " tables, ", result->tables);
            bp_put_count(out, result->rows);
            bp_buf_puts(out, " rows");
        }
        bp_buf_putc(out, '\n');
    }
    if (result->recovery_ms == 0)
        return;
    bp_buf_printf(out, "  restored into %s in ", result->where);
    bp_put_duration(out, result->restore_ms);
    bp_buf_puts(out, "; with fetch and check ");
    bp_put_duration(out, result->recovery_ms);
    bp_buf_putc(out, '\n');
}

void bp_verify_text(const struct bp_verify_job *job, const struct bp_verify_result *result,
                    struct bp_buf *out)
{
    bp_buf_printf(out, "%s: ", result->id);
    if (result->level == result->wanted || result->level == BP_UNPROVED)
        bp_buf_puts(out, result->level == BP_UNPROVED ? "not proved" : "proved to ");
    else
        bp_buf_puts(out, result->except.count > 0 ? "verified, with exceptions, to "
                                                  : "proved no further than ");
    if (result->level != BP_UNPROVED)
        bp_buf_puts(out, bp_proof_name(result->level));
    bp_buf_puts(out, " in ");
    bp_put_duration(out, result->took_ms);
    bp_buf_putc(out, '\n');
    put_contents(result, out);
    put_list(&result->except, "except", out);
    put_list(&result->findings, result->except.count > 0 ? "failed" : "wrong", out);
    put_list(&result->notes, "note", out);
    if (result->commit[0] != '\0')
        bp_buf_printf(out, "  recorded in %s, commit %s\n", job->branch, result->commit);
}

static struct bp_json *list_new(const struct bp_list *list)
{
    struct bp_json *array = bp_json_array_new();

    for (size_t i = 0; i < list->count; i++)
        bp_json_push(array, bp_json_text_new(list->at[i]));
    return array;
}

struct bp_json *bp_verify_json(const struct bp_verify_job *job,
                               const struct bp_verify_result *result)
{
    struct bp_json *top = bp_json_object_new();

    bp_json_set_text(top, "id", result->id);
    bp_json_set_text(top, "branch", job->branch);
    bp_json_set_bool(top, "verified", result->level == result->wanted && result->except.count == 0);
    bp_json_set_text(top, "level",
                     result->level != BP_UNPROVED ? bp_proof_name(result->level) : NULL);
    bp_json_set_text(top, "wanted", bp_proof_name(result->wanted));
    bp_json_set(top, "except", list_new(&result->except));
    bp_json_set(top, "findings", list_new(&result->findings));
    bp_json_set(top, "notes", list_new(&result->notes));
    bp_json_set_int(top, "files", result->files);
    bp_json_set_int(top, "bytes", result->bytes);
    bp_json_set_int(top, "tables", result->tables);
    bp_json_set_int(top, "rows", result->rows);
    bp_json_set_text(top, "scratch", result->where);
    bp_json_set_int(top, "restore_ms", result->restore_ms);
    bp_json_set_int(top, "recovery_ms", result->recovery_ms);
    bp_json_set_int(top, "took_ms", result->took_ms);
    bp_json_set_text(top, "commit", result->commit);
    return top;
}
