#include "source/postgres_params.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/buf.h"

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
