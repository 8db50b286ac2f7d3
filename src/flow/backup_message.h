/* What the commit of a backup says. */
#ifndef BP_FLOW_BACKUP_MESSAGE_H
#define BP_FLOW_BACKUP_MESSAGE_H

#include "archive/manifest.h"

/* A subject, an empty line, and trailers ("Backup-Id: ..."), each on a line. */
void bp_backup_message(const char *id, const char *branch, const struct bp_manifest *manifest,
                       struct bp_buf *out);

#endif
