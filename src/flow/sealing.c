#include "flow/sealing.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "archive/name.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "flow/archive_signature.h"
#include "flow/catalog.h"

#define FILE_END ".zst.age"

enum { FIRST_SIZE = 256, FOLDER_LEN = 2 };

/* What is known under a name. */
struct known {
    struct bp_sealed file; /* name "": the place is free */
    bool old;              /* the latest archive has it */
    bool staged;
};

struct bp_sealing {
    struct bp_sealing_job job;
    struct bp_recipients all; /* with the witness */
    struct bp_recipients witness;
    pthread_mutex_t lock;
    struct known *at; /* a hash table, at most half full */
    size_t size;
    size_t count;
    size_t kept;
};

static void copy_recipients(const struct bp_recipients *from, struct bp_recipients *to)
{
    to->at = bp_alloc(from->count + 1, sizeof(*to->at));
    to->count = from->count;
    memcpy(to->at, from->at, from->count * sizeof(*to->at));
}

struct bp_sealing *bp_sealing_new(const struct bp_sealing_job *job)
{
    struct bp_sealing *s = bp_alloc(1, sizeof(*s));

    *s = (struct bp_sealing){.job = *job};
    (void)pthread_mutex_init(&s->lock, NULL);
    if (!bp_sealing_is_on(s))
        return s;
    copy_recipients(job->recipients, &s->all);
    if (job->witness != NULL) {
        bp_identity_recipient(job->witness, 0, &s->witness);
        bp_identity_recipient(job->witness, 0, &s->all);
    }
    return s;
}

void bp_sealing_freep(struct bp_sealing **sealing)
{
    struct bp_sealing *s = *sealing;

    *sealing = NULL;
    if (s == NULL)
        return;
    bp_recipients_free(&s->all);
    bp_recipients_free(&s->witness);
    explicit_bzero(&s->job.key, sizeof(s->job.key));
    (void)pthread_mutex_destroy(&s->lock);
    bp_free(s->at);
    bp_free(s);
}

bool bp_sealing_is_on(const struct bp_sealing *sealing)
{
    return sealing != NULL && sealing->job.recipients != NULL && sealing->job.recipients->count > 0;
}

char *bp_sealing_path(const char *name)
{
    return bp_format(BP_PATH_SEALED "/%.*s/%s" FILE_END, FOLDER_LEN, name, name + FOLDER_LEN);
}

char *bp_sealing_spooled(const char *spool, const char *path)
{
    char *flat = bp_strdup(path);
    char *place = NULL;

    for (char *p = strchr(flat, '/'); p != NULL; p = strchr(p, '/'))
        *p = '-';
    place = bp_format("%s/%s", spool, flat);
    bp_free(flat);
    return place;
}

/* The name in such a path; false: it is none. */
static bool read_path(const char *path, char name[BP_SEAL_NAME_SIZE])
{
    static const char start[] = BP_PATH_SEALED "/";
    const size_t rest = BP_SEAL_NAME_SIZE - 1 - FOLDER_LEN;
    const char *folder = path + strlen(start);

    if (!bp_text_starts_with(path, start) ||
        strlen(folder) != FOLDER_LEN + 1 + rest + strlen(FILE_END) || folder[FOLDER_LEN] != '/' ||
        strcmp(folder + FOLDER_LEN + 1 + rest, FILE_END) != 0)
        return false;
    memcpy(name, folder, FOLDER_LEN);
    memcpy(name + FOLDER_LEN, folder + FOLDER_LEN + 1, rest);
    name[BP_SEAL_NAME_SIZE - 1] = '\0';
    return strspn(name, "0123456789abcdef") == BP_SEAL_NAME_SIZE - 1;
}

/* ---- what is known; under the lock ---- */

/* The place of a name, or the free one where it would be. Names are as good as random. */
static struct known *place_of(const struct bp_sealing *s, const char *name)
{
    size_t i =
        strtoul((char[]){name[0], name[1], name[2], name[3], name[4], name[5], '\0'}, NULL, 16);

    while (s->at[i % s->size].file.name[0] != '\0' &&
           strcmp(s->at[i % s->size].file.name, name) != 0)
        i++;
    return &s->at[i % s->size];
}

static void grow(struct bp_sealing *s)
{
    struct known *old = s->at;
    size_t old_size = s->size;

    if (2 * (s->count + 1) <= s->size)
        return;
    s->size = old_size > 0 ? 2 * old_size : FIRST_SIZE;
    s->at = bp_alloc(s->size, sizeof(*s->at));
    for (size_t i = 0; i < old_size; i++) {
        if (old[i].file.name[0] != '\0')
            *place_of(s, old[i].file.name) = old[i];
    }
    bp_free(old);
}

static bool find(struct bp_sealing *s, const char *name, struct known *out)
{
    bool found = false;

    (void)pthread_mutex_lock(&s->lock);
    if (s->size > 0) {
        *out = *place_of(s, name);
        found = out->file.name[0] != '\0';
    }
    (void)pthread_mutex_unlock(&s->lock);
    return found;
}

/* Of two threads with the same content, the first one's counts for both. */
static void remember(struct bp_sealing *s, struct bp_sealed *file, bool old)
{
    struct known *place = NULL;

    (void)pthread_mutex_lock(&s->lock);
    grow(s);
    place = place_of(s, file->name);
    if (place->file.name[0] == '\0') {
        *place = (struct known){.file = *file, .old = old};
        s->count++;
    } else {
        *file = place->file;
    }
    (void)pthread_mutex_unlock(&s->lock);
}

static void count_kept(struct bp_sealing *s)
{
    (void)pthread_mutex_lock(&s->lock);
    s->kept++;
    (void)pthread_mutex_unlock(&s->lock);
}

bool bp_sealing_first(struct bp_sealing *sealing, const char *name)
{
    struct known *place = NULL;
    bool first = false;

    (void)pthread_mutex_lock(&sealing->lock);
    place = place_of(sealing, name);
    first = !place->staged;
    place->staged = true;
    (void)pthread_mutex_unlock(&sealing->lock);
    return first;
}

size_t bp_sealing_kept(const struct bp_sealing *sealing)
{
    return bp_sealing_is_on(sealing) ? sealing->kept : 0;
}

/* ---- the latest archive ---- */

static bool may_be_kept(const struct bp_sealing *s, const struct bp_manifest *latest)
{
    const struct bp_manifest_verification *v = &latest->verification;

    return latest->sealed &&
           (s->job.spool == NULL || (bp_manifest_is_verified(v) && strcmp(v->level, "L0") != 0));
}

static void take_known(struct bp_sealing *s, struct bp_store *store,
                       const struct bp_manifest_file *file)
{
    BP_AUTO(bp_freep) char *path = bp_format("%s/%s", BP_PATH_CURRENT, file->path);
    struct bp_sealed known = {.bytes = file->bytes};
    struct bp_err why = {0};

    if (!read_path(file->path, known.name) ||
        store->ops->find(store, path, &known.blob, &why) != BP_OK)
        return;
    memcpy(known.sha256, file->sha256, sizeof(known.sha256));
    remember(s, &known, true);
}

/* BP_OK or damage: then nothing of it is kept. */
static enum bp_code read_latest(const struct bp_sealing *s, struct bp_store *store,
                                struct bp_manifest *out, struct bp_err *err)
{
    BP_AUTO(bp_freep) char *path = bp_format("%s/%s", BP_PATH_CURRENT, BP_MANIFEST_NAME);
    BP_AUTO(bp_list_free) struct bp_list paths = {0};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_list_add(&paths, path);
    if (store->ops->fetch(store, &paths, err) != BP_OK ||
        store->ops->read(store, path, BP_MANIFEST_LIMIT, &text, err) != BP_OK ||
        bp_manifest_parse(bp_buf_str(&text), text.len, out, err) != BP_OK)
        return err->code;
    if (s->job.trusted == NULL)
        return BP_OK;
    return bp_archive_signature_check(store, BP_PATH_CURRENT, s->job.trusted, out, err);
}

enum bp_code bp_sealing_look(struct bp_sealing *sealing, struct bp_store *store, struct bp_err *err)
{
    BP_AUTO(bp_manifest_free) struct bp_manifest latest = {0};
    enum bp_code rc = BP_OK;

    if (!bp_sealing_is_on(sealing) || !sealing->job.key.given)
        return BP_OK;
    rc = read_latest(sealing, store, &latest, err);
    if (rc != BP_OK)
        return bp_catalog_is_damage(rc) ? BP_OK : rc;
    for (size_t i = 0; i < latest.file_count && may_be_kept(sealing, &latest); i++)
        take_known(sealing, store, &latest.files[i]);
    return BP_OK;
}

/* ---- new files ---- */

static enum bp_code seal_new(struct bp_sealing *s, struct bp_store *store, const void *data,
                             size_t len, struct bp_sealed *file, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf sealed = {0};

    if (bp_seal(&s->all, data, len, &sealed, err) != BP_OK ||
        store->ops->put(store, bp_buf_str(&sealed), sealed.len, &file->blob, err) != BP_OK)
        return err->code;
    file->bytes = (int64_t)sealed.len;
    bp_sha256_hex(bp_buf_str(&sealed), sealed.len, file->sha256);
    remember(s, file, false);
    return BP_OK;
}

/* For the proof of this archive. The file is as unreadable as what is pushed. */
static enum bp_code spool(const struct bp_sealing *s, const void *data, size_t len,
                          const char *name, struct bp_err *err)
{
    BP_AUTO(bp_freep) char *place = bp_sealing_path(name);
    BP_AUTO(bp_freep) char *path = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf sealed = {0};

    if (s->job.spool == NULL)
        return BP_OK;
    path = bp_sealing_spooled(s->job.spool, place);
    if (bp_seal(&s->witness, data, len, &sealed, err) != BP_OK ||
        bp_file_write(path, bp_buf_str(&sealed), sealed.len, err) != BP_OK)
        return bp_wrap(err, "cannot keep a file for the verification");
    return BP_OK;
}

static enum bp_code put_sealed(struct bp_sealing *s, struct bp_store *store, const void *data,
                               size_t len, struct bp_sealed *file, struct bp_err *err)
{
    struct known known = {0};
    enum bp_code rc = BP_OK;
    bool kept = false;

    bp_seal_name(&s->job.key, s->job.recipients, data, len, file->name);
    kept = find(s, file->name, &known);
    if (kept)
        *file = known.file;
    rc = kept ? BP_OK : seal_new(s, store, data, len, file, err);
    if (rc != BP_OK || !kept || !known.old)
        return rc;
    count_kept(s);
    return spool(s, data, len, file->name, err);
}

enum bp_code bp_sealing_put(struct bp_sealing *sealing, struct bp_store *store, const void *data,
                            size_t len, struct bp_stage_file *file, struct bp_err *err)
{
    file->bytes = (int64_t)len;
    bp_sha256_hex(data, len, file->sha256);
    if (bp_sealing_is_on(sealing))
        return put_sealed(sealing, store, data, len, &file->sealed, err);
    return store->ops->put(store, data, len, &file->blob, err);
}

enum bp_code bp_sealing_seal(const struct bp_sealing *sealing, const void *data, size_t len,
                             struct bp_buf *out, struct bp_err *err)
{
    return bp_seal(&sealing->all, data, len, out, err);
}
