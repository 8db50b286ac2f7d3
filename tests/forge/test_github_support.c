#include "forge/test_github_support.h"

#include <criterion/criterion.h>
#include <string.h>
#include <strings.h>

struct github_rig rig;

void github_use_token(const char *token)
{
    bp_forge_freep(&rig.forge);
    rig.options.token = token;
    cr_assert_eq(bp_github_new(&rig.options, &rig.forge, &rig.err), BP_OK, "%s", rig.err.msg);
}

void github_set_up(void)
{
    rig.clock = fake_clock_new();
    rig.http = fake_http();
    rig.options = (struct bp_github_options){.http = &rig.http.base,
                                             .clock = &rig.clock.base,
                                             .api_url = "https://api.test/api/v3/",
                                             .request_timeout_ms = 1000};
    github_use_token("github_pat_x\n");
}

void github_tear_down(void)
{
    bp_forge_freep(&rig.forge);
}

void github_rewind(void)
{
    rig.http.count = 0;
}

enum bp_code github_ask(struct bp_ask *ask)
{
    struct bp_ask *done = NULL;

    if (ask->repo == NULL)
        ask->repo = "o/r";
    github_rewind();
    rig.forge->ops->begin(rig.forge, ask);
    cr_assert_not_null(ask->exchange);
    for (int i = 0; done == NULL && i < FAKE_HTTP_EXCHANGES; i++)
        cr_assert_eq(rig.forge->ops->wait(rig.forge, -1, NULL, &done, &rig.err), BP_OK);
    cr_assert_eq(done, ask);
    cr_assert_null(ask->exchange);
    return ask->err.code;
}

enum bp_code github_answer(struct bp_ask *ask, int status, const char *body)
{
    rig.http.exchanges[0] = (struct fake_exchange){.status = status, .body = body};
    return github_ask(ask);
}

const char *github_sent_header(int i, const char *name)
{
    const struct bp_list *headers = rig.http.calls[i]->request.headers;
    size_t len = strlen(name);

    for (size_t h = 0; h < headers->count; h++) {
        if (strncasecmp(headers->at[h], name, len) == 0 && headers->at[h][len] == ':')
            return headers->at[h] + len + 2;
    }
    return NULL;
}

bool holds(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}
