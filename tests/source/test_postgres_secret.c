#include <criterion/criterion.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "source/postgres.h"

/* What is found in the text, each with a '|' behind it; owned by the caller. */
static char *found(const char *url)
{
    BP_AUTO(bp_list_free) struct bp_list secrets = {0};
    struct bp_buf all = {0};

    bp_postgres_url_secrets(url, &secrets);
    for (size_t i = 0; i < secrets.count; i++)
        bp_buf_printf(&all, "%s|", secrets.at[i]);
    return bp_buf_take(&all);
}

Test(postgres_secret, finds_the_passwords_of_what_libpq_reads)
{
    static const char *const rows[][2] = {
        {"postgresql://u:secret@h/x", "secret|"},
        {"postgres://u:secret@h:1,h:2/x", "secret|"},
        {"postgresql://u@h/db?password=secret", "secret|"},
        {"postgresql://u@h/db?pass%77ord=secret&x", ""},
        {"postgresql://u@h/db?pass%77ord=se%20cret", "se cret|"},
        {"postgresql://u@h/x?sslpassword=secret", "secret|"},
        {"postgresql://u:one@h/x?password=two", "two|one|"},
        {"host=h password=secret", "secret|"},
        {"password = 'se cr\\'et'", "se cr'et|"},
        {"host=h application_name=password password=secret", "secret|"},
        {"sslpassword=one host=127.0.0.1 port=1 password=two", "two|one|"},
        {"postgresql://u:a/b@h/x", "a/b|"},
        {"postgresql://u:a@b@h/x", "a|a@b|"},
        {"postgresql://u:a?b@h/x", "a?b|"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        BP_AUTO(bp_freep) char *got = found(rows[i][0]);

        if (rows[i][1][0] != '\0')
            cr_expect_str_eq(got, rows[i][1], "%s: '%s', not '%s'", rows[i][0], got, rows[i][1]);
        else
            cr_expect_not_null(strstr(got, "secret"), "%s: '%s'", rows[i][0], got);
    }
}

Test(postgres_secret, finds_none_where_there_is_none)
{
    static const char *const without[] = {
        "",
        "postgresql://u@h:5432/x",
        "postgresql://h:5432/x",
        "postgresql://[::1]:5432/x",
        "postgresql:///x?host=/tmp&user=a",
        "host=h user=u",
        "dbname=x application_name='password=no'",
        "postgresql://h.example:5432/x?user=me@h&sslmode=require",
        "postgresql://u@h:5432/x?options=-c%20a=b@c",
        "postgresql://u:@h/x?passfile=/a",
        "postgresql://u@h:5432/x?nonsense=1@2",
    };

    for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
        BP_AUTO(bp_freep) char *got = found(without[i]);

        cr_expect_str_eq(got, "", "%s: '%s'", without[i], got);
    }
}

/* Of each text libpq says that it cannot be read; "secret" is the password. */
Test(postgres_secret, finds_what_may_be_a_password_in_a_text_that_nobody_can_read)
{
    static const char *const texts[] = {
        "postgresql://u:secret@h/%zz",
        "postgresql://u:secret@h:1/x?nonsense=1",
        "POSTGRESQL://u:secret@h/x",
        "u:secret@h/x",
        "postgresql://u@h/x?nonsense=1&password=secret",
        "postgresql://u@h/x?nonsense=1&password=secret&a=b",
        "postgresql://u@h/x?nonsense=1&sslpassword=secret",
        "postgresql://u@h/x?nonsense=1&p%61ssword%3Dsecret",
        "host=h password=secret oops",
        "host=h PASSWORD = secret",
        "host=h oops password='secret' x",
        "host=h oops password='secret",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        BP_AUTO(bp_list_free) struct bp_list secrets = {0};

        bp_postgres_url_secrets(texts[i], &secrets);
        cr_expect(bp_list_has(&secrets, "secret"), "%s", texts[i]);
    }
    static const char *const longer[][2] = {{"host=h password=my secret words", "my secret words"},
                                            {"host=h oops password=a&b", "a&b"},
                                            {"postgresql://u:a@b/c@h/%zz", "a@b/c"},
                                            {"oops password='a\\'b' x", "a\\'b"}};

    for (size_t i = 0; i < sizeof(longer) / sizeof(longer[0]); i++) {
        BP_AUTO(bp_list_free) struct bp_list secrets = {0};

        bp_postgres_url_secrets(longer[i][0], &secrets);
        cr_expect(bp_list_has(&secrets, longer[i][1]), "%s", longer[i][0]);
    }
}
