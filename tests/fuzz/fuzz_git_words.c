/*
 * What the git program and servers say becomes a code and one line of text. The first line is the
 * answer to a push, the rest what came on standard error.
 */
#include <string.h>

#include "base/mem.h"
#include "fuzz/fuzz.h"
#include "store/git_internal.h"

static void check_code(enum bp_code code, const struct bp_err *err)
{
    must(code > BP_OK && code < BP_ESTOPPED && code == err->code);
    must(err->msg[0] != '\0' && fuzz_is_plain(err->msg));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BP_AUTO(bp_freep) char *text = fuzz_string(data, size);
    BP_AUTO(bp_buf_free) struct bp_buf words = {0};
    struct bp_err err = {0};
    struct bp_git_push_end end = {0};
    char *errs = text;
    const char *porcelain = NULL;

    check_code(bp_git_words_fail("https://h/r", size % 2 == 0, text, &err), &err);
    bp_git_words_put(&words, text);
    must(words.len < 430 && fuzz_is_plain(bp_buf_str(&words)));
    porcelain = fuzz_line(&errs);
    end = bp_git_words_push("https://h/r", porcelain, errs, &err);
    if (end.told && end.code != BP_OK)
        check_code(end.code, &err);
    return 0;
}
