#include "cmd/test_init_repo.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

struct init_repo init_repo;

static struct bp_stop no_stop = {.fd = -1};

void init_repo_set_up(void)
{
    struct bp_err err;

    init_repo.clock = fake_clock_new();
    init_repo.clock_here = bp_clock_system(&no_stop);
    init_repo.forge = fake_forge(&init_repo.clock);
    cr_assert_eq(bp_tempdir_new("/tmp", &init_repo.folder, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(chdir(init_repo.folder), 0);
    cr_assert_eq(system("git init -q -b trunk . && "
                        "git remote add origin git@github.com:myorg/myapp.git"),
                 0);
    init_repo.path_var = bp_format("PATH=%s", getenv("PATH"));
    init_repo.fake = fake_app(&init_repo.clock_here);
    init_repo.fake.env[0] = init_repo.path_var;
    init_repo.fake.env[1] = "HOME=/nonexistent";
}

void init_repo_tear_down(void)
{
    fake_app_release(&init_repo.fake);
    cr_expect_eq(chdir("/"), 0);
    bp_tempdir_removep(&init_repo.folder);
    bp_freep(&init_repo.path_var);
}

bool file_holds(const char *path, const char *words)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    return bp_file_read(path, 1000000, &text, NULL) == BP_OK &&
           strstr(bp_buf_str(&text), words) != NULL;
}

int run_answering(const char *line, const char *answers)
{
    BP_AUTO(bp_freep) char *text = bp_strdup(answers);
    int status = 0;

    init_repo.fake.app.in = fmemopen(text, strlen(text), "r");
    init_repo.fake.app.in_terminal = true;
    status = fake_app_run(&init_repo.fake, line);
    (void)fclose(init_repo.fake.app.in);
    init_repo.fake.app.in_terminal = false;
    return status;
}
