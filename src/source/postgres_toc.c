#include "source/postgres_toc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* The catalog that holds relations has this OID in every database. */
enum { CLASS_RELATION = 1259, DECIMAL = 10 };

static int by_oid(const void *left, const void *right)
{
    const uint32_t *a = left;
    const uint32_t *b = right;

    return (*a > *b) - (*a < *b);
}

/* A number of 32 bits at *at, which moves behind it. */
static bool take_number(const char **at, uint32_t *out)
{
    char *end = NULL;
    unsigned long value = 0;

    while (**at == ' ')
        (*at)++;
    if (**at < '0' || **at > '9')
        return false;
    value = strtoul(*at, &end, DECIMAL);
    *at = end;
    *out = (uint32_t)value;
    return value <= UINT32_MAX;
}

/* The OID of the relation that a line tells of. Lines that begin with ';' are comments. */
static bool read_line(const char *line, uint32_t *oid)
{
    uint32_t number = 0;
    uint32_t class_oid = 0;

    if (!take_number(&line, &number) || *line++ != ';')
        return false;
    return take_number(&line, &class_oid) && class_oid == CLASS_RELATION && take_number(&line, oid);
}

void bp_pg_relations_read(const char *list, struct bp_pg_relations *out)
{
    size_t lines = 1;

    for (const char *p = list; *p != '\0'; p++)
        lines += *p == '\n';
    *out = (struct bp_pg_relations){.at = bp_alloc(lines, sizeof(*out->at))};
    for (const char *line = list; line != NULL;) {
        const char *end = strchr(line, '\n');

        if (read_line(line, &out->at[out->count]))
            out->count++;
        line = end != NULL ? end + 1 : NULL;
    }
    qsort(out->at, out->count, sizeof(*out->at), by_oid);
}

bool bp_pg_relations_has(const struct bp_pg_relations *relations, uint32_t oid)
{
    return relations->count > 0 &&
           bsearch(&oid, relations->at, relations->count, sizeof(*relations->at), by_oid) != NULL;
}

void bp_pg_relations_put(const struct bp_pg_relations *relations, struct bp_buf *out)
{
    bp_buf_puts(out, "'{");
    for (size_t i = 0; i < relations->count; i++)
        bp_buf_printf(out, "%s%" PRIu32, i > 0 ? "," : "", relations->at[i]);
    bp_buf_puts(out, "}'");
}

enum bp_code bp_pg_relations_check(const struct bp_pg_relations *relations,
                                   const struct bp_tables *tables, struct bp_err *err)
{
    for (size_t i = 0; i < tables->count; i++) {
        const struct bp_table *table = &tables->at[i];

        /* An extension makes its tables itself. */
        if (table->condition == NULL && !bp_pg_relations_has(relations, table->id))
            return bp_fail(err, BP_EFAILED,
                           "pg_dump wrote no definition of table '%s.%s', whose rows are backed up",
                           table->schema, table->name);
    }
    return BP_OK;
}

void bp_pg_relations_free(struct bp_pg_relations *relations)
{
    bp_free(relations->at);
    *relations = (struct bp_pg_relations){0};
}
