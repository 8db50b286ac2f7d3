/* Runs a fuzz target over every file of the folders (or over the files) that are named. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "fuzz/fuzz.h"

enum { LARGEST = 1 << 20 };

static bool run_file(const char *path)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    BP_AUTO(bp_freep) uint8_t *exact = NULL; /* so that reading beyond its end is seen */
    struct bp_err err = {0};

    if (bp_file_read(path, LARGEST, &text, &err) != BP_OK) {
        (void)fprintf(stderr, "%s\n", err.msg);
        return false;
    }
    (void)fprintf(stderr, "%s\n", path); /* the last one is the one that failed */
    exact = bp_alloc(text.len, 1);
    if (text.len > 0)
        memcpy(exact, text.data, text.len);
    (void)LLVMFuzzerTestOneInput(exact, text.len);
    return true;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* How many files were run; -1 when one cannot be read. */
static int run_folder(const char *path)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, visible, alphasort);
    int run = 0;

    if (count < 0)
        return run_file(path) ? 1 : -1;
    for (int i = 0; i < count; i++) {
        BP_AUTO(bp_freep) char *file = bp_format("%s/%s", path, entries[i]->d_name);

        if (run >= 0)
            run = run_file(file) ? run + 1 : -1;
        bp_free(entries[i]);
    }
    bp_free(entries);
    return run;
}

int main(int argc, char **argv)
{
    int total = 0;

    for (int i = 1; i < argc; i++) {
        int run = run_folder(argv[i]);

        if (run <= 0)
            return 1;
        total += run;
    }
    (void)fprintf(stderr, "%d inputs\n", total);
    return total > 0 ? 0 : 1;
}
