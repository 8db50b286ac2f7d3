/* A GitHub driver on top of HTTP with scripted answers, for the tests of its parts. */
#ifndef TESTS_FORGE_TEST_GITHUB_SUPPORT_H
#define TESTS_FORGE_TEST_GITHUB_SUPPORT_H

#include "forge/github.h"
#include "support/fake_clock.h"
#include "support/fake_http.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* One at a time; made by github_set_up(). */
struct github_rig {
    struct fake_clock clock;
    struct fake_http http;
    struct bp_github_options options;
    struct bp_forge *forge;
    struct bp_err err;
};

extern struct github_rig rig;

/* For TestSuite(): a fine-grained token, the API at https://api.test/api/v3. */
void github_set_up(void);
void github_tear_down(void);

/* The driver anew, with this token. */
void github_use_token(const char *token);

/* The next answers are exchanges[0] and so on. */
void github_rewind(void);

/* Begin the question and wait until it is done. The exchanges begin at 0. */
enum bp_code github_ask(struct bp_ask *ask);

/* The same with one answer. */
enum bp_code github_answer(struct bp_ask *ask, int status, const char *body);

/* A header of the request number i, which is under way; NULL: it has none. */
const char *github_sent_header(int i, const char *name);

bool holds(const char *text, const char *part);

#endif
