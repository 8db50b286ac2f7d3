/*
 * The texts of archive/seal.h: what is taken for a key can be written and read again, and nothing
 * of what is refused is in a message.
 */
#include <string.h>

#include "archive/seal.h"
#include "base/mem.h"
#include "fuzz/fuzz.h"

/* No line of the text but a short one, which may be in it by chance. */
static void check_hidden(const char *text, const char *message)
{
    BP_AUTO(bp_freep) char *copy = bp_strdup(text);
    char *rest = copy;

    must(fuzz_is_plain(message));
    while (*rest != '\0') {
        const char *line = fuzz_line(&rest);

        must(strlen(line) < 24 || strstr(message, line) == NULL);
    }
}

static void check_recipients(const char *text)
{
    BP_AUTO(bp_recipients_free) struct bp_recipients read = {0};
    BP_AUTO(bp_recipients_free) struct bp_recipients again = {0};
    struct bp_err err = {0};
    char one[BP_RECIPIENT_SIZE];

    if (bp_recipients_add(&read, text, "f", &err) != BP_OK) {
        must(err.code == BP_EUSAGE);
        check_hidden(text, err.msg);
    }
    must(read.count <= BP_RECIPIENTS_LIMIT);
    for (size_t i = 0; i < read.count; i++) {
        bp_recipient_text(&read, i, one);
        must(strstr(text, one) != NULL);
        must(bp_recipients_add(&again, one, "f", &err) == BP_OK && again.count == i + 1);
        must(memcmp(again.at[i], read.at[i], BP_SEAL_KEY_SIZE) == 0);
    }
}

static void check_identities(const char *text)
{
    BP_AUTO(bp_identities_free) struct bp_identities read = {0};
    struct bp_err err = {0};
    char one[BP_IDENTITY_SIZE];

    if (bp_identities_add(&read, text, "f", &err) != BP_OK) {
        must(err.code == BP_EUSAGE);
        check_hidden(text, err.msg);
    }
    for (size_t i = 0; i < read.count; i++) {
        bp_identity_text(&read, i, one);
        must(strstr(text, one) != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BP_AUTO(bp_freep) char *text = fuzz_string(data, size);
    struct bp_chunk_key key;
    struct bp_err err = {0};

    check_recipients(text);
    check_identities(text);
    if (bp_chunk_key_parse(text, &key, &err) != BP_OK) {
        must(!key.given);
        check_hidden(text, err.msg);
    }
    return 0;
}
