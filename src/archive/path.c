#include "archive/path.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"

enum { LONGEST = 120, KEPT = 100, HASH_DIGITS = 16 };

/* "~" is never a result of the encoding, so a shortened part cannot be another name's. */
static char *encode(const char *name)
{
    BP_AUTO(bp_freep) char *part = bp_percent_encode(name, "-_.");
    char hash[BP_SHA256_HEX_SIZE];
    size_t cut = KEPT;

    if (part[0] == '.') {
        char *dotless = bp_format("%%2E%s", part + 1);

        bp_free(part);
        part = dotless;
    }
    if (strlen(part) <= LONGEST)
        return bp_strdup(part);
    bp_sha256_hex(name, strlen(name), hash);
    if (part[cut - 1] == '%')
        cut -= 1;
    else if (part[cut - 2] == '%')
        cut -= 2;
    return bp_format("%.*s~%.*s", (int)cut, part, HASH_DIGITS, hash);
}

char *bp_path_schema(const char *schema)
{
    /* What lies beside the schemas in an archive. */
    static const char *const taken[] = {
        "database",   "roles.sql", "manifest.json", "manifest.json.minisig", "restore.sh",
        "RESTORE.md", NULL};
    for (const char *const *name = taken; *name != NULL; name++) {
        if (strcmp(schema, *name) == 0)
            return bp_format("%%%02X%s", (unsigned char)schema[0], schema + 1);
    }
    return encode(schema);
}

char *bp_path_table(const char *schema, const char *table)
{
    BP_AUTO(bp_freep) char *folder = bp_path_schema(schema);
    BP_AUTO(bp_freep) char *part = encode(table);

    return bp_format("%s/tables/%s", folder, part);
}

char *bp_path_schema_dump(const char *schema)
{
    BP_AUTO(bp_freep) char *folder = bp_path_schema(schema);
    BP_AUTO(bp_freep) char *part = encode(schema);

    return bp_format("%s/%s.dump", folder, part);
}
