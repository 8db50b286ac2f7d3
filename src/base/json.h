/*
 * JSON in and out. Reading is strict and limited: one value, no trailing text, UTF-8, nesting of
 * at most 64; no string holds a NUL. Writing is deterministic: keys are sorted by byte value.
 */
#ifndef BP_BASE_JSON_H
#define BP_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct bp_json; /* a value: an object, array, string, number, true, false or null */

/* The value is owned by the caller. BP_EFAILED tells where the text stops being JSON. */
enum bp_code bp_json_parse(const char *text, size_t len, struct bp_json **out,
                           struct bp_err *err) BP_CHECK;

void bp_json_free(struct bp_json *value);
void bp_json_freep(struct bp_json **value); /* for BP_AUTO */

/*
 * Reading. Every function takes NULL for "no such value" and then answers NULL, false or the
 * fallback, so that a path of look-ups needs one check at its end. All values are lent.
 */
bool bp_json_is_object(const struct bp_json *value);
bool bp_json_is_array(const struct bp_json *value);
const struct bp_json *bp_json_get(const struct bp_json *object, const char *key);
const char *bp_json_text(const struct bp_json *value); /* NULL unless a string */
const char *bp_json_get_text(const struct bp_json *object, const char *key);
bool bp_json_get_bool(const struct bp_json *object, const char *key, bool fallback);
/* false unless a whole number of less than 2^53 in size */
bool bp_json_get_int(const struct bp_json *object, const char *key, int64_t *out);
/* The children of an array or object in order; NULL at the end. */
const struct bp_json *bp_json_first(const struct bp_json *parent);
const struct bp_json *bp_json_next(const struct bp_json *child);
const char *bp_json_key(const struct bp_json *child); /* of an object's child */
size_t bp_json_count(const struct bp_json *parent);

/* Building. New values are owned by the caller until set or pushed, which takes them over. */
struct bp_json *bp_json_object_new(void) BP_CHECK;
struct bp_json *bp_json_array_new(void) BP_CHECK;
struct bp_json *bp_json_text_new(const char *text) BP_CHECK; /* NULL makes null */
struct bp_json *bp_json_int_new(int64_t number) BP_CHECK;
struct bp_json *bp_json_copy(const struct bp_json *value) BP_CHECK;
void bp_json_set(struct bp_json *object, const char *key, struct bp_json *value);
void bp_json_set_text(struct bp_json *object, const char *key, const char *text);
void bp_json_set_int(struct bp_json *object, const char *key, int64_t number);
void bp_json_set_bool(struct bp_json *object, const char *key, bool flag);
void bp_json_push(struct bp_json *array, struct bp_json *value);

/*
 * Append value as text. Containers down to this depth get a line per child; deeper ones stay on
 * one line. Depth 0 is all on one line.
 */
void bp_json_render(const struct bp_json *value, int depth, struct bp_buf *out);

#endif
