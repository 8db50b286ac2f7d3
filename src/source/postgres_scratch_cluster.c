/* A scratch that is a cluster of its own. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/crew.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "source/postgres_scratch.h"

enum {
    INITDB_MS = 120000,
    START_MS = 60000,
    LOOK_MS = 20,
    PROBE_MS = 10000,
    SOCKET_LIMIT = 107, /* of sockaddr_un, without the NUL */
    WORDS_SHOWN = 500,
    LOG_LIMIT = 64 << 20,
    SPARE_CONNECTIONS = 20,
};

#define SOCKET_NAME "/.s.PGSQL.5432"
#define SUPERUSER   "postgres"
#define AS_USER     "--username=postgres"
/* What somebody may have set for another server: libpq looks at the environment by itself. */
#define PLAIN                                                     \
    " sslmode=disable gssencmode=disable channel_binding=disable" \
    " target_session_attrs=any passfile=/nonexistent/pgpass options='-c jit=off'"

struct cluster {
    struct bp_pg_scratch base; /* must be first */
    struct bp_postgres_options options;
    struct bp_env reach_env; /* of our own connections: nothing of libpq's is in it */
    struct bp_list reach_vars;
    struct bp_list server_vars; /* what the server gets */
    struct bp_child_user user;
    bool as_user;     /* we are root, and the server is user */
    char *programs;   /* their folder */
    char *dir;        /* with data and log; the server's user owns it */
    char *socket_dir; /* NULL: dir */
    char *url;
    struct bp_child *server;
};

static struct cluster *from_base(struct bp_scratch *self)
{
    return (struct cluster *)self;
}

/* ---- who, where, with what ---- */

/* What is restored may run in the server: it gets no token of ours, and no connection. */
static void make_environments(struct cluster *c)
{
    static const char *const kept[] = {"PATH=", "LD_LIBRARY_PATH=", "TMPDIR=", "HOME="};

    for (const char *const *var = c->options.env->vars; *var != NULL; var++) {
        for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
            if (!bp_text_starts_with(*var, kept[i]))
                continue;
            bp_list_add(&c->reach_vars, *var);
            if (i < 2)
                bp_list_add(&c->server_vars, *var);
        }
    }
    bp_list_add(&c->server_vars, "LC_ALL=C");
    bp_list_take(&c->reach_vars, NULL);
    bp_list_take(&c->server_vars, NULL);
    c->reach_env.vars = (const char *const *)c->reach_vars.at;
}

static enum bp_code choose_user(struct cluster *c, struct bp_err *err)
{
    if (geteuid() != 0)
        return BP_OK;
    c->as_user = bp_child_user_find("postgres", &c->user) || bp_child_user_find("nobody", &c->user);
    if (c->as_user)
        return BP_OK;
    return bp_fail(err, BP_EFAILED,
                   "a PostgreSQL server does not run as root, and there is neither a user "
                   "'postgres' nor 'nobody'; hint: run backproof as another user, or give an empty "
                   "database with --scratch-url");
}

static const struct bp_child_user *user_of(const struct cluster *c)
{
    return c->as_user ? &c->user : NULL;
}

static enum bp_code run_program(const struct cluster *c, const char *const *argv,
                                int64_t timeout_ms, struct bp_child_result *result,
                                struct bp_err *err)
{
    const struct bp_child_job job = {.argv = argv,
                                     .env = (const char *const *)c->server_vars.at,
                                     .dir = c->dir,
                                     .user = user_of(c),
                                     .timeout_ms = timeout_ms,
                                     .clock = c->options.clock};

    return bp_child_run(&job, result, err);
}

static enum bp_code give(const struct cluster *c, const char *dir, struct bp_err *err)
{
    if (c->as_user && chown(dir, c->user.uid, c->user.gid) != 0)
        return bp_fail(err, BP_EFAILED, "cannot give the folder '%s' to the server's user: %m",
                       dir);
    return BP_OK;
}

/* Whether the server's user gets there: root's folders are closed to others. */
static enum bp_code try_folder(struct cluster *c, const char *parent, struct bp_err *err)
{
    BP_AUTO(bp_freep) char *path = bp_format("%s/initdb", c->programs);
    const char *const argv[] = {path, "--version", NULL};
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    enum bp_code rc = bp_tempdir_new(parent, &c->dir, err);

    if (rc == BP_OK)
        rc = give(c, c->dir, err);
    if (rc == BP_OK)
        rc = run_program(c, argv, PROBE_MS, &result, err);
    if (rc != BP_OK)
        bp_tempdir_removep(&c->dir);
    return rc;
}

static enum bp_code make_folder(struct cluster *c, struct bp_err *err)
{
    static const char *const others[] = {"/tmp", "/var/tmp"};
    struct bp_err why = {0};
    enum bp_code rc = try_folder(c, c->options.temp_parent, err);

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]) && rc == BP_EFAILED; i++)
        if (try_folder(c, others[i], &why) == BP_OK)
            rc = BP_OK;
    if (rc != BP_OK)
        return bp_wrap(err, "no folder for a scratch cluster");
    if (strlen(c->dir) + strlen(SOCKET_NAME) <= SOCKET_LIMIT)
        return BP_OK;
    if (bp_tempdir_new("/tmp", &c->socket_dir, err) != BP_OK)
        return err->code;
    return give(c, c->socket_dir, err);
}

/* ---- initdb ---- */

/* A way to make the cluster's locale; those that this system lacks fail. */
struct locale {
    const char *collate;
    const char *ctype;
};

static enum bp_code initdb(struct cluster *c, const char *encoding, const struct locale *locale,
                           struct bp_err *err)
{
    BP_AUTO(bp_freep) char *program = bp_format("%s/initdb", c->programs);
    BP_AUTO(bp_freep) char *data = bp_format("--pgdata=%s/data", c->dir);
    BP_AUTO(bp_freep) char *encoding_arg = bp_format("--encoding=%s", encoding);
    BP_AUTO(bp_freep) char *collate = bp_format("--lc-collate=%s", locale->collate);
    BP_AUTO(bp_freep) char *ctype = bp_format("--lc-ctype=%s", locale->ctype);
    const char *const argv[] = {program, data,    encoding_arg,   "--locale=C", collate,
                                ctype,   AS_USER, "--auth=trust", "--no-sync",  NULL};
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    BP_AUTO(bp_buf_free) struct bp_buf words = {0};

    if (run_program(c, argv, INITDB_MS, &result, err) != BP_OK)
        return bp_wrap(err, "cannot make a scratch cluster");
    if (result.exit_status == 0)
        return BP_OK;
    bp_put_foreign(&words, bp_buf_str(&result.errs), WORDS_SHOWN);
    return bp_fail(
        err, BP_EFAILED, "initdb cannot make a scratch cluster in '%s': %s%s", c->dir,
        bp_buf_str(&words),
        strstr(bp_buf_str(&words), "No space left on device") != NULL
            ? "; hint: set TMPDIR (RUNNER_TEMP in a workflow) to a folder with more space"
            : "");
}

/*
 * Text is compared with the archive's rules if this system has them: a check or a partition's
 * bounds may depend on them. Rows and definitions do not.
 */
static enum bp_code make_cluster(struct cluster *c, const struct bp_scratch_want *want,
                                 struct bp_err *err)
{
    const char *encoding = want->encoding != NULL ? want->encoding : "UTF8";
    const char *own = want->collation != NULL ? want->collation : "C";
    const struct locale ways[] = {
        {own, own}, {"C", strcmp(encoding, "UTF8") == 0 ? "C.UTF-8" : "C"}, {"C", "C"}};
    enum bp_code rc = BP_EFAILED;

    /* initdb takes away what it has made when it fails. */
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]) && rc == BP_EFAILED; i++)
        rc = initdb(c, encoding, &ways[i], err);
    return rc;
}

/* ---- the server ---- */

static enum bp_code tell_log(const struct cluster *c, const char *log, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    BP_AUTO(bp_buf_free) struct bp_buf words = {0};
    struct bp_err ignored = {0};
    size_t skip = 0;

    if (bp_file_read(log, LOG_LIMIT, &text, &ignored) != BP_OK)
        bp_buf_puts(&text, "it left no words");
    skip = text.len > WORDS_SHOWN ? text.len - WORDS_SHOWN : 0;
    bp_put_foreign(&words, bp_buf_str(&text) + skip, WORDS_SHOWN);
    return bp_fail(err, BP_EFAILED, "the scratch server in '%s' does not start: %s", c->dir,
                   bp_buf_str(&words));
}

static enum bp_code await_server(struct cluster *c, const char *log, struct bp_pg *pg,
                                 struct bp_err *err)
{
    int64_t deadline = bp_clock_system_mono() + START_MS;
    struct bp_err why = {0};

    while (bp_pg_open(pg, &c->base.reach, &why) != BP_OK) {
        if (bp_stop_check(c->options.clock->stop, err) != BP_OK)
            return err->code;
        if (bp_child_ended(c->server))
            return tell_log(c, log, err);
        if (why.code != BP_EUNAVAILABLE || bp_clock_system_mono() >= deadline)
            return bp_fail(err, BP_EFAILED, "cannot connect to the scratch server: %s", why.msg);
        if (bp_clock_sleep(c->options.clock, LOOK_MS, err) != BP_OK)
            return err->code;
    }
    /* An address in PGHOSTADDR or in a service comes before the host that we name. */
    if (PQhostaddr(pg->conn) != NULL && PQhostaddr(pg->conn)[0] != '\0')
        return bp_fail(err, BP_EUSAGE,
                       "libpq's settings lead to %s instead of the scratch server; hint: unset "
                       "PGHOSTADDR, and hostaddr in the service file",
                       PQhostaddr(pg->conn));
    return BP_OK;
}

/* "host='/tmp/it''s'": in a connection string a backslash saves what would end the value. */
static void make_reach(struct cluster *c)
{
    BP_AUTO(bp_buf_free) struct bp_buf url = {0};

    bp_buf_puts(&url, "host='");
    for (const char *p = c->socket_dir != NULL ? c->socket_dir : c->dir; *p != '\0'; p++) {
        if (*p == '\'' || *p == '\\')
            bp_buf_putc(&url, '\\');
        bp_buf_putc(&url, *p);
    }
    bp_buf_puts(&url, "' port=5432 user=" SUPERUSER " dbname=postgres" PLAIN);
    c->url = bp_buf_take(&url);
    c->base.reach = c->options;
    c->base.reach.url = c->url;
    c->base.reach.env = &c->reach_env;
    c->base.reach.proxy = NULL;
    c->base.reach.connect_retries = 0;
    c->base.reach.connect_timeout_ms = START_MS;
    c->base.reach.statement_timeout_ms = 0;
}

/* Nothing here has to survive a crash, and nobody from outside gets in. */
static void add_settings(const struct cluster *c, struct bp_list *argv)
{
    static const char *const settings[] = {
        "listen_addresses=",
        "port=5432",
        "unix_socket_permissions=0700",
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        "wal_level=minimal",
        "max_wal_senders=0",
        "archive_mode=off",
        "max_wal_size=2GB",
        "checkpoint_timeout=1h",
        "autovacuum=off",
        "jit=off",
        "maintenance_work_mem=128MB",
        "max_locks_per_transaction=2048",
        /* A container's /dev/shm is small. */
        "dynamic_shared_memory_type=mmap",
        "logging_collector=off",
        "log_destination=stderr",
        "log_min_messages=fatal",
        "log_min_error_statement=panic",
        "timezone=UTC",
        "log_timezone=UTC",
    };
    size_t jobs = c->options.jobs > 0 ? (size_t)c->options.jobs : bp_crew_cores();

    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        bp_list_add(argv, "-c");
        bp_list_add(argv, settings[i]);
    }
    bp_list_add(argv, "-c");
    bp_list_addf(argv, "max_connections=%zu", 2 * jobs + SPARE_CONNECTIONS);
    bp_list_add(argv, "-c");
    bp_list_addf(argv, "unix_socket_directories=\"%s\"",
                 c->socket_dir != NULL ? c->socket_dir : c->dir);
}

static enum bp_code start_server(struct cluster *c, const char *log, struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list argv = {0};
    struct bp_child_job job = {
        .env = (const char *const *)c->server_vars.at, .dir = c->dir, .user = user_of(c)};

    bp_list_addf(&argv, "%s/postgres", c->programs);
    bp_list_add(&argv, "-D");
    bp_list_addf(&argv, "%s/data", c->dir);
    add_settings(c, &argv);
    bp_list_take(&argv, NULL);
    job.argv = (const char *const *)argv.at;
    /* At once and without writing anything, but its memory and its children go with it. */
    return bp_child_start(&job, log, SIGQUIT, &c->server, err);
}

static enum bp_code start(struct bp_scratch *self, const struct bp_scratch_want *want,
                          struct bp_scratch_info *info, struct bp_err *err)
{
    struct cluster *c = from_base(self);
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    BP_AUTO(bp_freep) char *log = NULL;

    make_environments(c);
    if (bp_pg_server_programs(&c->options, want->version_num, &c->programs, err) != BP_OK ||
        choose_user(c, err) != BP_OK || make_folder(c, err) != BP_OK ||
        make_cluster(c, want, err) != BP_OK)
        return err->code;
    log = bp_format("%s/log", c->dir);
    make_reach(c);
    if (start_server(c, log, err) != BP_OK || await_server(c, log, &pg, err) != BP_OK ||
        bp_pg_scratch_describe(&pg, want, info, err) != BP_OK)
        return err->code;
    (void)snprintf(info->where, sizeof(info->where), "a scratch cluster");
    return BP_OK;
}

static void free_cluster(struct bp_scratch *self)
{
    struct cluster *c = from_base(self);

    bp_child_stopp(&c->server);
    bp_tempdir_removep(&c->socket_dir);
    bp_tempdir_removep(&c->dir);
    bp_free(c->programs);
    bp_free(c->url);
    bp_list_free(&c->reach_vars);
    bp_list_free(&c->server_vars);
    bp_free(c);
}

static const struct bp_scratch_ops ops = {
    .start = start,
    .target = bp_pg_scratch_target,
    .source = bp_pg_scratch_source,
    .missing = bp_pg_scratch_missing,
    .ask = bp_pg_scratch_ask,
    .free = free_cluster,
};

struct bp_scratch *bp_postgres_scratch_cluster_new(const struct bp_postgres_options *options)
{
    struct cluster *c = bp_alloc(1, sizeof(*c));

    c->base.base.ops = &ops;
    c->options = *options;
    return &c->base.base;
}
