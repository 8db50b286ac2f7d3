#include "source/postgres_params.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/tunnel.h"
#include "source/postgres_host.h"

#define DEF_PORT "5432"

/* Ours unless the URL or the environment says otherwise. */
static const char *const defaults[][2] = {
    {"application_name", "backproof"},
    {"keepalives", "1"},
    {"keepalives_idle", "30"},
    {"keepalives_interval", "10"},
    {"keepalives_count", "3"},
    /* What was sent and never acknowledged: without this the system waits a quarter of an hour. */
    {"tcp_user_timeout", "300000"},
};

static void free_conninfop(PQconninfoOption **list)
{
    PQconninfoFree(*list);
}

static void free_secrets(struct bp_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        bp_free_secretp(&list->at[i]);
    bp_list_free(list);
}

void bp_pg_params_free(struct bp_pg_params *params)
{
    bp_list_free(&params->keywords);
    free_secrets(&params->values);
}

void bp_pg_child_env_free(struct bp_list *env)
{
    free_secrets(env);
}

static void add(struct bp_pg_params *params, const char *keyword, const char *value)
{
    if (value == NULL || value[0] == '\0' || bp_list_has(&params->keywords, keyword))
        return;
    bp_list_add(&params->keywords, keyword);
    bp_list_add(&params->values, value);
}

/* "5432" or "5432,5433". A '/' in a password makes libpq take a part of it for the port. */
static bool is_port_list(const char *port)
{
    return port[strspn(port, "0123456789,")] == '\0';
}

static enum bp_code add_url(const char *url, struct bp_pg_params *out, struct bp_err *err)
{
    static const char hint[] = "hint: write it as postgresql://user:password@host:5432/database, "
                               "with %-escapes for special characters in user and password";
    BP_AUTO(free_conninfop) PQconninfoOption *given = NULL;
    char *ignored = NULL;

    given = PQconninfoParse(url, &ignored);
    if (ignored != NULL)
        PQfreemem(ignored); /* may repeat the URL */
    if (given == NULL)
        return bp_fail(err, BP_EUSAGE, "the database URL cannot be read; %s", hint);
    for (const PQconninfoOption *o = given; o->keyword != NULL; o++) {
        if (strcmp(o->keyword, "port") == 0 && o->val != NULL && !is_port_list(o->val))
            return bp_fail(err, BP_EUSAGE, "the port in the database URL is not a number; %s",
                           hint);
        add(out, o->keyword, o->val);
    }
    return BP_OK;
}

static void add_env(const struct bp_env *env, struct bp_pg_params *out)
{
    BP_AUTO(free_conninfop) PQconninfoOption *known = PQconndefaults();

    /* A named service comes before the environment: then libpq has to put them in order. */
    if (known == NULL || bp_list_has(&out->keywords, "service") ||
        bp_env_get(env, "PGSERVICE") != NULL)
        return;
    for (const PQconninfoOption *o = known; o->keyword != NULL; o++) {
        if (o->envvar != NULL)
            add(out, o->keyword, bp_env_get(env, o->envvar));
    }
}

/* NULL when there is none. Lent. */
static const char *get(const struct bp_pg_params *params, const char *keyword)
{
    for (size_t i = 0; i < params->keywords.count; i++) {
        if (strcmp(params->keywords.at[i], keyword) == 0)
            return params->values.at[i];
    }
    return NULL;
}

static void replace(struct bp_pg_params *params, const char *keyword, const char *value)
{
    for (size_t i = 0; i < params->keywords.count; i++) {
        if (strcmp(params->keywords.at[i], keyword) != 0)
            continue;
        bp_free(params->values.at[i]);
        params->values.at[i] = bp_strdup(value);
        return;
    }
    add(params, keyword, value);
}

/* Where a certificate is not checked, naming an authority would make libpq check it all the same,
 * and with sslmode=prefer go on without encryption. */
static void add_ca_file(const char *ca_file, struct bp_pg_params *out)
{
    const char *mode = get(out, "sslmode");

    if (ca_file != NULL && mode != NULL && bp_text_starts_with(mode, "verify-"))
        add(out, "sslrootcert", ca_file);
}

static enum bp_code params_make(const struct bp_postgres_options *options, struct bp_pg_params *out,
                                struct bp_err *err)
{
    enum bp_code rc = BP_OK;

    /* Before all others, so that no setting changes it. */
    add(out, "client_encoding", "UTF8");
    if (options->url != NULL)
        rc = add_url(options->url, out, err);
    if (rc != BP_OK)
        return rc;
    add_env(options->env, out);
    add_ca_file(options->ca_file, out);
    for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
        add(out, defaults[i][0], defaults[i][1]);
    return BP_OK;
}

enum bp_code bp_pg_params_make(const struct bp_postgres_options *options, struct bp_pg_params *out,
                               struct bp_err *err)
{
    enum bp_code rc = params_make(options, out, err);

    if (rc != BP_OK || options->tunnel == NULL)
        return rc;
    /* The host stays, for its certificate; the address is that of the way there. */
    replace(out, "hostaddr", "127.0.0.1");
    replace(out, "port", bp_tunnel_local_port(options->tunnel));
    return BP_OK;
}

/* A proxy elsewhere cannot lead to this machine, and one on it need not. */
static enum bp_code needs_tunnel(const struct bp_pg_params *params, const char *host, bool *out,
                                 struct bp_err *err)
{
    static const char hint[] = "hint: without --proxy, HTTPS_PROXY leads HTTP servers alone "
                               "through a proxy";

    if (host == NULL && get(params, "service") != NULL)
        return bp_fail(err, BP_EUSAGE,
                       "--proxy leads to the host that the database URL names, and the service "
                       "'%s' hides it; %s",
                       get(params, "service"), hint);
    if (host != NULL && strchr(host, ',') != NULL)
        return bp_fail(err, BP_EUSAGE,
                       "--proxy leads to one host, and the database URL names several: '%s'; %s",
                       host, hint);
    *out = !bp_pg_host_is_here(host);
    return BP_OK;
}

enum bp_code bp_pg_tunnel_open(struct bp_postgres_options *options, struct bp_err *err)
{
    BP_AUTO(bp_pg_params_free) struct bp_pg_params params = {0};
    const char *port = NULL;
    const char *host = NULL;
    bool needed = false;

    if (options->proxy == NULL || options->tunnel != NULL)
        return BP_OK;
    if (params_make(options, &params, err) != BP_OK)
        return err->code;
    host = get(&params, "hostaddr") != NULL ? get(&params, "hostaddr") : get(&params, "host");
    port = get(&params, "port") != NULL ? get(&params, "port") : DEF_PORT;
    if (host == NULL && bp_env_get(options->env, "PGSERVICE") != NULL)
        add(&params, "service", bp_env_get(options->env, "PGSERVICE"));
    if (needs_tunnel(&params, host, &needed, err) != BP_OK)
        return err->code;
    if (!needed)
        return BP_OK;
    /* A proxy that does not answer is found out before libpq gives up, which cannot tell of it. */
    return bp_tunnel_open(
        &(struct bp_tunnel_options){.proxy = options->proxy,
                                    .ca_file = options->ca_file,
                                    .host = host,
                                    .port = port,
                                    .connect_timeout_ms = options->connect_timeout_ms / 10 * 9},
        &options->tunnel, err);
}

/* What a child must not take over: these name servers, and we know which one it is. */
static bool names_a_server(const char *keyword)
{
    static const char *const names[] = {"service",
                                        "host",
                                        "hostaddr",
                                        "port",
                                        "password",
                                        "user",
                                        "client_encoding",
                                        "dbname",
                                        "target_session_attrs"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], keyword) == 0)
            return true;
    }
    return false;
}

static bool is_libpq_variable(const PQconninfoOption *known, const char *var)
{
    for (const PQconninfoOption *o = known; o->keyword != NULL; o++) {
        size_t len = o->envvar != NULL ? strlen(o->envvar) : 0;

        if (len > 0 && strncmp(var, o->envvar, len) == 0 && var[len] == '=')
            return true;
    }
    return false;
}

/* What a child's messages or the text of a value would depend on. */
static bool changes_text(const char *var)
{
    return bp_text_starts_with(var, "LC_") || bp_text_starts_with(var, "PGTZ=") ||
           bp_text_starts_with(var, "PGDATESTYLE=");
}

static void add_var(struct bp_list *out, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0')
        bp_list_addf(out, "%s=%s", name, value);
}

void bp_pg_child_env(PGconn *conn, const struct bp_env *base, struct bp_list *out)
{
    BP_AUTO(free_conninfop) PQconninfoOption *used = PQconninfo(conn);

    for (const char *const *var = base->vars; *var != NULL; var++) {
        if (!is_libpq_variable(used, *var) && !changes_text(*var))
            bp_list_add(out, *var);
    }
    for (const PQconninfoOption *o = used; o->keyword != NULL; o++) {
        if (o->envvar != NULL && !names_a_server(o->keyword))
            add_var(out, o->envvar, o->val);
    }
    /* The address pins the server where a name stands for several. */
    add_var(out, "PGHOST", PQhost(conn));
    add_var(out, "PGHOSTADDR", PQhostaddr(conn));
    add_var(out, "PGPORT", PQport(conn));
    add_var(out, "PGUSER", PQuser(conn));
    add_var(out, "PGDATABASE", PQdb(conn));
    add_var(out, "PGPASSWORD", PQpass(conn));
    add_var(out, "PGTZ", "UTC");
    add_var(out, "LC_ALL", "C");
}
