/*
 * net/url.h against the two libraries that will read the addresses: what is called the same origin
 * is so for libcurl, and no password that libpq would use stays unseen.
 */
#include <curl/curl.h>
#include <libpq-fe.h>
#include <string.h>
#include <strings.h>

#include "base/list.h"
#include "base/mem.h"
#include "fuzz/fuzz.h"
#include "net/url.h"
#include "source/postgres.h"

static void same_part(CURLU *a, CURLU *b, CURLUPart part)
{
    char *a_text = NULL;
    char *b_text = NULL;

    if (curl_url_get(a, part, &a_text, CURLU_DEFAULT_PORT) == CURLUE_OK &&
        curl_url_get(b, part, &b_text, CURLU_DEFAULT_PORT) == CURLUE_OK)
        must(strcasecmp(a_text, b_text) == 0);
    curl_free(a_text);
    curl_free(b_text);
}

static void check_origin(const char *a, const char *b)
{
    CURLU *a_url = NULL;
    CURLU *b_url = NULL;

    must(bp_url_same_origin(a, b) == bp_url_same_origin(b, a));
    if (!bp_url_same_origin(a, b))
        return;
    a_url = curl_url();
    b_url = curl_url();
    if (curl_url_set(a_url, CURLUPART_URL, a, 0) == CURLUE_OK &&
        curl_url_set(b_url, CURLUPART_URL, b, 0) == CURLUE_OK) {
        same_part(a_url, b_url, CURLUPART_SCHEME);
        same_part(a_url, b_url, CURLUPART_HOST);
        same_part(a_url, b_url, CURLUPART_PORT);
    }
    curl_url_cleanup(a_url);
    curl_url_cleanup(b_url);
}

static void check_password(const char *text)
{
    BP_AUTO(bp_freep) char *password = bp_url_password(text);
    BP_AUTO(bp_list_free) struct bp_list secrets = {0};
    char *words = NULL;
    PQconninfoOption *options = PQconninfoParse(text, &words);

    must(password == NULL || password[0] != '\0' || strstr(text, "%00") != NULL);
    bp_postgres_url_secrets(text, &secrets);
    for (const PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++) {
        if (strcmp(o->keyword, "password") == 0 && o->val != NULL && o->val[0] != '\0')
            must(bp_list_has(&secrets, o->val));
    }
    PQconninfoFree(options);
    if (words != NULL)
        PQfreemem(words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BP_AUTO(bp_freep) char *text = fuzz_string(data, size);
    char *rest = text;
    const char *first = NULL;

    check_password(text);
    first = fuzz_line(&rest);
    check_origin(first, rest);
    return 0;
}
