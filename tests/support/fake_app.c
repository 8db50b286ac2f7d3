#include "support/fake_app.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct fake_app fake_app(struct bp_clock *clock)
{
    return (struct fake_app){.app.clock = clock};
}

static size_t split(char *line, const char **words, size_t size)
{
    size_t count = 0;
    char *more = NULL;

    for (char *w = strtok_r(line, " ", &more); w != NULL; w = strtok_r(NULL, " ", &more)) {
        if (count + 1 == size)
            abort();
        words[count++] = w;
    }
    words[count] = NULL;
    return count;
}

int fake_app_run(struct fake_app *fake, const char *line)
{
    BP_AUTO(bp_freep) char *copy = bp_strdup(line);
    const char *words[32];
    size_t out_len = 0;
    size_t err_len = 0;
    int status = 0;

    fake_app_release(fake);
    (void)split(copy, words, sizeof(words) / sizeof(words[0]));
    fake->output = (struct bp_out){.out = open_memstream(&fake->out, &out_len),
                                   .err = open_memstream(&fake->err, &err_len),
                                   .clock = fake->app.clock,
                                   .level = BP_LEVEL_NORMAL};
    fake->environment.vars = fake->env;
    fake->app.out = &fake->output;
    fake->app.env = &fake->environment;
    status = bp_app_run(&fake->app, words);
    (void)fclose(fake->output.out);
    (void)fclose(fake->output.err);
    bp_secrets_free(&fake->output.secrets);
    return status;
}

void fake_app_release(struct fake_app *fake)
{
    bp_free(fake->out);
    bp_free(fake->err);
    fake->out = NULL;
    fake->err = NULL;
}
