/* A new Git repository to stand in, for the tests of `init`. */
#ifndef TESTS_CMD_TEST_INIT_REPO_H
#define TESTS_CMD_TEST_INIT_REPO_H

#include "support/fake_app.h"
#include "support/fake_clock.h"
#include "support/fake_forge.h"

#define BACKUP    ".github/workflows/backup.yml"
#define SCHEDULED ".github/workflows/scheduled-backup.yml"

/* One at a time: Criterion runs each test in a process of its own. */
struct init_repo {
    struct fake_clock clock;
    struct bp_clock clock_here; /* git runs for real, so the clock is real too */
    struct fake_forge forge;
    struct fake_app fake;
    char *folder;
    char *path_var;
};

extern struct init_repo init_repo;

/* For TestSuite's .init and .fini. */
void init_repo_set_up(void);
void init_repo_tear_down(void);

/* Whether the file is there and holds these words. */
bool file_holds(const char *path, const char *words);

/* Run a command line; a person types these answers. The exit status. */
int run_answering(const char *line, const char *answers);

#endif
