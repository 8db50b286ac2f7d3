#include "cmd/seal_args.h"

#include <string.h>

static const char *file_at(const struct bp_app *app, size_t i)
{
    const struct bp_list *args = &app->cfg.args;

    return i < args->count && strcmp(args->at[i], "-") != 0 ? args->at[i] : NULL;
}

struct bp_seal_file_job bp_seal_args(const struct bp_app *app)
{
    return (struct bp_seal_file_job){.from = file_at(app, 0),
                                     .to = file_at(app, 1),
                                     .in = app->in,
                                     .out = app->out->out,
                                     .stop = app->clock->stop,
                                     .dry = bp_config_flag(&app->cfg, BP_OPT_DRY_RUN)};
}
