#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "flow/init.h"

static struct bp_list branches;
static struct bp_init_answers answers;

static void set_up(void)
{
    bp_list_add(&branches, "main");
    bp_list_add(&branches, "o'brien/\"x\"");
    answers = (struct bp_init_answers){.server = "https://github.com",
                                       .repo = "myorg/myapp",
                                       .branches = &branches,
                                       .schedule = "5 4 * * 1-5",
                                       .workflow = "nightly.yml",
                                       .backup_repo = "myorg/vault"};
}

static void tear_down(void)
{
    bp_list_free(&branches);
}

TestSuite(init_check, .init = set_up, .fini = tear_down);

Test(init_check, takes_schedules_as_github_does)
{
    static const char *const good[] = {"16 8 * * *",     "*/5 * * * *",   "0 0 1 1 0",
                                       "5,35 1-5 * * *", "1 2 3-9/2 * *", "7 7 * JAN-mar sun,SAT",
                                       " 1  2  3  4  5 "};
    static const char *const bad[] = {"",
                                      "16 8 * *",
                                      "16 8 * * * *",
                                      "@daily",
                                      "60 8 * * *",
                                      "16 24 * * *",
                                      "16 8 0 * *",
                                      "16 8 * 13 *",
                                      "16 8 * * 7",
                                      "16 8 * * MON-SUN",
                                      "5-1 8 * * *",
                                      "*/0 8 * * *",
                                      "1//2 8 * * *",
                                      "1, 8 * * *",
                                      "-1 8 * * *",
                                      "016 8 * * *",
                                      "* 8 * JANUARY *",
                                      "16 8 * * *\n- evil",
                                      "16 8 * * *\t",
                                      "16 8 * * ${{"};
    struct bp_err err;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        cr_expect_eq(bp_init_check_schedule(good[i], &err), BP_OK, "%s: %s", good[i], err.msg);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_expect_eq(bp_init_check_schedule(bad[i], &err), BP_EUSAGE, "%s", bad[i]);
        cr_expect_not_null(strstr(err.msg, "hint: five fields, such as '16 8 * * *'"));
        cr_expect_null(strchr(err.msg, '\n'));
    }
}

Test(init_check, takes_branches_as_git_does_and_no_expression)
{
    static const char *const good[] = {"main", "release/1.0", "o'brien", "a\"b",
                                       "#1",   "größe",       "a$b",     "a{b}"};
    static const char *const bad[] = {"",     "a b",  "a\nb", "a\tb",        "-x",   "x/",
                                      "/x",   "a..b", "a~b",  "a^b",         "a:b",  "a?b",
                                      "a*b",  "a[b",  "a\\b", "a${{ x }}",   "a@{b", "x.",
                                      "a//b", "\x7f", "\xff", "${{github}}", "a\rb"};
    struct bp_err err;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        cr_expect_eq(bp_init_check_branch(good[i], &err), BP_OK, "%s: %s", good[i], err.msg);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_expect_eq(bp_init_check_branch(bad[i], &err), BP_EUSAGE, "%s", bad[i]);
}

Test(init_check, takes_no_file_name_that_leaves_the_folder_or_is_the_other_file)
{
    static const char *const bad[] = {"",       "../x.yml", "a/b.yml",         "x",     "x.txt",
                                      ".x.yml", "x y.yml",  BP_INIT_SCHEDULED, "-x.yml"};
    struct bp_err err;

    cr_expect_eq(bp_init_check_workflow("nightly-2.yaml", &err), BP_OK);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_expect_eq(bp_init_check_workflow(bad[i], &err), BP_EUSAGE, "%s", bad[i]);
}

Test(init_check, takes_repositories_and_addresses)
{
    static const char *const good[] = {"o/n", "https://h/o/n", "https://h:8443/o/n.git",
                                       "ssh://git@h/o/n", "git@h:o/n.git"};
    static const char *const bad[] = {
        "",         "n",          "a/b/c",         "/srv/x",        "file:///x",
        "https://", "https:///x", "ftp://h/o/n",   "https://h/o n", "https://h/${{ x }}",
        "git@h:",   "-o@h:x",     "https://h/a\nb"};
    struct bp_err err;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        cr_expect_eq(bp_init_check_backup_repo(good[i], &err), BP_OK, "%s: %s", good[i], err.msg);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_expect_eq(bp_init_check_backup_repo(bad[i], &err), BP_EUSAGE, "%s", bad[i]);
    cr_expect_eq(bp_init_check_repo("../x", &err), BP_EUSAGE);
    cr_expect_eq(bp_init_check_repo("o/..", &err), BP_EUSAGE);
    cr_expect_eq(bp_init_check_repo("-R/x", &err), BP_EUSAGE);
}

Test(init_check, shows_no_password_of_an_address)
{
    static const char *const bad[] = {"https://hunter22@h/o/n", "https://u:hunter22@h/o/n",
                                      "ssh://u:hunter22@h/o/n", "u:hunter22@h/o/n",
                                      "https://h/o/n?access_token=hunter22"};
    struct bp_err err;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_expect_eq(bp_init_check_backup_repo(bad[i], &err), BP_EUSAGE);
        cr_expect_null(strstr(err.msg, "hunter22"), "%s", err.msg);
        cr_expect_not_null(strstr(err.msg, "BACKUP_TOKEN"), "%s", err.msg);
    }
}

Test(init_check, all_answers_are_checked_together)
{
    struct bp_list none = {0};
    struct bp_err err;

    cr_expect_eq(bp_init_check(&answers, &err), BP_OK, "%s", err.msg);
    answers.branches = &none;
    cr_expect_eq(bp_init_check(&answers, &err), BP_EUSAGE);
    answers.branches = &branches;
    answers.server = "https://h/${{ x }}";
    cr_expect_eq(bp_init_check(&answers, &err), BP_EUSAGE);
}

struct remote {
    const char *address;
    const char *server; /* NULL: refused */
    const char *repo;
};

Test(init_check, reads_the_addresses_of_remotes)
{
    static const struct remote remotes[] = {
        {"git@github.com:o/n.git", "https://github.com", "o/n"},
        {"https://github.com/o/n", "https://github.com", "o/n"},
        {"https://github.com/o/n.git/", "https://github.com", "o/n"},
        {"https://user:secret@git.example.org:8443/o/n.git", "https://git.example.org:8443", "o/n"},
        {"ssh://git@git.example.org:2222/o/n.git", "https://git.example.org", "o/n"},
        {"git@work:o/n.git", "https://github.com", "o/n"}, /* a name out of ~/.ssh/config */
        {"git@github.com:/o/n.git", "https://github.com", "o/n"},
        {"git@github.com-work:o/n.git", "https://github.com", "o/n"},
        {"git@github.company.test:o/n.git", "https://github.company.test", "o/n"},
        {"ssh://git@ssh.github.com:443/o/n.git", "https://github.com", "o/n"},
        {"http://GitHub.com/o/n.git", "https://github.com", "o/n"},
        {"https://github.com.example.org/o/n", "https://github.com.example.org", "o/n"},
        {"/srv/git/n.git", NULL, NULL},
        {"../n", NULL, NULL},
        {"file:///srv/o/n", NULL, NULL},
        {"https://github.com", NULL, NULL},
        {"https://github.com/n", NULL, NULL},
        {"https://gitlab.com/group/sub/n", NULL, NULL},
        {"https://h${{x}}/o/n", NULL, NULL},
        {"", NULL, NULL}};

    for (size_t i = 0; i < sizeof(remotes) / sizeof(remotes[0]); i++) {
        const struct remote *r = &remotes[i];
        BP_AUTO(bp_freep) char *server = NULL;
        BP_AUTO(bp_freep) char *repo = NULL;
        enum bp_code rc = bp_init_read_remote(r->address, &server, &repo, NULL);

        cr_expect_eq(rc, r->repo != NULL ? BP_OK : BP_EUSAGE, "%s", r->address);
        if (rc == BP_OK && r->repo != NULL) {
            cr_expect_str_eq(server, r->server);
            cr_expect_str_eq(repo, r->repo);
        }
    }
}
