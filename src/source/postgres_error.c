#include "source/postgres_error.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"

enum {
    STATE_LEN = 5,
    MESSAGE_LIMIT = 400,
    HINT_LIMIT = 250,
};

struct rule {
    const char *state; /* an SQLSTATE or its first two characters, the class */
    enum bp_code code;
    const char *hint; /* NULL: the server's own */
};

static const struct rule rules[] = {
    {"28P01", BP_EAUTH, "check the user and the password of the connection"},
    {"28000", BP_EAUTH, "check the user; the server's pg_hba.conf decides who may connect"},
    {"3D000", BP_ENOTFOUND, "check the database name of the connection"},
    {"42501", BP_EAUTH, NULL},
    {"55P03", BP_ELOCKED, NULL},
    {"40001", BP_ELOCKED, NULL},
    {"40P01", BP_ELOCKED, NULL},
    {"53300", BP_EUNAVAILABLE, "the server has no free connection; try again later"},
    {"57P01", BP_EUNAVAILABLE, NULL},
    {"57P02", BP_EUNAVAILABLE, NULL},
    {"57P03", BP_EUNAVAILABLE, "the server is starting up or shutting down; try again later"},
    {"08", BP_EUNAVAILABLE, NULL},
};

static const struct rule *find_rule(const char *state)
{
    static const struct rule other = {"", BP_EFAILED, NULL};

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (bp_text_starts_with(state, rules[i].state))
            return &rules[i];
    }
    return &other;
}

/* What the client side of a connection can run into, found by the words of libpq and the system. */
struct word_rule {
    const char *words;
    enum bp_code code;
    const char *hint;
};

static const struct word_rule word_rules[] = {
    {"Network is unreachable", BP_EUNAVAILABLE,
     "the name may have an IPv6 address only while this machine has IPv4 only; many hosts offer a "
     "pooler in session mode with an IPv4 address"},
    {"certificate verify failed", BP_EFAILED,
     "give the server's certificate authority with sslrootcert"},
    {"does not match host name", BP_EFAILED,
     "use the host name that is in the server's certificate"},
    {"does not support SSL", BP_EFAILED, "the connection asks for TLS, see sslmode"},
    {"root certificate file", BP_EFAILED,
     "give the server's certificate authority with sslrootcert"},
    {"invalid sslmode", BP_EUSAGE, NULL},
    {"invalid port", BP_EUSAGE, NULL},
    {"invalid integer value", BP_EUSAGE, NULL},
    {"definition of service", BP_EUSAGE, NULL},
};

static bool is_state(const char *text)
{
    return strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") >= STATE_LEN &&
           text[STATE_LEN] == ':' && text[STATE_LEN + 1] == ' ';
}

/*
 * A verbose message of the server reads "FATAL:  28P01: words\nDETAIL: ...": where the SQLSTATE
 * begins, or NULL. The severity before it is translated, so it does not help.
 */
static const char *find_state(const char *message)
{
    for (const char *p = strstr(message, ":  "); p != NULL; p = strstr(p + 1, ":  ")) {
        if (is_state(p + 3))
            return p + 3;
    }
    return NULL;
}

static enum bp_code fail(struct bp_err *err, enum bp_code code, const char *words, const char *hint)
{
    return bp_fail(err, code, "%s%s%s", words, hint != NULL ? "; hint: " : "",
                   hint != NULL ? hint : "");
}

static enum bp_code fail_client_side(const char *message, const char *where, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf words = {0};
    enum bp_code code = BP_EUNAVAILABLE;
    const char *hint = NULL;

    for (size_t i = 0; i < sizeof(word_rules) / sizeof(word_rules[0]) && hint == NULL; i++) {
        if (strstr(message, word_rules[i].words) == NULL)
            continue;
        code = word_rules[i].code;
        hint = word_rules[i].hint;
    }
    bp_buf_printf(&words, "cannot connect to %s: ", where);
    bp_put_foreign(&words, message, MESSAGE_LIMIT);
    while (words.len > 0 && words.data[words.len - 1] == ' ')
        bp_buf_cut(&words, words.len - 1);
    return fail(err, code, words.data, hint);
}

enum bp_code bp_pg_fail_connect(const PGconn *conn, const char *where, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf line = {0};
    BP_AUTO(bp_buf_free) struct bp_buf words = {0};
    const char *message = PQerrorMessage(conn);
    const char *state = find_state(message);
    const struct rule *rule = NULL;

    bp_buf_printf(&words, "cannot connect to %s: ", where);
    if (PQconnectionNeedsPassword(conn) != 0) {
        bp_buf_puts(&words, "the server asks for a password and none was given");
        return fail(err, BP_EAUTH, words.data, "put it into the URL or into PGPASSWORD");
    }
    if (state == NULL)
        return fail_client_side(message, where, err);
    rule = find_rule(state);
    bp_buf_add(&line, state + STATE_LEN + 2, strcspn(state + STATE_LEN + 2, "\n"));
    bp_put_foreign(&words, bp_buf_str(&line), MESSAGE_LIMIT);
    return fail(err, rule->code, words.data, rule->hint);
}

enum bp_code bp_pg_fail_lost(const PGconn *conn, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf words = {0};

    bp_buf_puts(&words, "the connection to the database was lost: ");
    bp_put_foreign(&words, PQerrorMessage(conn), MESSAGE_LIMIT);
    while (words.data[words.len - 1] == ' ')
        bp_buf_cut(&words, words.len - 1);
    return bp_fail(err, BP_EUNAVAILABLE, "%s", words.data);
}

bool bp_pg_has_state(const PGresult *result, const char *state)
{
    const char *got = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    return got != NULL && strcmp(got, state) == 0;
}

enum bp_code bp_pg_fail_result(const PGresult *result, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf words = {0};
    BP_AUTO(bp_buf_free) struct bp_buf own_hint = {0};
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *server_hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    const struct rule *rule = find_rule(state != NULL ? state : "08");

    bp_put_foreign(&words, primary != NULL ? primary : PQresultErrorMessage(result), MESSAGE_LIMIT);
    if (detail != NULL) {
        bp_buf_puts(&words, " (");
        bp_put_foreign(&words, detail, HINT_LIMIT);
        bp_buf_putc(&words, ')');
    }
    if (server_hint != NULL)
        bp_put_foreign(&own_hint, server_hint, HINT_LIMIT);
    return fail(err, rule->code, bp_buf_str(&words),
                rule->hint != NULL || own_hint.len == 0 ? rule->hint : own_hint.data);
}
