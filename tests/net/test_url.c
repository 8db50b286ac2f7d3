#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "net/url.h"

Test(url, the_same_scheme_host_and_port_are_the_same_origin)
{
    static const char *const same[][2] = {
        {"https://api.test", "https://api.test"},
        {"https://api.test/", "https://api.test"},
        {"https://api.test/a/b", "https://api.test/c"},
        {"HTTPS://API.test/a", "https://api.TEST/b"},
        {"http://127.0.0.1:81/x", "http://127.0.0.1:81?y"},
        {"https://[::1]:9/", "https://[::1]:9#z"},
        {"https://api.test/@x", "https://api.test/y@z"},
    };

    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        cr_expect(bp_url_same_origin(same[i][0], same[i][1]), "%s, %s", same[i][0], same[i][1]);
        cr_expect(bp_url_same_origin(same[i][1], same[i][0]), "%s, %s", same[i][1], same[i][0]);
    }
}

Test(url, anything_else_is_another_origin)
{
    static const char *const other[][2] = {
        {"https://api.test", "http://api.test"},
        {"https://api.test", "https://api.test:8443"},
        {"https://api.test", "https://api.test.evil"},
        {"https://api.test", "https://api.tes"},
        {"https://api.test", "https://evil/https://api.test"},
        {"https://api.test", "https://api.test@evil"},
        {"https://api.test", "https://api.test\\@evil"},
        {"https://api.test", "https://api.test:@evil"},
        {"https://u@api.test", "https://u@api.test"},
        {"https://api.test", "//api.test"},
        {"https://api.test", "/path"},
        {"https://api.test", ""},
        {"", ""},
        {"ftp://api.test", "ftp://api.test"},
        {"https:/api.test", "https:/api.test"},
        {"api.test", "api.test"},
    };

    for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
        cr_expect_not(bp_url_same_origin(other[i][0], other[i][1]), "%s, %s", other[i][0],
                      other[i][1]);
        cr_expect_not(bp_url_same_origin(other[i][1], other[i][0]), "%s, %s", other[i][1],
                      other[i][0]);
    }
}

struct row {
    const char *text;
    const char *password; /* NULL: none */
};

static void expect_passwords(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        BP_AUTO(bp_freep) char *password = bp_url_password(rows[i].text);

        if (rows[i].password == NULL)
            cr_expect_null(password, "'%s' of %s", password, rows[i].text);
        else
            cr_expect(password != NULL && strcmp(password, rows[i].password) == 0, "'%s' of %s",
                      password != NULL ? password : "nothing", rows[i].text);
    }
}

Test(url, finds_the_password_before_the_host)
{
    static const struct row rows[] = {
        {"postgres://u:secret@h/db", "secret"},
        {"postgresql://u:secret@h:5432,h2/db", "secret"},
        {"https://u:secret@h", "secret"},
        {"postgres://:secret@h/db", "secret"},
        {"postgres://u:a:b@h/db", "a:b"},
        {"postgres://u:p@ss@h/db", "p@ss"},
        {"postgres://u:p%40s%2Fs%25@h/db", "p@s/s%"},
        {"postgres://u:%zz@h/db", "%zz"},
        {"postgres://u@h:5432/db", NULL},
        {"postgres://u:@h/db", NULL},
        {"postgres://h:5432/db", NULL},
        {"postgres:///db?host=/tmp", NULL},
        {"postgres://h/db:x@y", NULL},
        {"https://h?q=a:b@c", NULL},
        {"https://h#a:b@c", NULL},
        {"git@github.com:o/r.git", NULL},
        {"ssh://git:secret@h/r.git", "secret"},
        {"", NULL},
    };

    expect_passwords(rows, sizeof(rows) / sizeof(rows[0]));
}

Test(url, knows_this_machine)
{
    static const struct {
        const char *url;
        bool here;
    } rows[] = {{"http://127.0.0.1:80/x", true},
                {"https://127.1.2.3", true},
                {"http://LOCALHOST:1/api", true},
                {"http://[::1]:9", true},
                {"http://api.github.com", false},
                {"http://127.evil.test", false},
                {"http://localhost.test", false},
                {"http://127.0.0.1@evil", false},
                {"http://localhost:x@evil", false},
                {"ssh://127.0.0.1", false},
                {"127.0.0.1", false},
                {"", false}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        cr_expect_eq(bp_url_is_loopback(rows[i].url), rows[i].here, "%s", rows[i].url);
}

Test(url, a_location_is_an_address_or_a_path_on_the_same_server)
{
    static const char *const rows[][3] = {
        {"https://h:1/a/b?c", "/x?y", "https://h:1/x?y"},
        {"https://h:1/a", "https://other/x", "https://other/x"},
        {"https://h", "/", "https://h/"},
        {"https://h/a", "//other/x", NULL},
        {"https://h/a", "x", NULL},
        {"https://h/a", "", NULL},
        {"ftp://h/a", "/x", NULL},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        BP_AUTO(bp_freep) char *url = bp_url_location(rows[i][0], rows[i][1]);

        if (rows[i][2] == NULL)
            cr_expect_null(url, "row %zu: %s", i, url);
        else
            cr_expect_str_eq(url, rows[i][2], "row %zu", i);
    }
}
