#include "flow/test_restore_world.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "flow/backup.h"

static bool yes(void *ctx, const char *question)
{
    (void)ctx;
    (void)question;
    return true;
}

void restore_world_open(struct restore_world *w, const struct fake_source_table *tables)
{
    struct fake_source source = fake_source(tables);
    struct bp_backup_job backup = {.source = &source.base,
                                   .store = &w->store.base,
                                   .clock = &w->clock.base,
                                   .out = &w->out,
                                   .branch = "main",
                                   .event = "push",
                                   .tool_version = "1"};
    struct bp_backup_result made;

    *w = (struct restore_world){.clock = fake_clock_new(),
                                .store = fake_store(),
                                .target = fake_target(),
                                .out = {.out = stdout, .err = stderr, .level = BP_LEVEL_QUIET}};
    w->clock.wall_start_ms = INT64_C(1705329045000);
    cr_assert_eq(bp_flow_backup(&backup, &made, &w->err), BP_OK, "%s", w->err.msg);
    w->job = (struct bp_restore_job){.store = &w->store.base,
                                     .target = &w->target.base,
                                     .clock = &w->clock.base,
                                     .out = &w->out,
                                     .archive = "latest",
                                     .branch = "main",
                                     .jobs = 2,
                                     .confirm = yes};
}

void restore_world_close(struct restore_world *w)
{
    cr_expect_eq(atomic_load(&w->target.writers), 0);
    bp_restore_result_free(&w->result);
    fake_store_release(&w->store);
    fake_target_release(&w->target);
}

void restore_world_put(struct restore_world *w, const char *path, const char *text)
{
    const char *old = fake_store_get(&w->store, WORLD_ARCHIVE "manifest.json");
    BP_AUTO(bp_freep) char *full = bp_format(WORLD_ARCHIVE "%s", path);
    BP_AUTO(bp_buf_free) struct bp_buf rendered = {0};
    struct bp_manifest m = {0};
    struct bp_err err;

    cr_assert_eq(bp_manifest_parse(old, strlen(old), &m, &err), BP_OK, "%s", err.msg);
    for (size_t i = 0; i < m.file_count; i++) {
        if (strcmp(m.files[i].path, path) != 0)
            continue;
        m.files[i].bytes = (int64_t)strlen(text);
        bp_sha256_hex(text, strlen(text), m.files[i].sha256);
    }
    bp_manifest_render(&m, &rendered);
    bp_manifest_free(&m);
    fake_store_put(&w->store, full, text);
    fake_store_put(&w->store, WORLD_ARCHIVE "manifest.json", bp_buf_str(&rendered));
}

enum bp_code restore_world_run(struct restore_world *w)
{
    bp_restore_result_free(&w->result);
    bp_buf_cut(&w->target.log, 0);
    return bp_flow_restore(&w->job, &w->result, &w->err);
}

size_t restore_world_told(const struct restore_world *w, const char *line)
{
    BP_AUTO(bp_freep) char *wanted = bp_format("%s\n", line);
    const char *at = bp_buf_str(&w->target.log);
    size_t count = 0;

    for (const char *end = strchr(at, '\n'); end != NULL; end = strchr(at, '\n')) {
        count +=
            (size_t)(end + 1 - at) == strlen(wanted) && strncmp(at, wanted, strlen(wanted)) == 0;
        at = end + 1;
    }
    return count;
}
