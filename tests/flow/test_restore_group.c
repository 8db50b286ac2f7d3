/* Indexes and constraints beside the rows of other tables. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#include "flow/test_restore_world.h"

static const struct fake_source_table tables[] = {
    {"public", "users", 3, 30}, {"public", "orders", 30, 30}, {NULL, NULL, 0, 0}};

#define BUILD(name, table)                    \
    WORLD_BLOCK(table " " name, "CONSTRAINT", \
                "ALTER TABLE ONLY public." table "\n    ADD CONSTRAINT " name " UNIQUE (id);")

static const char post_data[] =
    WORLD_HEAD BUILD("one", "users") BUILD("two", "orders") BUILD("three", "elsewhere");

static struct restore_world w;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool begun;       /* the constraint of users */
static size_t too_early; /* constraints whose rows were not there */

static void set_up(void)
{
    restore_world_open(&w, tables);
    restore_world_put(&w, "database/post-data.sql", post_data);
}

static void tear_down(void)
{
    restore_world_close(&w);
}

TestSuite(restore_group, .init = set_up, .fini = tear_down, .timeout = 60);

/* The rows of orders end only when the constraint of users is being made. */
static void wait_for_users(struct fake_target *self, const char *sql)
{
    (void)self;
    if (strstr(sql, "orders") == NULL)
        return;
    (void)pthread_mutex_lock(&lock);
    while (!begun)
        (void)pthread_cond_wait(&changed, &lock);
    (void)pthread_mutex_unlock(&lock);
}

static bool has_rows(struct fake_target *self, const char *table)
{
    bool found = false;

    (void)pthread_mutex_lock(&self->lock);
    for (size_t i = 0; i < self->marks.count; i++)
        found = found || (strncmp(self->marks.at[i], "rows ", 5) == 0 &&
                          strstr(self->marks.at[i], table) != NULL);
    (void)pthread_mutex_unlock(&self->lock);
    return found;
}

static void look(struct fake_target *self, const char *label)
{
    const bool users = strstr(label, "CONSTRAINT public.users") != NULL;
    const bool others = !users && strstr(label, "CONSTRAINT") != NULL;

    (void)pthread_mutex_lock(&lock);
    if ((users && !has_rows(self, "users")) || (others && !has_rows(self, "orders")))
        too_early++;
    begun = begun || users;
    (void)pthread_cond_broadcast(&changed);
    (void)pthread_mutex_unlock(&lock);
}

Test(restore_group, a_table_that_is_filled_does_not_wait_for_the_rows_of_others)
{
    w.target.on_copy = wait_for_users;
    w.target.on_define = look;
    cr_assert_eq(restore_world_run(&w), BP_OK, "%s", w.err.msg);
    cr_expect(begun);
    cr_expect_eq(too_early, 0, "and one that nobody fills waits for all");
    for (size_t i = 0; i < 3; i++) {
        char mark[32];

        (void)snprintf(mark, sizeof(mark), "post %zu", i);
        cr_expect(bp_list_has(&w.target.marks, mark), "%s", mark);
    }
}

Test(restore_group, a_table_that_cannot_be_filled_keeps_nobody_waiting)
{
    w.target.on_define = look;
    w.target.rows_lost = 1;
    w.job.continue_on_error = true;
    cr_assert_eq(restore_world_run(&w), BP_OK, "%s", w.err.msg);
    cr_expect_eq(w.result.failures.count, 2, "the rows of both tables");
    cr_expect(begun);
    w.job.continue_on_error = false;
    w.job.resume = false;
    w.target.contents = 0;
    cr_expect_eq(restore_world_run(&w), BP_EINTEGRITY, "%s", w.err.msg);
}
