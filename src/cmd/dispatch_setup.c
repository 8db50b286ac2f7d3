#include "cmd/dispatch_setup.h"

#include <string.h>

#include "base/random.h"
#include "cmd/registry.h"

#define MINUTE_MS INT64_C(60000)
#define DAY_MS    INT64_C(86400000)

static enum bp_until until_of(const struct bp_config *cfg)
{
    if (bp_config_is(cfg, BP_OPT_WAIT_UNTIL, "appeared"))
        return BP_UNTIL_APPEARED;
    return bp_config_is(cfg, BP_OPT_WAIT_UNTIL, "finished") ? BP_UNTIL_FINISHED : BP_UNTIL_STARTED;
}

static int64_t timeout_of(const struct bp_config *cfg, enum bp_until until)
{
    if (bp_config_text(cfg, BP_OPT_TIMEOUT) != NULL)
        return bp_config_number(cfg, BP_OPT_TIMEOUT);
    return until == BP_UNTIL_FINISHED ? 60 * MINUTE_MS : 15 * MINUTE_MS;
}

/* What both commands take. */
static void read_forge_group(struct bp_app *app, struct bp_dispatch_job *job)
{
    const struct bp_config *cfg = &app->cfg;

    job->clock = app->clock;
    job->out = app->out;
    job->marker_input = bp_config_text(cfg, BP_OPT_MARKER_INPUT);
    job->token_warn_ms = bp_config_number(cfg, BP_OPT_TOKEN_WARN_DAYS) * DAY_MS;
    job->retries = bp_config_number(cfg, BP_OPT_RETRIES);
    job->retry_delay_ms = bp_config_number(cfg, BP_OPT_RETRY_DELAY);
    job->request_timeout_ms = bp_config_number(cfg, BP_OPT_REQUEST_TIMEOUT);
    bp_random(&job->seed, sizeof(job->seed));
}

static void read_dispatch_group(const struct bp_config *cfg, struct bp_dispatch_job *job)
{
    job->until = until_of(cfg);
    job->status_context = bp_config_flag(cfg, BP_OPT_COMMIT_STATUS) ? "backproof/dispatch" : NULL;
    job->skip_if_active = bp_config_flag(cfg, BP_OPT_SKIP_IF_ACTIVE);
    job->enable_inactive = bp_config_flag(cfg, BP_OPT_ENABLE_INACTIVE);
    job->detach = bp_config_flag(cfg, BP_OPT_DETACH);
    job->cancel_on_timeout = bp_config_flag(cfg, BP_OPT_CANCEL_ON_TIMEOUT);
    job->min_interval_ms = bp_config_number(cfg, BP_OPT_MIN_INTERVAL);
    job->settle_ms = bp_config_number(cfg, BP_OPT_SETTLE);
    job->poll_interval_ms = bp_config_number(cfg, BP_OPT_POLL_INTERVAL);
    job->appear_timeout_ms = bp_config_number(cfg, BP_OPT_APPEAR_TIMEOUT);
    job->start_timeout_ms = bp_config_number(cfg, BP_OPT_START_TIMEOUT);
    job->finish_timeout_ms = bp_config_number(cfg, BP_OPT_FINISH_TIMEOUT);
}

/* No time at all would mean for ever to a request, and without a pause to a look. */
static enum bp_code check_times(const struct bp_config *cfg, bool check_only, struct bp_err *err)
{
    static const enum bp_opt times[] = {BP_OPT_REQUEST_TIMEOUT, BP_OPT_TIMEOUT,
                                        BP_OPT_POLL_INTERVAL};

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        if (bp_config_text(cfg, times[i]) != NULL && bp_config_number(cfg, times[i]) == 0 &&
            (!check_only || times[i] != BP_OPT_POLL_INTERVAL))
            return bp_fail(err, BP_EUSAGE, "--%s is 0; hint: give it a time such as 10s",
                           bp_option(times[i])->name);
    }
    return BP_OK;
}

enum bp_code bp_dispatch_setup_read(struct bp_app *app, bool check_only,
                                    struct bp_dispatch_setup *out, struct bp_err *err)
{
    const struct bp_config *cfg = &app->cfg;
    const struct bp_dispatch_targets_spec spec = {.repo = bp_config_text(cfg, BP_OPT_REPO),
                                                  .workflow = bp_config_text(cfg, BP_OPT_WORKFLOW),
                                                  .branches = bp_config_list(cfg, BP_OPT_BRANCH),
                                                  .targets = bp_config_list(cfg, BP_OPT_TARGET),
                                                  .or_default = check_only};
    const char *inputs = bp_config_text(cfg, BP_OPT_INPUTS);

    if (check_times(cfg, check_only, err) != BP_OK)
        return err->code;
    if (bp_dispatch_targets_read(&spec, &out->targets, err) != BP_OK)
        return err->code;
    if (inputs != NULL && bp_dispatch_targets_inputs(inputs, &out->inputs, err) != BP_OK)
        return err->code;
    if (bp_registry_forge(app, &out->forge, err) != BP_OK)
        return err->code;
    read_forge_group(app, &out->job);
    if (!check_only)
        read_dispatch_group(cfg, &out->job);
    out->job.check_only = check_only;
    out->job.timeout_ms = timeout_of(cfg, out->job.until);
    out->job.forge = out->forge;
    out->job.targets = &out->targets;
    out->job.inputs = out->inputs;
    return BP_OK;
}

void bp_dispatch_setup_free(struct bp_dispatch_setup *setup)
{
    bp_forge_freep(&setup->forge);
    bp_json_freep(&setup->inputs);
    bp_dispatch_targets_free(&setup->targets);
}
