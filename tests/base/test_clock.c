#include <criterion/criterion.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/fake_clock.h"

TestSuite(clock, .timeout = 60);

Test(clock, the_wall_clock_is_the_systems)
{
    struct bp_clock clock = bp_clock_system(NULL);
    int64_t before = (int64_t)time(NULL) * 1000;
    int64_t now = bp_clock_wall(&clock);

    cr_expect_geq(now, before);
    cr_expect_lt(now, before + 5000);
}

Test(clock, sleeping_takes_at_least_its_time)
{
    struct bp_clock clock = bp_clock_system(NULL);
    struct bp_err err = {0};
    int64_t start = bp_clock_mono(&clock);

    cr_expect_eq(bp_clock_sleep(&clock, 50, &err), BP_OK);
    cr_expect_geq(bp_clock_mono(&clock) - start, 50);
    cr_expect_eq(bp_clock_sleep(&clock, 0, &err), BP_OK);
    cr_expect_eq(bp_clock_sleep(&clock, -5, &err), BP_OK);
}

static void on_alarm(int number)
{
    (void)number;
}

Test(clock, a_signal_that_is_no_stop_does_not_shorten_a_sleep)
{
    struct bp_clock clock = bp_clock_system(NULL);
    struct sigaction action = {.sa_handler = on_alarm};
    struct bp_err err = {0};
    int64_t start = bp_clock_mono(&clock);

    cr_assert_eq(sigaction(SIGALRM, &action, NULL), 0);
    (void)ualarm(20000, 20000);
    cr_expect_eq(bp_clock_sleep(&clock, 150, &err), BP_OK);
    cr_expect_geq(bp_clock_mono(&clock) - start, 150);
    (void)ualarm(0, 0);
}

static struct bp_stop stop;

Test(clock, a_stop_ends_a_sleep)
{
    struct bp_clock clock = bp_clock_system(&stop);
    struct bp_err err = {0};
    int64_t start = bp_clock_mono(&clock);
    pid_t pid = getpid();
    pid_t child = 0;

    cr_assert_eq(bp_stop_install(&stop, &err), BP_OK);
    child = fork();
    if (child == 0) {
        (void)usleep(100000);
        (void)kill(pid, SIGINT);
        _exit(0);
    }
    cr_expect_eq(bp_clock_sleep(&clock, 20000, &err), BP_ESTOPPED);
    cr_expect_lt(bp_clock_mono(&clock) - start, 5000);
    cr_expect_eq(bp_clock_sleep(&clock, 0, &err), BP_ESTOPPED, "once stopped, always stopped");
    (void)waitpid(child, NULL, 0);
}

static void count_sleep(struct fake_clock *self, int64_t ms)
{
    *(int64_t *)self->ctx += ms;
}

Test(clock, the_fake_one_passes_at_once_and_remembers)
{
    struct fake_clock fake = fake_clock_new();
    struct bp_err err = {0};
    int64_t hooked = 0;

    fake.on_sleep = count_sleep;
    fake.ctx = &hooked;
    cr_expect_eq(bp_clock_mono(&fake.base), 0);
    cr_expect_eq(bp_clock_sleep(&fake.base, 300000, &err), BP_OK);
    cr_expect_eq(bp_clock_sleep(&fake.base, 5000, &err), BP_OK);
    fake_clock_advance(&fake, 7);
    cr_expect_eq(bp_clock_mono(&fake.base), 305007);
    cr_expect_eq(bp_clock_wall(&fake.base), fake.wall_start_ms + 305007);
    cr_expect_eq(fake.sleeps, 2);
    cr_expect_eq(fake.slept_ms, 305000);
    cr_expect_eq(fake.each_ms[1], 5000);
    cr_expect_eq(hooked, 305000);
}

Test(clock, the_fake_one_stops_and_has_a_limit)
{
    struct fake_clock fake = fake_clock_new();
    struct bp_stop asked = {.fd = -1};
    struct bp_err err = {0};

    fake.base.stop = &asked;
    fake.sleeps_limit = 1;
    cr_expect_eq(bp_clock_sleep(&fake.base, 1, &err), BP_OK);
    cr_expect_eq(bp_clock_sleep(&fake.base, 1, &err), BP_EFAILED);
    asked.signal = SIGTERM;
    cr_expect_eq(bp_clock_sleep(&fake.base, 1, &err), BP_ESTOPPED);
}
