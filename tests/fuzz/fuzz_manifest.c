/* archive/manifest.h: what was read is written so that it is read again, and the same. */
#include <string.h>

#include "archive/manifest.h"
#include "fuzz/fuzz.h"

/* restore.sh hands the paths to a shell's tools. */
static void check_paths(const struct bp_manifest *m)
{
    for (size_t i = 0; i < m->file_count; i++) {
        const char *path = m->files[i].path;

        must(path[0] != '/' && path[0] != '\0' && strpbrk(path, "\\\" \t\n") == NULL);
        must(strcmp(path, "..") != 0 && strncmp(path, "../", 3) != 0 &&
             strstr(path, "/../") == NULL && strstr(path, "//") == NULL);
        must(m->files[i].bytes >= 0 && strlen(m->files[i].sha256) == BP_SHA256_HEX_SIZE - 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BP_AUTO(bp_manifest_free) struct bp_manifest manifest = {0};
    BP_AUTO(bp_manifest_free) struct bp_manifest again = {0};
    BP_AUTO(bp_buf_free) struct bp_buf first = {0};
    BP_AUTO(bp_buf_free) struct bp_buf second = {0};
    struct bp_err err = {0};

    if (bp_manifest_parse((const char *)data, size, &manifest, &err) != BP_OK) {
        must(err.code == BP_EINTEGRITY && err.msg[0] != '\0');
        must(manifest.tables == NULL && manifest.files == NULL);
        return 0;
    }
    check_paths(&manifest);
    must(bp_manifest_rows(&manifest) >= 0 && bp_manifest_bytes(&manifest) >= 0);
    bp_manifest_render(&manifest, &first);
    must(bp_manifest_parse(first.data, first.len, &again, &err) == BP_OK);
    bp_manifest_render(&again, &second);
    must(strcmp(bp_buf_str(&first), bp_buf_str(&second)) == 0);
    return 0;
}
