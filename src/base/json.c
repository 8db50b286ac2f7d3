#include "base/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/mem.h"
#include "base/text.h"

enum { DEEPEST = 64 };
static const double largest_int = 9007199254740991.0; /* 2^53 - 1: exact, and so is no larger one */

/* struct bp_json is cJSON's node under our own name, so that no other file sees cJSON. */
static const cJSON *in(const struct bp_json *value)
{
    return (const cJSON *)(const void *)value;
}

static cJSON *inw(struct bp_json *value)
{
    return (cJSON *)(void *)value;
}

static struct bp_json *out_of(cJSON *node)
{
    if (node == NULL)
        abort(); /* cJSON has no memory left */
    return (struct bp_json *)(void *)node;
}

static const struct bp_json *lend(const cJSON *node)
{
    return (const struct bp_json *)(const void *)node;
}

/* cJSON allows 1,000 levels and recurses; count them before it does. */
static bool too_deep(const char *text, size_t len)
{
    bool in_string = false;
    int depth = 0;

    for (size_t i = 0; i < len; i++) {
        if (in_string) {
            if (text[i] == '\\')
                i++;
            else if (text[i] == '"')
                in_string = false;
        } else if (text[i] == '"') {
            in_string = true;
        } else if (text[i] == '{' || text[i] == '[') {
            if (++depth > DEEPEST)
                return true;
        } else if (text[i] == '}' || text[i] == ']') {
            depth--;
        }
    }
    return false;
}

/* cJSON would end the string there and drop the rest. */
static bool has_escaped_nul(const char *text, size_t len)
{
    static const char nul[] = "\\u0000";

    for (size_t i = 0; i + sizeof(nul) - 1 <= len; i++) {
        if (memcmp(text + i, nul, sizeof(nul) - 1) == 0)
            return true;
        if (text[i] == '\\')
            i++;
    }
    return false;
}

enum bp_code bp_json_parse(const char *text, size_t len, struct bp_json **out, struct bp_err *err)
{
    const char *end = text;
    cJSON *node = NULL;

    *out = NULL;
    if (len == 0)
        return bp_fail(err, BP_EFAILED, "not JSON: there is no text");
    if (memchr(text, '\0', len) != NULL || !bp_text_is_utf8(text, len))
        return bp_fail(err, BP_EFAILED, "not JSON: it holds bytes that are not UTF-8 text");
    if (has_escaped_nul(text, len))
        return bp_fail(err, BP_EFAILED, "not accepted: a JSON string that holds a NUL");
    if (too_deep(text, len))
        return bp_fail(err, BP_EFAILED, "not accepted: JSON nested deeper than %d", DEEPEST);
    node = cJSON_ParseWithLengthOpts(text, len, &end, 0);
    if (node != NULL) {
        while (end < text + len && strchr(" \t\r\n", *end) != NULL)
            end++;
        if (end == text + len) {
            *out = out_of(node);
            return BP_OK;
        }
        cJSON_Delete(node);
    }
    return bp_fail(err, BP_EFAILED, "not JSON (stopped at byte %zu)", (size_t)(end - text));
}

void bp_json_free(struct bp_json *value)
{
    cJSON_Delete(inw(value));
}

void bp_json_freep(struct bp_json **value)
{
    cJSON_Delete(inw(*value));
    *value = NULL;
}

bool bp_json_is_object(const struct bp_json *value)
{
    return cJSON_IsObject(in(value));
}

bool bp_json_is_array(const struct bp_json *value)
{
    return cJSON_IsArray(in(value));
}

const struct bp_json *bp_json_get(const struct bp_json *object, const char *key)
{
    return bp_json_is_object(object) ? lend(cJSON_GetObjectItemCaseSensitive(in(object), key))
                                     : NULL;
}

const char *bp_json_text(const struct bp_json *value)
{
    return cJSON_IsString(in(value)) ? in(value)->valuestring : NULL;
}

const char *bp_json_get_text(const struct bp_json *object, const char *key)
{
    return bp_json_text(bp_json_get(object, key));
}

bool bp_json_get_bool(const struct bp_json *object, const char *key, bool fallback)
{
    const cJSON *node = in(bp_json_get(object, key));

    return cJSON_IsBool(node) ? cJSON_IsTrue(node) : fallback;
}

static bool whole_number(const cJSON *node, int64_t *out)
{
    if (!cJSON_IsNumber(node) || !(fabs(node->valuedouble) <= largest_int) ||
        trunc(node->valuedouble) < node->valuedouble ||
        trunc(node->valuedouble) > node->valuedouble)
        return false;
    *out = (int64_t)node->valuedouble;
    return true;
}

bool bp_json_get_int(const struct bp_json *object, const char *key, int64_t *out)
{
    return whole_number(in(bp_json_get(object, key)), out);
}

const struct bp_json *bp_json_first(const struct bp_json *parent)
{
    return parent != NULL ? lend(in(parent)->child) : NULL;
}

const struct bp_json *bp_json_next(const struct bp_json *child)
{
    return child != NULL ? lend(in(child)->next) : NULL;
}

const char *bp_json_key(const struct bp_json *child)
{
    return child != NULL ? in(child)->string : NULL;
}

size_t bp_json_count(const struct bp_json *parent)
{
    size_t count = 0;

    for (const struct bp_json *c = bp_json_first(parent); c != NULL; c = bp_json_next(c))
        count++;
    return count;
}

struct bp_json *bp_json_object_new(void)
{
    return out_of(cJSON_CreateObject());
}

struct bp_json *bp_json_array_new(void)
{
    return out_of(cJSON_CreateArray());
}

struct bp_json *bp_json_text_new(const char *text)
{
    return out_of(text != NULL ? cJSON_CreateString(text) : cJSON_CreateNull());
}

struct bp_json *bp_json_int_new(int64_t number)
{
    return out_of(cJSON_CreateNumber((double)number));
}

struct bp_json *bp_json_copy(const struct bp_json *value)
{
    return out_of(cJSON_Duplicate(in(value), 1));
}

void bp_json_set(struct bp_json *object, const char *key, struct bp_json *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(inw(object), key);
    if (!cJSON_AddItemToObject(inw(object), key, inw(value)))
        abort();
}

void bp_json_set_text(struct bp_json *object, const char *key, const char *text)
{
    bp_json_set(object, key, bp_json_text_new(text));
}

void bp_json_set_int(struct bp_json *object, const char *key, int64_t number)
{
    bp_json_set(object, key, bp_json_int_new(number));
}

void bp_json_set_bool(struct bp_json *object, const char *key, bool flag)
{
    bp_json_set(object, key, out_of(cJSON_CreateBool(flag)));
}

void bp_json_push(struct bp_json *array, struct bp_json *value)
{
    if (!cJSON_AddItemToArray(inw(array), inw(value)))
        abort();
}

static void render_text(const char *text, struct bp_buf *out)
{
    bp_buf_putc(out, '"');
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;

        if (c == '"' || c == '\\')
            bp_buf_printf(out, "\\%c", c);
        else if (c == '\n')
            bp_buf_puts(out, "\\n");
        else if (c == '\t')
            bp_buf_puts(out, "\\t");
        else if (c < 0x20 || c == 0x7F)
            bp_buf_printf(out, "\\u%04x", c);
        else
            bp_buf_putc(out, *p);
    }
    bp_buf_putc(out, '"');
}

/* With the fewest digits that give the same number again; cJSON would lose the last bits. */
static void render_fraction(double number, struct bp_buf *out)
{
    char text[32];
    double again = 0;

    if (!isfinite(number)) { /* "1e999" was read */
        bp_buf_puts(out, "null");
        return;
    }
    (void)snprintf(text, sizeof(text), "%.15g", number);
    again = strtod(text, NULL);
    if (again < number || again > number)
        (void)snprintf(text, sizeof(text), "%.17g", number);
    bp_buf_puts(out, text);
}

struct child {
    const cJSON *node;
};

static int by_key(const void *left, const void *right)
{
    const struct child *a = left;
    const struct child *b = right;

    return strcmp(a->node->string, b->node->string);
}

static void new_line(int indent, struct bp_buf *out)
{
    bp_buf_putc(out, '\n');
    for (int i = 0; i < indent; i++)
        bp_buf_puts(out, "  ");
}

static void render(const cJSON *node, int depth, int indent, struct bp_buf *out);

static void render_children(const cJSON *parent, int depth, int indent, struct bp_buf *out)
{
    BP_AUTO(bp_freep) struct child *children = NULL;
    size_t count = 0;
    size_t i = 0;

    for (const cJSON *c = parent->child; c != NULL; c = c->next)
        count++;
    children = bp_alloc(count, sizeof(*children));
    for (const cJSON *c = parent->child; c != NULL; c = c->next)
        children[i++].node = c;
    if (cJSON_IsObject(parent) && count > 1)
        qsort(children, count, sizeof(*children), by_key);
    for (i = 0; i < count; i++) {
        if (i > 0)
            bp_buf_puts(out, depth > 0 ? "," : ", ");
        if (depth > 0)
            new_line(indent + 1, out);
        if (cJSON_IsObject(parent)) {
            render_text(children[i].node->string, out);
            bp_buf_puts(out, ": ");
        }
        render(children[i].node, depth - 1, indent + 1, out);
    }
    if (depth > 0 && count > 0)
        new_line(indent, out);
}

static void render(const cJSON *node, int depth, int indent, struct bp_buf *out)
{
    int64_t number = 0;

    if (cJSON_IsObject(node) || cJSON_IsArray(node)) {
        bp_buf_putc(out, cJSON_IsObject(node) ? '{' : '[');
        render_children(node, depth, indent, out);
        bp_buf_putc(out, cJSON_IsObject(node) ? '}' : ']');
    } else if (cJSON_IsString(node)) {
        render_text(node->valuestring, out);
    } else if (whole_number(node, &number)) {
        bp_buf_printf(out, "%" PRId64, number); /* cJSON would write 1e+15 */
    } else if (cJSON_IsNumber(node)) {
        render_fraction(node->valuedouble, out);
    } else {
        bp_buf_puts(out, cJSON_IsTrue(node) ? "true" : cJSON_IsFalse(node) ? "false" : "null");
    }
}

void bp_json_render(const struct bp_json *value, int depth, struct bp_buf *out)
{
    render(in(value), depth, 0, out);
}
