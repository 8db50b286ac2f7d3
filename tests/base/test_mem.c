#include <criterion/criterion.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

/* There in a program with the address sanitizer, which ends it in its own way. */
extern void __asan_init(void) __attribute__((weak));

Test(mem, new_memory_is_zeroed)
{
    BP_AUTO(bp_freep) unsigned char *bytes = bp_alloc(1000, 3);

    for (size_t i = 0; i < 3000; i++)
        cr_assert_eq(bytes[i], 0, "byte %zu", i);
}

Test(mem, nothing_is_still_an_address)
{
    BP_AUTO(bp_freep) char *none = bp_alloc(0, 8);
    BP_AUTO(bp_freep) char *shrunk = bp_realloc(bp_alloc(4, 1), 0, 1);

    cr_expect_not_null(none);
    cr_expect_not_null(shrunk);
}

Test(mem, growing_keeps_the_content)
{
    BP_AUTO(bp_freep) char *text = bp_strdup("kept");

    text = bp_realloc(text, 100000, 1);
    cr_expect_str_eq(text, "kept");
}

Test(mem, copies_are_copies)
{
    char original[] = "text";
    BP_AUTO(bp_freep) char *copy = bp_strdup(original);
    BP_AUTO(bp_freep) char *part = bp_strndup(original, 2);
    BP_AUTO(bp_freep) char *none = bp_strndup(original, 0);

    original[0] = 'n';
    cr_expect_str_eq(copy, "text");
    cr_expect_str_eq(part, "te");
    cr_expect_str_eq(none, "");
    cr_expect_null(bp_strdup(NULL));
}

Test(mem, formats_texts_of_any_length)
{
    BP_AUTO(bp_freep) char *text = bp_format("%s-%05d-%3000s", "a", 42, "z");

    cr_expect_eq(strlen(text), 1 + 1 + 5 + 1 + 3000);
    cr_expect_eq(strncmp(text, "a-00042-", 8), 0);
}

Test(mem, freeing_clears_the_pointer)
{
    char *text = bp_strdup("x");
    char *secret = bp_strdup("y");
    char *nothing = NULL;

    bp_freep(&text);
    bp_free_secretp(&secret);
    bp_freep(&nothing);
    bp_free_secretp(&nothing);
    cr_expect_null(text);
    cr_expect_null(secret);
}

Test(mem, running_out_ends_the_program, .signal = SIGABRT)
{
    if (__asan_init != NULL)
        (void)raise(SIGABRT);
    (void)!bp_alloc(SIZE_MAX / 2, 4);
}

Test(mem, a_size_that_overflows_is_not_allocated, .signal = SIGABRT)
{
    if (__asan_init != NULL)
        (void)raise(SIGABRT);
    (void)!bp_realloc(NULL, SIZE_MAX / 2, 4);
}
