#include "base/list.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

void bp_list_take(struct bp_list *list, char *text)
{
    if (list->count == list->size) {
        list->size = list->size > 0 ? list->size * 2 : 8;
        list->at = bp_realloc(list->at, list->size, sizeof(*list->at));
    }
    list->at[list->count++] = text;
}

void bp_list_add(struct bp_list *list, const char *text)
{
    bp_list_take(list, bp_strdup(text));
}

void bp_list_addf(struct bp_list *list, const char *fmt, ...)
{
    struct bp_buf text = {0};
    va_list args;

    va_start(args, fmt);
    bp_buf_vprintf(&text, fmt, args);
    va_end(args);
    bp_list_take(list, bp_buf_take(&text));
}

bool bp_list_has(const struct bp_list *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->at[i], text) == 0)
            return true;
    }
    return false;
}

static int by_bytes(const void *left, const void *right)
{
    const char *const *a = left;
    const char *const *b = right;

    return strcmp(*a, *b);
}

void bp_list_sort(struct bp_list *list)
{
    if (list->count > 1)
        qsort(list->at, list->count, sizeof(*list->at), by_bytes);
}

void bp_list_free(struct bp_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        bp_free(list->at[i]);
    bp_free(list->at);
    *list = (struct bp_list){0};
}
