/* All of it in one transaction. */
#include "base/mem.h"
#include "flow/restore_internal.h"

static enum bp_code define(struct bp_restore *r, const struct bp_restore_steps *steps,
                           struct bp_err *err)
{
    struct bp_writer *writer = r->seats[0].writer;

    for (size_t i = 0; i < steps->count; i++) {
        const struct bp_restore_step *step = &steps->at[i];

        if (bp_stop_check(r->job->clock->stop, err) != BP_OK ||
            writer->ops->define(writer, step->sql, step->label, err) != BP_OK)
            return err->code;
    }
    return BP_OK;
}

static enum bp_code run(struct bp_restore *r, const char *sql, const char *label,
                        struct bp_err *err)
{
    struct bp_writer *writer = r->seats[0].writer;

    return sql[0] != '\0' ? writer->ops->run(writer, sql, label, err) : BP_OK;
}

static enum bp_code load_rows(struct bp_restore *r, struct bp_err *err)
{
    for (size_t i = 0; i < r->plan.table_count; i++) {
        if (bp_restore_load_table(r, &r->seats[0], &r->plan.tables[i], err) != BP_OK)
            return err->code;
    }
    return BP_OK;
}

static enum bp_code load(struct bp_restore *r, struct bp_err *err)
{
    struct bp_writer *writer = r->seats[0].writer;

    if (writer->ops->begin(writer, true, err) != BP_OK || bp_restore_make_room(r, err) != BP_OK ||
        run(r, r->plan.roles, "roles.sql", err) != BP_OK || define(r, &r->plan.pre, err) != BP_OK ||
        (bp_restore_has_objects(r) && bp_restore_load_objects(r, &r->seats[0], err) != BP_OK) ||
        load_rows(r, err) != BP_OK ||
        run(r, r->plan.sequences, "database/sequences.sql", err) != BP_OK ||
        define(r, &r->plan.post, err) != BP_OK || define(r, &r->plan.refresh, err) != BP_OK)
        return err->code;
    return BP_OK;
}

enum bp_code bp_restore_single(struct bp_restore *r, struct bp_err *err)
{
    struct bp_writer *writer = NULL;

    if (bp_restore_sit(r, 0, r->job->clock, err) != BP_OK || load(r, err) != BP_OK) {
        if (r->seats[0].writer != NULL)
            r->seats[0].writer->ops->rollback(r->seats[0].writer);
        return bp_wrap(err, "nothing was restored");
    }
    bp_progress_end(r->job->out);
    writer = r->seats[0].writer;
    if (writer->ops->commit(writer, err) == BP_OK)
        return bp_restore_analyze(r, err);
    if (err->code == BP_EFAILED)
        return bp_wrap(err, "nothing was restored");
    return bp_wrap(err,
                   "it is not known whether the restore was committed (look whether database "
                   "'%s' is empty)",
                   r->info.name);
}
