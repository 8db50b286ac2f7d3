#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/list.h"
#include "base/mem.h"
#include "flow/new_file.h"

#include <dirent.h>

static char *dir;
static char *path;
static struct bp_err err;

static void set_up(void)
{
    cr_assert_eq(bp_tempdir_new("/tmp", &dir, &err), BP_OK, "%s", err.msg);
    path = bp_format("%s/new", dir);
}

static void tear_down(void)
{
    bp_tempdir_removep(&dir);
    bp_freep(&path);
}

TestSuite(new_file, .init = set_up, .fini = tear_down);

static size_t files(void)
{
    DIR *folder = opendir(dir);
    size_t count = 0;

    cr_assert_not_null(folder);
    for (const struct dirent *e = readdir(folder); e != NULL; e = readdir(folder))
        count += e->d_name[0] != '.';
    (void)closedir(folder);
    return count;
}

Test(new_file, has_its_name_once_it_is_kept)
{
    struct bp_new_file file;
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    struct stat info;

    cr_assert_eq(bp_new_file_open(&file, path, 0600, &err), BP_OK, "%s", err.msg);
    (void)fputs("text", file.to);
    cr_expect_neq(access(path, F_OK), 0, "not yet");
    cr_expect_eq(bp_new_file_keep(&file, &err), BP_OK, "%s", err.msg);
    bp_new_file_free(&file);
    cr_expect_eq(bp_file_read(path, 10, &text, &err), BP_OK);
    cr_expect_str_eq(text.data, "text");
    cr_assert_eq(stat(path, &info), 0);
    cr_expect_eq(info.st_mode & 0777, 0600);
    cr_expect_eq(files(), 1);
}

Test(new_file, leaves_nothing_when_it_is_not_kept)
{
    struct bp_new_file file;

    cr_assert_eq(bp_new_file_open(&file, path, 0666, &err), BP_OK, "%s", err.msg);
    (void)fputs("text", file.to);
    bp_new_file_free(&file);
    bp_new_file_free(&file);
    cr_expect_eq(files(), 0);
}

Test(new_file, never_replaces_one)
{
    struct bp_new_file one;
    struct bp_new_file two;
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    cr_assert_eq(bp_new_file_open(&one, path, 0666, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(bp_new_file_open(&two, path, 0666, &err), BP_OK, "%s", err.msg);
    (void)fputs("one", one.to);
    (void)fputs("two", two.to);
    cr_expect_eq(bp_new_file_keep(&one, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(bp_new_file_keep(&two, &err), BP_EUSAGE);
    cr_expect_not_null(strstr(err.msg, "is there already"), "%s", err.msg);
    bp_new_file_free(&one);
    bp_new_file_free(&two);
    cr_expect_eq(bp_new_file_open(&two, path, 0666, &err), BP_EUSAGE);
    bp_new_file_free(&two);
    cr_expect_eq(bp_file_read(path, 10, &text, &err), BP_OK);
    cr_expect_str_eq(text.data, "one");
    cr_expect_eq(files(), 1);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(symlink("/nowhere", path), 0);
    cr_expect_eq(bp_new_file_open(&two, path, 0666, &err), BP_EUSAGE, "a link is something too");
    bp_new_file_free(&two);
}

Test(new_file, needs_a_folder)
{
    struct bp_new_file file;

    cr_expect_eq(bp_new_file_open(&file, "/no/such/folder/f", 0666, &err), BP_EFAILED);
    cr_expect_not_null(strstr(err.msg, "cannot write '/no/such/folder/f'"), "%s", err.msg);
    bp_new_file_free(&file);
}
