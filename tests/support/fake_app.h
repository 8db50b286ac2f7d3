/* Runs a whole command line in process, with fakes for everything outside. */
#ifndef TESTS_SUPPORT_FAKE_APP_H
#define TESTS_SUPPORT_FAKE_APP_H

#include "cmd/app.h"

struct fake_app {
    struct bp_app app;
    struct bp_out output;
    struct bp_env environment;
    const char *env[16]; /* "NAME=value"; the first NULL ends it */
    char *out;           /* what the last run printed */
    char *err;
};

struct fake_app fake_app(struct bp_clock *clock);

/* The exit status. Words are separated by single blanks. */
int fake_app_run(struct fake_app *fake, const char *line);

void fake_app_release(struct fake_app *fake);

#endif
