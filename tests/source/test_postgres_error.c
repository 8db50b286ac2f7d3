#include "source/postgres_error.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "test_postgres_support.h"

/* The error that the server answers with. */
static PGresult *ask_for_error(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);

    cr_assert_eq(PQresultStatus(result), PGRES_FATAL_ERROR, "%s", sql);
    return result;
}

static PGresult *raise_state(PGconn *conn, const char *state)
{
    BP_AUTO(bp_freep)
    char *sql =
        bp_format("DO $$BEGIN RAISE EXCEPTION 'the words' USING ERRCODE = '%s'; END$$", state);

    return ask_for_error(conn, sql);
}

Test(postgres_error, tells_what_a_state_means)
{
    static const struct {
        const char *state;
        enum bp_code code;
        const char *hint; /* NULL: none */
    } cases[] = {
        {"28P01", BP_EAUTH, "check the user and the password"},
        {"28000", BP_EAUTH, "pg_hba.conf"},
        {"3D000", BP_ENOTFOUND, "check the database name"},
        {"42501", BP_EAUTH, NULL},
        {"55P03", BP_ELOCKED, NULL},
        {"40001", BP_ELOCKED, NULL},
        {"40P01", BP_ELOCKED, NULL},
        {"53200", BP_EUNAVAILABLE, "max_locks_per_transaction"},
        {"53300", BP_EUNAVAILABLE, "no free connection"},
        {"53100", BP_EFAILED, NULL},
        {"57014", BP_ETIMEOUT, "--statement-timeout"},
        {"57P01", BP_EUNAVAILABLE, NULL},
        {"57P02", BP_EUNAVAILABLE, NULL},
        {"57P03", BP_EUNAVAILABLE, "try again later"},
        {"57P05", BP_EUNAVAILABLE, NULL},
        {"08006", BP_EUNAVAILABLE, NULL},
        {"42P01", BP_EFAILED, NULL},
        {"XX001", BP_EFAILED, NULL},
    };
    BP_AUTO(test_db_drop) struct test_db db = {0};
    PGconn *conn = NULL;

    test_db_new(&db);
    conn = test_db_session(&db);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        PGresult *result = raise_state(conn, cases[i].state);
        struct bp_err err = {0};

        cr_expect_eq(bp_pg_fail_result(result, &err), cases[i].code, "%s", cases[i].state);
        cr_expect(bp_text_starts_with(err.msg, "the words"), "%s: %s", cases[i].state, err.msg);
        if (cases[i].hint == NULL)
            cr_expect_str_eq(err.msg, "the words");
        else
            cr_expect_not_null(strstr(err.msg, cases[i].hint), "%s: %s", cases[i].state, err.msg);
        cr_expect(bp_pg_has_state(result, cases[i].state));
        cr_expect_not(bp_pg_has_state(result, "00000"));
        PQclear(result);
    }
    PQfinish(conn);
}

static void expect_message(PGconn *conn, const char *sql, const char *expected)
{
    PGresult *result = ask_for_error(conn, sql);
    struct bp_err err = {0};

    (void)bp_pg_fail_result(result, &err);
    cr_expect_str_eq(err.msg, expected, "%s", err.msg);
    PQclear(result);
}

Test(postgres_error, repeats_detail_and_hint_of_the_server_on_one_line)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    PGconn *conn = NULL;

    test_db_new(&db);
    conn = test_db_session(&db);
    expect_message(conn,
                   "DO $$BEGIN RAISE EXCEPTION E'a\\nb' USING DETAIL = E'c\\td', HINT = 'e'; END$$",
                   "a b (c d); hint: e");
    expect_message(conn, "DO $$BEGIN RAISE EXCEPTION E'\\x1b[31mred'; END$$", " [31mred");
    /* Where we know better than the server. */
    expect_message(conn,
                   "DO $$BEGIN RAISE EXCEPTION 'a' USING HINT = 'e', ERRCODE = '57P03'; END$$",
                   "a; hint: the server is starting up or shutting down; try again later");
    PQfinish(conn);
}

Test(postgres_error, shortens_what_the_server_says_without_end)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    PGresult *result = NULL;
    PGconn *conn = NULL;
    struct bp_err err = {0};

    test_db_new(&db);
    conn = test_db_session(&db);
    result = ask_for_error(conn, "DO $$BEGIN RAISE EXCEPTION '%', repeat('x', 5000) USING DETAIL ="
                                 " repeat('y', 5000), HINT = repeat('z', 5000); END$$");
    cr_expect_eq(bp_pg_fail_result(result, &err), BP_EFAILED);
    cr_expect_lt(strlen(err.msg), sizeof(err.msg) - 1);
    cr_expect_not_null(strstr(err.msg, "xxx"));
    cr_expect_not_null(strstr(err.msg, "yyy"));
    cr_expect_not_null(strstr(err.msg, "; hint: zzz"));
    PQclear(result);
    PQfinish(conn);
}

Test(postgres_error, knows_where_the_reason_ends)
{
    cr_expect_eq(bp_pg_reason_len(""), 0);
    cr_expect_eq(bp_pg_reason_len("no hint"), 7);
    cr_expect_eq(bp_pg_reason_len("why; hint: do"), 3);
    cr_expect_eq(bp_pg_reason_len("why; hint: theirs; hint: ours"), 17);
}

Test(postgres_error, tells_that_a_connection_was_lost)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    PGconn *conn = NULL;
    struct bp_err err = {0};

    test_db_new(&db);
    conn = test_db_session(&db);
    PQclear(PQexec(conn, "SELECT pg_terminate_backend(pg_backend_pid())"));
    cr_expect_eq(bp_pg_fail_lost(conn, &err), BP_EUNAVAILABLE);
    cr_expect(bp_text_starts_with(err.msg, "the connection to the database was lost: "), "%s",
              err.msg);
    cr_expect_not(bp_text_ends_with(err.msg, " "), "'%s'", err.msg);
    PQfinish(conn);
}

/* What answers a connection with one error. */
struct refusing {
    int fd;
    const char *state;
    const char *words;
};

static void *refuse_one(void *ctx)
{
    const struct refusing *r = ctx;
    unsigned char answer[512] = "E";
    char ignored[1024];
    int len = snprintf((char *)answer + 5, sizeof(answer) - 5, "SFATAL%cVFATAL%cC%s%cM%s%c", 0, 0,
                       r->state, 0, r->words, 0);
    uint32_t size = htonl((uint32_t)len + 5);
    int fd = accept(r->fd, NULL, NULL);

    memcpy(answer + 1, &size, sizeof(size));
    (void)!read(fd, ignored, sizeof(ignored));
    (void)!write(fd, answer, (size_t)len + 6);
    (void)close(fd);
    return NULL;
}

static PGconn *connect_slowly(const char *url)
{
    PGconn *conn = PQconnectStart(url);
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;

    (void)PQsetErrorVerbosity(conn, PQERRORS_VERBOSE);
    while (next == PGRES_POLLING_READING || next == PGRES_POLLING_WRITING) {
        struct pollfd ready = {.fd = PQsocket(conn),
                               .events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT};

        (void)poll(&ready, 1, -1);
        next = PQconnectPoll(conn);
    }
    cr_assert_eq(next, PGRES_POLLING_FAILED);
    return conn;
}

struct refusal {
    const char *state;
    const char *words;
    enum bp_code code;
    bool may_pass;
    const char *hint; /* NULL: none */
};

static void expect_refusal(int fd, int port, const struct refusal *r)
{
    struct refusing server = {.fd = fd, .state = r->state, .words = r->words};
    BP_AUTO(bp_freep)
    char *url = bp_format("postgresql://u@127.0.0.1:%d/x?sslmode=disable&gssencmode=disable", port);
    struct bp_err err = {0};
    pthread_t thread;
    PGconn *conn = NULL;

    cr_assert_eq(pthread_create(&thread, NULL, refuse_one, &server), 0);
    conn = connect_slowly(url);
    (void)pthread_join(thread, NULL);
    cr_expect_eq(bp_pg_connect_may_pass(conn), r->may_pass, "%s: %s", r->state, r->words);
    cr_expect_eq(bp_pg_fail_connect(conn, "db:1", &err), r->code, "%s: %s", r->state, err.msg);
    cr_expect(bp_text_starts_with(err.msg, "cannot connect to db:1: "), "%s", err.msg);
    cr_expect_not_null(strstr(err.msg, r->words), "%s", err.msg);
    if (r->hint == NULL)
        cr_expect_null(strstr(err.msg, "hint: "), "%s", err.msg);
    else
        cr_expect_not_null(strstr(err.msg, r->hint), "%s", err.msg);
    PQfinish(conn);
}

Test(postgres_error, tells_what_a_refused_connection_means_and_whether_it_may_pass, .timeout = 60)
{
    static const struct refusal refusals[] = {
        {"28P01", "password authentication failed", BP_EAUTH, false, "check the user and the"},
        {"28000", "no pg_hba.conf entry", BP_EAUTH, false, "pg_hba.conf decides"},
        {"3D000", "database \"x\" does not exist", BP_ENOTFOUND, false, "database name"},
        {"53300", "sorry, too many clients already", BP_EUNAVAILABLE, true, "no free connection"},
        {"57P03", "the database system is starting up", BP_EUNAVAILABLE, true, "starting up or"},
        {"57P01", "terminating connection", BP_EUNAVAILABLE, true, NULL},
        {"58000", "something else", BP_EFAILED, false, NULL},
        {"08P01", "server_login_retry", BP_EUNAVAILABLE, true, NULL},
        {"08P01", "SASL authentication failed", BP_EAUTH, false, "the password"},
        {"08P01", "no such user: u", BP_EAUTH, false, "check the user"},
        {"08P01", "no such database: x", BP_ENOTFOUND, false, "database name"},
        {"08P01", "not allowed", BP_EAUTH, false, NULL},
        {"08P01", "unsupported startup parameter: options", BP_EUSAGE, false, "unset it"},
    };
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    cr_assert_eq(bind(fd, (const struct sockaddr *)&address, len), 0);
    cr_assert_eq(listen(fd, 1), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
        expect_refusal(fd, ntohs(address.sin_port), &refusals[i]);
    (void)close(fd);
}
