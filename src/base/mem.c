#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *memory)
{
    if (memory == NULL) {
        (void)fputs("backproof: out of memory\n", stderr);
        abort();
    }
    return memory;
}

void *bp_alloc(size_t count, size_t size)
{
    return checked(calloc(count > 0 ? count : 1, size > 0 ? size : 1));
}

void *bp_realloc(void *old, size_t count, size_t size)
{
    return checked(reallocarray(old, count > 0 ? count : 1, size > 0 ? size : 1));
}

char *bp_strndup(const char *text, size_t len)
{
    char *copy = bp_alloc(len + 1, 1);

    if (len > 0)
        memcpy(copy, text, len);
    return copy;
}

char *bp_strdup(const char *text)
{
    return text == NULL ? NULL : bp_strndup(text, strlen(text));
}

char *bp_format(const char *fmt, ...)
{
    char *text = NULL;
    va_list args;
    int len = 0;

    va_start(args, fmt);
    len = vasprintf(&text, fmt, args);
    va_end(args);
    return checked(len < 0 ? NULL : text);
}

void bp_free(void *memory)
{
    free(memory);
}

void bp_freep(void *address_of_pointer)
{
    void *memory = NULL;

    memcpy(&memory, address_of_pointer, sizeof(memory));
    free(memory);
    memset(address_of_pointer, 0, sizeof(memory));
}

void bp_free_secretp(char **secret)
{
    if (*secret != NULL)
        explicit_bzero(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}
