#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "source/postgres_conn.h"
#include "source/postgres_params.h"
#include "support/fake_clock.h"
#include "test_postgres_support.h"

static const char *const no_vars[] = {NULL};
static const struct bp_env no_env = {no_vars};

/* Connect with this URL and nothing else; the message lands in err. */
static enum bp_code connect_to(const char *url, struct bp_err *err)
{
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    struct bp_clock clock = bp_clock_system(NULL);
    const struct bp_postgres_options options = {
        .url = url, .env = &no_env, .clock = &clock, .connect_timeout_ms = 5000};

    return bp_pg_open(&pg, &options, err);
}

/* A port on which somebody listens who never says anything. */
static int silent_server(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    cr_assert_eq(bind(fd, (const struct sockaddr *)&address, len), 0);
    cr_assert_eq(listen(fd, 1), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

Test(postgres_conn, says_that_the_password_is_wrong_without_repeating_it)
{
    char address[64];
    BP_AUTO(bp_freep) char *url = NULL;
    struct bp_err err = {0};

    test_put_tcp_address(address);
    url = bp_format("postgresql://postgres:wr0ng-secret@%s/postgres", address);
    cr_expect_eq(connect_to(url, &err), BP_EAUTH, "%s", err.msg);
    cr_expect_not_null(strstr(err.msg, "password authentication failed for user \"postgres\""),
                       "%s", err.msg);
    cr_expect_not_null(strstr(err.msg, "hint: check the user and the password"), "%s", err.msg);
    cr_expect_null(strstr(err.msg, "wr0ng"), "%s", err.msg);
}

Test(postgres_conn, says_that_a_password_is_missing)
{
    char address[64];
    BP_AUTO(bp_freep) char *url = NULL;
    struct bp_err err = {0};

    test_put_tcp_address(address);
    url = bp_format("postgresql://postgres@%s/postgres?passfile=/nowhere", address);
    cr_expect_eq(connect_to(url, &err), BP_EAUTH, "%s", err.msg);
    cr_expect_not_null(strstr(err.msg, "asks for a password"), "%s", err.msg);
}

Test(postgres_conn, names_the_database_that_does_not_exist)
{
    char address[64];
    BP_AUTO(bp_freep) char *url = NULL;
    struct bp_err err = {0};

    test_put_tcp_address(address);
    url = bp_format("postgresql://postgres:test-password@%s/nowhere", address);
    cr_expect_eq(connect_to(url, &err), BP_ENOTFOUND, "%s", err.msg);
    cr_expect_not_null(strstr(err.msg, "database \"nowhere\" does not exist"), "%s", err.msg);
}

Test(postgres_conn, names_the_host_that_does_not_answer)
{
    struct bp_err err = {0};

    cr_expect_eq(connect_to("postgresql://u@127.0.0.1:1/x", &err), BP_EUNAVAILABLE);
    cr_expect_not_null(strstr(err.msg, "cannot connect to 127.0.0.1:1: "), "%s", err.msg);
    cr_expect_not_null(strstr(err.msg, "Connection refused"), "%s", err.msg);
    cr_expect_eq(connect_to("postgresql://u@no-such-host.invalid/x", &err), BP_EUNAVAILABLE);
    cr_expect_not_null(strstr(err.msg, "no-such-host.invalid"), "%s", err.msg);
}

Test(postgres_conn, gives_up_on_a_server_that_says_nothing)
{
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    BP_AUTO(bp_freep) char *url = NULL;
    struct bp_clock clock = bp_clock_system(NULL);
    struct bp_postgres_options options = {
        .env = &no_env, .clock = &clock, .connect_timeout_ms = 200};
    struct bp_err err = {0};
    int64_t start = bp_clock_mono(&clock);
    int port = 0;
    int fd = silent_server(&port);

    /* The limit is for all hosts together. */
    url = bp_format("postgresql://u@127.0.0.1:%d,127.0.0.1:%d/x", port, port);
    options.url = url;
    cr_expect_eq(bp_pg_open(&pg, &options, &err), BP_EUNAVAILABLE, "%s", err.msg);
    cr_expect_not_null(strstr(err.msg, "no answer in time"), "%s", err.msg);
    cr_expect_lt(bp_clock_mono(&clock) - start, 2000);
    (void)close(fd);
}

static void keep_words(void *ctx, const char *words)
{
    bp_list_add(ctx, words);
}

Test(postgres_conn, waits_longer_before_each_retry_and_says_so)
{
    static const int64_t waits[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000};
    const size_t count = sizeof(waits) / sizeof(waits[0]);
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    BP_AUTO(bp_list_free) struct bp_list told = {0};
    struct fake_clock clock = fake_clock_new();
    const struct bp_postgres_options options = {.url = "postgresql://u@127.0.0.1:1/x",
                                                .env = &no_env,
                                                .clock = &clock.base,
                                                .connect_timeout_ms = 5000,
                                                .connect_retries = (int64_t)count,
                                                .tell = keep_words,
                                                .tell_ctx = &told};
    struct bp_err err = {0};

    cr_expect_eq(bp_pg_open(&pg, &options, &err), BP_EUNAVAILABLE);
    cr_expect_not_null(strstr(err.msg, "gave up after 8 attempts: cannot connect to 127.0.0.1:1: "),
                       "%s", err.msg);
    cr_assert_eq(clock.sleeps, count);
    cr_assert_eq(told.count, count);
    for (size_t i = 0; i < count; i++)
        cr_expect_eq(clock.each_ms[i], waits[i]);
    cr_expect(bp_text_starts_with(told.at[1], "cannot connect to 127.0.0.1:1: "), "%s", told.at[1]);
    cr_expect(bp_text_ends_with(told.at[1], "; trying again in 2 s (2 of 7)"), "%s", told.at[1]);
}

Test(postgres_conn, tries_a_wrong_password_once)
{
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    BP_AUTO(bp_freep) char *url = NULL;
    struct fake_clock clock = fake_clock_new();
    struct bp_postgres_options options = {
        .env = &no_env, .clock = &clock.base, .connect_timeout_ms = 5000, .connect_retries = 5};
    struct bp_err err = {0};
    char address[64];

    test_put_tcp_address(address);
    url = bp_format("postgresql://postgres:wr0ng@%s/postgres", address);
    options.url = url;
    cr_expect_eq(bp_pg_open(&pg, &options, &err), BP_EAUTH, "%s", err.msg);
    cr_expect_eq(clock.sleeps, 0u);
}

/* Accept one connection and say what a server of version 12 says. */
static void *old_server(void *ctx)
{
    static const char words[] = "R\0\0\0\x08\0\0\0\0"
                                "S\0\0\0\x19server_version\0"
                                "12.22\0"
                                "Z\0\0\0\x05I";
    char ignored[1024];
    int fd = accept(*(int *)ctx, NULL, NULL);

    (void)!read(fd, ignored, sizeof(ignored));
    (void)!write(fd, words, sizeof(words) - 1);
    (void)!read(fd, ignored, sizeof(ignored));
    (void)close(fd);
    return NULL;
}

Test(postgres_conn, refuses_a_server_that_is_too_old, .timeout = 60)
{
    BP_AUTO(bp_freep) char *url = NULL;
    struct bp_err err = {0};
    pthread_t thread;
    int port = 0;
    int fd = silent_server(&port);

    cr_assert_eq(pthread_create(&thread, NULL, old_server, &fd), 0);
    url = bp_format("postgresql://u@127.0.0.1:%d/x?sslmode=disable&gssencmode=disable", port);
    cr_expect_eq(connect_to(url, &err), BP_EFAILED, "%s", err.msg);
    cr_expect_str_eq(err.msg, "the server is PostgreSQL 12.22; 13 is the oldest that works");
    (void)pthread_join(thread, NULL);
    (void)close(fd);
}

Test(postgres_conn, stops_connecting_when_asked)
{
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    BP_AUTO(bp_freep) char *url = NULL;
    const struct bp_stop stop = {.signal = 15, .fd = -1, .write_fd = -1};
    struct bp_clock clock = bp_clock_system(&stop);
    struct bp_postgres_options options = {
        .env = &no_env, .clock = &clock, .connect_timeout_ms = 100};
    struct bp_err err = {0};
    int port = 0;
    int fd = silent_server(&port);

    url = bp_format("postgresql://u@127.0.0.1:%d/x", port);
    options.url = url;
    cr_expect_eq(bp_pg_open(&pg, &options, &err), BP_ESTOPPED, "%s", err.msg);
    cr_expect_str_eq(err.msg, "stopped by SIGTERM");
    (void)close(fd);
}

Test(postgres_conn, never_repeats_a_url_that_it_cannot_read)
{
    static const char *const urls[] = {
        "postgresql://u:s3cr%zzet@h/x", "postgresql://u:s3cret/rest@h/x",
        "postgresql://u:s3cret@h:port/x", "host=h password=s3cret oops"};

    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct bp_err err = {0};

        cr_expect_eq(connect_to(urls[i], &err), BP_EUSAGE, "%s: %s", urls[i], err.msg);
        cr_expect_null(strstr(err.msg, "s3cr"), "%s", err.msg);
    }
}

Test(postgres_conn, takes_libpq_variables_from_the_given_environment)
{
    static const char *const vars[] = {
        "PGHOST=from-env",   "PGPORT=1234", "PGUSER=someone", "PGDATABASE=db", "PGPASSWORD=p",
        "PGSSLMODE=require", NULL};
    const struct bp_env env = {vars};
    const struct bp_postgres_options options = {.url = "postgresql://from-url/", .env = &env};
    BP_AUTO(bp_pg_params_free) struct bp_pg_params params = {0};
    BP_AUTO(bp_buf_free) struct bp_buf all = {0};
    struct bp_err err = {0};

    cr_assert_eq(bp_pg_params_make(&options, &params, &err), BP_OK, "%s", err.msg);
    for (size_t i = 0; i < params.keywords.count; i++)
        bp_buf_printf(&all, "%s=%s ", params.keywords.at[i], params.values.at[i]);
    cr_expect_not_null(strstr(all.data, "host=from-url "), "%s", all.data);
    cr_expect_not_null(strstr(all.data, "port=1234 "), "%s", all.data);
    cr_expect_not_null(strstr(all.data, "user=someone "), "%s", all.data);
    cr_expect_not_null(strstr(all.data, "dbname=db "), "%s", all.data);
    cr_expect_not_null(strstr(all.data, "sslmode=require "), "%s", all.data);
    cr_expect_not_null(strstr(all.data, "application_name=backproof "), "%s", all.data);
}

Test(postgres_conn, gives_a_child_the_connection_in_its_environment)
{
    static const char *const vars[] = {"PATH=/bin", "PGHOST=elsewhere", "PGSERVICE=other",
                                       "LC_ALL=de_DE", NULL};
    const struct bp_env env = {vars};
    char address[64];
    BP_AUTO(bp_freep) char *url = NULL;
    BP_AUTO(bp_pg_child_env_free) struct bp_list child = {0};
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    struct bp_clock clock = bp_clock_system(NULL);
    struct bp_postgres_options options = {
        .env = &no_env, .clock = &clock, .connect_timeout_ms = 5000};
    struct bp_err err = {0};

    test_put_tcp_address(address);
    url = bp_format("postgresql://postgres:test-password@127.0.0.1:1,%s/postgres?sslmode=disable",
                    address);
    options.url = url;
    cr_assert_eq(bp_pg_open(&pg, &options, &err), BP_OK, "%s", err.msg);
    bp_pg_child_env(pg.conn, &env, &child);
    cr_expect(bp_list_has(&child, "PATH=/bin"));
    cr_expect(bp_list_has(&child, "LC_ALL=C"));
    cr_expect(bp_list_has(&child, "PGHOST=127.0.0.1"), "the host that answered");
    cr_expect(bp_list_has(&child, "PGPASSWORD=test-password"));
    cr_expect(bp_list_has(&child, "PGSSLMODE=disable"));
    cr_expect_not(bp_list_has(&child, "PGHOST=elsewhere"));
    cr_expect_not(bp_list_has(&child, "PGSERVICE=other"));
}

Test(postgres_conn, sets_what_changes_the_output)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    BP_AUTO(bp_pg_clear) PGresult *result = NULL;
    BP_AUTO(bp_freep) char *sql = NULL;
    struct bp_err err = {0};

    test_db_new(&db);
    sql = bp_format("ALTER DATABASE %1$s SET datestyle = 'German';"
                    "ALTER DATABASE %1$s SET bytea_output = 'escape';"
                    "ALTER DATABASE %1$s SET extra_float_digits = -5;"
                    "ALTER DATABASE %1$s SET intervalstyle = 'iso_8601';"
                    "ALTER DATABASE %1$s SET statement_timeout = '20s';"
                    "ALTER DATABASE %1$s SET timezone = 'Asia/Tokyo';"
                    "ALTER DATABASE %1$s SET quote_all_identifiers = on",
                    db.name);
    test_db_run(&db, sql);
    cr_assert_eq(bp_pg_open(&pg, &db.options, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(bp_pg_query(&pg,
                             "SELECT concat_ws(' ', date '2024-02-01', '\\x00'::bytea,"
                             " 0.1::float8, interval '1 day', quote_ident('a'),"
                             " current_setting('statement_timeout'),"
                             " timestamptz '2024-02-01 12:00+00')",
                             &result, &err),
                 BP_OK, "%s", err.msg);
    cr_expect_str_eq(PQgetvalue(result, 0, 0),
                     "2024-02-01 \\x00 0.1 1 day a 0 2024-02-01 21:00:00+09",
                     "a restore computes in the database's own time zone");
}

/* Between two attempts to lock, and while files are pushed, a session has nothing to do. */
Test(postgres_conn, may_be_idle_whatever_the_database_allows)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    BP_AUTO(bp_pg_clear) PGresult *result = NULL;
    BP_AUTO(bp_freep) char *sql = NULL;
    struct bp_err err = {0};

    test_db_new(&db);
    sql = bp_format("ALTER DATABASE %1$s SET idle_in_transaction_session_timeout = '20s';"
                    "DO $$BEGIN IF current_setting('server_version_num')::int >= 140000 THEN"
                    " ALTER DATABASE %1$s SET idle_session_timeout = '20s'; END IF; END$$",
                    db.name);
    test_db_run(&db, sql);
    cr_assert_eq(bp_pg_open(&pg, &db.options, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(bp_pg_query(&pg,
                             "SELECT count(*) || ' ' || sum(setting::int) FROM pg_settings"
                             " WHERE name ~ '^idle_(in_transaction_)?session_timeout$'",
                             &result, &err),
                 BP_OK, "%s", err.msg);
    cr_expect_str_eq(PQgetvalue(result, 0, 0), PQserverVersion(pg.conn) >= 140000 ? "2 0" : "1 0");
}

static void *ask_to_stop(void *ctx)
{
    struct bp_stop *stop = ctx;

    (void)usleep(100000);
    stop->signal = 15;
    (void)!write(stop->write_fd, "", 1);
    return NULL;
}

Test(postgres_conn, cancels_a_running_query_when_asked_to_stop)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    BP_AUTO(bp_freep) char *left = NULL;
    BP_AUTO(bp_freep) char *sql = NULL;
    struct bp_stop stop = {0};
    struct bp_clock clock = bp_clock_system(&stop);
    struct bp_err err = {0};
    pthread_t thread;
    int fds[2];

    test_db_new(&db);
    cr_assert_eq(pipe(fds), 0);
    stop.fd = fds[0];
    stop.write_fd = fds[1];
    db.options.clock = &clock;
    cr_assert_eq(bp_pg_open(&pg, &db.options, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(pthread_create(&thread, NULL, ask_to_stop, &stop), 0);
    cr_expect_eq(bp_pg_run(&pg, "SELECT pg_sleep(30)", &err), BP_ESTOPPED, "%s", err.msg);
    (void)pthread_join(thread, NULL);
    (void)usleep(100000);
    sql = bp_format("SELECT count(*) FROM pg_stat_activity WHERE datname = '%s' AND query LIKE"
                    " 'SELECT pg_sleep%%' AND state = 'active'",
                    db.name);
    left = test_db_value(&db, sql);
    cr_expect_str_eq(left, "0", "the server still sleeps");
}

Test(postgres_conn, ends_the_connection_rather_than_drain_a_copy, .timeout = 60)
{
    static const char *const texts[] = {"COPY (SELECT 1) TO STDOUT", "COPY t FROM STDIN"};
    BP_AUTO(test_db_drop) struct test_db db = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE t ()");
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        BP_AUTO(bp_pg_close) struct bp_pg pg = {0};

        cr_assert_eq(bp_pg_open(&pg, &db.options, &err), BP_OK, "%s", err.msg);
        cr_assert_eq(bp_pg_run(&pg, "SET search_path = public", &err), BP_OK, "%s", err.msg);
        cr_assert_eq(bp_pg_send(&pg, texts[i], &err), BP_OK, "%s", err.msg);
        bp_pg_drain(&pg);
        cr_expect_eq(bp_pg_run(&pg, "SELECT 1", &err), BP_EUNAVAILABLE, "closed for good");
    }
}

Test(postgres_conn, says_when_the_server_ends_the_session)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    cr_assert_eq(bp_pg_open(&pg, &db.options, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(bp_pg_run(&pg, "SELECT pg_terminate_backend(pg_backend_pid())", &err),
                 BP_EUNAVAILABLE);
    cr_expect_not_null(strstr(err.msg, "terminating connection"), "%s", err.msg);
    cr_expect_eq(bp_pg_run(&pg, "SELECT 1", &err), BP_EUNAVAILABLE, "closed for good");
}
