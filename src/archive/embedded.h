/*
 * Files that the program carries, put in by cmake/BpEmbed.cmake: those of every archive, from
 * src/archive/, and those that `init` fills in, from .github/workflows/.
 */
#ifndef BP_ARCHIVE_EMBEDDED_H
#define BP_ARCHIVE_EMBEDDED_H

extern const char bp_embedded_restore_sh[];
extern const char bp_embedded_RESTORE_md[];
extern const char bp_embedded_backup_yml[];
extern const char bp_embedded_scheduled_backup_yml[];

#endif
