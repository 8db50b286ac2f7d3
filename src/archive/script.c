#include "archive/script.h"

#include <string.h>

#include "base/mem.h"
#include "base/sql.h"
#include "base/text.h"

enum { EXCERPT_LIMIT = 120 };

static const char *const header_starts[] = {"--\n-- Name: ", "--\n-- Data for Name: "};
static const char header_end[] = "\n--\n";

struct cutter {
    struct bp_sql sql;
    const char *text;
    struct bp_script *out;
    size_t size; /* of out->at */
    struct bp_buf preamble;
    struct bp_list settings; /* the SET statements between blocks that count by now */
    bool settings_put;       /* in body, as they are */
    struct bp_buf body;      /* of the block that is being read */
    const char *from;        /* its statements that are not in body yet: up to `to`; NULL: none */
    const char *to;
};

struct piece {
    const char *at;
    const char *end;
};

static void cutter_free(struct cutter *c)
{
    bp_buf_free(&c->preamble);
    bp_list_free(&c->settings);
    bp_buf_free(&c->body);
}

static bool begins_with(const char *at, const char *end, const char *text)
{
    size_t len = strlen(text);

    return (size_t)(end - at) >= len && memcmp(at, text, len) == 0;
}

/* ---- headers ---- */

/* The last place in the line where this text stands; NULL: none. */
static const char *last_of(const char *at, const char *end, const char *text)
{
    const char *found = NULL;
    const char *next = at;

    while ((next = memmem(next, (size_t)(end - next), text, strlen(text))) != NULL)
        found = next++;
    return found;
}

/* A field of the header; "-" stands for none. */
static char *field(const char *at, const char *end)
{
    return end - at == 1 && *at == '-' ? bp_strdup("") : bp_strndup(at, (size_t)(end - at));
}

/* "users; Type: TABLE; Schema: app; Owner: alice", maybe "; Tablespace: fast" behind it. */
static bool parse_header(const char *at, const char *end, struct bp_script_block *block)
{
    static const char type_word[] = "; Type: ";
    static const char schema_word[] = "; Schema: ";
    static const char owner_word[] = "; Owner: ";
    const char *type = last_of(at, end, type_word);
    const char *schema = type != NULL ? last_of(type, end, schema_word) : NULL;
    const char *owner = schema != NULL ? last_of(schema, end, owner_word) : NULL;
    const char *space = owner != NULL ? last_of(owner, end, "; Tablespace: ") : NULL;

    if (owner == NULL)
        return false;
    block->name = field(at, type);
    block->type = field(type + strlen(type_word), schema);
    block->schema = field(schema + strlen(schema_word), owner);
    block->owner = field(owner + strlen(owner_word), space != NULL ? space : end);
    return true;
}

/* ---- blocks ---- */

static void flush(struct cutter *c)
{
    if (c->from == NULL)
        return;
    bp_buf_add(&c->body, c->from, (size_t)(c->to - c->from));
    bp_buf_putc(&c->body, '\n');
    c->from = NULL;
}

static void end_block(struct cutter *c)
{
    flush(c);
    if (c->out->count > 0)
        c->out->at[c->out->count - 1].sql = bp_strdup(bp_buf_str(&c->body));
    bp_buf_cut(&c->body, 0);
    c->settings_put = false;
}

/* Strings are owned by the block then. */
static void add_block(struct cutter *c, const struct bp_script_block *block)
{
    end_block(c);
    if (c->out->count == c->size) {
        c->size = c->size > 0 ? c->size * 2 : 64;
        c->out->at = bp_realloc(c->out->at, c->size, sizeof(*c->out->at));
    }
    c->out->at[c->out->count++] = *block;
}

/* When a header begins here, start its block and go behind it. */
static bool take_header(struct cutter *c, const char *at)
{
    const char *end = c->sql.end;
    struct bp_script_block block = {0};
    const char *line = NULL;

    if (at > c->text && at[-1] != '\n')
        return false;
    for (size_t i = 0; i < 2 && line == NULL; i++) {
        if (begins_with(at, end, header_starts[i]))
            line = at + strlen(header_starts[i]);
    }
    at = line != NULL ? memchr(line, '\n', (size_t)(end - line)) : NULL;
    if (at == NULL || !begins_with(at, end, header_end) || !parse_header(line, at, &block))
        return false;
    add_block(c, &block);
    c->sql.at = at + strlen(header_end);
    return true;
}

/* ---- statements ---- */

/* Two words that begin a statement: which, and the second one's text. */
static bool is_set(const struct piece *statement, struct bp_sql *name)
{
    *name = (struct bp_sql){.at = statement->at, .end = statement->end};
    return bp_sql_next_solid(name) && bp_sql_is_word(name, "set") && bp_sql_next_solid(name) &&
           name->kind == BP_SQL_WORD;
}

/* SET default_tablespace and the like stand between blocks and hold for all that follow. */
static bool take_setting(struct cutter *c, const struct piece *statement)
{
    struct bp_sql name;
    char *text = NULL;

    if (!is_set(statement, &name) || !begins_with(name.token, name.end, "default_"))
        return false;
    flush(c);
    c->settings_put = false;
    text = bp_strndup(statement->at, (size_t)(statement->end - statement->at));
    for (size_t i = 0; i < c->settings.count; i++) {
        if (strncmp(c->settings.at[i], text, (size_t)(name.at - statement->at)) == 0) {
            bp_free(c->settings.at[i]);
            c->settings.at[i] = text;
            return true;
        }
    }
    bp_list_take(&c->settings, text);
    return true;
}

/* How literals are written: for this lexer, and for whoever runs or reads a block alone. */
static void take_strings(struct cutter *c, struct bp_sql *setting)
{
    while (bp_sql_next_solid(setting)) {
        if (bp_sql_is_word(setting, "off") && !c->sql.backslashes) {
            c->sql.backslashes = true;
            bp_list_add(&c->settings, "\nSET standard_conforming_strings = off;");
        }
    }
}

/* SET ..., SELECT pg_catalog.set_config(...): before the first block. */
static bool take_preamble(struct cutter *c, const struct piece *statement)
{
    static const char config[] = "SELECT pg_catalog.set_config(";
    struct bp_sql name;
    bool sets = is_set(statement, &name);

    if (c->out->count > 0 || (!sets && !begins_with(statement->at, statement->end, config)))
        return false;
    if (sets && bp_sql_is_word(&name, "standard_conforming_strings"))
        take_strings(c, &name);
    bp_buf_add(&c->preamble, statement->at, (size_t)(statement->end - statement->at));
    bp_buf_putc(&c->preamble, '\n');
    return true;
}

static void take_statement(struct cutter *c, const struct piece *statement)
{
    if (take_setting(c, statement) || take_preamble(c, statement))
        return;
    if (c->out->count == 0)
        add_block(c, &(struct bp_script_block){.name = bp_strdup(""),
                                               .type = bp_strdup(""),
                                               .schema = bp_strdup(""),
                                               .owner = bp_strdup("")});
    if (!c->settings_put) {
        flush(c);
        for (size_t i = 0; i < c->settings.count; i++) {
            bp_buf_puts(&c->body, c->settings.at[i]);
            bp_buf_putc(&c->body, '\n');
        }
        c->settings_put = true;
    }
    c->from = c->from != NULL ? c->from : statement->at;
    c->to = statement->end;
}

static enum bp_code refuse(const char *at, const char *end, const char *what, struct bp_err *err)
{
    BP_AUTO(bp_freep)
    char *start =
        bp_strndup(at, (size_t)(end - at) < EXCERPT_LIMIT ? (size_t)(end - at) : EXCERPT_LIMIT);
    BP_AUTO(bp_buf_free) struct bp_buf excerpt = {0};

    bp_put_foreign(&excerpt, start, EXCERPT_LIMIT);
    return bp_fail(err, BP_EINTEGRITY, "%s: '%s'", what, bp_buf_str(&excerpt));
}

/* From the token that was found up to the semicolon. Those in a standard function's body count as
 * well: what is cut there comes together again, as nothing stands between. */
static enum bp_code read_statement(struct cutter *c, struct bp_err *err)
{
    struct piece statement = {.at = c->sql.token};
    size_t depth = 0;

    do {
        if (bp_sql_is(&c->sql, '('))
            depth++;
        else if (bp_sql_is(&c->sql, ')') && depth > 0)
            depth--;
        else if (bp_sql_is(&c->sql, ';') && depth == 0)
            statement.end = c->sql.at;
    } while (statement.end == NULL && bp_sql_next(&c->sql));
    if (statement.end == NULL)
        return refuse(statement.at, c->sql.end, "a statement has no end", err);
    take_statement(c, &statement);
    return BP_OK;
}

/* A line that is for psql. */
static enum bp_code skip_meta(struct cutter *c, struct bp_err *err)
{
    static const char *const known[] = {"\\restrict ", "\\unrestrict ", "\\connect "};
    const char *at = c->sql.token;
    const char *end = c->sql.end;
    const char *line_end = memchr(at, '\n', (size_t)(end - at));

    line_end = line_end != NULL ? line_end : end;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (begins_with(at, end, known[i])) {
            flush(c);
            c->sql.at = line_end;
            return BP_OK;
        }
    }
    return refuse(at, line_end, "only psql knows this", err);
}

static enum bp_code read_piece(struct cutter *c, struct bp_err *err)
{
    if (c->sql.open)
        return refuse(c->sql.token, c->sql.end, "a comment has no end", err);
    if (c->sql.kind == BP_SQL_SPACE || bp_sql_is(&c->sql, ';'))
        return BP_OK;
    if (c->sql.kind == BP_SQL_COMMENT) {
        (void)take_header(c, c->sql.token);
        return BP_OK;
    }
    return bp_sql_is(&c->sql, '\\') ? skip_meta(c, err) : read_statement(c, err);
}

struct bp_sql bp_script_sql(const char *sql)
{
    static const char strings[] = "\nSET standard_conforming_strings = off;\n";
    struct bp_sql s = {.at = sql, .end = sql + strlen(sql)};

    if (begins_with(s.at, s.end, strings)) {
        s.backslashes = true;
        s.at += strlen(strings);
    }
    while (begins_with(s.at, s.end, "SET default_")) {
        do
            (void)bp_sql_next(&s);
        while (s.kind != BP_SQL_END && !bp_sql_is(&s, ';'));
        s.at += strspn(s.at, "\n");
    }
    return s;
}

enum bp_code bp_script_parse(const char *text, size_t len, struct bp_script *out,
                             struct bp_err *err)
{
    BP_AUTO(cutter_free)
    struct cutter c = {.sql = {.at = text, .end = text + len}, .text = text, .out = out};
    enum bp_code rc = BP_OK;

    *out = (struct bp_script){0};
    if (memchr(text, '\0', len) != NULL)
        return bp_fail(err, BP_EINTEGRITY, "it holds a zero byte");
    while (rc == BP_OK && bp_sql_next(&c.sql))
        rc = read_piece(&c, err);
    end_block(&c);
    out->preamble = bp_buf_take(&c.preamble);
    if (rc != BP_OK)
        bp_script_free(out);
    return rc;
}

void bp_script_free(struct bp_script *script)
{
    for (size_t i = 0; i < script->count; i++) {
        bp_free(script->at[i].name);
        bp_free(script->at[i].type);
        bp_free(script->at[i].schema);
        bp_free(script->at[i].owner);
        bp_free(script->at[i].sql);
    }
    bp_free(script->at);
    bp_free(script->preamble);
    *script = (struct bp_script){0};
}
