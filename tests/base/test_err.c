#include <criterion/criterion.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"

Test(err, a_failure_carries_code_and_message)
{
    struct bp_err err = {0};

    cr_expect_eq(bp_fail(&err, BP_ENOTFOUND, "no workflow '%s' in %s", "a.yml", "o/r"),
                 BP_ENOTFOUND);
    cr_expect_eq(err.code, BP_ENOTFOUND);
    cr_expect_str_eq(err.msg, "no workflow 'a.yml' in o/r");
}

Test(err, whoever_needs_no_message_passes_null)
{
    cr_expect_eq(bp_fail(NULL, BP_ETIMEOUT, "x"), BP_ETIMEOUT);
}

Test(err, context_goes_in_front_and_the_code_stays)
{
    struct bp_err err = {0};

    (void)bp_fail(&err, BP_EAUTH, "the forge said no");
    cr_expect_eq(bp_wrap(&err, "cannot start %s", "a.yml"), BP_EAUTH);
    cr_expect_str_eq(err.msg, "cannot start a.yml: the forge said no");
    (void)bp_wrap(&err, "100%%");
    cr_expect_str_eq(err.msg, "100%: cannot start a.yml: the forge said no");
}

Test(err, a_message_that_holds_a_format_is_text)
{
    struct bp_err err = {0};

    (void)bp_fail(&err, BP_EFAILED, "%s", "%s%n");
    (void)bp_wrap(&err, "a");
    cr_expect_str_eq(err.msg, "a: %s%n");
}

/* With each length around the limit, the cut falls elsewhere in the two-byte letters. */
Test(err, a_long_message_is_cut_between_characters)
{
    char text[2 * 1100 + 1];

    for (size_t i = 0; i + 2 < sizeof(text); i += 2)
        memcpy(text + i, "\xC3\xA9", 2);
    text[sizeof(text) - 1] = '\0';
    for (int shift = 0; shift < 8; shift++) {
        struct bp_err err = {0};

        (void)bp_fail(&err, BP_EFAILED, "%.*s%s", shift, "12345678", text);
        cr_expect(bp_text_ends_with(err.msg, "..."), "shift %d: no mark of the cut", shift);
        cr_expect(bp_text_is_utf8(err.msg, strlen(err.msg)), "shift %d: half a character", shift);
        cr_expect_geq(strlen(err.msg), sizeof(err.msg) - 4);
    }
}

Test(err, what_just_fits_is_not_cut)
{
    struct bp_err err = {0};

    (void)bp_fail(&err, BP_EFAILED, "%*s", (int)sizeof(err.msg) - 1, "x");
    cr_expect_eq(strlen(err.msg), sizeof(err.msg) - 1);
    cr_expect(bp_text_ends_with(err.msg, " x"));
    (void)bp_fail(&err, BP_EFAILED, "%*s", (int)sizeof(err.msg), "x");
    cr_expect(bp_text_ends_with(err.msg, "..."));
}

Test(err, each_code_has_its_name_and_exit_status)
{
    static const struct {
        enum bp_code code;
        const char *name;
        int status;
    } rows[] = {
        {BP_OK, "ok", 0},
        {BP_EFAILED, "failed", 1},
        {BP_EUSAGE, "usage", 2},
        {BP_EAUTH, "permission", 3},
        {BP_ENOTFOUND, "not-found", 4},
        {BP_EUNAVAILABLE, "unavailable", 5},
        {BP_ETIMEOUT, "timeout", 6},
        {BP_ELOCKED, "locked", 7},
        {BP_EINTEGRITY, "integrity", 8},
        {BP_ESTOPPED, "stopped", 130},
    };

    cr_assert_eq(sizeof(rows) / sizeof(rows[0]), BP_CODE_COUNT, "a code is missing here");
    for (size_t i = 0; i < BP_CODE_COUNT; i++) {
        cr_expect_str_eq(bp_code_name(rows[i].code), rows[i].name, "code %zu", i);
        cr_expect_eq(bp_code_exit_status(rows[i].code), rows[i].status, "%s", rows[i].name);
    }
}

Test(err, a_code_from_nowhere_is_a_failure)
{
    cr_expect_str_eq(bp_code_name(BP_CODE_COUNT), "unknown");
    cr_expect_eq(bp_code_exit_status(BP_CODE_COUNT), 1);
}
