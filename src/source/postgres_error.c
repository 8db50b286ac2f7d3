#include "source/postgres_error.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "source/postgres_host.h"

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
    {"53200", BP_EUNAVAILABLE,
     "raise max_locks_per_transaction on the server; each connection of a "
     "backup locks the tables that it reads, so fewer --jobs help a little"},
    {"53300", BP_EUNAVAILABLE, "the server has no free connection; try again later"},
    {"57014", BP_ETIMEOUT,
     "--statement-timeout allows less than the statement took, or somebody on "
     "the server cancelled it"},
    {"57P01", BP_EUNAVAILABLE, NULL},
    {"57P02", BP_EUNAVAILABLE, NULL},
    {"57P05", BP_EUNAVAILABLE, NULL},
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
     "check the host, and whether this machine is connected"},
    {"certificate verify failed", BP_EFAILED,
     "give the server's certificate authority with --ca-file or sslrootcert"},
    {"does not match host name", BP_EFAILED,
     "use the host name that is in the server's certificate"},
    {"does not support SSL", BP_EFAILED, "the connection asks for TLS, see sslmode"},
    {"root certificate file", BP_EFAILED,
     "give the server's certificate authority with --ca-file or sslrootcert"},
    {"invalid sslmode", BP_EUSAGE, NULL},
    {"invalid port", BP_EUSAGE, NULL},
    {"invalid integer value", BP_EUSAGE, NULL},
    {"definition of service", BP_EUSAGE, NULL},
};

/* An address of a family that this machine cannot reach. */
static const char *const no_way_words[] = {"Network is unreachable", "Cannot assign requested",
                                           "Address family not supported"};

/* What a server, a pooler or a network says that may do better in a while. */
static const char *const passing_states[] = {"57P01", "57P02", "57P03", "53300", "08"};
static const char *const passing_words[] = {
    "Connection refused", "Connection reset",      "timed out",
    "timeout expired",    "closed the connection", "Temporary failure in name resolution"};

/* Poolers say all they have to say with the one state 08P01: this will not pass. */
static const struct word_rule lasting_rules[] = {
    {"authentication failed", BP_EAUTH, "check the user and the password of the connection"},
    {"no such user", BP_EAUTH, "check the user of the connection"},
    {"no such database", BP_ENOTFOUND, "check the database name of the connection"},
    {"not allowed", BP_EAUTH, NULL},
    {"unsupported startup parameter", BP_EUSAGE,
     "the pooler does not take PGOPTIONS: unset it, or use the direct address"},
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static bool has_one_of(const char *text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strstr(text, words[i]) != NULL)
            return true;
    }
    return false;
}

static const struct word_rule *find_lasting(const char *message)
{
    for (size_t i = 0; i < COUNT(lasting_rules); i++) {
        if (strstr(message, lasting_rules[i].words) != NULL)
            return &lasting_rules[i];
    }
    return NULL;
}

static bool is_state(const char *text)
{
    return strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") >= STATE_LEN &&
           text[STATE_LEN] == ':' && text[STATE_LEN + 1] == ' ';
}

/*
 * A verbose message of the server reads "FATAL:  28P01: words\nDETAIL: ...": where the next
 * SQLSTATE begins, or NULL. The severity before it is translated, so it does not help.
 */
static const char *find_state(const char *message)
{
    for (const char *p = strstr(message, ":  "); p != NULL; p = strstr(p + 1, ":  ")) {
        if (is_state(p + 3))
            return p + 3;
    }
    return NULL;
}

static bool is_passing_state(const char *state)
{
    for (size_t i = 0; i < COUNT(passing_states); i++) {
        if (bp_text_starts_with(state, passing_states[i]))
            return true;
    }
    return false;
}

bool bp_pg_connect_may_pass(const PGconn *conn)
{
    const char *message = PQerrorMessage(conn);
    bool passes = has_one_of(message, passing_words, COUNT(passing_words));

    if (PQconnectionNeedsPassword(conn) != 0 || find_lasting(message) != NULL)
        return false;
    /* One for each host that was tried. */
    for (const char *s = find_state(message); s != NULL; s = find_state(s)) {
        if (!is_passing_state(s))
            return false;
        passes = true;
    }
    return passes;
}

size_t bp_pg_reason_len(const char *message)
{
    static const char mark[] = "; hint: ";
    const char *last = NULL;

    /* The last one is ours. */
    for (const char *p = strstr(message, mark); p != NULL; p = strstr(p + 1, mark))
        last = p;
    return last != NULL ? (size_t)(last - message) : strlen(message);
}

static enum bp_code fail(struct bp_err *err, enum bp_code code, const char *words, const char *hint)
{
    return bp_fail(err, code, "%s%s%s", words, hint != NULL ? "; hint: " : "",
                   hint != NULL ? hint : "");
}

static enum bp_code fail_client_side(const PGconn *conn, const char *where, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf words = {0};
    const char *message = PQerrorMessage(conn);
    enum bp_code code = BP_EUNAVAILABLE;
    const char *hint = NULL;

    if (has_one_of(message, no_way_words, COUNT(no_way_words)) &&
        bp_pg_host_is_ipv6_only(PQhost(conn))) {
        bp_buf_printf(&words,
                      "cannot connect to %s: it has an IPv6 address only, and this machine has no "
                      "way to IPv6 addresses",
                      where);
        return fail(err, code, words.data, bp_pg_host_ipv4_hint(PQhost(conn)));
    }
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
    const struct word_rule *lasting = find_lasting(message);
    const struct rule *rule = NULL;

    bp_buf_printf(&words, "cannot connect to %s: ", where);
    if (PQconnectionNeedsPassword(conn) != 0) {
        bp_buf_puts(&words, "the server asks for a password and none was given");
        return fail(err, BP_EAUTH, words.data, "put it into the URL or into PGPASSWORD");
    }
    if (state == NULL)
        return fail_client_side(conn, where, err);
    rule = find_rule(state);
    bp_buf_add(&line, state + STATE_LEN + 2, strcspn(state + STATE_LEN + 2, "\n"));
    bp_put_foreign(&words, bp_buf_str(&line), MESSAGE_LIMIT);
    if (rule->code == BP_EUNAVAILABLE && lasting != NULL)
        return fail(err, lasting->code, words.data, lasting->hint);
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

enum bp_code bp_pg_fail_masked(const PGresult *result, struct bp_err *err)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    /* What has a rule is about locks, time, rights and connections, never about a value. */
    if (state == NULL || find_rule(state)->state[0] != '\0')
        return bp_pg_fail_result(result, err);
    return bp_fail(err, BP_EFAILED,
                   "a mask's expression failed for a row (SQLSTATE %s); the server's words are not "
                   "shown, because they may hold what is masked",
                   state);
}
