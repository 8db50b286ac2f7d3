#include "support/fake_archive.h"

#include <stdlib.h>
#include <string.h>

#include "archive/name.h"
#include "archive/path.h"
#include "base/mem.h"

struct fake_archive fake_archive(struct fake_store *store, const char *path)
{
    struct fake_archive archive = {.store = store, .path = path};
    struct bp_archive_name name;

    if (!bp_archive_name_parse(strrchr(path, '/') + 1, &name))
        abort();
    archive.manifest.id = bp_strdup(name.id);
    archive.manifest.started_ms = name.time_ms;
    archive.manifest.finished_ms = name.time_ms + 12000;
    return archive;
}

void fake_archive_file(struct fake_archive *archive, const char *path, const char *text)
{
    BP_AUTO(bp_freep) char *full = bp_format("%s/%s", archive->path, path);
    struct bp_manifest_file *file =
        bp_manifest_add_file(&archive->manifest, path, (int64_t)strlen(text));

    bp_sha256_hex(text, strlen(text), file->sha256);
    fake_store_put(archive->store, full, text);
}

static int64_t lines_in(const char *text)
{
    int64_t count = 0;

    for (; *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

void fake_archive_table(struct fake_archive *archive, const char *name, const char *columns,
                        const char *definition, const char *const *files)
{
    struct bp_manifest_table *t = bp_manifest_add_table(&archive->manifest);
    BP_AUTO(bp_freep) char *folder = bp_path_table("public", name);
    BP_AUTO(bp_freep) char *schema = bp_format("%s/schema.sql", folder);
    BP_AUTO(bp_buf_free) struct bp_buf all = {0};

    t->schema = bp_strdup("public");
    t->name = bp_strdup(name);
    t->order = bp_strdup("primary key");
    fake_archive_file(archive, schema, definition);
    for (size_t i = 0; files[i] != NULL; i++) {
        BP_AUTO(bp_freep)
        char *text = bp_format("COPY public.%s (%s) FROM stdin;\n%s\\.\n", name, columns, files[i]);
        BP_AUTO(bp_freep) char *path = bp_format("%s/data/%05zu.sql", folder, i + 1);

        fake_archive_file(archive, path, text);
        bp_list_add(&t->files, path);
        t->rows += lines_in(files[i]);
        t->bytes += (int64_t)strlen(files[i]);
        bp_buf_puts(&all, text);
    }
    bp_sha256_hex(bp_buf_str(&all), all.len, t->sha256);
}

void fake_archive_end(struct fake_archive *archive)
{
    BP_AUTO(bp_freep) char *path = bp_format("%s/%s", archive->path, BP_MANIFEST_NAME);
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_manifest_render(&archive->manifest, &text);
    fake_store_put(archive->store, path, bp_buf_str(&text));
    bp_manifest_free(&archive->manifest);
}
