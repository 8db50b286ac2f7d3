#include "test_backup_world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static const struct fake_source_table tables[] = {{"public", "users", 3, 30, 0, NULL, 0},
                                                  {"app", "empty", 0, 30, 0, NULL, 0},
                                                  {NULL, NULL, 0, 0, 0, NULL, 0}};

struct backup_world bw;

void backup_set_up(void)
{
    bw.clock = fake_clock_new();
    bw.clock.wall_start_ms = INT64_C(1705329045678); /* 2024-01-15T14:30:45.678Z */
    bw.source = fake_source(tables);
    bw.store = fake_store();
    bw.stop = (struct bp_stop){.fd = -1, .write_fd = -1};
    bw.out = (struct bp_out){.out = stdout, .err = stderr, .level = BP_LEVEL_QUIET};
    bw.job = (struct bp_backup_job){.source = &bw.source.base,
                                    .store = &bw.store.base,
                                    .clock = &bw.clock.base,
                                    .out = &bw.out,
                                    .branch = "main",
                                    .repository = "myorg/myapp",
                                    .ref = "main",
                                    .sha = "def5678aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                    .event = "schedule",
                                    .run_url = "https://forge.test/1",
                                    .tool_version = "9.9"};
}

void backup_tear_down(void)
{
    cr_expect_eq(atomic_load(&bw.source.readers), 0, "a reader was not freed");
    if (bw.out.err != stderr)
        (void)fclose(bw.out.err);
    bp_free(bw.printed);
    bp_manifest_free(&bw.manifest);
    bp_stop_close(&bw.stop);
    fake_store_release(&bw.store);
}

void backup_listen(void)
{
    bw.out.err = open_memstream(&bw.printed, &bw.printed_len);
    cr_assert_not_null(bw.out.err);
    bw.out.level = BP_LEVEL_NORMAL;
    bw.out.terminal = true;
}

void backup_with_stop(void)
{
    cr_assert_eq(bp_stop_open(&bw.stop, &bw.err), BP_OK, "%s", bw.err.msg);
    bw.clock.base.stop = &bw.stop;
}

enum bp_code backup_run(void)
{
    enum bp_code rc = bp_flow_backup(&bw.job, &bw.result, &bw.err);

    (void)fflush(bw.out.err);
    return rc;
}

void backup_manifest(void)
{
    const char *text = NULL;

    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    text = backup_file("manifest.json");
    cr_assert_not_null(text);
    bp_manifest_free(&bw.manifest);
    cr_assert_eq(bp_manifest_parse(text, strlen(text), &bw.manifest, &bw.err), BP_OK, "%s",
                 bw.err.msg);
}

const char *backup_file(const char *path)
{
    BP_AUTO(bp_freep) char *full = bp_format("backups/current/%s", path);

    return fake_store_get(&bw.store, full);
}

const struct bp_manifest_file *backup_listed(const char *path)
{
    const struct bp_manifest_file *found = NULL;

    for (size_t i = 0; i < bw.manifest.file_count; i++) {
        if (strcmp(bw.manifest.files[i].path, path) == 0)
            found = &bw.manifest.files[i];
    }
    cr_assert_not_null(found, "the manifest does not list %s", path);
    return found;
}
