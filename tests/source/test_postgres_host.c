#include <criterion/criterion.h>
#include <string.h>

#include "source/postgres_host.h"

static const char *session_hint(struct bp_buf *buf, const char *host, const char *port)
{
    bp_buf_cut(buf, 0);
    bp_pg_host_session_hint(host, port, buf);
    return bp_buf_str(buf);
}

Test(postgres_host, names_the_address_without_the_pooler_where_it_is_known)
{
    BP_AUTO(bp_buf_free) struct bp_buf hint = {0};

    cr_expect_str_eq(session_hint(&hint, "ep-a-1-pooler.eu.aws.neon.tech", "5432"),
                     "use the same host without '-pooler': ep-a-1.eu.aws.neon.tech");
    cr_expect_str_eq(session_hint(&hint, "aws-0-eu.pooler.supabase.com", "6543"),
                     "use port 5432 of the same host, which is its session mode");
    cr_expect_not_null(strstr(session_hint(&hint, "db.example.com", "7000"), "the direct address"));
}

Test(postgres_host, knows_addresses_of_poolers_that_share)
{
    cr_expect(bp_pg_host_may_share("db.example.com", "6543"));
    cr_expect(bp_pg_host_may_share("ep-a-1-pooler.eu.aws.neon.tech", "5432"));
    cr_expect_not(bp_pg_host_may_share("ep-a-1.eu.aws.neon.tech", "5432"));
}

Test(postgres_host, tells_a_host_with_ipv6_only)
{
    cr_expect(bp_pg_host_is_ipv6_only("2001:db8::1"));
    cr_expect_not(bp_pg_host_is_ipv6_only("127.0.0.1"));
    cr_expect_not(bp_pg_host_is_ipv6_only("no-such-host.invalid"));
    cr_expect_not(bp_pg_host_is_ipv6_only(NULL), "a local socket");
}

Test(postgres_host, knows_where_supabase_has_ipv4)
{
    cr_expect_not_null(strstr(bp_pg_host_ipv4_hint("db.abc.supabase.co"), "session pooler"));
    cr_expect_not_null(strstr(bp_pg_host_ipv4_hint("db.example.com"), "IPv4 address"));
}

Test(postgres_host, knows_what_is_this_machine)
{
    static const char *const here[] = {
        "",          "/run/x",      "@x",  "localhost",       "LocalHost",       "localhost.",
        "127.0.0.1", "127.255.0.9", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1"};
    static const char *const elsewhere[] = {"localhost.example.test",
                                            "127.0.0.1.example.test",
                                            "128.0.0.1",
                                            "0.0.0.0",
                                            "::2",
                                            "db",
                                            "my-localhost"};

    cr_expect(bp_pg_host_is_here(NULL));
    for (size_t i = 0; i < sizeof(here) / sizeof(here[0]); i++)
        cr_expect(bp_pg_host_is_here(here[i]), "%s", here[i]);
    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
        cr_expect_not(bp_pg_host_is_here(elsewhere[i]), "%s", elsewhere[i]);
}
