#include "flow/archive_signature.h"

#include "base/mem.h"

/* What was signed: the manifest with an empty verification. */
static enum bp_code read_signed(struct bp_store *store, const char *folder,
                                const struct bp_trusted_keys *trusted, struct bp_buf *out,
                                struct bp_err *err)
{
    BP_AUTO(bp_freep) char *manifest = bp_format("%s/%s", folder, BP_MANIFEST_NAME);
    BP_AUTO(bp_freep) char *beside = bp_format("%s/%s", folder, BP_SIGNATURE_NAME);
    BP_AUTO(bp_list_free) struct bp_list paths = {0};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    BP_AUTO(bp_buf_free) struct bp_buf signature = {0};

    bp_list_add(&paths, manifest);
    bp_list_add(&paths, beside);
    if (store->ops->fetch(store, &paths, err) != BP_OK ||
        store->ops->read(store, beside, BP_SIGNATURE_LIMIT, &signature, err) != BP_OK ||
        store->ops->read(store, manifest, BP_MANIFEST_LIMIT, &text, err) != BP_OK ||
        bp_manifest_set_verification(bp_buf_str(&text), text.len, NULL, out, err) != BP_OK)
        return err->code;
    return bp_sign_check(trusted, bp_buf_str(out), out->len, bp_buf_str(&signature), err);
}

enum bp_code bp_archive_signature_check(struct bp_store *store, const char *folder,
                                        const struct bp_trusted_keys *trusted,
                                        struct bp_manifest *manifest, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    struct bp_manifest read = {0};

    if (read_signed(store, folder, trusted, &text, err) != BP_OK ||
        bp_manifest_parse(bp_buf_str(&text), text.len, &read, err) != BP_OK)
        return err->code;
    read.verification = manifest->verification;
    manifest->verification = (struct bp_manifest_verification){0};
    bp_manifest_free(manifest);
    *manifest = read;
    return BP_OK;
}
