#include "source/postgres_host.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/text.h"

static const char neon_mark[] = "-pooler.";
static const char supabase_pooler[] = ".pooler.supabase.com";
static const char transaction_port[] = "6543";

static bool is_supabase(const char *host)
{
    return bp_text_ends_with(host, ".supabase.co") || bp_text_ends_with(host, ".supabase.com");
}

bool bp_pg_host_is_here(const char *host)
{
    struct in6_addr six = {0};
    struct in_addr four = {0};

    if (host == NULL || host[0] == '\0' || host[0] == '/' || host[0] == '@')
        return true;
    if (inet_pton(AF_INET, host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
    if (inet_pton(AF_INET6, host, &six) == 1)
        return IN6_IS_ADDR_LOOPBACK(&six) ||
               (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == IN_LOOPBACKNET);
    return strcasecmp(host, "localhost") == 0 || strcasecmp(host, "localhost.") == 0;
}

bool bp_pg_host_is_ipv6_only(const char *host)
{
    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    bool only = true;

    if (host == NULL || getaddrinfo(host, NULL, &wanted, &found) != 0)
        return false;
    for (const struct addrinfo *one = found; one != NULL; one = one->ai_next)
        only = only && one->ai_family == AF_INET6;
    freeaddrinfo(found);
    return only;
}

const char *bp_pg_host_ipv4_hint(const char *host)
{
    if (is_supabase(host))
        return "use the address of the session pooler, which has IPv4: in Supabase's dashboard, "
               "Connect, Session pooler, port 5432";
    return "GitHub's runners have IPv4 only; use an IPv4 address of the database (some hosts sell "
           "one), its host's pooler in session mode, or a runner with IPv6";
}

void bp_pg_host_session_hint(const char *host, const char *port, struct bp_buf *out)
{
    const char *mark = strstr(host, neon_mark);

    if (mark != NULL)
        bp_buf_printf(out, "use the same host without '-pooler': %.*s.%s", (int)(mark - host), host,
                      mark + strlen(neon_mark));
    else if (bp_text_ends_with(host, supabase_pooler) && strcmp(port, transaction_port) == 0)
        bp_buf_printf(out, "use port 5432 of the same host, which is its session mode");
    else
        bp_buf_puts(out, "use the direct address of the database, or the pooler's session mode, "
                         "which often is another port (Supabase: 5432 instead of 6543)");
}

bool bp_pg_host_may_share(const char *host, const char *port)
{
    return strcmp(port, transaction_port) == 0 || strstr(host, neon_mark) != NULL;
}
