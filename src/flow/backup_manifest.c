/* The manifest of the archive that is being made. */
#include <string.h>

#include "base/mem.h"
#include "flow/backup_internal.h"

static enum bp_code stage(struct bp_backup *b, const char *path, const struct bp_buf *text,
                          struct bp_err *err)
{
    struct bp_store *store = b->job->store;
    struct bp_blob blob = {0};

    if (store->ops->put(store, bp_buf_str(text), text->len, &blob, err) != BP_OK)
        return err->code;
    return store->ops->stage(store, path, &blob, false, err);
}

static void copy_text(const char *from, char **to)
{
    bp_free(*to);
    *to = bp_strdup(from);
}

/* What everybody may know: when, by what run, and which PostgreSQL it needs. */
static void describe_outside(struct bp_backup *b)
{
    const struct bp_manifest *from = &b->manifest;
    struct bp_manifest *to = &b->outer;

    to->sealed = true;
    to->started_ms = from->started_ms;
    to->finished_ms = from->finished_ms;
    to->database.version_num = from->database.version_num;
    copy_text(from->id, &to->id);
    copy_text(from->tool_version, &to->tool_version);
    copy_text(from->source.repository, &to->source.repository);
    copy_text(from->source.ref, &to->source.ref);
    copy_text(from->source.sha, &to->source.sha);
    copy_text(from->source.event, &to->source.event);
    copy_text(from->source.run_id, &to->source.run_id);
    copy_text(from->source.run_url, &to->source.run_url);
    copy_text(from->database.server_version, &to->database.server_version);
    copy_text(from->pg_dump_version, &to->pg_dump_version);
}

/* The private half becomes a file that the public one lists. */
static enum bp_code stage_private(struct bp_backup *b, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    BP_AUTO(bp_buf_free) struct bp_buf sealed = {0};
    struct bp_manifest *outer = &b->outer;
    struct bp_manifest_file *file = NULL;

    bp_manifest_render(&b->manifest, &text);
    if (bp_sealing_seal(b->sealing, bp_buf_str(&text), text.len, &sealed, err) != BP_OK ||
        stage(b, BP_MANIFEST_PRIVATE, &sealed, err) != BP_OK)
        return err->code;
    for (size_t i = 0; i < outer->file_count && file == NULL; i++) {
        if (strcmp(outer->files[i].path, BP_MANIFEST_PRIVATE) == 0)
            file = &outer->files[i];
    }
    if (file == NULL)
        file = bp_manifest_add_file(outer, BP_MANIFEST_PRIVATE, 0);
    file->bytes = (int64_t)sealed.len;
    bp_sha256_hex(bp_buf_str(&sealed), sealed.len, file->sha256);
    return BP_OK;
}

static enum bp_code stage_signature(struct bp_backup *b, const struct bp_buf *text,
                                    struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf signature = {0};
    BP_AUTO(bp_freep) char *comment = NULL;

    if (b->job->sign_key == NULL)
        return BP_OK;
    comment = bp_format("backproof %s", b->manifest.id);
    bp_sign(b->job->sign_key, bp_buf_str(text), text->len, comment, &signature);
    return stage(b, BP_SIGNATURE_NAME, &signature, err);
}

enum bp_code bp_backup_stage_manifest(struct bp_backup *b, struct bp_buf *text, struct bp_err *err)
{
    const bool sealed = bp_sealing_is_on(b->sealing);

    if (sealed) {
        describe_outside(b);
        if (stage_private(b, err) != BP_OK)
            return err->code;
    }
    bp_manifest_render(sealed ? &b->outer : &b->manifest, text);
    b->described = text->len;
    if (bp_backup_check_manifest(b, err) != BP_OK || stage(b, BP_MANIFEST_NAME, text, err) != BP_OK)
        return err->code;
    return stage_signature(b, text, err);
}
