#include "forge/github_trigger.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "forge/github_workflow.h"

enum { NAME_SHOWN = 60, OPTIONS_SHOWN = 200, PROBLEMS_SHOWN = 500 };

enum bp_code bp_github_no_trigger(const struct bp_ask *ask, struct bp_err *err)
{
    return bp_fail(err, BP_EFAILED,
                   "'%s' on branch '%s' has no workflow_dispatch trigger; hint: add "
                   "'workflow_dispatch:' under 'on:' in the file on that branch",
                   ask->workflow, ask->branch);
}

/* ---- names ---- */

/* GitHub does not tell upper from lower case in names of inputs. */
static bool same_name(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0;
}

static const struct bp_workflow_input *declared(const struct bp_workflow_file *file,
                                                const char *name)
{
    for (size_t i = 0; i < file->input_count; i++) {
        if (same_name(file->inputs[i].name, name))
            return &file->inputs[i];
    }
    return NULL;
}

static bool is_given(const struct bp_ask *ask, const char *name)
{
    if (ask->marker != NULL && same_name(ask->marker, name))
        return true;
    for (const struct bp_json *i = bp_json_first(ask->inputs); i != NULL; i = bp_json_next(i)) {
        if (same_name(bp_json_key(i), name))
            return true;
    }
    return false;
}

/* ---- problems, all in one line ---- */

static void put_name(struct bp_buf *problems, const char *name)
{
    if (problems->len > 0)
        bp_buf_puts(problems, ", ");
    bp_buf_putc(problems, '\'');
    bp_put_foreign(problems, name, NAME_SHOWN);
    bp_buf_putc(problems, '\'');
}

static bool is_number(const char *text)
{
    char *end = NULL;
    double number = strtod(text, &end);

    return (isdigit((unsigned char)text[0]) || strchr("+-.", text[0]) != NULL) && end != text &&
           *end == '\0' && isfinite(number);
}

static bool is_truth(const char *text)
{
    return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
}

/* What the value must be; false: it is that. */
static bool must_be(const struct bp_workflow_input *input, const char *text, struct bp_buf *out)
{
    switch (input->type) {
    case BP_WORKFLOW_CHOICE:
        if (input->options.count == 0 || bp_list_has(&input->options, text))
            return false;
        bp_buf_puts(out, "one of ");
        for (size_t i = 0; i < input->options.count && out->len < OPTIONS_SHOWN; i++)
            bp_buf_printf(out, "%s%s", i > 0 ? ", " : "", input->options.at[i]);
        return true;
    case BP_WORKFLOW_BOOLEAN:
        bp_buf_puts(out, "true or false");
        return !is_truth(text);
    case BP_WORKFLOW_NUMBER:
        bp_buf_puts(out, "a number");
        return !is_number(text);
    case BP_WORKFLOW_TEXT:
    case BP_WORKFLOW_OTHER:
    default:
        return false;
    }
}

static void judge_value(const struct bp_workflow_file *file, const struct bp_json *value,
                        struct bp_buf *problems)
{
    const struct bp_workflow_input *input = declared(file, bp_json_key(value));
    const char *text = bp_json_text(value);
    BP_AUTO(bp_buf_free) struct bp_buf rendered = {0};
    BP_AUTO(bp_buf_free) struct bp_buf wanted = {0};

    if (input == NULL) {
        put_name(problems, bp_json_key(value));
        bp_buf_puts(problems, " is not declared");
        return;
    }
    if (text == NULL) {
        bp_json_render(value, 0, &rendered);
        text = bp_buf_str(&rendered);
        if (strchr("{[n", text[0]) != NULL) { /* an object, an array, null */
            put_name(problems, input->name);
            bp_buf_puts(problems, " must be text, a number, true or false");
            return;
        }
    }
    if (!must_be(input, text, &wanted))
        return;
    put_name(problems, input->name);
    bp_buf_puts(problems, " must be ");
    bp_put_foreign(problems, bp_buf_str(&wanted), OPTIONS_SHOWN);
    bp_buf_puts(problems, ", not '");
    bp_put_foreign(problems, text, NAME_SHOWN);
    bp_buf_putc(problems, '\'');
}

static void judge_inputs(const struct bp_ask *ask, const struct bp_workflow_file *file,
                         struct bp_buf *problems)
{
    const struct bp_workflow_input *mark = ask->marker != NULL ? declared(file, ask->marker) : NULL;

    if (ask->marker != NULL && (mark == NULL || mark->type != BP_WORKFLOW_TEXT)) {
        put_name(problems, ask->marker);
        bp_buf_puts(problems, mark == NULL ? ", which gets the mark, is not declared"
                                           : ", which gets the mark, must be of type string");
    }
    for (const struct bp_json *i = bp_json_first(ask->inputs); i != NULL; i = bp_json_next(i)) {
        if (ask->marker == NULL || !same_name(bp_json_key(i), ask->marker))
            judge_value(file, i, problems);
    }
    for (size_t i = 0; i < file->input_count; i++) {
        const struct bp_workflow_input *input = &file->inputs[i];

        if (!input->required || input->has_default || is_given(ask, input->name))
            continue;
        put_name(problems, input->name);
        bp_buf_puts(problems, " is required");
    }
}

/* ---- the mark ---- */

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t");
}

/* Whether the input is named here, behind "inputs": ".mark" or "['mark']". */
static bool names_it(const char *text, const char *marker)
{
    size_t len = strlen(marker);
    bool quoted = false;

    text = skip_blanks(text);
    if (*text != '.' && *text != '[')
        return false;
    quoted = *text == '[';
    text = skip_blanks(text + 1);
    if (quoted && *text++ != '\'')
        return false;
    if (strncasecmp(text, marker, len) != 0)
        return false;
    text += len;
    if (quoted)
        return *text == '\'';
    return !isalnum((unsigned char)*text) && *text != '_' && *text != '-';
}

/* Also through "github.event.inputs", which is the same. */
static bool shows_mark(const char *run_name, const char *marker)
{
    static const char context[] = "inputs";
    const char *at = strstr(run_name, "${{");

    while (at != NULL && (at = strcasestr(at + 1, context)) != NULL) {
        if (names_it(at + sizeof(context) - 1, marker))
            return true;
    }
    return false;
}

/* ---- the verdict ---- */

static enum bp_code judge(const struct bp_ask *ask, const struct bp_workflow_file *file,
                          struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf problems = {0};
    BP_AUTO(bp_buf_free) struct bp_buf shown = {0};

    if (!file->dispatchable)
        return bp_github_no_trigger(ask, err);
    if (file->input_count > BP_WORKFLOW_INPUTS_MAX)
        return bp_fail(err, BP_EFAILED,
                       "'%s' on branch '%s' declares %zu inputs, but GitHub takes %d at most",
                       ask->workflow, ask->branch, file->input_count, BP_WORKFLOW_INPUTS_MAX);
    judge_inputs(ask, file, &problems);
    if (problems.len > 0) {
        bp_put_foreign(&shown, problems.data, PROBLEMS_SHOWN);
        return bp_fail(err, BP_EFAILED,
                       "'%s' on branch '%s' does not take these inputs: %s; hint: compare --inputs "
                       "with 'inputs:' in the file on that branch",
                       ask->workflow, ask->branch, bp_buf_str(&shown));
    }
    if (ask->marker == NULL || (file->run_name != NULL && shows_mark(file->run_name, ask->marker)))
        return BP_OK;
    return bp_fail(err, BP_EFAILED,
                   "'%s' on branch '%s' does not show the mark in its run-name; hint: add "
                   "'run-name: Backup ${{ inputs.%s }}' to the file on that branch",
                   ask->workflow, ask->branch, ask->marker);
}

enum bp_code bp_github_judge(const struct bp_ask *ask, const char *text, size_t len,
                             struct bp_err *err)
{
    BP_AUTO(bp_workflow_free) struct bp_workflow_file file = {0};
    BP_AUTO(bp_buf_free) struct bp_buf why = {0};
    struct bp_err reason = {0};

    if (bp_workflow_read(text, len, &file, &reason) == BP_OK)
        return judge(ask, &file, err);
    bp_put_foreign(&why, reason.msg, PROBLEMS_SHOWN);
    return bp_fail(err, BP_EUNAVAILABLE,
                   "whether '%s' on branch '%s' takes the dispatch cannot be known: %s",
                   ask->workflow, ask->branch, bp_buf_str(&why));
}
