/* A scratch that is somebody's empty database. */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "net/tunnel.h"
#include "source/postgres_clean.h"
#include "source/postgres_params.h"
#include "source/postgres_scratch.h"

enum { MAJOR = 10000, CLEAN_MS = 60000 };

struct url_scratch {
    struct bp_pg_scratch base; /* must be first */
    bool ours;                 /* it was empty, so what is there now is ours */
};

static enum bp_code refuse_source(struct bp_pg *pg, const struct bp_scratch_want *want,
                                  struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf identifier = {0};
    struct bp_err unknown = {0};
    char where[BP_PG_WHERE_SIZE];

    if (want->system_identifier == NULL || want->name == NULL ||
        strcmp(PQdb(pg->conn), want->name) != 0)
        return BP_OK;
    /* Not every server tells it to every user; then that the database is empty has to do. */
    if (bp_pg_query_text(pg, "SELECT system_identifier FROM pg_control_system()", &identifier,
                         &unknown) != BP_OK)
        return bp_stop_check(pg->clock->stop, err);
    if (strcmp(bp_buf_str(&identifier), want->system_identifier) != 0)
        return BP_OK;
    bp_pg_where(pg, where);
    return bp_fail(err, BP_EUSAGE,
                   "the scratch database is the source of the archive: '%s' at %s; hint: "
                   "--scratch-url has to name an empty database made for this",
                   want->name, where);
}

static enum bp_code check_empty(struct bp_pg *pg, struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list some = {0};
    int64_t count = 0;

    if (bp_pg_contents(pg, &some, &count, err) != BP_OK)
        return err->code;
    if (count == 0)
        return BP_OK;
    return bp_fail(err, BP_EUSAGE,
                   "the scratch database '%s' is not empty: it holds %" PRId64
                   " objects (%s%s); hint: --scratch-url has to name an empty database",
                   PQdb(pg->conn), count, some.count > 0 ? some.at[0] : "",
                   some.count > 1 ? " ..." : "");
}

static enum bp_code start(struct bp_scratch *self, const struct bp_scratch_want *want,
                          struct bp_scratch_info *info, struct bp_err *err)
{
    struct url_scratch *s = (struct url_scratch *)self;
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};

    if (bp_pg_tunnel_open(&s->base.reach, err) != BP_OK ||
        bp_pg_open(&pg, &s->base.reach, err) != BP_OK)
        return bp_wrap(err, "the scratch database");
    if (bp_pg_scratch_describe(&pg, want, info, err) != BP_OK ||
        refuse_source(&pg, want, err) != BP_OK || check_empty(&pg, err) != BP_OK)
        return err->code;
    if (info->version_num / MAJOR < want->version_num / MAJOR)
        return bp_fail(err, BP_EUSAGE,
                       "the archive is from PostgreSQL %d, the scratch database is version %d; "
                       "hint: it has to be of the same major version or a newer one",
                       want->version_num / MAJOR, info->version_num / MAJOR);
    s->ours = true;
    return BP_OK;
}

static enum bp_code empty(struct url_scratch *s, struct bp_err *err)
{
    /* Whoever asks us to end still wants the database back as it was. */
    struct bp_clock clock = bp_clock_system(NULL);
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};

    s->base.reach.clock = &clock;
    if (bp_pg_open(&pg, &s->base.reach, err) != BP_OK)
        return err->code;
    pg.deadline = bp_clock_mono(&clock) + CLEAN_MS;
    if (bp_pg_run(&pg, "BEGIN", err) != BP_OK || bp_pg_clean(&pg, err) != BP_OK ||
        bp_pg_run(&pg, "COMMIT", err) != BP_OK)
        return err->code;
    return BP_OK;
}

static void free_scratch(struct bp_scratch *self)
{
    struct url_scratch *s = (struct url_scratch *)self;
    const struct bp_postgres_options told = s->base.reach;
    struct bp_err err = {0};

    if (s->ours && empty(s, &err) != BP_OK)
        bp_pg_tell(&told, "the scratch database could not be emptied: %s", err.msg);
    bp_tunnel_closep(&s->base.reach.tunnel);
    bp_free(s);
}

static const struct bp_scratch_ops ops = {
    .start = start,
    .target = bp_pg_scratch_target,
    .source = bp_pg_scratch_source,
    .missing = bp_pg_scratch_missing,
    .ask = bp_pg_scratch_ask,
    .free = free_scratch,
};

struct bp_scratch *bp_postgres_scratch_url_new(const struct bp_postgres_options *options)
{
    struct url_scratch *s = bp_alloc(1, sizeof(*s));

    s->base.base.ops = &ops;
    s->base.reach = *options;
    return &s->base.base;
}
