#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/random.h"
#include "store/git_internal.h"

/* Not a branch: nobody's clone gets it. */
#define UPLOADS "refs/backproof/upload/"

enum {
    ABANDONED_S = 24 * 60 * 60,
    MOST_REMOVED = 100, /* of abandoned references at once */
    REMOVE_MS = 10000,  /* for the last request of a run that was told to end */
};

struct bp_git_parts {
    struct bp_git_store *git;
    struct bp_stop stop; /* ends the thread */
    bool stop_open;
    struct bp_clock clock;

    pthread_mutex_t lock; /* of all before ref */
    bool busy;            /* a thread sends: what begins with ref is his */
    bool failed;          /* leave it to the push of the branch */
    bool started;         /* there is a thread to join */
    pthread_t thread;
    int64_t next_size; /* so much must have come together for the next part */
    char *ref;         /* NULL: none was made */
    size_t sent;       /* the packs that it holds */
    git_oid tip;       /* the commit it is at */
    git_oid tree;      /* of that commit: a folder for each part */
};

/* A pack is ended at its limit whether it is sent or not: what is waited for must be less. */
static int64_t within_limit(const struct bp_git_options *options, int64_t size)
{
    int64_t limit = options->push_limit > 0 ? options->push_limit : BP_GIT_PACK_MOST;

    return size < limit / 2 ? size : limit / 2;
}

struct bp_git_parts *bp_git_parts_new(struct bp_git_store *git)
{
    struct bp_git_parts *parts = bp_alloc(1, sizeof(*parts));

    parts->git = git;
    parts->next_size = within_limit(&git->options, git->options.part_size);
    (void)pthread_mutex_init(&parts->lock, NULL);
    return parts;
}

static void begin_push(struct bp_list *argv)
{
    static const char *const words[] = {"git", "push", "--quiet", "--no-verify", BP_GIT_REMOTE};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        bp_list_add(argv, words[i]);
}

static enum bp_code push(struct bp_git_parts *parts, struct bp_clock *clock, struct bp_list *argv,
                         struct bp_err *err)
{
    struct bp_git_store *git = parts->git;
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    enum bp_code rc = BP_OK;

    bp_list_take(argv, NULL);
    rc = bp_git_run_until(git, clock, (const char *const *)argv->at, NULL, &result, err);

    if (rc != BP_OK)
        return bp_wrap(err, "pushing to '%s'", git->options.url);
    return result.exit_status == 0 ? BP_OK : bp_git_fail_command(git, "push", &result, err);
}

static enum bp_code push_ref(struct bp_git_parts *parts, struct bp_clock *clock,
                             const char *refspec, struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list argv = {0};

    begin_push(&argv);
    bp_list_add(&argv, refspec);
    return push(parts, clock, &argv, err);
}

/* What a run that was killed has left: a reference's name begins with its time. Best effort, and in
 * one push: a server that lets nobody remove them has one more after each backup. */
static void remove_abandoned(struct bp_git_parts *parts, struct bp_clock *clock)
{
    static const char all[] = UPLOADS "*";
    static const char *const argv[] = {"git", "ls-remote", BP_GIT_REMOTE, all, NULL};
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    BP_AUTO(bp_list_free) struct bp_list removal = {0};
    int64_t oldest = bp_clock_wall(clock) / 1000 - ABANDONED_S;
    struct bp_err err = {0};
    const char *line = NULL;
    size_t count = 0;

    if (bp_git_run_until(parts->git, clock, argv, NULL, &result, &err) != BP_OK ||
        result.exit_status != 0)
        return;
    begin_push(&removal);
    for (line = strstr(bp_buf_str(&result.out), UPLOADS); line != NULL && count < MOST_REMOVED;
         line = strstr(line + 1, UPLOADS)) {
        int64_t begun = strtoll(line + strlen(UPLOADS), NULL, 10);

        if (begun <= 0 || begun >= oldest)
            continue;
        bp_list_addf(&removal, ":%.*s", (int)strcspn(line, "\n"), line);
        count++;
    }
    if (count > 0)
        (void)push(parts, clock, &removal, &err);
}

static char *new_ref(struct bp_clock *clock)
{
    uint64_t number = 0;

    bp_random(&number, sizeof(number));
    return bp_format(UPLOADS "%" PRId64 "-%016" PRIx64, bp_clock_wall(clock) / 1000, number);
}

/*
 * A server unpacks a push of fewer objects than this (receive.unpackLimit) into files, each of
 * which it compresses anew: that takes several times as long as to keep the pack.
 */
enum { KEPT_OBJECTS = 100, MOST_LEVELS = 20 };

/* A file in so many folders that a few files are objects enough. */
static enum bp_code bury(struct bp_git_store *git, size_t levels, struct bp_git_item *item,
                         struct bp_err *err)
{
    enum bp_code rc = BP_OK;

    for (size_t i = 0; rc == BP_OK && i < levels; i++) {
        BP_AUTO(bp_git_builder_freep) git_treebuilder *builder = NULL;

        rc = bp_git_start_tree(git, NULL, &builder, err);
        if (rc == BP_OK)
            rc = bp_git_set_entry(builder, "part", item, err);
        if (rc == BP_OK)
            rc = bp_git_finish_tree(builder, &item->id, err);
        item->mode = GIT_FILEMODE_TREE;
    }
    return rc;
}

/* The names of the files do not matter: nobody looks at them. */
static enum bp_code make_folder(struct bp_git_store *git, const struct bp_git_part *part,
                                git_oid *out, struct bp_err *err)
{
    BP_AUTO(bp_git_builder_freep) git_treebuilder *builder = NULL;
    size_t levels = KEPT_OBJECTS / part->count;
    enum bp_code rc = bp_git_start_tree(git, NULL, &builder, err);

    for (size_t i = 0; rc == BP_OK && i < part->count; i++) {
        struct bp_git_item item = {.id = part->ids[i], .mode = GIT_FILEMODE_BLOB};
        char name[BP_STORE_ID_SIZE];

        (void)git_oid_tostr(name, sizeof(name), &part->ids[i]);
        rc = bury(git, levels < MOST_LEVELS ? levels : MOST_LEVELS, &item, err);
        if (rc == BP_OK)
            rc = bp_git_set_entry(builder, name, &item, err);
    }
    return rc == BP_OK ? bp_git_finish_tree(builder, out, err) : rc;
}

/* The parts so far and this one: git looks at the trees of commits that the server names, but not
 * at those of their parents. */
static enum bp_code make_tree(struct bp_git_parts *parts, const struct bp_git_part *part,
                              git_oid *out, struct bp_err *err)
{
    BP_AUTO(bp_git_builder_freep) git_treebuilder *builder = NULL;
    struct bp_git_item folder = {.mode = GIT_FILEMODE_TREE};
    enum bp_code rc = make_folder(parts->git, part, &folder.id, err);
    char name[32];

    if (rc == BP_OK)
        rc = bp_git_start_tree(parts->git, parts->sent > 0 ? &parts->tree : NULL, &builder, err);
    (void)snprintf(name, sizeof(name), "%zu", parts->sent + 1);
    if (rc == BP_OK)
        rc = bp_git_set_entry(builder, name, &folder, err);
    return rc == BP_OK ? bp_git_finish_tree(builder, out, err) : rc;
}

/*
 * Git looks at the trees of commits that the server names and that are no ancestors of what is
 * pushed only from a shallow repository, which ours is not before the branch exists. So call this
 * commit, which has no parents, one whose parents are missing.
 * https://git-scm.com/docs/git-rev-list#Documentation/git-rev-list.txt---objects-edge-aggressive
 */
static enum bp_code make_shallow(struct bp_git_store *git, const git_oid *commit,
                                 struct bp_err *err)
{
    BP_AUTO(bp_freep) char *path = bp_format("%s/shallow", git->dir);
    char hex[BP_STORE_ID_SIZE];
    BP_AUTO(bp_freep) char *line = bp_format("%s\n", git_oid_tostr(hex, sizeof(hex), commit));

    return bp_file_write(path, line, strlen(line), err);
}

static enum bp_code send_part(struct bp_git_parts *parts, struct bp_clock *clock,
                              const struct bp_git_part *part, struct bp_err *err)
{
    git_oid tree;
    git_oid commit;
    const struct bp_git_draft draft = {
        .root = &tree,
        .parent = parts->sent > 0 ? &parts->tip : NULL,
        .message = "Part of a backup that is on its way. It can go when the backup has ended.\n",
        .time_ms = bp_clock_wall(clock)};
    BP_AUTO(bp_freep) char *refspec = NULL;
    char hex[BP_STORE_ID_SIZE];
    enum bp_code rc = make_tree(parts, part, &tree, err);

    if (rc == BP_OK)
        rc = bp_git_make_commit(parts->git, &draft, &commit, err);
    if (rc != BP_OK)
        return rc;
    if (parts->ref == NULL) {
        remove_abandoned(parts, clock);
        parts->ref = new_ref(clock);
    }
    refspec = bp_format("%s:%s", git_oid_tostr(hex, sizeof(hex), &commit), parts->ref);
    rc = push_ref(parts, clock, refspec, err);
    if (rc == BP_OK && parts->sent == 0 && !parts->git->exists)
        rc = make_shallow(parts->git, &commit, err);
    if (rc != BP_OK)
        return rc;
    parts->tip = commit;
    parts->tree = tree;
    parts->sent++;
    return BP_OK;
}

static void *send_in_thread(void *ctx)
{
    struct bp_git_parts *parts = ctx;
    struct bp_git_part part = {0};
    struct bp_err err = {0};
    enum bp_code rc = bp_git_pack_end(parts->git->pack, &err);

    while (rc == BP_OK && bp_git_pack_part(parts->git->pack, parts->sent, &part))
        rc = send_part(parts, &parts->clock, &part, &err);
    (void)pthread_mutex_lock(&parts->lock);
    parts->failed = rc != BP_OK;
    parts->busy = false;
    (void)pthread_mutex_unlock(&parts->lock);
    return NULL;
}

void bp_git_parts_join(struct bp_git_parts *parts)
{
    if (parts->started)
        (void)pthread_join(parts->thread, NULL);
    parts->started = false;
}

/* Under the lock, which the last thread has given back for good. */
static bool start(struct bp_git_parts *parts)
{
    struct bp_err err = {0};

    bp_git_parts_join(parts); /* the last one has done its work */
    if (!parts->stop_open) {
        if (bp_stop_open(&parts->stop, &err) != BP_OK)
            return false;
        parts->stop_open = true;
        parts->stop.parent = parts->git->options.clock->stop;
        parts->clock = *parts->git->options.clock;
        parts->clock.stop = &parts->stop;
    }
    /* Each takes more than the one before: a large backup must not be hundreds of pushes. */
    parts->next_size = within_limit(&parts->git->options, parts->next_size + parts->next_size / 2);
    parts->started = pthread_create(&parts->thread, NULL, send_in_thread, parts) == 0;
    return parts->started;
}

void bp_git_parts_offer(struct bp_git_parts *parts)
{
    if (parts->git->options.part_size == 0)
        return;
    (void)pthread_mutex_lock(&parts->lock);
    if (!parts->busy && !parts->failed &&
        bp_git_pack_open_bytes(parts->git->pack) >= parts->next_size) {
        parts->busy = start(parts);
        parts->failed = !parts->busy;
    }
    (void)pthread_mutex_unlock(&parts->lock);
}

static int64_t bytes_left(const struct bp_git_parts *parts, size_t *packs)
{
    struct bp_git_part part = {0};
    int64_t bytes = 0;

    for (*packs = 0; bp_git_pack_part(parts->git->pack, parts->sent + *packs, &part); ++*packs)
        bytes += part.bytes;
    return bytes;
}

enum bp_code bp_git_parts_send(struct bp_git_parts *parts, struct bp_err *err)
{
    const struct bp_git_options *options = &parts->git->options;
    enum bp_code rc = BP_OK;
    size_t packs = 0;

    while (rc == BP_OK && options->push_limit > 0 &&
           bytes_left(parts, &packs) > options->push_limit && packs > 1) {
        struct bp_git_part part = {0};

        (void)bp_git_pack_part(parts->git->pack, parts->sent, &part);
        rc = send_part(parts, options->clock, &part, err);
        if (rc != BP_OK)
            return bp_wrap(err, "part %zu of a push in parts", parts->sent + 1);
    }
    return rc;
}

/* Even when the time is over or a signal came: it is one short request. */
void bp_git_parts_remove(struct bp_git_parts *parts)
{
    const struct bp_stop limit = bp_stop_limited(NULL, REMOVE_MS);
    struct bp_clock clock = *parts->git->options.clock;
    BP_AUTO(bp_freep) char *refspec = NULL;
    struct bp_err err = {0};

    if (parts->ref == NULL)
        return;
    clock.stop = &limit;
    refspec = bp_format(":%s", parts->ref);
    (void)push_ref(parts, &clock, refspec, &err);
    bp_freep(&parts->ref);
}

void bp_git_parts_freep(struct bp_git_parts **parts)
{
    struct bp_git_parts *p = *parts;

    if (p == NULL)
        return;
    if (p->stop_open)
        bp_stop_ask(&p->stop);
    bp_git_parts_join(p);
    bp_git_parts_remove(p);
    if (p->stop_open)
        bp_stop_close(&p->stop);
    (void)pthread_mutex_destroy(&p->lock);
    bp_freep(parts);
}
