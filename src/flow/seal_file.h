/* One file, or a stream, through the sealing of an archive: for people and for tests. */
#ifndef BP_FLOW_SEAL_FILE_H
#define BP_FLOW_SEAL_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "archive/seal.h"
#include "base/stop.h"

/* All lent for the length of the call. */
struct bp_seal_file_job {
    const char *from; /* NULL: in */
    const char *to;   /* NULL: out. A file is made whole or not at all, and must be new */
    FILE *in;
    FILE *out;
    const struct bp_stop *stop; /* may be NULL */
    bool dry;                   /* do it all and keep nothing */
};

/* BP_ENOTFOUND: there is no such file. BP_EUSAGE: that file is there already. */
enum bp_code bp_flow_seal_file(const struct bp_seal_file_job *job,
                               const struct bp_recipients *recipients, struct bp_err *err) BP_CHECK;

/* Out gets what was proved so far, also when the rest is bad. Errors also as of bp_unseal(). */
enum bp_code bp_flow_unseal_file(const struct bp_seal_file_job *job,
                                 const struct bp_identities *identities,
                                 struct bp_err *err) BP_CHECK;

#endif
