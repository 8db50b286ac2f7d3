#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/print.h"
#include "support/fake_clock.h"

static struct bp_out out;
static struct fake_clock fake;
static char *stdout_text;
static char *stderr_text;
static size_t stdout_len;
static size_t stderr_len;
static int annotations;
static char annotated[256];

static void set_up(void)
{
    fake = fake_clock_new();
    out = (struct bp_out){.out = open_memstream(&stdout_text, &stdout_len),
                          .err = open_memstream(&stderr_text, &stderr_len),
                          .clock = &fake.base,
                          .level = BP_LEVEL_NORMAL};
}

static void tear_down(void)
{
    bp_secrets_free(&out.secrets);
    (void)fclose(out.out);
    (void)fclose(out.err);
    bp_freep(&stdout_text);
    bp_freep(&stderr_text);
}

TestSuite(print, .init = set_up, .fini = tear_down);

static void annotate(struct bp_out *self, enum bp_severity severity, const char *message)
{
    cr_expect_eq(self, &out);
    annotations++;
    (void)snprintf(annotated, sizeof(annotated), "%d %s", (int)severity, message);
}

static void expect_texts(const char *to_stdout, const char *to_stderr)
{
    (void)fflush(out.out);
    (void)fflush(out.err);
    cr_expect_str_eq(stdout_text, to_stdout, "stdout is '%s', not '%s'", stdout_text, to_stdout);
    cr_expect_str_eq(stderr_text, to_stderr, "stderr is '%s', not '%s'", stderr_text, to_stderr);
}

static void say_all(void)
{
    bp_print(&out, "result %d\n", 1);
    bp_info(&out, "info %d", 2);
    bp_debug(&out, "debug %d", 3);
    bp_warn(&out, "warning %d", 4);
    bp_error(&out, "error %d", 5);
    fake_clock_advance(&fake, 1);
    bp_progress(&out, "not yet");
    fake_clock_advance(&fake, 10000);
    bp_progress(&out, "progress %d", 6);
}

Test(print, results_go_to_stdout_and_all_else_to_stderr)
{
    say_all();
    expect_texts("result 1\n", "info 2\nbackproof: warning: warning 4\n"
                               "backproof: error: error 5\nprogress 6\n");
}

Test(print, quiet_keeps_results_warnings_and_errors)
{
    out.level = BP_LEVEL_QUIET;
    say_all();
    expect_texts("result 1\n", "backproof: warning: warning 4\nbackproof: error: error 5\n");
}

Test(print, verbose_adds_details)
{
    out.level = BP_LEVEL_VERBOSE;
    bp_info(&out, "info");
    bp_debug(&out, "detail");
    expect_texts("", "info\nbackproof: debug: detail\n");
}

Test(print, colors_only_the_labels)
{
    out.color = true;
    bp_info(&out, "info");
    bp_warn(&out, "w");
    bp_error(&out, "e");
    expect_texts("", "info\nbackproof: \033[33mwarning:\033[0m w\n"
                     "backproof: \033[31merror:\033[0m e\n");
}

Test(print, no_text_leaves_with_a_secret)
{
    bp_secrets_add(&out.secrets, "s3cr3t");
    out.level = BP_LEVEL_VERBOSE;
    bp_print(&out, "a %s\n", "s3cr3t");
    bp_info(&out, "b %s", "s3cr3t");
    bp_debug(&out, "c %s", "s3cr3t");
    bp_warn(&out, "d %s", "s3cr3t");
    bp_error(&out, "e %s", "s3cr3t");
    bp_progress(&out, "not yet");
    fake_clock_advance(&fake, 10000);
    bp_progress(&out, "f %s", "s3cr3t");
    bp_print_command(&out, "::notice::s3cr3t");
    expect_texts("a ***\n", "b ***\nbackproof: debug: c ***\nbackproof: warning: d ***\n"
                            "backproof: error: e ***\nf ***\n::notice::***\n");
}

Test(print, warnings_and_errors_are_annotated)
{
    out.annotate = annotate;
    bp_info(&out, "not this");
    cr_expect_eq(annotations, 0);
    bp_warn(&out, "w %d", 1);
    cr_expect_str_eq(annotated, "0 w 1");
    bp_error(&out, "e %d", 2);
    cr_expect_str_eq(annotated, "1 e 2");
    cr_expect_eq(annotations, 2);
}

/* What the runner does with a line: TryParseV2 trims white space of all kinds, then looks for
 * "::" at its start; the older form is found anywhere. */
Test(print, nothing_that_others_wrote_is_a_command_of_the_runner)
{
    static const struct {
        const char *text;
        const char *harmless;
    } rows[] = {
        {"::add-mask::x", "| ::add-mask::x"},
        {"  \t::set-env::x", "|   \t::set-env::x"},
        {"\v\f::x", "| \v\f::x"},
        {"\xC2\xA0::x", "| \xC2\xA0::x"},
        {"\xE3\x80\x80 ::x", "| \xE3\x80\x80 ::x"},
        {"\xC2\x85::x", "| \xC2\x85::x"},
        {"a\n::x\n::y", "a\n| ::x\n| ::y"},
        {"a\r::x", "a\r| ::x"},
        {"a\r\n::x", "a\r\n| ::x"},
        {"a ::x", "a ::x"},
        {":x::y", ":x::y"},
        {"a ##[group]b", "a # #[group]b"},
        {"####[x", "### #[x"},
        {"##[a##[b", "# #[a# #[b"},
        {"#[x ## [y", "#[x ## [y"},
    };

    out.runner = true;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t before = stdout_len;

        bp_print(&out, "%s", rows[i].text);
        (void)fflush(out.out);
        cr_expect_str_eq(stdout_text + before, rows[i].harmless, "row %zu became '%s'", i,
                         stdout_text + before);
    }
}

Test(print, elsewhere_the_text_stays_as_it_is)
{
    bp_print(&out, "::x\n##[group]y\n");
    bp_info(&out, "::x");
    expect_texts("::x\n##[group]y\n", "::x\n");
}

Test(print, a_command_is_not_made_harmless)
{
    out.runner = true;
    bp_print_command(&out, "::error title=backproof::x");
    expect_texts("", "::error title=backproof::x\n");
}

Test(print, progress_is_a_line_every_ten_seconds)
{
    for (int i = 0; i < 25; i++) {
        bp_progress(&out, "%d s", i);
        fake_clock_advance(&fake, 1000);
    }
    expect_texts("", "10 s\n20 s\n");
}

Test(print, progress_rewrites_its_line_on_a_terminal)
{
    out.terminal = true;
    bp_progress(&out, "one");
    bp_progress(&out, "too soon");
    fake_clock_advance(&fake, 100);
    bp_progress(&out, "two");
    bp_info(&out, "done");
    bp_progress_end(&out);
    expect_texts("", "\r\033[Kone\r\033[Ktwo\r\033[Kdone\n");
}

Test(print, a_result_removes_the_progress_line)
{
    out.terminal = true;
    bp_progress(&out, "one");
    bp_print(&out, "result\n");
    bp_progress_end(&out);
    expect_texts("result\n", "\r\033[Kone\r\033[K");
}

Test(print, a_question_goes_to_the_person_without_a_line_end)
{
    bp_secrets_add(&out.secrets, "s3cr3t");
    out.level = BP_LEVEL_QUIET;
    out.runner = true;
    bp_ask(&out, "drop %s\n::x? ", "s3cr3t");
    expect_texts("", "drop ***\n| ::x? ");
}

Test(print, a_secret_with_control_characters_is_hidden_in_messages)
{
    bp_secrets_add(&out.secrets, "tab\there");
    bp_error(&out, "it is tab\there");
    expect_texts("", "backproof: error: it is ***\n");
}

Test(print, progress_works_without_a_clock)
{
    out.clock = NULL;
    out.terminal = true;
    bp_progress(&out, "one");
    bp_progress(&out, "two");
    expect_texts("", "\r\033[Kone");
}

Test(print, long_texts_are_not_cut)
{
    BP_AUTO(bp_freep) char *text = bp_alloc(100001, 1);

    memset(text, 'x', 100000);
    bp_print(&out, "%s", text);
    expect_texts(text, "");
}
