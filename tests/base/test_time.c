#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

#include "base/time.h"

#define COUNT_OF(rows) (sizeof(rows) / sizeof((rows)[0]))

static const int64_t moment = INT64_C(1705329045000); /* 2024-01-15T14:30:45Z */
static const int64_t day_ms = INT64_C(86400000);

Test(time, writes_utc)
{
    static const struct {
        int64_t ms;
        const char *text;
        const char *id;
    } rows[] = {
        {0, "1970-01-01T00:00:00Z", "1970-01-01T00-00-00Z"},
        {INT64_C(1705329045000), "2024-01-15T14:30:45Z", "2024-01-15T14-30-45Z"},
        {INT64_C(1705329045999), "2024-01-15T14:30:45Z", "2024-01-15T14-30-45Z"},
        {INT64_C(951782400000), "2000-02-29T00:00:00Z", "2000-02-29T00-00-00Z"},
        {INT64_C(253402300799000), "9999-12-31T23:59:59Z", "9999-12-31T23-59-59Z"},
        {-INT64_C(30641760000000), "0999-01-01T00:00:00Z", "0999-01-01T00-00-00Z"},
        {-1000, "1969-12-31T23:59:59Z", "1969-12-31T23-59-59Z"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[BP_TIME_SIZE];

        bp_time_format(rows[i].ms, text);
        cr_expect_str_eq(text, rows[i].text, "row %zu gave %s", i, text);
        bp_time_format_id(rows[i].ms, text);
        cr_expect_str_eq(text, rows[i].id, "row %zu gave %s", i, text);
    }
}

Test(time, reads_every_form)
{
    static const char *const same[] = {
        "2024-01-15T14:30:45Z",          "2024-01-15T14-30-45Z",      "2024-01-15t14:30:45z",
        "2024-01-15 14:30:45Z",          "2024-01-15T14:30:45.5Z",    "2024-01-15T14:30:45,123456Z",
        "2024-01-15T16:30:45+02:00",     "2024-01-15T16:30:45+0200",  "2024-01-15T09:00:45-05:30",
        "2024-01-15T14:30:45.999+00:00", "2024-01-16T13:30:45+23:00",
    };

    for (size_t i = 0; i < COUNT_OF(same); i++) {
        struct bp_err err = {0};
        int64_t ms = 0;

        cr_expect_eq(bp_time_parse(same[i], &ms, &err), BP_OK, "%s", err.msg);
        cr_expect_eq(ms, moment, "'%s' gave %" PRId64, same[i], ms);
    }
}

Test(time, reads_times_without_seconds_and_dates_alone)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"2024-01-15", INT64_C(1705276800000)},
        {"2024-01-15T14:30Z", INT64_C(1705329000000)},
        {"2024-01-15T16:30+02:00", INT64_C(1705329000000)},
        {"2024-01-15T12:30-02:00", INT64_C(1705329000000)},
        {"2024-01-15T12:30-0200", INT64_C(1705329000000)},
        {"1970-01-01", 0},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct bp_err err = {0};
        int64_t ms = -1;

        cr_expect_eq(bp_time_parse(rows[i].text, &ms, &err), BP_OK, "%s", err.msg);
        cr_expect_eq(ms, rows[i].ms, "'%s' gave %" PRId64, rows[i].text, ms);
    }
}

Test(time, refuses_what_is_no_time)
{
    static const char *const bad[] = {
        "",
        "now",
        "2024",
        "2024-1-15",
        "24-01-15",
        "2024-00-10",
        "2024-13-10",
        "2024-01-00",
        "2024-01-32",
        "2024-04-31",
        "2023-02-29",
        "1900-02-29",
        "2024-02-30",
        "2024-01-15T",
        "2024-01-15T14",
        "2024-01-15T14Z",
        "2024-01-15T24:00:00Z",
        "2024-01-15T14:60:00Z",
        "2024-01-15T14:30:60Z",
        "2024-01-15T14:30:45",
        "2024-01-15T14:30:45.Z",
        "2024-01-15T14:30:45+2",
        "2024-01-15T14:30:45+24:00",
        "2024-01-15T14:30:45+02:60",
        "2024-01-15T14:30:45Z ",
        " 2024-01-15",
        "2024-01-15 ",
        "2024-01-15T14:30:45ZZ",
        "-024-01-15",
        "+2024-01-15",
        "2024/01/15",
        "2024-01-15T14:3\xD9\xA0:45Z",
    };

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct bp_err err = {0};
        int64_t ms = 0;

        cr_expect_eq(bp_time_parse(bad[i], &ms, &err), BP_EUSAGE, "'%s' gave %" PRId64, bad[i], ms);
        cr_expect(strstr(err.msg, "is not a time; hint: write it like 2024-01-15") != NULL, "%s",
                  err.msg);
    }
}

/* Every day of 400 years: the calendar repeats after them. */
Test(time, what_is_written_is_read_back)
{
    struct bp_err err = {0};
    int64_t ms = 0;
    int leap_days = 0;

    for (int64_t day = 0; day < 146097; day++) {
        int64_t wanted = day * day_ms + day * 7919 % 86400 * 1000;
        char text[BP_TIME_SIZE];

        bp_time_format(wanted, text);
        cr_assert_eq(bp_time_parse(text, &ms, &err), BP_OK, "%s", err.msg);
        cr_assert_eq(ms, wanted, "%s", text);
        leap_days += strncmp(text + 5, "02-29", 5) == 0;
        bp_time_format_id(wanted, text);
        cr_assert_eq(bp_time_parse(text, &ms, &err), BP_OK, "%s", err.msg);
        cr_assert_eq(ms, wanted, "%s", text);
    }
    cr_expect_eq(leap_days, 97);
}

Test(time, reads_http_dates)
{
    static const char *const bad[] = {
        "",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 PST",
        "Sun, 06 Nov 1994 08:49:37 GMT, twice",
        "Sun, 31 Apr 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 25:49:37 GMT",
        "06 Nov 1994 08:49:37 GMT",
        "1994-11-06T08:49:37Z",
        "120",
    };
    struct bp_err err = {0};
    int64_t ms = 0;

    cr_expect_eq(bp_time_parse_http("Sun, 06 Nov 1994 08:49:37 GMT", &ms, &err), BP_OK, "%s",
                 err.msg);
    cr_expect_eq(ms, INT64_C(784111777000));
    cr_expect_eq(bp_time_parse_http("Thu, 29 Feb 2024 23:59:59 GMT", &ms, &err), BP_OK, "%s",
                 err.msg);
    cr_expect_eq(ms, INT64_C(1709251199000));
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        cr_expect_eq(bp_time_parse_http(bad[i], &ms, &err), BP_EFAILED, "'%s'", bad[i]);
}
