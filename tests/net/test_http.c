#include <criterion/criterion.h>

#include "net/http.h"
#include "support/fake_http.h"

static struct bp_http_response response;

static void tear_down(void)
{
    bp_http_response_free(&response);
}

TestSuite(http, .fini = tear_down);

Test(http, finds_a_header_whatever_its_case)
{
    bp_list_add(&response.headers, "X-Long-Name: other");
    bp_list_add(&response.headers, "x-long: first");
    bp_list_add(&response.headers, "X-Long: second");
    cr_expect_str_eq(bp_http_header(&response, "X-LONG"), "first");
    cr_expect_str_eq(bp_http_header(&response, "x-long-name"), "other");
    cr_expect_null(bp_http_header(&response, "long"));
    cr_expect_null(bp_http_header(&response, "X-Lon"));
    cr_expect_null(bp_http_header(&response, "X-Long-Name-Too"));
}

Test(http, gives_a_value_without_the_blanks_before_it)
{
    static const struct {
        const char *line;
        const char *value;
    } rows[] = {{"A: b", "b"}, {"A:b", "b"},        {"A: \t b c", "b c"},
                {"A:", ""},    {"A: b: c", "b: c"}, {"A:  ", ""}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bp_list_add(&response.headers, rows[i].line);
        cr_expect_str_eq(bp_http_header(&response, "a"), rows[i].value, "%s", rows[i].line);
        bp_http_response_free(&response);
    }
}

Test(http, a_line_without_a_colon_is_no_header)
{
    cr_expect_null(bp_http_header(&response, "A"), "there are none at all");
    bp_list_add(&response.headers, "A");
    bp_list_add(&response.headers, "A b");
    bp_list_add(&response.headers, "");
    cr_expect_null(bp_http_header(&response, "A"));
}

Test(http, a_response_begins_empty)
{
    static const struct bp_list none = {0};
    static const struct bp_http_request request = {.method = "GET", .url = "u", .headers = &none};
    struct fake_http http = fake_http();
    struct bp_err err = {0};

    http.exchanges[0] = (struct fake_exchange){.failure = BP_EUNAVAILABLE};
    response.status = 200;
    response.maybe_sent = true;
    cr_expect_eq(bp_http_send(&http.base, &request, &response, &err), BP_EUNAVAILABLE);
    cr_expect_eq(response.status, 0);
    cr_expect_not(response.maybe_sent);
}

Test(http, a_freed_response_can_be_used_again)
{
    bp_buf_puts(&response.body, "x");
    bp_list_add(&response.headers, "A: b");
    bp_http_response_free(&response);
    cr_expect_eq(response.body.len, 0);
    cr_expect_eq(response.headers.count, 0);
    bp_http_response_free(&response);
}

Test(http, freeing_forgets_the_driver)
{
    struct fake_http fake = fake_http();
    struct bp_http *http = &fake.base;

    bp_http_freep(&http);
    cr_expect_null(http);
    bp_http_freep(&http);
}
