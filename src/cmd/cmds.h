/* The commands, one per file cmd_<name>.c. */
#ifndef BP_CMD_CMDS_H
#define BP_CMD_CMDS_H

#include "cmd/cmd.h"

extern const struct bp_cmd bp_cmd_init;
extern const struct bp_cmd bp_cmd_check;
extern const struct bp_cmd bp_cmd_dispatch;
extern const struct bp_cmd bp_cmd_backup;
extern const struct bp_cmd bp_cmd_list;
extern const struct bp_cmd bp_cmd_show;
extern const struct bp_cmd bp_cmd_diff;
extern const struct bp_cmd bp_cmd_restore;
extern const struct bp_cmd bp_cmd_verify;
extern const struct bp_cmd bp_cmd_drill;
extern const struct bp_cmd bp_cmd_prune;
extern const struct bp_cmd bp_cmd_keep;
extern const struct bp_cmd bp_cmd_keygen;
extern const struct bp_cmd bp_cmd_key;
extern const struct bp_cmd bp_cmd_seal;
extern const struct bp_cmd bp_cmd_unseal;
extern const struct bp_cmd bp_cmd_version;
extern const struct bp_cmd bp_cmd_render;

#endif
