#include <criterion/criterion.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

Test(buf, an_empty_one_is_an_empty_string)
{
    BP_AUTO(bp_buf_free) struct bp_buf buf = {0};

    cr_expect_str_eq(bp_buf_str(&buf), "");
    bp_buf_cut(&buf, 0);
    bp_buf_cut(&buf, 10);
    cr_expect_null(buf.data, "cutting an empty buffer must not allocate");
    bp_buf_add(&buf, NULL, 0);
    cr_expect_str_eq(bp_buf_str(&buf), "");
    cr_expect_eq(buf.len, 0);
}

Test(buf, taking_an_empty_one_gives_a_string)
{
    struct bp_buf buf = {0};
    BP_AUTO(bp_freep) char *text = bp_buf_take(&buf);

    cr_expect_str_eq(text, "");
}

Test(buf, grows_byte_by_byte_and_always_ends_with_nul)
{
    BP_AUTO(bp_buf_free) struct bp_buf buf = {0};

    for (size_t i = 0; i < 5000; i++) {
        bp_buf_putc(&buf, (char)('a' + i % 26));
        cr_assert_eq(buf.len, i + 1);
        cr_assert(buf.size > buf.len, "no room for the NUL at %zu", buf.len);
        cr_assert_eq(buf.data[buf.len], '\0');
    }
    for (size_t i = 0; i < buf.len; i++)
        cr_assert_eq(buf.data[i], (char)('a' + i % 26), "byte %zu changed while growing", i);
}

Test(buf, holds_nul_bytes)
{
    BP_AUTO(bp_buf_free) struct bp_buf buf = {0};

    bp_buf_add(&buf, "a\0b", 3);
    bp_buf_putc(&buf, '\0');
    bp_buf_puts(&buf, "c");
    cr_assert_eq(buf.len, 5);
    cr_expect_eq(memcmp(buf.data, "a\0b\0c", 6), 0);
}

Test(buf, formats_texts_longer_than_its_room)
{
    BP_AUTO(bp_buf_free) struct bp_buf buf = {0};

    bp_buf_puts(&buf, "<");
    bp_buf_printf(&buf, "%0500d|%s", 7, "end");
    cr_assert_eq(buf.len, 1 + 500 + 4);
    cr_expect_eq(buf.data[500], '7');
    cr_expect_str_eq(buf.data + 501, "|end");
}

Test(buf, reserving_means_that_adding_does_not_move_it)
{
    BP_AUTO(bp_buf_free) struct bp_buf buf = {0};
    const char *before = NULL;

    bp_buf_puts(&buf, "head");
    bp_buf_reserve(&buf, 10000);
    before = buf.data;
    for (int i = 0; i < 10000; i++)
        bp_buf_putc(&buf, 'x');
    cr_expect_eq(buf.data, before);
    cr_expect_eq(buf.len, 10004);
}

Test(buf, cutting_keeps_the_memory_and_the_beginning)
{
    BP_AUTO(bp_buf_free) struct bp_buf buf = {0};
    size_t size = 0;

    bp_buf_puts(&buf, "hello world");
    size = buf.size;
    bp_buf_cut(&buf, 5);
    cr_expect_str_eq(bp_buf_str(&buf), "hello");
    bp_buf_cut(&buf, 6);
    cr_expect_str_eq(bp_buf_str(&buf), "hello", "cutting behind the end must change nothing");
    cr_expect_eq(buf.size, size);
    bp_buf_puts(&buf, "!");
    cr_expect_str_eq(bp_buf_str(&buf), "hello!");
}

Test(buf, is_empty_and_usable_after_taking_and_after_freeing)
{
    BP_AUTO(bp_buf_free) struct bp_buf buf = {0};
    BP_AUTO(bp_freep) char *taken = NULL;

    bp_buf_puts(&buf, "one");
    taken = bp_buf_take(&buf);
    cr_expect_str_eq(taken, "one");
    cr_expect_str_eq(bp_buf_str(&buf), "");
    bp_buf_puts(&buf, "two");
    cr_expect_str_eq(bp_buf_str(&buf), "two");
    bp_buf_free(&buf);
    cr_expect_eq(buf.len, 0);
    bp_buf_puts(&buf, "three");
    cr_expect_str_eq(bp_buf_str(&buf), "three");
}
