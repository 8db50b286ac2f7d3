/* Who made an archive: the signature beside its manifest. */
#ifndef BP_FLOW_ARCHIVE_SIGNATURE_H
#define BP_FLOW_ARCHIVE_SIGNATURE_H

#include "archive/manifest.h"
#include "archive/sign.h"
#include "store/store.h"

/*
 * Prove that one of the keys has signed the manifest in a folder of the store, and replace
 * *manifest, which was read there, by what was signed. The verification stays, which anybody may
 * write; what else somebody has written where it stands does not.
 *
 * BP_ENOTFOUND: it is not signed. BP_EINTEGRITY: by somebody else, or the manifest was changed.
 */
enum bp_code bp_archive_signature_check(struct bp_store *store, const char *folder,
                                        const struct bp_trusted_keys *trusted,
                                        struct bp_manifest *manifest, struct bp_err *err) BP_CHECK;

#endif
