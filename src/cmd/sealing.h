/* What the commands seal and unseal share: [IN [OUT]], where "-" and nothing mean a stream. */
#ifndef BP_CMD_SEALING_H
#define BP_CMD_SEALING_H

#include "cmd/cmd.h"
#include "flow/seal_file.h"

struct bp_seal_file_job bp_sealing_job(const struct bp_app *app);

#endif
