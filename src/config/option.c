#include "config/option.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

const struct bp_option *bp_option(enum bp_opt id)
{
    return &bp_option_table[id];
}

void bp_option_env(enum bp_opt id, char out[64])
{
    if (bp_option_table[id].env != NULL)
        (void)snprintf(out, 64, "%s", bp_option_table[id].env);
    else
        (void)snprintf(out, 64, "BACKPROOF_%s", bp_option_table[id].name);
    for (char *p = out; *p != '\0'; p++) {
        *p = (char)toupper((unsigned char)*p);
        if (*p == '-')
            *p = '_';
    }
}

enum bp_opt bp_option_find(unsigned groups, const char *name, size_t len)
{
    for (enum bp_opt id = 0; id < BP_OPT_COUNT; id++) {
        if ((bp_option_table[id].group & groups) != 0 && strlen(bp_option_table[id].name) == len &&
            strncmp(bp_option_table[id].name, name, len) == 0)
            return id;
    }
    return BP_OPT_COUNT;
}

const char *bp_option_group_title(unsigned group)
{
    switch (group) {
    case BP_GROUP_FORGE:
        return "Forge";
    case BP_GROUP_DISPATCH:
        return "Dispatch";
    case BP_GROUP_SOURCE:
        return "Source database";
    case BP_GROUP_STORE:
        return "Backup repository";
    case BP_GROUP_FIND:
        return "Which archives";
    case BP_GROUP_RESTORE:
        return "Restore";
    case BP_GROUP_INIT:
        return "Setup";
    case BP_GROUP_BACKUP:
        return "Backup";
    case BP_GROUP_RETENTION:
        return "Retention";
    case BP_GROUP_KEEP:
        return "Marks";
    case BP_GROUP_DIFF:
        return "Differences";
    case BP_GROUP_OPEN:
        return "Opening archives";
    case BP_GROUP_PROOF:
        return "Proof";
    case BP_GROUP_VERIFY:
        return "Verification";
    case BP_GROUP_DRILL:
        return "Drill";
    case BP_GROUP_SEAL:
        return "Sealing";
    case BP_GROUP_KEYGEN:
        return "Keys";
    default:
        return "General";
    }
}
