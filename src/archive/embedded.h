/* The files that every archive carries, from src/archive/. Put in by cmake/BpEmbed.cmake. */
#ifndef BP_ARCHIVE_EMBEDDED_H
#define BP_ARCHIVE_EMBEDDED_H

extern const char bp_embedded_restore_sh[];
extern const char bp_embedded_RESTORE_md[];

#endif
