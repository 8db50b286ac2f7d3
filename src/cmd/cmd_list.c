/*
 * backproof list: which archives there are.
 *
 * This file reads options and prints. The work is in flow/catalog.c.
 */
#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "cmd/cmds.h"
#include "cmd/registry.h"
#include "flow/catalog.h"
#include "flow/report.h"

static const enum bp_opt needs[] = {BP_OPT_BACKUP_REPO, BP_OPT_COUNT};

/* "-" for what is not known: of an archive whose manifest cannot be read, almost all. */
static void add_entry(const struct bp_catalog_entry *e, struct bp_list *cells)
{
    const struct bp_manifest *m = &e->manifest;
    const char *event = e->described ? m->source.event : e->name.event;
    struct bp_buf rows = {0};
    struct bp_buf size = {0};

    bp_list_add(cells, e->name.id);
    bp_list_add(cells,
                e->described && m->source.repository[0] != '\0' ? m->source.repository : "-");
    bp_list_add(cells, event[0] != '\0' ? event : "-");
    bp_list_addf(cells, "%.7s", e->described && m->source.sha[0] != '\0' ? m->source.sha : "-");
    if (!e->described) {
        for (int i = 0; i < 4; i++)
            bp_list_add(cells, "-");
        bp_list_add(cells, e->damage);
        return;
    }
    bp_put_size(&size, bp_manifest_bytes(m));
    if (m->sealed) { /* it tells neither */
        bp_list_add(cells, "-");
        bp_list_add(cells, "-");
    } else {
        bp_put_count(&rows, bp_manifest_rows(m));
        bp_list_addf(cells, "%zu", m->table_count);
        bp_list_take(cells, bp_buf_take(&rows));
    }
    bp_list_take(cells, bp_buf_take(&size));
    bp_list_add(cells, bp_manifest_is_verified(&m->verification) ? m->verification.level : "-");
    bp_list_addf(cells, "%s%s", e->name.latest ? "latest" : "ok", m->sealed ? ", sealed" : "");
}

static void report_text(struct bp_app *app, const struct bp_catalog *catalog)
{
    static const char *const heading[] = {"ID",   "SOURCE", "EVENT",    "COMMIT", "TABLES",
                                          "ROWS", "SIZE",   "VERIFIED", "STATE"};
    struct bp_report_table table = {.columns = sizeof(heading) / sizeof(heading[0])};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    for (size_t i = 0; i < table.columns; i++)
        bp_list_add(&table.cells, heading[i]);
    for (size_t i = 0; i < catalog->count; i++)
        add_entry(&catalog->at[i], &table.cells);
    bp_report_table(&table, &text);
    bp_list_free(&table.cells);
    bp_print(app->out, "%s", bp_buf_str(&text));
}

static struct bp_json *known_or_null(const struct bp_manifest *m, int64_t number)
{
    return m->sealed ? bp_json_text_new(NULL) : bp_json_int_new(number);
}

static struct bp_json *entry_new(const struct bp_catalog_entry *e)
{
    const struct bp_manifest *m = &e->manifest;
    struct bp_json *one = bp_json_object_new();
    char time[BP_TIME_SIZE];

    bp_time_format(e->name.time_ms, time);
    bp_json_set_text(one, "id", e->name.id);
    bp_json_set_text(one, "time", time);
    bp_json_set_text(one, "path", e->path);
    bp_json_set_bool(one, "latest", e->name.latest);
    bp_json_set_text(one, "damage", e->damage[0] != '\0' ? e->damage : NULL);
    if (!e->described)
        return one;
    bp_json_set_text(one, "repository", m->source.repository);
    bp_json_set_text(one, "ref", m->source.ref);
    bp_json_set_text(one, "sha", m->source.sha);
    bp_json_set_text(one, "event", m->source.event);
    bp_json_set_text(one, "run_url", m->source.run_url);
    bp_json_set_bool(one, "sealed", m->sealed);
    bp_json_set_text(one, "database", m->sealed ? NULL : m->database.name);
    bp_json_set_text(one, "server_version", m->database.server_version);
    bp_json_set(one, "tables", known_or_null(m, (int64_t)m->table_count));
    bp_json_set(one, "rows", known_or_null(m, bp_manifest_rows(m)));
    bp_json_set_int(one, "bytes", bp_manifest_bytes(m));
    bp_json_set(one, "verification", bp_manifest_verification_render(&m->verification));
    return one;
}

static void report_json(struct bp_app *app, const struct bp_catalog *catalog)
{
    BP_AUTO(bp_json_freep) struct bp_json *top = bp_json_object_new();
    struct bp_json *list = bp_json_array_new();
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    for (size_t i = 0; i < catalog->count; i++)
        bp_json_push(list, entry_new(&catalog->at[i]));
    bp_json_set(top, "archives", list);
    bp_json_set_text(top, "branch", bp_config_text(&app->cfg, BP_OPT_BACKUP_BRANCH));
    bp_json_render(top, 2, &text);
    bp_print(app->out, "%s\n", bp_buf_str(&text));
}

/* "--until 2024-01-15" means to the end of that day. */
static int64_t until_ms(const struct bp_config *cfg)
{
    const char *text = bp_config_text(cfg, BP_OPT_UNTIL);
    int64_t ms = bp_config_number(cfg, BP_OPT_UNTIL);

    return text != NULL && strlen(text) == strlen("2024-01-15") ? ms + 86400000 - 1 : ms;
}

static enum bp_code run(struct bp_app *app, struct bp_err *err)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = NULL;
    BP_AUTO(bp_catalog_free) struct bp_catalog catalog = {0};
    const struct bp_config *cfg = &app->cfg;
    const struct bp_catalog_filter filter = {
        .since_ms = bp_config_number(cfg, BP_OPT_SINCE),
        .until_ms = until_ms(cfg),
        .sha = bp_config_text(cfg, BP_OPT_SHA),
        .repository = bp_config_text(cfg, BP_OPT_FROM_REPO),
        .event = bp_config_text(cfg, BP_OPT_EVENT),
        .verified = bp_config_text(cfg, BP_OPT_VERIFIED),
        .limit = (size_t)bp_config_number(cfg, BP_OPT_LIMIT),
    };

    if (bp_registry_store(app, &store, err) != BP_OK ||
        bp_catalog_open(store, bp_config_text(cfg, BP_OPT_BACKUP_BRANCH), &catalog, err) != BP_OK ||
        bp_catalog_select(&catalog, store, &filter, err) != BP_OK)
        return err->code;
    if (bp_config_is(cfg, BP_OPT_FORMAT, "json"))
        report_json(app, &catalog);
    else if (catalog.count == 0)
        bp_info(app->out, "no archive on branch '%s' matches",
                bp_config_text(cfg, BP_OPT_BACKUP_BRANCH));
    else
        report_text(app, &catalog);
    return BP_OK;
}

const struct bp_cmd bp_cmd_list = {
    .doc = {.name = "list",
            .args = "",
            .summary = "List the archives of a branch, newest first.",
            .details = "Reads names and manifests only; no rows are downloaded.",
            .example = "backproof list --backup-repo https://github.com/myorg/myapp-backups "
                       "--backup-branch main --since 2024-01-01",
            .groups = BP_GROUP_GENERAL | BP_GROUP_STORE | BP_GROUP_FIND},
    .needs = needs,
    .run = run,
};
