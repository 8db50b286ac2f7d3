/*
 * What the fuzz targets share. A target reads bytes as its parser would get them and ends the
 * program when a promise of a header is broken. Build with the preset `fuzz` to search; in every
 * other build standalone.c runs each target over its corpus, as an ordinary test.
 *
 *     cmake --preset fuzz && cmake --build build/fuzz
 *     build/fuzz/tests/fuzz/fuzz_json -max_total_time=60 tests/fuzz/corpus/json
 *
 * An input that made a target fail stays in the corpus.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* End the program unless this is so. */
void must(bool so);

/* The bytes up to the first NUL as a string of exactly that size; owned by the caller. */
char *fuzz_string(const uint8_t *data, size_t size) BP_CHECK;

/* Cut the line at *rest off (a NUL takes the place of its end) and move *rest behind it. */
char *fuzz_line(char **rest);

/* Text that may be shown: UTF-8 on one line, without control characters. */
bool fuzz_is_plain(const char *text);

#endif
