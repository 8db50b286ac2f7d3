#include "source/postgres_params.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "net/tunnel.h"

static const char *const no_vars[] = {NULL};

/* "keyword=value " of each, in order. */
static void make(const char *url, const char *const *vars, struct bp_buf *out)
{
    const struct bp_env env = {vars != NULL ? vars : no_vars};
    const struct bp_postgres_options options = {.url = url, .env = &env};
    BP_AUTO(bp_pg_params_free) struct bp_pg_params params = {0};
    struct bp_err err = {0};

    cr_assert_eq(bp_pg_params_make(&options, &params, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(params.keywords.count, params.values.count);
    bp_buf_puts(out, " ");
    for (size_t i = 0; i < params.keywords.count; i++)
        bp_buf_printf(out, "%s=%s ", params.keywords.at[i], params.values.at[i]);
}

static void expect(const char *url, const char *const *vars, const char *words, bool is_there)
{
    BP_AUTO(bp_buf_free) struct bp_buf all = {0};

    make(url, vars, &all);
    cr_expect((strstr(all.data, words) != NULL) == is_there, "'%s' in '%s'", words, all.data);
}

Test(postgres_params, adds_what_notices_a_dead_connection)
{
    BP_AUTO(bp_buf_free) struct bp_buf all = {0};

    make(NULL, NULL, &all);
    cr_expect_str_eq(all.data, " client_encoding=UTF8 application_name=backproof keepalives=1"
                               " keepalives_idle=30 keepalives_interval=10 keepalives_count=3"
                               " tcp_user_timeout=300000 ");
}

Test(postgres_params, lets_the_url_and_the_environment_say_otherwise)
{
    static const char *const vars[] = {"PGAPPNAME=from-env", "PGHOST=from-env", NULL};

    expect("postgresql://h/x?keepalives_idle=5", NULL, " keepalives_idle=5 ", true);
    expect("postgresql://h/x?keepalives_idle=5", NULL, " keepalives_idle=30 ", false);
    expect("host=h keepalives=0", NULL, " keepalives=0 ", true);
    expect("postgresql://h/x", vars, " application_name=from-env ", true);
    expect("postgresql://h/x?application_name=a", vars, " application_name=a ", true);
    expect("postgresql://h/x", vars, " host=h ", true);
    expect("postgresql:///x", vars, " host=from-env ", true);
    expect(NULL, vars, " host=from-env ", true);
}

static void expect_ca(const char *url, const char *const *vars, const char *wanted)
{
    const struct bp_env env = {vars != NULL ? vars : no_vars};
    const struct bp_postgres_options options = {.url = url, .env = &env, .ca_file = "/ca.pem"};
    BP_AUTO(bp_pg_params_free) struct bp_pg_params params = {0};
    struct bp_err err = {0};
    const char *found = "";

    cr_assert_eq(bp_pg_params_make(&options, &params, &err), BP_OK, "%s", err.msg);
    for (size_t i = 0; i < params.keywords.count; i++) {
        if (strcmp(params.keywords.at[i], "sslrootcert") == 0)
            found = params.values.at[i];
    }
    cr_expect_str_eq(found, wanted, "%s gave '%s'", url, found);
}

Test(postgres_params, the_certificate_authority_is_for_who_checks_and_names_none)
{
    static const char *const verify[] = {"PGSSLMODE=verify-full", NULL};
    static const char *const named[] = {"PGSSLROOTCERT=/env.pem", NULL};

    expect_ca("postgresql://h/x?sslmode=verify-full", NULL, "/ca.pem");
    expect_ca("postgresql://h/x?sslmode=verify-ca", NULL, "/ca.pem");
    expect_ca("postgresql://h/x", verify, "/ca.pem");
    expect_ca("postgresql://h/x?sslmode=verify-full", named, "/env.pem");
    expect_ca("postgresql://h/x?sslmode=verify-full&sslrootcert=/url.pem", named, "/url.pem");
    expect_ca("postgresql://h/x?sslmode=require", NULL, "");
    expect_ca("postgresql://h/x", NULL, "");
}

static enum bp_code open_way(const char *url, const char *const *vars, char *out, size_t size,
                             struct bp_err *err)
{
    const struct bp_env env = {vars != NULL ? vars : no_vars};
    struct bp_postgres_options options = {.url = url, .env = &env, .proxy = "http://p.test:1"};
    BP_AUTO(bp_pg_params_free) struct bp_pg_params params = {0};
    enum bp_code rc = bp_pg_tunnel_open(&options, err);

    if (rc == BP_OK && options.tunnel != NULL) {
        (void)snprintf(out, size, "%s:%s", bp_tunnel_host(options.tunnel),
                       bp_tunnel_port(options.tunnel));
        rc = bp_pg_params_make(&options, &params, err);
    }
    for (size_t i = 0; i < params.keywords.count; i++) {
        if (strcmp(params.keywords.at[i], "hostaddr") == 0)
            cr_expect_str_eq(params.values.at[i], "127.0.0.1");
        if (strcmp(params.keywords.at[i], "port") == 0)
            cr_expect_str_eq(params.values.at[i], bp_tunnel_local_port(options.tunnel));
        if (strcmp(params.keywords.at[i], "host") == 0)
            cr_expect_str_eq(params.values.at[i], "db.test");
    }
    bp_tunnel_closep(&options.tunnel);
    return rc;
}

Test(postgres_params, a_proxy_leads_to_the_host_that_is_named)
{
    static const char *const vars[] = {"PGHOST=db.test", "PGPORT=6000", NULL};
    static const struct {
        const char *url;
        const char *const *vars;
        const char *wanted;
    } rows[] = {
        {"postgresql://u@db.test:5433/x", NULL, "db.test:5433"},
        {"postgresql://u@db.test/x", NULL, "db.test:5432"},
        {"host=db.test hostaddr=192.0.2.1", NULL, "192.0.2.1:5432"},
        {NULL, vars, "db.test:6000"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bp_err err = {0};
        char found[64] = "";

        cr_expect_eq(open_way(rows[i].url, rows[i].vars, found, sizeof(found), &err), BP_OK, "%s",
                     err.msg);
        cr_expect_str_eq(found, rows[i].wanted);
    }
}

Test(postgres_params, a_proxy_is_not_asked_for_a_database_on_this_machine)
{
    static const char *const urls[] = {
        "postgresql:///x",       "host=/run/x",
        "host=@abstract",        "postgresql://localhost/x",
        "postgresql://[::1]/x",  "postgresql://127.1.2.3:5433/x",
        "host=LOCALHOST port=1", "host=db.test hostaddr=127.0.0.1",
    };

    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct bp_err err = {0};
        char found[64] = "";

        cr_expect_eq(open_way(urls[i], NULL, found, sizeof(found), &err), BP_OK, "%s", err.msg);
        cr_expect_str_empty(found, "%s: %s", urls[i], found);
    }
}

Test(postgres_params, a_proxy_leads_to_one_host_that_is_known)
{
    static const char *const service[] = {"PGSERVICE=mine", NULL};
    static const struct {
        const char *url;
        const char *const *vars;
        const char *words;
    } rows[] = {
        {"host=/run/x,a.test", NULL, "names several: '/run/x,a.test'"},
        {"postgresql://a.test,b.test/x", NULL, "names several: 'a.test,b.test'"},
        {"service=mine", NULL, "the service 'mine' hides it"},
        {NULL, service, "the service 'mine' hides it"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bp_err err = {0};
        char found[64] = "";

        cr_expect_eq(open_way(rows[i].url, rows[i].vars, found, sizeof(found), &err), BP_EUSAGE);
        cr_expect_not_null(strstr(err.msg, rows[i].words), "%s", err.msg);
        cr_expect_not_null(strstr(err.msg, "HTTPS_PROXY"), "%s", err.msg);
    }
}

Test(postgres_params, keeps_the_encoding_whatever_is_said)
{
    static const char *const vars[] = {"PGCLIENTENCODING=LATIN1", NULL};

    expect("postgresql://h/x?client_encoding=LATIN1", vars, " client_encoding=UTF8 ", true);
    expect("postgresql://h/x?client_encoding=LATIN1", vars, "LATIN1", false);
}

Test(postgres_params, takes_an_empty_value_for_none)
{
    static const char *const vars[] = {"PGHOST=", "PGUSER=u", NULL};

    expect("postgresql:///x", vars, " host=", false);
    expect("postgresql:///x", vars, " user=u ", true);
    expect("host='' dbname=x", (const char *const[]){"PGHOST=e", NULL}, " host=e ", true);
}

Test(postgres_params, leaves_the_environment_to_libpq_when_a_service_is_named)
{
    static const char *const vars[] = {"PGSERVICE=s", "PGHOST=from-env", NULL};
    static const char *const host[] = {"PGHOST=from-env", NULL};

    expect(NULL, vars, "from-env", false);
    expect("service=s", host, "from-env", false);
    expect("service=s", host, " service=s ", true);
}

Test(postgres_params, takes_several_hosts_and_ports)
{
    expect("postgresql://a:1,b:2/x", NULL, " host=a,b ", true);
    expect("postgresql://a:1,b:2/x", NULL, " port=1,2 ", true);
    expect("postgresql://u:p%40%2F@h/x", NULL, " password=p@/ ", true);
}

Test(postgres_params, refuses_a_port_that_is_a_piece_of_a_password)
{
    const struct bp_env env = {no_vars};
    const struct bp_postgres_options options = {.url = "postgresql://u:s3cret/rest@h/x",
                                                .env = &env};
    BP_AUTO(bp_pg_params_free) struct bp_pg_params params = {0};
    struct bp_err err = {0};

    cr_expect_eq(bp_pg_params_make(&options, &params, &err), BP_EUSAGE);
    cr_expect_not_null(strstr(err.msg, "the port in the database URL is not a number"), "%s",
                       err.msg);
    cr_expect_null(strstr(err.msg, "s3c"), "%s", err.msg);
}
