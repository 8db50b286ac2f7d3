/* A store in memory: a list of paths with their content. */
#ifndef TESTS_SUPPORT_FAKE_STORE_H
#define TESTS_SUPPORT_FAKE_STORE_H

#include <pthread.h>

#include "store/store.h"

enum { FAKE_FILES = 400 };

struct fake_file {
    char *path;
    char *data;
    size_t len;
};

struct fake_store {
    struct bp_store base;
    struct fake_file tip[FAKE_FILES];
    size_t tip_count;
    struct fake_file staged[FAKE_FILES];
    size_t staged_count;
    pthread_mutex_t lock;               /* of the blobs */
    struct fake_file blobs[FAKE_FILES]; /* the path is the id */
    size_t blob_count;
    char message[512]; /* of the last commit; what message() gives as well */
    bool is_public;
    int64_t held;
    int64_t weights[2]; /* what weigh() gives before and after a rewrite(); below 0: BP_EFAILED */
    int weighings;
    int rewrites;
    char steps[4096];    /* of the last rewrite(), "time subject\n" each */
    char base_path[128]; /* the folder that base() was told */
    int commits;
    int opens;
    int refreshes;
    int fetches;
    int lost_races;    /* the next commits answer BP_ELOCKED */
    int push_outages;  /* the next commits answer BP_EUNAVAILABLE */
    bool late;         /* what meets a push outage arrives all the same */
    int fetch_outages; /* the next fetches do */
    void (*on_commit)(void *ctx);
    void *ctx;
    const char *unreadable; /* files whose path holds this answer BP_EFAILED */
    bool missing;           /* the branch does not exist */
    enum bp_code open_result;
    enum bp_code put_result;
    enum bp_code commit_result; /* of a rewrite() too */
};

struct fake_store fake_store(void);
void fake_store_put(struct fake_store *store, const char *path, const char *text);
/* The content at the tip, or NULL. Lent. */
const char *fake_store_get(const struct fake_store *store, const char *path);
/* How many files of the tip have a path that begins so. */
size_t fake_store_count(const struct fake_store *store, const char *prefix);
void fake_store_release(struct fake_store *store);

#endif
