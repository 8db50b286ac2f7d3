/* What the commands seal and unseal share: [IN [OUT]], where "-" and nothing mean a stream. */
#ifndef BP_CMD_SEAL_ARGS_H
#define BP_CMD_SEAL_ARGS_H

#include "cmd/cmd.h"
#include "flow/seal_file.h"

struct bp_seal_file_job bp_seal_args(const struct bp_app *app);

#endif
