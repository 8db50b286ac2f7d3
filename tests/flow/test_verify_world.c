#include "test_verify_world.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "flow/backup.h"

static const struct fake_source_table tables[] = {
    {"public", "users", 3, 30}, {"public", "orders", 2, 40}, {NULL, NULL, 0, 0}};

struct verify_world verify_world;

/* One value, as the fake's COPY statement says. */
void verify_world_row(const struct fake_source_table *table, int64_t i, char *row)
{
    int len = snprintf(row, table->row_len, "%" PRId64 " value ", i);

    memset(row + len, 'x', table->row_len - 1 - (size_t)len);
    row[table->row_len - 1] = '\n';
}

static struct verify_scratch *from_base(struct bp_scratch *self)
{
    return (struct verify_scratch *)self;
}

static enum bp_code start(struct bp_scratch *self, const struct bp_scratch_want *want,
                          struct bp_scratch_info *info, struct bp_err *err)
{
    struct verify_scratch *s = from_base(self);

    s->starts++;
    cr_expect_eq(want->version_num, 150008);
    if (s->start_result != BP_OK)
        return bp_fail(err, s->start_result, "no scratch");
    *info = (struct bp_scratch_info){
        .version_num = s->version_num, .where = "a fake", .same_collation = !s->other_collation};
    return BP_OK;
}

static struct bp_target *target(struct bp_scratch *self)
{
    (void)self;
    return &verify_world.target.base;
}

static struct bp_source *source(struct bp_scratch *self, const struct bp_scope *scope)
{
    (void)self;
    (void)scope;
    return &verify_world.source.base;
}

static enum bp_code missing(struct bp_scratch *self, const struct bp_list *extensions,
                            struct bp_list *out, struct bp_err *err)
{
    (void)err;
    for (size_t i = 0; i < extensions->count; i++) {
        if (from_base(self)->missing != NULL &&
            strcmp(extensions->at[i], from_base(self)->missing) == 0)
            bp_list_add(out, extensions->at[i]);
    }
    return BP_OK;
}

static enum bp_code ask(struct bp_scratch *self, const char *sql, bool *yes, struct bp_buf *why,
                        struct bp_err *err)
{
    (void)sql;
    (void)err;
    *yes = from_base(self)->answer;
    bp_buf_puts(why, "it returned false");
    return BP_OK;
}

static void no_free(struct bp_scratch *self)
{
    (void)self;
}

static const struct bp_scratch_ops ops = {.start = start,
                                          .target = target,
                                          .source = source,
                                          .missing = missing,
                                          .ask = ask,
                                          .free = no_free};

void verify_world_open(void)
{
    struct verify_world *w = &verify_world;
    struct bp_backup_job backup = {.source = &w->source.base,
                                   .store = &w->store.base,
                                   .clock = &w->clock.base,
                                   .out = &w->out,
                                   .branch = "main",
                                   .event = "push",
                                   .tool_version = "1"};
    struct bp_backup_result made;

    *w = (struct verify_world){
        .clock = fake_clock_new(),
        .store = fake_store(),
        .source = fake_source(tables),
        .target = fake_target(),
        .scratch = {.base.ops = &ops, .version_num = 150008, .answer = true},
        .out = {.out = stdout, .err = stderr, .level = BP_LEVEL_QUIET},
    };
    w->clock.wall_start_ms = INT64_C(1705329045000);
    w->source.large_object_lines = 2;
    w->source.make_row = verify_world_row;
    cr_assert_eq(bp_flow_backup(&backup, &made, &w->err), BP_OK, "%s", w->err.msg);
    bp_list_add(&w->checks, "SELECT true;");
    w->job = (struct bp_verify_job){.store = &w->store.base,
                                    .scratch = &w->scratch.base,
                                    .clock = &w->clock.base,
                                    .out = &w->out,
                                    .archive = "latest",
                                    .branch = "main",
                                    .checks = &w->checks,
                                    .jobs = 2,
                                    .record = true};
}

void verify_world_close(void)
{
    bp_verify_result_free(&verify_world.result);
    bp_list_free(&verify_world.checks);
    fake_store_release(&verify_world.store);
    fake_target_release(&verify_world.target);
}

enum bp_code verify_world_run(enum bp_proof level)
{
    struct verify_world *w = &verify_world;

    bp_verify_result_free(&w->result);
    w->job.level = level;
    return bp_flow_verify(&w->job, &w->result, &w->err);
}

static void read_manifest(struct bp_manifest *out)
{
    const char *text = fake_store_get(&verify_world.store, VERIFY_FOLDER "/manifest.json");

    cr_assert_not_null(text);
    cr_assert_eq(bp_manifest_parse(text, strlen(text), out, &verify_world.err), BP_OK, "%s",
                 verify_world.err.msg);
}

const char *verify_world_recorded(void)
{
    static char level[8];
    struct bp_manifest m = {0};

    read_manifest(&m);
    (void)snprintf(level, sizeof(level), "%s",
                   bp_manifest_is_verified(&m.verification) ? m.verification.level : "");
    bp_manifest_free(&m);
    return level;
}

void verify_world_change(const char *path, const char *text)
{
    BP_AUTO(bp_freep) char *full = bp_format(VERIFY_FOLDER "/%s", path);
    BP_AUTO(bp_buf_free) struct bp_buf rendered = {0};
    struct bp_manifest m = {0};
    struct bp_manifest_file *file = NULL;

    read_manifest(&m);
    for (size_t i = 0; i < m.file_count; i++)
        file = strcmp(m.files[i].path, path) == 0 ? &m.files[i] : file;
    cr_assert_not_null(file);
    file->bytes = (int64_t)strlen(text);
    bp_sha256_hex(text, strlen(text), file->sha256);
    for (size_t i = 0; i < m.table_count; i++) {
        struct bp_manifest_table *t = &m.tables[i];
        BP_AUTO(bp_buf_free) struct bp_buf sums = {0};

        for (size_t j = 0; j < t->files.count; j++)
            bp_buf_printf(&sums, "%s\n", bp_manifest_file(&m, t->files.at[j])->sha256);
        bp_sha256_hex(bp_buf_str(&sums), sums.len, t->sha256);
    }
    bp_manifest_render(&m, &rendered);
    fake_store_put(&verify_world.store, full, text);
    fake_store_put(&verify_world.store, VERIFY_FOLDER "/manifest.json", bp_buf_str(&rendered));
    bp_manifest_free(&m);
}
