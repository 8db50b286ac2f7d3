#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "forge/github_cache.h"

static struct bp_github_cache cache;

static void tear_down(void)
{
    bp_github_cache_free(&cache);
}

TestSuite(github_cache, .fini = tear_down);

static void keep(const char *url, const char *etag, size_t len)
{
    BP_AUTO(bp_freep) char *text = bp_alloc(len, 1);
    BP_AUTO(bp_buf_free) struct bp_buf body = {0};

    bp_buf_add(&body, text, len);
    bp_github_cache_keep(&cache, url, etag, &body);
}

static size_t kept_count(void)
{
    size_t count = 0;

    for (size_t i = 0; i < BP_GITHUB_KEPT; i++)
        count += cache.at[i].url != NULL ? 1 : 0;
    return count;
}

Test(github_cache, gives_back_what_was_kept)
{
    struct bp_buf body = {0};
    const struct bp_github_kept *kept = NULL;

    bp_buf_puts(&body, "{}");
    cr_expect_null(bp_github_cache_find(&cache, "u"));
    bp_github_cache_keep(&cache, "u", "\"1\"", &body);
    cr_expect_null(body.data, "taken over");
    kept = bp_github_cache_find(&cache, "u");
    cr_assert_not_null(kept);
    cr_expect_str_eq(kept->etag, "\"1\"");
    cr_expect_str_eq(kept->body.data, "{}");
    cr_expect_null(bp_github_cache_find(&cache, "u2"));
}

Test(github_cache, a_newer_answer_takes_the_place_of_the_older_one)
{
    keep("u", "\"1\"", 1);
    keep("u", "\"2\"", 2);
    cr_expect_str_eq(bp_github_cache_find(&cache, "u")->etag, "\"2\"");
    cr_expect_eq(kept_count(), 1u);
}

Test(github_cache, what_was_not_looked_up_for_the_longest_time_gives_way)
{
    for (int i = 0; i < BP_GITHUB_KEPT; i++) {
        const char url[] = {(char)('a' + i), '\0'};

        keep(url, "\"1\"", 1);
    }
    cr_expect_not_null(bp_github_cache_find(&cache, "a"));
    keep("new", "\"1\"", 1);
    cr_expect_eq(kept_count(), (size_t)BP_GITHUB_KEPT);
    cr_expect_not_null(bp_github_cache_find(&cache, "a"));
    cr_expect_null(bp_github_cache_find(&cache, "b"));
    cr_expect_not_null(bp_github_cache_find(&cache, "new"));
}

Test(github_cache, its_size_is_limited)
{
    keep("large", "\"1\"", BP_GITHUB_KEPT_SIZE + 1);
    cr_expect_eq(kept_count(), 0u);
    keep("a", "\"1\"", BP_GITHUB_KEPT_SIZE);
    keep("b", "\"1\"", BP_GITHUB_KEPT_SIZE);
    cr_expect_eq(kept_count(), 2u);
    keep("c", "\"1\"", 1);
    cr_expect_null(bp_github_cache_find(&cache, "a"));
    cr_expect_not_null(bp_github_cache_find(&cache, "b"));
    cr_expect_not_null(bp_github_cache_find(&cache, "c"));
}

Test(github_cache, keeps_nothing_under_an_etag_that_cannot_be_sent_back)
{
    char too_long[BP_GITHUB_KEPT_ETAG + 2];

    memset(too_long, 'x', sizeof(too_long) - 1);
    too_long[sizeof(too_long) - 1] = '\0';
    keep("u", "", 1);
    keep("u", "\"a\r\nX: y\"", 1);
    keep("u", "\"a b\"", 1);
    keep("u", too_long, 1);
    cr_expect_eq(kept_count(), 0u);
    keep("u", too_long + 1, 1);
    cr_expect_eq(kept_count(), 1u);
}
