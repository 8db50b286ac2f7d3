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

/* The fake that the tests of others rely on. */
Test(http, the_fake_answers_in_the_order_of_the_script)
{
    static const struct bp_http_request request = {.method = "GET", .url = "u"};
    struct bp_http_call calls[] = {{request}, {request}, {request}};
    struct fake_http http = fake_http();
    struct bp_stop stop = {.signal = 2, .fd = -1};
    struct bp_http_call *done = NULL;
    struct bp_err err = {0};

    http.exchanges[0] = (struct fake_exchange){.hang = true};
    http.exchanges[1] = (struct fake_exchange){.failure = BP_ETIMEOUT, .maybe_sent = true};
    http.exchanges[2] = (struct fake_exchange){
        .status = 200, .header = "A: 1", .more_headers = {"B: 2", "C: 3"}, .body = "x"};
    for (int i = 0; i < 3; i++)
        http.base.ops->begin(&http.base, &calls[i]);
    cr_expect_eq(http.base.ops->wait(&http.base, 0, &stop, &done, &err), BP_ESTOPPED);
    cr_expect_eq(fake_http_under_way(&http), 3);
    for (int i = 1; i < 3; i++) {
        cr_expect_eq(http.base.ops->wait(&http.base, 0, NULL, &done, &err), BP_OK);
        cr_expect_eq(done, &calls[i]);
    }
    cr_expect_eq(calls[1].err.code, BP_ETIMEOUT);
    cr_expect(calls[1].response.maybe_sent);
    cr_expect_eq(calls[2].err.code, BP_OK);
    cr_expect_str_eq(bp_http_header(&calls[2].response, "C"), "3");
    cr_expect_eq(http.base.ops->wait(&http.base, 0, NULL, &done, &err), BP_OK);
    cr_expect_null(done, "it hangs");
    http.base.ops->drop(&http.base, &calls[0]);
    cr_expect_eq(fake_http_under_way(&http), 0);
    bp_http_response_free(&calls[2].response);
}
