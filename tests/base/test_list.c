#include <criterion/criterion.h>

#include "base/list.h"
#include "base/mem.h"

Test(list, keeps_order_and_copies)
{
    BP_AUTO(bp_list_free) struct bp_list list = {0};
    char text[] = "first";

    bp_list_add(&list, text);
    text[0] = 'F';
    bp_list_addf(&list, "%s-%d", "second", 2);
    bp_list_take(&list, bp_strdup("third"));
    cr_assert_eq(list.count, 3);
    cr_expect_str_eq(list.at[0], "first");
    cr_expect_str_eq(list.at[1], "second-2");
    cr_expect_str_eq(list.at[2], "third");
}

Test(list, knows_what_it_has_exactly)
{
    BP_AUTO(bp_list_free) struct bp_list list = {0};

    cr_expect_not(bp_list_has(&list, ""));
    bp_list_add(&list, "main");
    cr_expect(bp_list_has(&list, "main"));
    cr_expect_not(bp_list_has(&list, "Main"));
    cr_expect_not(bp_list_has(&list, "mai"));
    cr_expect_not(bp_list_has(&list, "main2"));
}

Test(list, sorts_by_byte_value)
{
    static const char *const sorted[] = {"", "A", "a", "a-b", "a.b", "a/b", "ab", "\xC3\xA4"};
    enum { COUNT = sizeof(sorted) / sizeof(sorted[0]) };
    BP_AUTO(bp_list_free) struct bp_list list = {0};

    bp_list_sort(&list);
    for (size_t i = 0; i < COUNT; i++)
        bp_list_add(&list, sorted[(i * 5 + 3) % COUNT]);
    bp_list_sort(&list);
    for (size_t i = 0; i < COUNT; i++)
        cr_expect_str_eq(list.at[i], sorted[i], "place %zu", i);
}

Test(list, holds_many)
{
    BP_AUTO(bp_list_free) struct bp_list list = {0};

    for (int i = 0; i < 10000; i++)
        bp_list_addf(&list, "%d", i);
    cr_assert_eq(list.count, 10000);
    cr_expect_str_eq(list.at[0], "0");
    cr_expect_str_eq(list.at[9999], "9999");
    bp_list_free(&list);
    cr_expect_eq(list.count, 0);
    bp_list_add(&list, "again");
    cr_expect_str_eq(list.at[0], "again");
}
