/* Owners, grants and the roles that they name. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "flow/restore_plan_internal.h"

void bp_role_maps_free(struct bp_role_maps *maps)
{
    bp_list_free(&maps->from);
    bp_list_free(&maps->to);
}

/* "name", or what stands up to the character `until`. */
static char *take_role(const char **at, char until)
{
    struct bp_sql sql = {.at = *at, .end = *at + strlen(*at)};
    const char *end = strchr(*at, until);
    char *name = NULL;

    if (**at == '"') {
        (void)bp_sql_next(&sql);
        name = bp_sql_name(&sql);
        *at = sql.at;
        return name;
    }
    if (end == NULL || end == *at)
        return NULL;
    name = bp_strndup(*at, (size_t)(end - *at));
    *at = end;
    return name;
}

static enum bp_code read_map(const char *text, struct bp_role_maps *out, struct bp_err *err)
{
    const char *at = text;
    BP_AUTO(bp_freep) char *from = take_role(&at, '=');
    BP_AUTO(bp_freep) char *to = from != NULL && *at++ == '=' ? take_role(&at, '\0') : NULL;

    if (to == NULL || *at != '\0')
        return bp_fail(
            err, BP_EUSAGE,
            "--role-map '%s' cannot be read; hint: write --role-map old=new, a name that "
            "holds '=' in double quotes",
            text);
    if (bp_list_has(&out->from, from))
        return bp_fail(err, BP_EUSAGE, "--role-map names role '%s' twice", from);
    bp_list_add(&out->from, from);
    bp_list_add(&out->to, to);
    return BP_OK;
}

enum bp_code bp_role_maps_read(const struct bp_list *list, struct bp_role_maps *out,
                               struct bp_err *err)
{
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        if (read_map(list->at[i], out, err) != BP_OK)
            return err->code;
    }
    return BP_OK;
}

static const char *mapped(const struct bp_role_maps *maps, const char *role)
{
    for (size_t i = 0; i < maps->from.count; i++) {
        if (strcmp(maps->from.at[i], role) == 0)
            return maps->to.at[i];
    }
    return NULL;
}

/* ---- statements ---- */

/* What a statement is about, as far as roles go. */
enum verb {
    OTHER,
    ALTER,  /* ... OWNER TO role */
    GRANTS, /* GRANT, REVOKE, ALTER DEFAULT PRIVILEGES: FOR ROLE role, TO role, FROM role */
    POLICY, /* CREATE POLICY ... TO role, role */
    USER,   /* CREATE USER MAPPING FOR role */
    SESSION /* SET SESSION AUTHORIZATION role */
};

enum { WORD_SIZE = 24 };

struct reader {
    const struct bp_role_maps *maps;
    bool no_owner;
    bool no_grants;
    struct bp_sql sql;
    size_t depth; /* of brackets */
    size_t place; /* of the next word in its statement, from 0 */
    enum verb verb;
    char last[WORD_SIZE];   /* the word before, in capitals; "" when it was none */
    char before[WORD_SIZE]; /* the one before that */
    bool was_role;          /* the token before was one */
    bool owner;             /* the statement changes an owner */
    struct bp_buf part;     /* the statement so far */
};

static enum verb verb_of(enum verb verb, size_t place, const char *word)
{
    if (place == 0) {
        if (strcmp(word, "GRANT") == 0 || strcmp(word, "REVOKE") == 0)
            return GRANTS;
        return strcmp(word, "ALTER") == 0 ? ALTER : OTHER;
    }
    if (place > 1 || verb == GRANTS)
        return verb;
    if (verb == ALTER)
        return strcmp(word, "DEFAULT") == 0 ? GRANTS : ALTER;
    if (strcmp(word, "POLICY") == 0)
        return POLICY;
    if (strcmp(word, "USER") == 0)
        return USER;
    return strcmp(word, "SESSION") == 0 ? SESSION : verb;
}

/* Whether a role comes next. */
static bool leads_to_role(const struct reader *r)
{
    const char *last = r->last;

    switch (r->verb) {
    case ALTER:
        return strcmp(last, "TO") == 0 && strcmp(r->before, "OWNER") == 0;
    case GRANTS:
        return strcmp(last, "TO") == 0 || strcmp(last, "FROM") == 0 ||
               (strcmp(last, "ROLE") == 0 && strcmp(r->before, "FOR") == 0);
    case POLICY:
        return r->depth == 0 && strcmp(last, "TO") == 0;
    case USER:
        return strcmp(last, "FOR") == 0;
    case SESSION:
        return strcmp(last, "AUTHORIZATION") == 0;
    case OTHER:
        break;
    }
    return false;
}

static void remember_word(struct reader *r)
{
    char word[WORD_SIZE] = "";

    memcpy(r->before, r->last, WORD_SIZE);
    if (r->sql.kind == BP_SQL_WORD && r->sql.len < WORD_SIZE) {
        for (size_t i = 0; i < r->sql.len; i++) {
            char c = r->sql.token[i];

            word[i] = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
        }
    }
    memcpy(r->last, word, WORD_SIZE);
    r->verb = verb_of(r->verb, r->place++, word);
}

/* The token, or the role that takes its place. */
static void put_token(struct reader *r)
{
    bool solid = r->sql.kind != BP_SQL_SPACE && r->sql.kind != BP_SQL_COMMENT;
    BP_AUTO(bp_freep) char *name = solid && leads_to_role(r) ? bp_sql_name(&r->sql) : NULL;
    const char *other = name != NULL ? mapped(r->maps, name) : NULL;

    if (other != NULL)
        bp_sql_put_name(&r->part, other);
    else
        bp_buf_add(&r->part, r->sql.token, r->sql.len);
    if (!solid)
        return;
    r->owner = r->owner || (name != NULL && r->verb == ALTER);
    r->depth += bp_sql_is(&r->sql, '(');
    r->depth -= r->depth > 0 && bp_sql_is(&r->sql, ')');
    remember_word(r);
    if (r->was_role && bp_sql_is(&r->sql, ',')) /* a list goes on: TO a, b */
        memcpy(r->last, "TO", sizeof("TO"));
    r->was_role = name != NULL;
}

static void end_statement(struct reader *r, struct bp_buf *out)
{
    bool grants = r->verb == GRANTS || r->verb == SESSION;

    if ((!r->no_owner || !r->owner) && (!r->no_grants || !grants))
        bp_buf_add(out, bp_buf_str(&r->part), r->part.len);
    bp_buf_cut(&r->part, 0);
    r->place = 0;
    r->verb = OTHER;
    r->owner = false;
    r->was_role = false;
    r->last[0] = '\0';
}

static char *change(struct reader r, const char *sql)
{
    BP_AUTO(bp_buf_free) struct bp_buf out = {0};
    size_t start = 0;

    r.sql = bp_script_sql(sql);
    start = (size_t)(r.sql.at - sql);

    bp_buf_add(&out, sql, start);
    while (bp_sql_next(&r.sql)) {
        put_token(&r);
        if (r.depth == 0 && bp_sql_is(&r.sql, ';'))
            end_statement(&r, &out);
    }
    end_statement(&r, &out);
    bp_buf_free(&r.part);
    if (strspn(bp_buf_str(&out) + start, " \n") == out.len - start)
        return bp_strdup("");
    return bp_buf_take(&out);
}

char *bp_restore_role_sql(const char *sql, const struct bp_role_maps *maps, bool no_owner)
{
    return change((struct reader){.maps = maps, .no_owner = no_owner}, sql);
}

enum bp_code bp_restore_objects(const struct bp_restore_want *want, const char *text, char **out,
                                struct bp_err *err)
{
    BP_AUTO(bp_role_maps_free) struct bp_role_maps maps = {0};

    if (bp_role_maps_read(want->role_maps, &maps, err) != BP_OK)
        return err->code;
    *out = change((struct reader){.maps = &maps,
                                  .no_owner = want->no_owner,
                                  .no_grants = want->no_privileges},
                  text);
    return BP_OK;
}

/* ---- roles.sql ---- */

/* Whether a body asks for rolname = 'a role that is mapped'. */
static bool names_mapped(const struct bp_role_maps *maps, const struct bp_sql *body)
{
    struct bp_sql sql = {.at = body->token + 1, .end = body->at};
    bool asks = false;

    sql.at = memchr(sql.at, '$', (size_t)(sql.end - sql.at));
    sql.at = sql.at != NULL ? sql.at + 1 : sql.end;
    while (bp_sql_next_solid(&sql)) {
        BP_AUTO(bp_freep) char *text = asks ? bp_sql_text(&sql) : NULL;

        if (text != NULL && mapped(maps, text) != NULL)
            return true;
        asks = bp_sql_is_word(&sql, "rolname") || (asks && bp_sql_is(&sql, '='));
    }
    return false;
}

char *bp_restore_roles_without(const char *roles, const struct bp_role_maps *maps)
{
    struct bp_sql sql = {.at = roles, .end = roles + strlen(roles)};
    BP_AUTO(bp_buf_free) struct bp_buf out = {0};
    const char *start = roles;
    bool drop = false;

    while (bp_sql_next(&sql)) {
        drop = drop || (sql.kind == BP_SQL_DOLLAR && names_mapped(maps, &sql));
        if (!bp_sql_is(&sql, ';'))
            continue;
        if (!drop)
            bp_buf_add(&out, start, (size_t)(sql.at - start));
        drop = false;
        start = sql.at;
    }
    bp_buf_add(&out, start, (size_t)(sql.at - start));
    return bp_buf_take(&out);
}
