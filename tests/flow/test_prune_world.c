#include "test_prune_world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "archive/manifest.h"
#include "base/mem.h"

struct prune_world pw;

void prune_set_up(void)
{
    pw.clock = fake_clock_new();
    pw.store = fake_store();
    pw.store.weights[0] = 5000000;
    pw.store.weights[1] = 2000000;
    pw.stop = (struct bp_stop){.fd = -1, .write_fd = -1};
    pw.out = (struct bp_out){.out = stdout,
                             .err = open_memstream(&pw.printed, &pw.printed_len),
                             .level = BP_LEVEL_NORMAL};
    cr_assert_not_null(pw.out.err);
    pw.job = (struct bp_prune_job){
        .store = &pw.store.base, .clock = &pw.clock.base, .out = &pw.out, .branch = "main"};
}

void prune_tear_down(void)
{
    bp_prune_result_free(&pw.result);
    (void)fclose(pw.out.err);
    bp_free(pw.printed);
    bp_stop_close(&pw.stop);
    fake_store_release(&pw.store);
}

void prune_with_stop(void)
{
    cr_assert_eq(bp_stop_open(&pw.stop, &pw.err), BP_OK, "%s", pw.err.msg);
    pw.clock.base.stop = &pw.stop;
}

static void put_file(struct bp_manifest *m, const char *folder, const char *path, const char *text)
{
    BP_AUTO(bp_freep) char *full = bp_format("%s/%s", folder, path);

    bp_sha256_hex(text, strlen(text), bp_manifest_add_file(m, path, (int64_t)strlen(text))->sha256);
    fake_store_put(&pw.store, full, text);
}

void prune_put(const char *folder, const char *level)
{
    BP_AUTO(bp_manifest_free) struct bp_manifest m = {0};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    BP_AUTO(bp_freep) char *path = bp_format("%s/manifest.json", folder);
    struct bp_archive_name name;
    struct bp_manifest_table *table = bp_manifest_add_table(&m);

    cr_assert(bp_archive_name_parse(strrchr(folder, '/') + 1, &name), "%s", folder);
    m.id = bp_strdup(name.id);
    m.source.repository = bp_strdup("o/r");
    m.source.event = bp_strdup("schedule");
    m.source.sha = bp_strdup("1234567aaaa");
    m.verification.level = bp_strdup(level);
    m.started_ms = name.time_ms;
    put_file(&m, folder, "roles.sql", "the same in each\n");
    put_file(&m, folder, "public/tables/t/data.sql", name.id);
    table->schema = bp_strdup("public");
    table->name = bp_strdup("t");
    table->rows = 1200;
    memcpy(table->sha256, m.files[1].sha256, sizeof(table->sha256));
    bp_list_add(&table->files, m.files[1].path);
    bp_manifest_render(&m, &text);
    fake_store_put(&pw.store, path, bp_buf_str(&text));
}

void prune_put_days(int from, int to)
{
    char folder[BP_ARCHIVE_NAME_SIZE + 32];

    for (int day = from; day < to; day++) {
        (void)snprintf(folder, sizeof(folder),
                       "backups/archive/2024-01-%02dT08-00-00Z--o-r--schedule--1234567", day);
        prune_put(folder, NULL);
    }
    (void)snprintf(folder, sizeof(folder), "backups/latest/latest_2024-01-%02dT08-00-00Z", to);
    prune_put(folder, NULL);
    (void)snprintf(folder, sizeof(folder), "2024-01-%02dT08-00-00Z", to);
    fake_store_put(&pw.store, "backups/current/public/tables/t/data.sql", folder);
    fake_store_put(&pw.store, "README.md", "hello");
}

enum bp_code prune_run(void)
{
    enum bp_code rc = BP_OK;

    bp_prune_result_free(&pw.result);
    rc = bp_flow_prune(&pw.job, &pw.result, &pw.err);
    (void)fflush(pw.out.err);
    return rc;
}

const char *prune_plan_text(void)
{
    static char text[1000];
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < pw.result.count; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%.2s%s", i > 0 ? " " : "",
                                 pw.result.rows[i].id + strlen("2024-01-"),
                                 pw.result.rows[i].kept ? "k" : "g");
    return text;
}
