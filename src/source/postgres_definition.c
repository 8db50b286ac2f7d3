#include "source/postgres_definition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/*
 * An entry of the text begins like this, each part on a line of its own:
 *
 *     --
 *     -- TOC entry 219 (class 1259 OID 16406)
 *     -- Dependencies: 215 6
 *     -- Name: users; Type: TABLE; Schema: app; Owner: postgres
 *     -- Data Pos: 0
 *     --
 */
struct entry {
    unsigned id;
    unsigned class_oid;
    unsigned oid;
    char *dependencies; /* "215 6"; may be NULL */
    char *title;        /* the line that begins with "-- Name: " */
    char *name;
    char *type;
    char *body;
};

enum {
    CLASS_RELATION = 1259,
    NOBODY = -1,
    /* Many entries have a number and no text. Still, one that is higher than this and than all
     * entries could be, from their length, is a text that only looks like an entry. */
    MOST_UNSEEN = 100000,
    LEAST_ENTRY = 8, /* bytes; they have more */
};

struct by_oid {
    unsigned oid;
    int table; /* its place in the list of tables */
};

/* What is known of the entries so far. */
struct reader {
    struct by_oid *by_oid; /* sorted */
    size_t table_count;
    struct bp_buf *texts; /* one for each table */
    int *owners;          /* the table that an entry belongs to, by the entry's id */
    char **names;         /* of the entry when it is a table, by its id */
    size_t size;          /* of both */
    size_t most;          /* no id is higher */
};

static const char entry_start[] = "--\n-- TOC entry ";

static char *next_entry(char *text)
{
    char *at = strstr(text, entry_start);

    while (at != NULL && at != text && at[-1] != '\n')
        at = strstr(at + 1, entry_start);
    return at;
}

/* Cut one line off; *text is then the next one. */
static char *take_line(char **text)
{
    char *line = strsep(text, "\n");

    if (*text == NULL)
        *text = line + strlen(line);
    return line;
}

/* Cut "Name: users; Type: TABLE; Schema: ..." up. A name may hold any of these words itself. */
static bool read_title(struct entry *entry, char *copy)
{
    char *type = strstr(copy, "; Type: ");

    if (type == NULL)
        return false;
    *type = '\0';
    entry->name = copy + strlen("-- Name: ");
    entry->type = type + strlen("; Type: ");
    entry->type[strcspn(entry->type, ";")] = '\0';
    return true;
}

/* Read the head of an entry; what follows it is its body. copy is owned by the caller. */
static bool read_entry(char *text, struct entry *entry, char **copy)
{
    char *rest = text + strlen("--\n");
    char *line = take_line(&rest);

    *entry = (struct entry){0};
    if (sscanf(line, "-- TOC entry %u (class %u OID %u)", // NOLINT(cert-err34-c): our own program
               &entry->id, &entry->class_oid, &entry->oid) != 3)
        return false;
    while (strcmp(line, "--") != 0 && *rest != '\0') {
        line = take_line(&rest);
        if (bp_text_starts_with(line, "-- Dependencies: "))
            entry->dependencies = line + strlen("-- Dependencies: ");
        if (bp_text_starts_with(line, "-- Name: "))
            entry->title = line;
    }
    entry->body = rest;
    if (entry->title == NULL)
        return false;
    *copy = bp_strdup(entry->title);
    return read_title(entry, *copy);
}

static bool is_one_of(const char *type, const char *const *types)
{
    for (; *types != NULL; types++) {
        if (strcmp(type, *types) == 0)
            return true;
    }
    return false;
}

static void make_room(struct reader *reader, unsigned id)
{
    size_t size = (size_t)id + 1;

    if (size <= reader->size)
        return;
    size += size / 2;
    reader->owners = bp_realloc(reader->owners, size, sizeof(*reader->owners));
    reader->names = bp_realloc(reader->names, size, sizeof(*reader->names));
    for (size_t i = reader->size; i < size; i++) {
        reader->owners[i] = NOBODY;
        reader->names[i] = NULL;
    }
    reader->size = size;
}

static int compare_oids(const void *left, const void *right)
{
    const struct by_oid *a = left;
    const struct by_oid *b = right;

    return (a->oid > b->oid) - (a->oid < b->oid);
}

static void sort_by_oid(struct reader *reader, const struct bp_tables *tables)
{
    reader->by_oid = bp_alloc(tables->count + 1, sizeof(*reader->by_oid));
    reader->table_count = tables->count;
    for (size_t i = 0; i < tables->count; i++)
        reader->by_oid[i] = (struct by_oid){.oid = tables->at[i].id, .table = (int)i};
    qsort(reader->by_oid, reader->table_count, sizeof(*reader->by_oid), compare_oids);
}

/* The table with this OID; NOBODY when it is not backed up. */
static int table_by_oid(const struct reader *reader, unsigned oid)
{
    const struct by_oid key = {.oid = oid};
    const struct by_oid *found =
        bsearch(&key, reader->by_oid, reader->table_count, sizeof(*reader->by_oid), compare_oids);

    return found != NULL ? found->table : NOBODY;
}

/* Whether the entry's name is the table's, alone or with the object's own name behind it. */
static bool is_named_after(const struct entry *entry, const char *table)
{
    size_t len = table != NULL ? strlen(table) : 0;

    return table != NULL && strncmp(entry->name, table, len) == 0 &&
           (entry->name[len] == '\0' || entry->name[len] == ' ');
}

/* An entry belongs to the first of its dependencies that belongs to a table. */
static int owner_by_dependency(const struct reader *reader, const struct entry *entry, bool by_name)
{
    const char *p = entry->dependencies;

    /* Numbers with blanks between them; a function's body may say something else. */
    while (p != NULL && *p >= '0' && *p <= '9') {
        char *end = NULL;
        unsigned long id = strtoul(p, &end, 10);
        bool fits = id < reader->size && reader->owners[id] != NOBODY &&
                    (!by_name || is_named_after(entry, reader->names[id]));

        if (fits)
            return reader->owners[id];
        p = end + strspn(end, " ");
    }
    return NOBODY;
}

static int find_owner(struct reader *reader, const struct entry *entry)
{
    /* A foreign key depends on two tables: the one that it is named after has it. */
    static const char *const named_after_table[] = {
        "CONSTRAINT", "FK CONSTRAINT", "DEFAULT",      "TRIGGER",          "RULE",
        "POLICY",     "ROW SECURITY",  "TABLE ATTACH", "CHECK CONSTRAINT", NULL};
    static const char *const others[] = {
        "INDEX",   "INDEX ATTACH",   "SEQUENCE", "SEQUENCE OWNED BY", "STATISTICS", "ACL",
        "COMMENT", "SECURITY LABEL", NULL};

    if (strcmp(entry->type, "TABLE") == 0 && entry->class_oid == CLASS_RELATION)
        return table_by_oid(reader, entry->oid);
    if (is_one_of(entry->type, named_after_table))
        return owner_by_dependency(reader, entry, true);
    if (is_one_of(entry->type, others))
        return owner_by_dependency(reader, entry, false);
    return NOBODY;
}

/* pg_restore writes some settings between two entries: they belong to the one that follows. */
static void cut_tail(struct bp_buf *text)
{
    static const char *const tails[] = {
        "SET default_tablespace = ", "SET default_table_access_method = ", NULL};
    bool again = true;

    while (again) {
        size_t start = 0;

        while (text->len > 0 && text->data[text->len - 1] == '\n')
            bp_buf_cut(text, text->len - 1);
        start = text->len;
        while (start > 0 && text->data[start - 1] != '\n')
            start--;
        again = false;
        for (const char *const *tail = tails; *tail != NULL; tail++)
            again = again || bp_text_starts_with(bp_buf_str(text) + start, *tail);
        if (again)
            bp_buf_cut(text, start);
    }
}

static void add_entry(struct reader *reader, char *text)
{
    BP_AUTO(bp_freep) char *copy = NULL;
    struct entry entry;
    struct bp_buf *out = NULL;
    int owner = NOBODY;

    if (!read_entry(text, &entry, &copy) || entry.id > reader->most)
        return;
    make_room(reader, entry.id);
    owner = find_owner(reader, &entry);
    reader->owners[entry.id] = owner;
    if (owner == NOBODY)
        return;
    if (strcmp(entry.type, "TABLE") == 0 && reader->names[entry.id] == NULL)
        reader->names[entry.id] = bp_strdup(entry.name);
    out = &reader->texts[owner];
    if (out->len > 0)
        bp_buf_puts(out, "\n\n");
    bp_buf_printf(out, "--\n%s\n--\n", entry.title);
    bp_buf_puts(out, entry.body);
    cut_tail(out);
    bp_buf_putc(out, '\n');
}

/* The end of the text is no part of its last entry. */
static void cut_end(struct bp_buf *verbose)
{
    static const char end_line[] = "\n-- Completed on ";
    const char *last = NULL;

    for (const char *p = strstr(bp_buf_str(verbose), end_line); p != NULL;
         p = strstr(p + 1, end_line))
        last = p;
    if (last != NULL)
        bp_buf_cut(verbose, (size_t)(last - verbose->data));
}

void bp_pg_definitions_set(struct bp_buf *verbose, struct bp_tables *tables)
{
    struct reader reader = {.texts = bp_alloc(tables->count + 1, sizeof(struct bp_buf)),
                            .most = MOST_UNSEEN + verbose->len / LEAST_ENTRY};
    char *at = NULL;

    sort_by_oid(&reader, tables);
    cut_end(verbose);
    if (verbose->len > 0)
        at = next_entry(verbose->data);
    while (at != NULL) {
        char *next = next_entry(at + 1);

        if (next != NULL)
            next[-1] = '\0'; /* the line end before it */
        add_entry(&reader, at);
        at = next;
    }
    for (size_t i = 0; i < tables->count; i++) {
        bp_free(tables->at[i].definition);
        tables->at[i].definition = bp_buf_take(&reader.texts[i]);
    }
    for (size_t i = 0; i < reader.size; i++)
        bp_free(reader.names[i]);
    bp_free(reader.names);
    bp_free(reader.owners);
    bp_free(reader.texts);
    bp_free(reader.by_oid);
}
