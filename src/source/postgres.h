/* The PostgreSQL drivers of source.h, target.h and scratch.h. */
#ifndef BP_SOURCE_POSTGRES_H
#define BP_SOURCE_POSTGRES_H

#include "base/clock.h"
#include "base/env.h"
#include "base/list.h"
#include "source/scratch.h"
#include "source/source.h"
#include "source/target.h"

struct bp_tunnel;

/* All lent for the life of the driver. */
struct bp_postgres_options {
    const char *url;          /* URL or "key=value" string; NULL: libpq's own variables */
    const struct bp_env *env; /* for pg_dump, and to find it in PATH */
    const char *temp_parent;  /* where temporary folders go */
    struct bp_clock *clock;   /* with its stop */
    int64_t connect_timeout_ms;
    int64_t connect_retries;
    int64_t lock_timeout_ms;
    int64_t lock_retries;
    int64_t statement_timeout_ms; /* of a reader; 0: none */
    int64_t jobs;                 /* readers at once; 0: one for each core */
    struct bp_scope scope;        /* of a source */
    bool role_passwords;          /* of a source: roles with their passwords' hashes */
    /* Tell a person what goes on (a lock that is waited for ...), one line without its end. Called
     * by the thread that called the driver. NULL: nobody wants to know. */
    void (*tell)(void *ctx, const char *words);
    void *tell_ctx;
    const char *ca_file; /* for sslmode=verify-*, unless something else names one; NULL: none */
    const char *proxy;   /* NULL: none */
    struct bp_tunnel *tunnel;        /* the driver's own way through the proxy, made by it */
    const char *const *program_dirs; /* where pg_dump may be, NULL at the end; NULL: the usual
                                        folders, then PATH */
};

/* Nothing is opened before the first call. Owned by the caller. */
struct bp_source *bp_postgres_source_new(const struct bp_postgres_options *options) BP_CHECK;
struct bp_target *bp_postgres_target_new(const struct bp_postgres_options *options) BP_CHECK;

/*
 * A throw-away cluster, made with initdb in a private folder below options->temp_parent; url, proxy
 * and the way of a libpq environment mean nothing to it. It listens on a socket in that folder,
 * which only the server's user and root can enter, so it asks for no password. Root cannot run a
 * server: then it is the user postgres, or nobody.
 */
struct bp_scratch *
bp_postgres_scratch_cluster_new(const struct bp_postgres_options *options) BP_CHECK;

/* The database that options->url names. Roles that a restore makes stay there. */
struct bp_scratch *bp_postgres_scratch_url_new(const struct bp_postgres_options *options) BP_CHECK;

/*
 * Every password in a connection string, appended to out; nothing when there is none. Of a text
 * that libpq cannot read, everything that may be one: rather too much than too little.
 */
void bp_postgres_url_secrets(const char *url, struct bp_list *out);

#endif
