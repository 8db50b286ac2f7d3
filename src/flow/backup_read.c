/* Everything that an archive holds is read here, by several connections at once. */
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "archive/embedded.h"
#include "archive/path.h"
#include "base/crew.h"
#include "base/mem.h"
#include "base/text.h"
#include "flow/backup_internal.h"
#include "flow/progress.h"

/* The tasks: these, then the dumps of schemas, then the slices. The definitions are first, because
 * they take pg_dump a while and no other task can be shared less. */
enum { TASK_DDL, TASK_LARGE_OBJECTS, FIRST_DUMP };

/* What belongs to one worker. */
struct seat {
    struct bp_reader *reader;
    struct bp_clock *clock;
    atomic_size_t task; /* what it does now, plus one; 0: nothing. Anybody may look */
};

struct reading {
    struct bp_backup *b;
    struct bp_slices *slices;
    struct bp_slices_progress progress;
    size_t dumps; /* schemas to dump */

    size_t workers;
    struct seat *seats; /* one for each */

    /* By task. */
    struct bp_stage_files large_objects;
    struct bp_stage_files *dump_files;

    atomic_bool no_room; /* what needs pg_dump found no connection, or lost it */

    int64_t started_ms;
    int64_t size_bytes; /* of all tables on the server's disk */
};

static enum bp_code begin(void *ctx, size_t worker, struct bp_clock *clock, struct bp_err *err)
{
    struct reading *r = ctx;
    struct bp_source *source = r->b->job->source;

    r->seats[worker].clock = clock;
    return source->ops->reader(source, worker, clock, &r->seats[worker].reader, err);
}

static void end(void *ctx, size_t worker)
{
    struct reading *r = ctx;

    bp_reader_freep(&r->seats[worker].reader);
}

static enum bp_code on_line(void *ctx, const char *line, size_t len, struct bp_err *err)
{
    return bp_lines_add(ctx, line, len, err);
}

static enum bp_code on_bytes(void *ctx, const char *bytes, size_t len, struct bp_err *err)
{
    return bp_lines_add_bytes(ctx, bytes, len, err);
}

static enum bp_code read_large_objects(struct reading *r, struct bp_reader *reader,
                                       struct bp_err *err)
{
    BP_AUTO(bp_lines_free)
    struct bp_lines lines = {.store = r->b->job->store,
                             .sealing = r->b->sealing,
                             .head = "",
                             .tail = "",
                             .files = &r->large_objects};

    if (reader->ops->large_objects(reader, on_line, &lines, &r->b->manifest.large_objects, err) !=
            BP_OK ||
        bp_lines_end(&lines, false, err) != BP_OK)
        return bp_wrap(err, "large objects");
    return BP_OK;
}

static enum bp_code dump_schema(struct reading *r, size_t i, struct bp_reader *reader,
                                struct bp_err *err)
{
    const char *schema = r->b->schemas.at[i];
    BP_AUTO(bp_lines_free)
    struct bp_lines lines = {.store = r->b->job->store,
                             .sealing = r->b->sealing,
                             .head = "",
                             .tail = "",
                             .files = &r->dump_files[i]};

    if (reader->ops->schema_dump(reader, schema, on_bytes, &lines, err) != BP_OK ||
        bp_lines_end(&lines, false, err) != BP_OK)
        return bp_wrap(err, "dump of schema '%s'", schema);
    if (r->dump_files[i].count == 0)
        return bp_fail(err, BP_EFAILED, "the dump of schema '%s' has no byte", schema);
    return BP_OK;
}

/* The slice of a task, or SIZE_MAX when it is none. */
static size_t slice_of(const struct reading *r, size_t task)
{
    return task >= FIRST_DUMP + r->dumps ? task - FIRST_DUMP - r->dumps : SIZE_MAX;
}

static enum bp_code claim(void *ctx, size_t worker, size_t task, struct bp_err *err)
{
    struct reading *r = ctx;
    size_t slice = slice_of(r, task);

    if (slice == SIZE_MAX)
        return BP_OK;
    return bp_slices_claim(r->slices, slice, r->seats[worker].reader, err);
}

static enum bp_code do_task(struct reading *r, struct seat *seat, size_t task, struct bp_err *err)
{
    struct bp_reader *reader = seat->reader;

    if (task == TASK_DDL)
        return reader->ops->ddl(reader, &r->b->tables, &r->b->ddl, err);
    if (task == TASK_LARGE_OBJECTS)
        return read_large_objects(r, reader, err);
    if (task < FIRST_DUMP + r->dumps)
        return dump_schema(r, task - FIRST_DUMP, reader, err);
    return bp_slices_read(r->slices, slice_of(r, task), reader, seat->clock, err);
}

static enum bp_code work(void *ctx, size_t worker, size_t task, struct bp_err *err)
{
    struct reading *r = ctx;
    struct seat *seat = &r->seats[worker];
    enum bp_code rc = BP_OK;

    atomic_store(&seat->task, task + 1);
    rc = do_task(r, seat, task, err);
    if (rc == BP_EUNAVAILABLE && slice_of(r, task) == SIZE_MAX)
        atomic_store(&r->no_room, true);
    atomic_store(&seat->task, 0);
    return rc;
}

/* The time left is told by what the tables take on the server's disk. */
static void show_progress(const struct reading *r)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    const struct bp_progress_state state = {.rows = atomic_load(&r->progress.rows),
                                            .bytes = atomic_load(&r->progress.bytes),
                                            .done = atomic_load(&r->progress.size),
                                            .all = r->size_bytes,
                                            .took_ms =
                                                bp_clock_mono(r->b->job->clock) - r->started_ms};

    bp_put_progress(&text, &state);
    bp_progress(r->b->job->out, "backing up: %s", bp_buf_str(&text));
}

static void put_task(struct bp_buf *out, const struct reading *r, size_t task)
{
    if (task == TASK_DDL) {
        bp_buf_puts(out, "the definitions (pg_dump)");
    } else if (task == TASK_LARGE_OBJECTS) {
        bp_buf_puts(out, "the large objects");
    } else if (task < FIRST_DUMP + r->dumps) {
        bp_buf_printf(out, "the dump of schema '%s'", r->b->schemas.at[task - FIRST_DUMP]);
    } else {
        const struct bp_table *table = bp_slices_table(r->slices, slice_of(r, task));

        bp_buf_printf(out, "table '%s.%s'", table->schema, table->name);
    }
}

/* What is said when it does not end in time. */
static void name_phase(struct reading *r)
{
    BP_AUTO(bp_buf_free) struct bp_buf words = {0};

    bp_buf_puts(&words, "reading");
    for (size_t i = 0, named = 0; i < r->workers; i++) {
        size_t task = atomic_load(&r->seats[i].task);

        if (task == 0)
            continue;
        bp_buf_puts(&words, named++ > 0 ? ", " : " ");
        put_task(&words, r, task - 1);
    }
    bp_copy_foreign(r->b->phase_text, sizeof(r->b->phase_text), words.data);
    r->b->phase = r->b->phase_text;
}

static enum bp_code watch(void *ctx, struct bp_err *err)
{
    (void)err;
    name_phase(ctx);
    show_progress(ctx);
    return BP_OK;
}

/* The connection that holds the locks has nothing to read while others still do. */
static enum bp_code idle(void *ctx, struct bp_err *err)
{
    struct bp_source *source = ((struct reading *)ctx)->b->job->source;

    return source->ops->alive(source, err);
}

/*
 * When the session that holds the locks ends, or somebody drops a function, whatever breaks first
 * is a consequence. And when pg_dump found no connection, there is room for it with one reader less
 * than there were.
 */
static enum bp_code find_cause(struct reading *r, enum bp_code rc, size_t began, struct bp_err *err)
{
    struct bp_backup *b = r->b;
    struct bp_err cause = {0};

    if (rc == BP_ESTOPPED || rc == BP_ETIMEOUT)
        return rc;
    if (b->job->source->ops->confirm(b->job->source, false, &cause) != BP_OK) {
        *err = cause;
        return cause.code;
    }
    /* One that has its connection may not have counted itself yet. */
    b->no_room = rc == BP_EUNAVAILABLE && atomic_load(&r->no_room) && b->workers > 1;
    if (b->no_room)
        b->workers = began > 1 ? began - 1 : 1;
    return rc;
}

static enum bp_code read_all(struct reading *r, struct bp_err *err)
{
    struct bp_backup *b = r->b;
    const struct bp_crew_job job = {.workers = r->workers,
                                    .tasks = FIRST_DUMP + r->dumps + bp_slices_count(r->slices),
                                    .begin = begin,
                                    .claim = claim,
                                    .work = work,
                                    .end = end,
                                    .idle = idle,
                                    .watch = watch,
                                    .ctx = r,
                                    .clock = b->job->clock};
    struct bp_err why = {0};
    size_t began = 0;
    enum bp_code rc = BP_OK;

    b->no_room = false;
    name_phase(r);
    rc = bp_crew_run(&job, &began, &why, err);
    bp_progress_end(b->job->out);
    if (rc != BP_OK)
        return find_cause(r, rc, began, err);
    if (why.code != BP_OK)
        bp_info(b->job->out, "read with %zu of %zu connections: %s", began, r->workers, why.msg);
    /* Locks that were given back before the last row was read would be no locks. */
    return b->job->source->ops->confirm(b->job->source, true, err);
}

/* ---- what was read becomes files of the archive ---- */

static enum bp_code stage_texts(struct bp_backup *b, struct bp_stage *stage, struct bp_err *err)
{
    const struct {
        const char *path;
        const char *text;
    } files[] = {
        {"roles.sql", b->ddl.roles},
        {"database/pre-data.sql", b->ddl.pre_data},
        {"database/sequences.sql", b->ddl.sequences},
        {"database/post-data.sql", b->ddl.post_data},
        {"database/refresh.sql", b->ddl.refresh},
    };

    /* A clone on Windows must not change line ends: every checksum would be wrong. */
    if (bp_stage_open_text(stage, ".gitattributes", "* -text\n", false, err) != BP_OK ||
        bp_stage_open_text(stage, "RESTORE.md", bp_embedded_RESTORE_md, false, err) != BP_OK ||
        bp_stage_open_text(stage, "restore.sh", bp_embedded_restore_sh, true, err) != BP_OK)
        return err->code;

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        const char *text = files[i].text != NULL ? files[i].text : "";

        if (bp_stage_text(stage, files[i].path, text, strlen(text), err) != BP_OK)
            return err->code;
    }
    return BP_OK;
}

/* The checksum of a table is that of the checksums of its files, so that several readers can each
 * make some of them. */
static void sum_files(const struct bp_stage_files *files, char out[BP_SHA256_HEX_SIZE])
{
    BP_AUTO(bp_buf_free) struct bp_buf sums = {0};

    for (size_t i = 0; i < files->count; i++)
        bp_buf_printf(&sums, "%s\n", files->at[i].sha256);
    bp_sha256_hex(bp_buf_str(&sums), sums.len, out);
}

static enum bp_code stage_table(struct reading *r, struct bp_stage *stage,
                                const struct bp_table *table, struct bp_err *err)
{
    BP_AUTO(bp_freep) char *folder = bp_path_table(table->schema, table->name);
    BP_AUTO(bp_freep) char *definition = bp_format("%s/schema.sql", folder);
    BP_AUTO(bp_freep) char *base = bp_format("%s/data", folder);
    BP_AUTO(bp_stage_files_free) struct bp_stage_files files = {0};
    struct bp_manifest_table *entry = NULL;
    const char *words = table->definition;

    if (bp_slices_take(r->slices, table, &files, err) != BP_OK ||
        (words != NULL && bp_stage_text(stage, definition, words, strlen(words), err) != BP_OK))
        return err->code;
    entry = bp_manifest_add_table(stage->manifest);
    entry->schema = bp_strdup(table->schema);
    entry->name = bp_strdup(table->name);
    entry->order = bp_strdup(table->order);
    entry->rows = files.lines;
    entry->bytes = files.bytes;
    sum_files(&files, entry->sha256);
    if (bp_stage_files(stage, base, ".sql", &files, &entry->files, err) != BP_OK)
        return err->code;
    bp_debug(r->b->job->out, "%s.%s: %" PRId64 " rows, %" PRId64 " bytes in %zu files",
             table->schema, table->name, entry->rows, entry->bytes, entry->files.count);
    return BP_OK;
}

static enum bp_code stage_all(struct reading *r, struct bp_err *err)
{
    struct bp_backup *b = r->b;
    struct bp_stage stage = {.store = b->job->store,
                             .manifest = &b->manifest,
                             .sealing = b->sealing,
                             .outer = &b->outer};

    if (stage_texts(b, &stage, err) != BP_OK)
        return err->code;
    for (size_t i = 0; i < b->tables.count; i++) {
        if (stage_table(r, &stage, &b->tables.at[i], err) != BP_OK)
            return err->code;
    }
    for (size_t i = 0; i < r->dumps; i++) {
        BP_AUTO(bp_freep) char *base = bp_path_schema_dump(b->schemas.at[i]);

        if (bp_stage_files(&stage, base, "", &r->dump_files[i], NULL, err) != BP_OK)
            return err->code;
    }
    return bp_stage_files(&stage, "database/large-objects/data", ".sql", &r->large_objects, NULL,
                          err);
}

static void free_reading(struct reading *r)
{
    for (size_t i = 0; i < r->dumps; i++)
        bp_stage_files_free(&r->dump_files[i]);
    bp_free(r->dump_files);
    bp_stage_files_free(&r->large_objects);
    bp_slices_freep(&r->slices);
    bp_free(r->seats);
}

enum bp_code bp_backup_read(struct bp_backup *b, struct bp_err *err)
{
    BP_AUTO(free_reading)
    struct reading r = {.b = b,
                        .workers = b->workers,
                        .dumps = b->job->schema_dumps ? b->schemas.count : 0,
                        .started_ms = bp_clock_mono(b->job->clock)};

    r.slices = bp_slices_new(&b->tables, b->job->store, b->sealing, &r.progress);
    r.seats = bp_alloc(r.workers, sizeof(*r.seats));
    r.dump_files = bp_alloc(r.dumps + 1, sizeof(*r.dump_files));
    for (size_t i = 0; i < b->tables.count; i++)
        r.size_bytes += b->tables.at[i].size_bytes;
    if (read_all(&r, err) != BP_OK)
        return err->code;
    b->job->source->ops->close(b->job->source);
    return stage_all(&r, err);
}
