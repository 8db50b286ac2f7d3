/* archive/name.h: a folder that is taken for an archive's is called what its parts say. */
#include <string.h>

#include "archive/name.h"
#include "archive/path.h"
#include "base/mem.h"
#include "fuzz/fuzz.h"

static void check_name(const char *folder)
{
    struct bp_archive_name name;
    char again[BP_ARCHIVE_NAME_SIZE];
    char id[BP_ARCHIVE_ID_SIZE];

    if (!bp_archive_name_parse(folder, &name))
        return;
    bp_archive_name_format(&name, again);
    must(strcmp(again, folder) == 0);
    bp_archive_id(name.time_ms, name.copy, id);
    must(strcmp(id, name.id) == 0 && name.copy >= 1);
    must(name.latest == (name.source[0] == '\0'));
}

/* What a repository is called does not matter: the name of its archive can be read. */
static void check_repository(const char *text)
{
    struct bp_archive_name name = {.time_ms = 1705329045000, .copy = 1 + (int)(strlen(text) % 3)};
    struct bp_archive_name read;
    char folder[BP_ARCHIVE_NAME_SIZE];

    bp_archive_name_describe(&name, text, "push", "0123abcdef");
    bp_archive_name_format(&name, folder);
    must(strchr(folder, '/') == NULL && fuzz_is_plain(folder));
    must(bp_archive_name_parse(folder, &read));
    must(strcmp(read.source, name.source) == 0 && read.copy == name.copy);
}

/* A schema or a table may be called anything too. */
static void check_path(const char *text)
{
    BP_AUTO(bp_freep) char *schema = bp_path_schema(text);
    BP_AUTO(bp_freep) char *table = bp_path_table(text, text);

    must(schema[0] != '.' && strlen(schema) <= 120 && strpbrk(schema, "/\\ ") == NULL);
    must(fuzz_is_plain(table) && strncmp(table, schema, strlen(schema)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BP_AUTO(bp_freep) char *text = fuzz_string(data, size);

    check_name(text);
    if (text[0] != '\0') {
        check_repository(text);
        check_path(text);
    }
    return 0;
}
