#include "cmd/pruning.h"

#include "base/text.h"
#include "flow/report.h"

/* ---- options ---- */

static const enum bp_opt rules[] = {BP_OPT_KEEP_LAST,   BP_OPT_KEEP_WITHIN, BP_OPT_KEEP_HOURLY,
                                    BP_OPT_KEEP_DAILY,  BP_OPT_KEEP_WEEKLY, BP_OPT_KEEP_MONTHLY,
                                    BP_OPT_KEEP_YEARLY, BP_OPT_COUNT};
static const enum bp_opt flags[] = {BP_OPT_SQUASH, BP_OPT_EXPLAIN, BP_OPT_COUNT};

static bool is_given(const struct bp_config *cfg, enum bp_opt id)
{
    return bp_config_origin(cfg, id) != BP_FROM_NOWHERE;
}

/* What is squashed away is gone for good, and the backups may have had other rules: nobody shall
 * lose a year because a squash was to give space back. */
static enum bp_code check_default(const struct bp_config *cfg, struct bp_err *err)
{
    if (!bp_config_flag(cfg, BP_OPT_SQUASH))
        return BP_OK;
    return bp_fail(err, BP_EUSAGE,
                   "--squash needs a rule, because what no rule keeps is gone for good then; hint: "
                   "use the rules of your backups, or --keep-within 30d, or --keep-last 1000000 to "
                   "keep all");
}

/* "--keep-last 0" alone would be read as the default, which is not what it says. */
static enum bp_code check_rules(const struct bp_config *cfg, struct bp_err *err)
{
    const enum bp_opt *given = NULL;

    for (const enum bp_opt *id = rules; *id != BP_OPT_COUNT; id++) {
        if (!is_given(cfg, *id))
            continue;
        if (bp_config_number(cfg, *id) > 0)
            return BP_OK;
        given = id;
    }
    if (given == NULL)
        return check_default(cfg, err);
    return bp_fail(err, BP_EUSAGE,
                   "--%s 0 would keep nothing; hint: say what to keep, or leave it out to keep 30 "
                   "days",
                   bp_option(*given)->name);
}

enum bp_code bp_pruning_job(struct bp_app *app, struct bp_prune_job *job, struct bp_err *err)
{
    const struct bp_config *cfg = &app->cfg;

    *job = (struct bp_prune_job){
        .clock = app->clock,
        .out = app->out,
        .branch = bp_config_text(cfg, BP_OPT_BACKUP_BRANCH),
        .policy = {.last = bp_config_number(cfg, BP_OPT_KEEP_LAST),
                   .within_ms = bp_config_number(cfg, BP_OPT_KEEP_WITHIN),
                   .each = {[BP_HOURLY] = bp_config_number(cfg, BP_OPT_KEEP_HOURLY),
                            [BP_DAILY] = bp_config_number(cfg, BP_OPT_KEEP_DAILY),
                            [BP_WEEKLY] = bp_config_number(cfg, BP_OPT_KEEP_WEEKLY),
                            [BP_MONTHLY] = bp_config_number(cfg, BP_OPT_KEEP_MONTHLY),
                            [BP_YEARLY] = bp_config_number(cfg, BP_OPT_KEEP_YEARLY)}},
        .squash = bp_config_flag(cfg, BP_OPT_SQUASH)};
    return check_rules(cfg, err);
}

enum bp_code bp_pruning_unasked(const struct bp_config *cfg, struct bp_err *err)
{
    enum bp_opt found = BP_OPT_COUNT;

    if (is_given(cfg, BP_OPT_PRUNE))
        return BP_OK;
    for (const enum bp_opt *id = rules; *id != BP_OPT_COUNT; id++)
        found = is_given(cfg, *id) ? *id : found;
    for (const enum bp_opt *id = flags; *id != BP_OPT_COUNT; id++)
        found = bp_config_flag(cfg, *id) ? *id : found;
    if (found == BP_OPT_COUNT)
        return BP_OK;
    return bp_fail(err, BP_EUSAGE,
                   "--%s has no meaning for a backup that removes nothing; hint: add --prune",
                   bp_option(found)->name);
}

/* ---- results ---- */

static void explain(struct bp_app *app, const struct bp_prune_result *result)
{
    struct bp_report_table table = {.columns = 3, .secrets = &app->out->secrets};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_list_add(&table.cells, "ARCHIVE");
    bp_list_add(&table.cells, "PLAN");
    bp_list_add(&table.cells, "WHY");
    for (size_t i = 0; i < result->count; i++) {
        const struct bp_prune_row *row = &result->rows[i];
        struct bp_buf why = {0};

        for (size_t r = 0; r < row->reasons.count; r++)
            bp_buf_printf(&why, "%s%s", r > 0 ? ", " : "", row->reasons.at[r]);
        bp_list_add(&table.cells, row->id);
        bp_list_add(&table.cells, row->kept ? "kept" : "goes");
        bp_list_add(&table.cells, row->kept ? bp_buf_str(&why) : "no rule keeps it");
        bp_buf_free(&why);
    }
    bp_report_table(&table, &text);
    bp_list_free(&table.cells);
    bp_print(app->out, "%s", bp_buf_str(&text));
}

static bool is_dry(const struct bp_app *app)
{
    return bp_config_flag(&app->cfg, BP_OPT_DRY_RUN);
}

static void put_sizes(const struct bp_prune_result *result, struct bp_buf *out)
{
    bool before = result->bytes_before >= 0;
    bool after = result->bytes_after >= 0;

    if (before != after) {
        bp_buf_puts(out, "  clone   ");
        bp_put_size(out, before ? result->bytes_before : result->bytes_after);
        bp_buf_puts(out, before ? " so far\n" : " now\n");
    }
    if (!before || !after)
        return;
    bp_buf_puts(out, "  freed   ");
    bp_put_size(out, result->bytes_before > result->bytes_after
                         ? result->bytes_before - result->bytes_after
                         : 0);
    bp_buf_puts(out, " of ");
    bp_put_size(out, result->bytes_before);
    bp_buf_puts(out, " in a fresh clone\n");
}

static void put_removed(const struct bp_prune_result *result, struct bp_buf *out)
{
    const char *label = "  removed ";

    for (size_t i = 0; i < result->count; i++) {
        if (result->rows[i].kept)
            continue;
        bp_buf_printf(out, "%s%s\n", label, result->rows[i].id);
        label = "          ";
    }
}

/* What people may not expect. */
static void advise(struct bp_app *app, const struct bp_prune_result *result)
{
    if (result->squashed && !is_dry(app))
        bp_info(app->out, "the branch has a new history: who has a clone of it has to clone anew");
    if (!result->squashed && result->removed > 0)
        bp_info(app->out, "this frees no space, because Git keeps what was removed in the history; "
                          "hint: --squash rewrites that");
}

void bp_pruning_print(struct bp_app *app, const struct bp_prune_result *result)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    if (bp_config_flag(&app->cfg, BP_OPT_EXPLAIN))
        explain(app, result);
    if (result->removed == 0)
        bp_buf_printf(&text, "nothing to remove: all %zu archives are kept\n", result->kept);
    else
        bp_buf_printf(&text, "%s %zu of %zu archives, kept %zu\n",
                      is_dry(app) ? "would have removed" : "removed", result->removed,
                      result->count, result->kept);
    if (result->squashed)
        bp_buf_printf(&text, "  history %s\n",
                      is_dry(app) ? "would be rewritten"
                                  : "rewritten, one commit for each archive");
    put_sizes(result, &text);
    bp_buf_printf(&text, "  branch  %s\n  commit  %s\n",
                  bp_config_text(&app->cfg, BP_OPT_BACKUP_BRANCH),
                  result->commit[0] != '\0' ? result->commit : "none");
    put_removed(result, &text);
    bp_print(app->out, "%s", bp_buf_str(&text));
    advise(app, result);
}

static struct bp_json *row_new(const struct bp_prune_row *row)
{
    struct bp_json *one = bp_json_object_new();
    struct bp_json *reasons = bp_json_array_new();

    for (size_t i = 0; i < row->reasons.count; i++)
        bp_json_push(reasons, bp_json_text_new(row->reasons.at[i]));
    bp_json_set_text(one, "id", row->id);
    bp_json_set_bool(one, "kept", row->kept);
    bp_json_set(one, "reasons", reasons);
    return one;
}

static void set_bytes(struct bp_json *object, const char *key, int64_t bytes)
{
    if (bytes >= 0)
        bp_json_set_int(object, key, bytes);
}

struct bp_json *bp_pruning_json(const struct bp_app *app, const struct bp_prune_result *result)
{
    struct bp_json *top = bp_json_object_new();
    struct bp_json *list = bp_json_array_new();

    for (size_t i = 0; i < result->count; i++)
        bp_json_push(list, row_new(&result->rows[i]));
    bp_json_set(top, "archives", list);
    bp_json_set_text(top, "branch", bp_config_text(&app->cfg, BP_OPT_BACKUP_BRANCH));
    bp_json_set_int(top, "kept", (int64_t)result->kept);
    bp_json_set_int(top, "removed", (int64_t)result->removed);
    bp_json_set_text(top, "commit", result->commit);
    bp_json_set_bool(top, "squashed", result->squashed);
    set_bytes(top, "bytes_before", result->bytes_before);
    set_bytes(top, "bytes_after", result->bytes_after);
    bp_json_set_bool(top, "dry_run", is_dry(app));
    return top;
}
