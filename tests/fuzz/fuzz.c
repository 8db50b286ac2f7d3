#include "fuzz/fuzz.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

void must(bool so)
{
    if (!so)
        abort();
}

char *fuzz_string(const uint8_t *data, size_t size)
{
    return bp_strndup((const char *)data, size > 0 ? strnlen((const char *)data, size) : 0);
}

char *fuzz_line(char **rest)
{
    char *line = *rest;

    *rest += strcspn(line, "\n");
    if (**rest != '\0')
        *(*rest)++ = '\0';
    return line;
}

bool fuzz_is_plain(const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (iscntrl((unsigned char)*p))
            return false;
    }
    return bp_text_is_utf8(text, strlen(text));
}
