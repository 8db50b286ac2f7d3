/* The PostgreSQL driver of source.h: it puts the parts in postgres_*.c together. */
#include <string.h>

#include "base/crew.h"
#include "base/mem.h"
#include "net/tunnel.h"
#include "source/postgres.h"
#include "source/postgres_catalog.h"
#include "source/postgres_changes.h"
#include "source/postgres_check.h"
#include "source/postgres_conn.h"
#include "source/postgres_lock.h"
#include "source/postgres_mask.h"
#include "source/postgres_params.h"
#include "source/postgres_reader.h"
#include "source/postgres_scope.h"
#include "source/postgres_snapshot.h"
#include "source/postgres_split.h"

/* So often the holder of the locks is asked whether it is still there. */
enum { ASK_MS = 30000, LAST_RETRIES = 10 };

struct postgres_source {
    struct bp_source base; /* must be first */
    struct bp_pg pg;       /* holds the locks and the snapshot */
    struct bp_pg_scope scope;
    struct bp_pg_shared shared;
    struct bp_list schemas; /* that the scope takes something of */
    int64_t asked_ms;       /* when the holder was last asked */
    char *lock_name;        /* what lock() was called with; NULL: it was not */
    bool lock_waits;
};

static struct postgres_source *from_base(struct bp_source *self)
{
    return (struct postgres_source *)self;
}

static enum bp_code prepare(struct postgres_source *s, struct bp_err *err)
{
    const struct bp_postgres_options *options = &s->shared.options;

    bp_pg_scope_free(&s->scope);
    if (bp_pg_scope_open(&s->pg, &options->scope, &s->scope, err) != BP_OK ||
        bp_pg_snapshot_prepare(&s->pg, err) != BP_OK)
        return err->code;
    if (s->lock_name == NULL)
        return BP_OK;
    return bp_pg_lock(&s->pg, options, s->lock_name, s->lock_waits, err);
}

/* Connect, if that was not done yet or the session was lost, and with it what lock() holds. */
static enum bp_code connect_once(struct postgres_source *s, struct bp_err *err)
{
    if (s->pg.conn != NULL)
        return BP_OK;
    if (bp_pg_tunnel_open(&s->shared.options, err) != BP_OK ||
        bp_pg_open(&s->pg, &s->shared.options, err) != BP_OK)
        return err->code;
    if (prepare(s, err) == BP_OK)
        return BP_OK;
    bp_pg_close(&s->pg);
    return err->code;
}

static enum bp_code take_lock(struct bp_source *self, const char *name, bool wait,
                              struct bp_err *err)
{
    struct postgres_source *s = from_base(self);

    bp_free(s->lock_name);
    s->lock_name = bp_strdup(name);
    s->lock_waits = wait;
    return connect_once(s, err);
}

/* pg_dump complains when there are subscriptions that it may not read, and a complaint is a
 * failure. */
static enum bp_code leave_out_subscriptions(struct postgres_source *s, struct bp_source_info *info,
                                            struct bp_err *err)
{
    static const char sql[] =
        "SELECT count(*) FROM pg_subscription"
        " WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)";
    BP_AUTO(bp_pg_clear) PGresult *row = NULL;

    if (s->scope.narrow)
        return BP_OK;
    if (bp_pg_query(&s->pg, sql, &row, err) != BP_OK)
        return bp_wrap(err, "cannot look for subscriptions");
    if (strcmp(PQgetvalue(row, 0, 0), "0") == 0)
        return BP_OK;
    bp_list_add(&s->shared.dump_args, "--no-subscriptions");
    bp_list_addf(&info->warnings, "left out: subscriptions (%s), which only a superuser may read",
                 PQgetvalue(row, 0, 0));
    return BP_OK;
}

/* What pg_dump has to leave out, for definitions and for dumps with rows. */
static enum bp_code make_dump_args(struct postgres_source *s, struct bp_source_info *info,
                                   struct bp_err *err)
{
    const struct bp_scope *scope = &s->shared.options.scope;

    bp_list_free(&s->shared.dump_args);
    bp_list_free(&s->shared.dump_rows);
    s->shared.narrow = s->scope.narrow;
    if (leave_out_subscriptions(s, info, err) != BP_OK ||
        bp_pg_scope_args(&s->pg, scope, &s->scope, &s->shared.dump_args, err) != BP_OK)
        return err->code;
    for (size_t i = 0; i < s->shared.dump_args.count; i++)
        bp_list_add(&s->shared.dump_rows, s->shared.dump_args.at[i]);
    return bp_pg_scope_data_args(&s->pg, scope, &s->scope, &s->shared.dump_rows, err);
}

static enum bp_code list_definitions(struct postgres_source *s, const struct bp_list *schemas,
                                     struct bp_err *err)
{
    struct bp_pg_shared *shared = &s->shared;

    bp_list_free(&s->schemas);
    for (size_t i = 0; i < schemas->count; i++)
        bp_list_add(&s->schemas, schemas->at[i]);
    shared->changes =
        (struct bp_pg_changes_scope){.schemas = &s->schemas, .relations = s->scope.relations};
    if (bp_pg_changes_list(&s->pg, &shared->changes, true, &shared->names, err) != BP_OK)
        return err->code;
    return bp_pg_changes_list(&s->pg, &shared->changes, false, &shared->definitions, err);
}

static enum bp_code read_catalog(struct postgres_source *s, struct bp_source_info *info,
                                 struct bp_tables *tables, struct bp_err *err)
{
    const struct bp_scope *scope = &s->shared.options.scope;
    size_t readers = s->shared.options.jobs > 0 ? (size_t)s->shared.options.jobs : bp_crew_cores();

    if (bp_pg_scope_check(&s->pg, scope, &s->scope, &info->warnings, err) != BP_OK ||
        make_dump_args(s, info, err) != BP_OK || bp_pg_snapshot_info(&s->pg, info, err) != BP_OK ||
        bp_pg_catalog_read(&s->pg, s->scope.rows, tables, err) != BP_OK ||
        bp_pg_catalog_schemas(&s->pg, s->scope.relations, &info->schemas, err) != BP_OK ||
        list_definitions(s, &info->schemas, err) != BP_OK ||
        bp_pg_masks_apply(&s->pg, &s->scope, &scope->masks, tables, err) != BP_OK)
        return err->code;
    return bp_pg_split(&s->pg, readers, tables, err);
}

static enum bp_code examine(struct bp_source *self, struct bp_findings *findings,
                            struct bp_err *err)
{
    struct bp_postgres_options *options = &from_base(self)->shared.options;

    if (bp_pg_tunnel_open(options, err) != BP_OK) {
        bp_findings_fail(findings, "database", err);
        return BP_OK;
    }
    return bp_pg_check(options, findings, err);
}

static enum bp_code take_snapshot(struct bp_source *self, struct bp_source_info *info,
                                  struct bp_tables *tables, struct bp_err *err)
{
    struct postgres_source *s = from_base(self);
    const struct bp_postgres_options *options = &s->shared.options;

    /* Before the locks: a missing program is better found while nobody waits for us. */
    if (connect_once(s, err) != BP_OK ||
        bp_pg_programs_find(options, PQserverVersion(s->pg.conn), &s->shared.programs, err) !=
            BP_OK ||
        bp_pg_snapshot_begin(&s->pg, options, s->scope.relations, err) != BP_OK ||
        read_catalog(s, info, tables, err) != BP_OK)
        return err->code;
    bp_free(s->shared.snapshot);
    s->shared.snapshot = bp_strdup(info->snapshot);
    s->asked_ms = bp_clock_mono(options->clock);
    info->pg_dump_version = bp_strdup(s->shared.programs.version);
    return BP_OK;
}

static enum bp_code open_reader(struct bp_source *self, size_t number, struct bp_clock *clock,
                                struct bp_reader **out, struct bp_err *err)
{
    struct postgres_source *s = from_base(self);

    return bp_pg_reader_open(&s->shared, number == 0 ? &s->pg : NULL, clock, out, err);
}

static enum bp_code ask(struct postgres_source *s, bool sure, struct bp_err *err)
{
    int64_t now = bp_clock_mono(s->shared.options.clock);
    /* After an error it takes no statement, but it lives. */
    bool broken = PQtransactionStatus(s->pg.conn) == PQTRANS_INERROR;
    enum bp_code rc = BP_OK;

    /* A server that ends a session says so, or closes the connection: both can be read. */
    if (broken || (!sure && now - s->asked_ms < ASK_MS)) {
        rc = bp_pg_look(&s->pg, err);
    } else {
        s->asked_ms = now;
        rc = bp_pg_run(&s->pg, "SELECT 1", err);
    }
    return rc == BP_OK ? BP_OK : bp_wrap(err, "the session that holds the locks is gone");
}

static enum bp_code check_alive(struct bp_source *self, struct bp_err *err)
{
    return ask(from_base(self), false, err);
}

/* The holder sees the snapshot only; what is there now is seen by a session of its own. */
static enum bp_code find_cause(struct postgres_source *s, struct bp_err *err)
{
    /* Maybe it was us who ended the session, because something else had failed. */
    if (!s->pg.given_up && ask(s, true, err) != BP_OK)
        return err->code;
    if (bp_pg_changes_look(&s->shared.options, &s->shared.changes, false, &s->shared.definitions,
                           err) == BP_ELOCKED)
        return BP_ELOCKED;
    return BP_OK;
}

static enum bp_code confirm(struct bp_source *self, bool all_read, struct bp_err *err)
{
    struct postgres_source *s = from_base(self);
    struct bp_postgres_options options = s->shared.options;

    if (!all_read)
        return find_cause(s, err);
    if (ask(s, true, err) != BP_OK)
        return err->code;
    /* This is worth waiting for. */
    if (options.connect_retries > 0 && options.connect_retries < LAST_RETRIES)
        options.connect_retries = LAST_RETRIES;
    return bp_pg_changes_look(&options, &s->shared.changes, true, &s->shared.names, err);
}

static void close_source(struct bp_source *self)
{
    struct postgres_source *s = from_base(self);
    struct bp_err ignored = {0};

    /* The session stays for what lock() holds. When that fails, the session is gone. */
    if (s->pg.conn != NULL && bp_pg_run(&s->pg, "ROLLBACK", &ignored) != BP_OK)
        bp_pg_close(&s->pg);
}

static void free_source(struct bp_source *self)
{
    struct postgres_source *s = from_base(self);

    bp_pg_close(&s->pg);
    bp_pg_scope_free(&s->scope);
    bp_pg_programs_free(&s->shared.programs);
    bp_list_free(&s->schemas);
    bp_list_free(&s->shared.names);
    bp_list_free(&s->shared.definitions);
    bp_free(s->lock_name);
    bp_free(s->shared.snapshot);
    bp_list_free(&s->shared.dump_args);
    bp_list_free(&s->shared.dump_rows);
    bp_tunnel_closep(&s->shared.options.tunnel);
    bp_free(s);
}

static const struct bp_source_ops ops = {
    .examine = examine,
    .lock = take_lock,
    .snapshot = take_snapshot,
    .reader = open_reader,
    .alive = check_alive,
    .confirm = confirm,
    .close = close_source,
    .free = free_source,
};

struct bp_source *bp_postgres_source_new(const struct bp_postgres_options *options)
{
    struct postgres_source *s = bp_alloc(1, sizeof(*s));

    s->base.ops = &ops;
    s->shared.options = *options;
    return &s->base;
}
