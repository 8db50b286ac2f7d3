/*
 * The files of an archive on their way into the store: as they are, or sealed. A sealed one lies at
 * a path that tells nothing of what it is: its name (archive/seal.h). With a chunk key a content
 * that the latest archive holds already keeps the sealed file that is there.
 */
#ifndef BP_FLOW_SEALING_H
#define BP_FLOW_SEALING_H

#include "archive/manifest.h"
#include "archive/seal.h"
#include "archive/sign.h"
#include "store/store.h"

/* Where a content lies sealed. */
struct bp_sealed {
    char name[BP_SEAL_NAME_SIZE]; /* "": it is not sealed */
    struct bp_blob blob;
    int64_t bytes;
    char sha256[BP_SHA256_HEX_SIZE];
};

/* A content in the store. */
struct bp_stage_file {
    struct bp_blob blob; /* unless it is sealed */
    int64_t bytes;
    char sha256[BP_SHA256_HEX_SIZE];
    struct bp_sealed sealed;
};

/* How files are sealed. All lent for its life. */
struct bp_sealing_job {
    const struct bp_recipients *recipients; /* none: nothing is sealed */
    struct bp_chunk_key key;
    /*
     * Nothing is kept of an archive that none of these keys has signed: whoever may push could have
     * put another file at a name, and this run would sign it. NULL: of any archive.
     */
    const struct bp_trusted_keys *trusted;
    /* Of this run alone: it can open what this run seals, and nobody else with it. NULL: none. */
    const struct bp_identities *witness;
    /*
     * Where what is not sealed anew is kept for the witness, sealed to it alone; NULL: nowhere. A
     * proof of the archive needs it, because the witness cannot open what an earlier run sealed.
     */
    const char *spool;
};

struct bp_sealing;

/* Owned by the caller. */
struct bp_sealing *bp_sealing_new(const struct bp_sealing_job *job) BP_CHECK;
void bp_sealing_freep(struct bp_sealing **sealing); /* for BP_AUTO */

bool bp_sealing_is_on(const struct bp_sealing *sealing);

/*
 * Look at the sealed files of the latest archive, whose trees the store's base() has brought; not
 * without a chunk key. With a spool only if that archive was opened and read when it was made, so
 * that everything in this one was, some day. What cannot be read there is sealed anew.
 */
enum bp_code bp_sealing_look(struct bp_sealing *sealing, struct bp_store *store,
                             struct bp_err *err) BP_CHECK;

/* Bring a content into the store. For several threads at once. */
enum bp_code bp_sealing_put(struct bp_sealing *sealing, struct bp_store *store, const void *data,
                            size_t len, struct bp_stage_file *file, struct bp_err *err) BP_CHECK;

/* Seal a text that is another one each time: the private half of the manifest. */
enum bp_code bp_sealing_seal(const struct bp_sealing *sealing, const void *data, size_t len,
                             struct bp_buf *out, struct bp_err *err) BP_CHECK;

/* How many files kept what an earlier backup sealed; 0 when nothing is sealed. */
size_t bp_sealing_kept(const struct bp_sealing *sealing);

/* "sealed/ab/cdef....zst.age". Owned by the caller. */
char *bp_sealing_path(const char *name) BP_CHECK;

/* Where a file of the archive, named by its path, is kept in a spool. Owned by the caller. */
char *bp_sealing_spooled(const char *spool, const char *path) BP_CHECK;

/* Whether this is the first call for this name: contents that are alike share a file. */
bool bp_sealing_first(struct bp_sealing *sealing, const char *name);

#endif
