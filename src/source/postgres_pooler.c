#include "source/postgres_pooler.h"

#include <string.h>

#include "base/mem.h"
#include "source/postgres_error.h"
#include "source/postgres_host.h"

enum { ROUNDS = 3 };

/* A connection whose session is to be the same each time. */
struct party {
    struct bp_pg *pg;
    char *session; /* its server process, once it was asked */
};

static void free_party(struct party *party)
{
    bp_free(party->session);
}

/* *other_session: it has another one than before. */
static enum bp_code ask(struct party *party, bool *other_session, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf pid = {0};
    enum bp_code rc = bp_pg_query_text(party->pg, "SELECT pg_backend_pid()", &pid, err);

    if (rc != BP_OK)
        return rc;
    if (party->session == NULL)
        party->session = bp_strdup(bp_buf_str(&pid));
    else if (strcmp(party->session, bp_buf_str(&pid)) != 0)
        *other_session = true;
    return BP_OK;
}

static enum bp_code run_and_ask(struct party *party, const char *sql, bool *other_session,
                                struct bp_err *err)
{
    enum bp_code rc = bp_pg_run(party->pg, sql, err);

    return rc == BP_OK ? ask(party, other_session, err) : rc;
}

/*
 * Poolers differ in the session that they hand out next: the one that was used last, so that
 * the second party gets the first one's; or the one that waited longest, so that asking twice
 * gives two. While a party holds one in a transaction, the other cannot have the same.
 */
static enum bp_code probe(struct party *one, struct party *other, bool *shared, struct bp_err *err)
{
    enum bp_code rc = BP_OK;

    for (int i = 0; i < ROUNDS && rc == BP_OK && !*shared; i++) {
        rc = ask(one, shared, err);
        if (rc == BP_OK)
            rc = ask(one, shared, err);
        if (rc == BP_OK)
            rc = ask(other, shared, err);
        if (rc == BP_OK && strcmp(one->session, other->session) == 0)
            *shared = true;
        if (rc != BP_OK || *shared)
            return rc;
        rc = run_and_ask(other, "BEGIN", shared, err);
        if (rc == BP_OK)
            rc = ask(one, shared, err);
        if (rc == BP_OK)
            rc = bp_pg_run(other->pg, "ROLLBACK", err);
    }
    return rc;
}

static enum bp_code no_second_session(const char *where, struct bp_err *err)
{
    BP_AUTO(bp_freep) char *reason = bp_strndup(err->msg, bp_pg_reason_len(err->msg));

    if (err->code != BP_EUNAVAILABLE)
        return err->code;
    return bp_fail(
        err, BP_EUNAVAILABLE,
        "the pooler at %s has no second session for us: %s; hint: a backup needs one for "
        "each of its --jobs and one more: enlarge the pool, or use the direct address of "
        "the database",
        where, reason);
}

enum bp_code bp_pg_pooler_check(struct bp_pg *pg, const struct bp_postgres_options *options,
                                struct bp_err *err)
{
    BP_AUTO(bp_pg_close) struct bp_pg second = {0};
    BP_AUTO(bp_buf_free) struct bp_buf hint = {0};
    BP_AUTO(free_party) struct party one = {.pg = pg};
    BP_AUTO(free_party) struct party other = {.pg = &second};
    struct bp_postgres_options once = *options;
    bool shared = false;
    char where[BP_PG_WHERE_SIZE];
    enum bp_code rc = BP_OK;

    bp_pg_where(pg, where);
    bp_pg_host_session_hint(PQhost(pg->conn), bp_pg_port(pg), &hint);
    once.connect_retries = 0;
    rc = bp_pg_connect(&second, &once, err);
    if (rc != BP_OK)
        return no_second_session(where, err);
    pg->deadline = bp_clock_mono(pg->clock) + options->connect_timeout_ms;
    second.deadline = pg->deadline;
    rc = probe(&one, &other, &shared, err);
    if (rc != BP_OK || !shared)
        return rc;
    return bp_fail(err, BP_EUSAGE,
                   "the connection to %s leads to a pooler in transaction mode, which does not "
                   "keep one session; hint: %s",
                   where, hint.data);
}
