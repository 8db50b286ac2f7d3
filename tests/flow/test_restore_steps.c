/* Definitions: which are made anew, and which at the same time. */
#include <criterion/criterion.h>
#include <string.h>

#include "flow/test_restore_world.h"

static const struct fake_source_table tables[] = {{"public", "users", 3, 30}, {NULL, NULL, 0, 0}};

#define BUILD(name, table)                    \
    WORLD_BLOCK(table " " name, "CONSTRAINT", \
                "ALTER TABLE ONLY public." table "\n    ADD CONSTRAINT " name " UNIQUE (id);")

static const char pre_data[] =
    WORLD_HEAD WORLD_BLOCK("users", "TABLE", "CREATE TABLE public.users (id int);")
        WORLD_BLOCK("f()", "FUNCTION", "CREATE FUNCTION public.f();")
            WORLD_BLOCK("g()", "FUNCTION", "CREATE FUNCTION public.g();");
static const char post_data[] =
    WORLD_HEAD BUILD("one", "users") BUILD("two", "users") BUILD("elsewhere", "orders");

static struct restore_world w;

static void set_up(void)
{
    restore_world_open(&w, tables);
    restore_world_put(&w, "database/pre-data.sql", pre_data);
    restore_world_put(&w, "database/post-data.sql", post_data);
}

static void tear_down(void)
{
    restore_world_close(&w);
}

TestSuite(restore_steps, .init = set_up, .fini = tear_down);

/* A connection is lost while this is made. */
static void cut_off_at(const char *label)
{
    w.target.refuses = label;
    w.target.refusal = BP_EUNAVAILABLE;
    cr_expect_eq(restore_world_run(&w), BP_EUNAVAILABLE, "%s", w.err.msg);
    cr_expect_not_null(w.target.marks_archive, "%s", w.err.msg);
    w.target.refuses = NULL;
    w.job.resume = true;
}

static size_t made(const char *object)
{
    char line[128];

    (void)snprintf(line, sizeof(line), "define database/pre-data.sql: %s", object);
    return restore_world_told(&w, line);
}

Test(restore_steps, what_failed_while_others_went_on_is_made_by_the_next_run)
{
    w.job.continue_on_error = true;
    w.target.fails = "FUNCTION public.f()";
    cut_off_at("CONSTRAINT public.users");
    cr_expect_eq(made("FUNCTION public.g()"), 1);
    w.job.continue_on_error = false;
    w.target.fails = NULL;
    cr_assert_eq(restore_world_run(&w), BP_OK, "%s", w.err.msg);
    cr_expect_eq(made("TABLE public.users"), 0);
    cr_expect_eq(made("FUNCTION public.f()"), 1);
    cr_expect_eq(made("FUNCTION public.g()"), 0);
    cr_expect_eq(restore_world_told(&w, "run roles.sql"), 0);
}

Test(restore_steps, what_is_there_is_not_made_again_by_a_run_that_goes_on_at_errors)
{
    cut_off_at("CONSTRAINT public.users");
    w.job.continue_on_error = true;
    w.target.fails = "pre-data.sql";
    cr_assert_eq(restore_world_run(&w), BP_OK, "%s", w.err.msg);
    cr_expect_eq(w.result.failures.count, 0, "%s", w.result.failures.at[0]);
    cr_expect_eq(made("TABLE public.users"), 0);
    cr_expect_eq(restore_world_told(&w, "run roles.sql"), 0);
}

Test(restore_steps, a_deadlock_is_tried_again_when_the_others_have_ended)
{
    w.target.refuses = "CONSTRAINT public.users";
    w.target.refusal = BP_ELOCKED;
    w.target.refusals = 1;
    cr_assert_eq(restore_world_run(&w), BP_OK, "%s", w.err.msg);
    for (size_t i = 0; i < 3; i++) {
        char mark[32];

        (void)snprintf(mark, sizeof(mark), "post %zu", i);
        cr_expect(bp_list_has(&w.target.marks, mark), "%s", mark);
    }
    cr_expect_eq(restore_world_told(&w, "rollback"), 1);
}

Test(restore_steps, a_lock_that_nobody_gives_back_is_an_error)
{
    w.target.refuses = "CONSTRAINT public.users";
    w.target.refusal = BP_ELOCKED;
    cr_expect_eq(restore_world_run(&w), BP_ELOCKED);
    cr_expect_not_null(strstr(w.err.msg, "is partly restored (--resume goes on with it"), "%s",
                       w.err.msg);
}

Test(restore_steps, what_is_cut_off_behind_the_marks_cannot_be_gone_on_with)
{
    restore_world_put(&w, "database/post-data.sql",
                      WORLD_HEAD WORLD_BLOCK("e", "EVENT TRIGGER", "CREATE EVENT TRIGGER e;"));
    w.job.continue_on_error = true;
    w.target.refuses = "EVENT TRIGGER";
    w.target.refusal = BP_EUNAVAILABLE;
    cr_expect_eq(restore_world_run(&w), BP_EUNAVAILABLE);
    cr_expect_eq(strncmp(w.err.msg,
                         "database 'new' holds all of archive 2024-01-15T14-30-45Z but event "
                         "triggers and what comes behind them: ",
                         101),
                 0, "%s", w.err.msg);
    cr_expect_null(w.target.marks_archive);
}

/* ---- at the same time ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int of_users;   /* that are being made */
static int most;       /* of these at once */
static bool elsewhere; /* the one of the other table has begun */

/* The first one of users ends only when the other table's has begun. */
static void meet(struct fake_target *self, const char *label)
{
    (void)self;
    if (strstr(label, "CONSTRAINT") == NULL)
        return;
    (void)pthread_mutex_lock(&lock);
    elsewhere = elsewhere || strstr(label, "elsewhere") != NULL;
    of_users += strstr(label, "public.users") != NULL;
    most = of_users > most ? of_users : most;
    (void)pthread_cond_broadcast(&changed);
    while (!elsewhere && of_users == 1)
        (void)pthread_cond_wait(&changed, &lock);
    of_users -= strstr(label, "public.users") != NULL;
    (void)pthread_mutex_unlock(&lock);
}

Test(restore_steps, steps_that_lock_one_table_do_not_run_at_the_same_time_others_do, .timeout = 60)
{
    w.target.on_define = meet;
    cr_assert_eq(restore_world_run(&w), BP_OK, "%s", w.err.msg);
    cr_expect(elsewhere);
    cr_expect_eq(most, 1);
}
