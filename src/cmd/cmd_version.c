/* backproof version: which program this is. */
#include "cmd/cmds.h"

static enum bp_code run(struct bp_app *app, struct bp_err *err)
{
    (void)err;
    if (bp_config_is(&app->cfg, BP_OPT_FORMAT, "json"))
        bp_print(app->out, "{\"name\": \"backproof\", \"version\": \"%s\"}\n", bp_version());
    else
        bp_print(app->out, "backproof %s\n", bp_version());
    return BP_OK;
}

const struct bp_cmd bp_cmd_version = {
    .doc = {.name = "version",
            .args = "",
            .summary = "Print the version.",
            .example = "backproof version",
            .groups = BP_GROUP_GENERAL},
    .run = run,
};
