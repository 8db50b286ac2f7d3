#include "cmd/cmd.h"

#include "cmd/cmds.h"

const struct bp_cmd *const bp_cmds[] = {
    &bp_cmd_init,   &bp_cmd_check,   &bp_cmd_dispatch, &bp_cmd_backup, &bp_cmd_list,
    &bp_cmd_show,   &bp_cmd_diff,    &bp_cmd_restore,  &bp_cmd_verify, &bp_cmd_drill,
    &bp_cmd_prune,  &bp_cmd_keep,    &bp_cmd_keygen,   &bp_cmd_key,    &bp_cmd_seal,
    &bp_cmd_unseal, &bp_cmd_version, &bp_cmd_render,   NULL,
};

const char *bp_version(void)
{
    return BP_VERSION;
}

const struct bp_program_doc *bp_cmd_program(void)
{
    static const struct bp_cmd_doc *docs[sizeof(bp_cmds) / sizeof(bp_cmds[0])];
    static struct bp_program_doc program = {
        .summary = "Backups with proof: start scheduled PostgreSQL backups and prove that they "
                   "run and restore.",
        .cmds = docs,
    };

    program.version = bp_version();
    for (size_t i = 0; bp_cmds[i] != NULL; i++)
        docs[i] = &bp_cmds[i]->doc;
    return &program;
}
