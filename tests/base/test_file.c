#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

static char *dir;

static void set_up(void)
{
    struct bp_err err = {0};

    cr_assert_eq(bp_tempdir_new("/tmp", &dir, &err), BP_OK, "%s", err.msg);
}

static void tear_down(void)
{
    bp_tempdir_removep(&dir);
}

TestSuite(file, .init = set_up, .fini = tear_down);

static char *in_dir(const char *name)
{
    return bp_format("%s/%s", dir, name);
}

static void write_file(const char *name, const char *text)
{
    BP_AUTO(bp_freep) char *path = in_dir(name);
    struct bp_err err = {0};

    cr_assert_eq(bp_file_write(path, text, strlen(text), &err), BP_OK, "%s", err.msg);
}

static void make_folder(const char *name)
{
    BP_AUTO(bp_freep) char *path = in_dir(name);

    cr_assert_eq(mkdir(path, 0700), 0, "%s", path);
}

static unsigned mode_of(const char *path)
{
    struct stat info = {0};

    cr_assert_eq(stat(path, &info), 0, "%s", path);
    return info.st_mode & 0777;
}

Test(file, what_is_written_is_read)
{
    BP_AUTO(bp_freep) char *path = in_dir("f");
    BP_AUTO(bp_buf_free) struct bp_buf got = {0};
    BP_AUTO(bp_freep) char *large = bp_alloc(100000, 1);
    struct bp_err err = {0};

    memset(large, 'x', 100000);
    large[50000] = '\0';
    cr_assert_eq(bp_file_write(path, large, 100000, &err), BP_OK, "%s", err.msg);
    bp_buf_puts(&got, "before:");
    cr_assert_eq(bp_file_read(path, 100000, &got, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(got.len, 100007, "reading appends");
    cr_expect_eq(memcmp(got.data, "before:", 7), 0);
    cr_expect_eq(memcmp(got.data + 7, large, 100000), 0);
}

Test(file, writing_replaces_all_that_was_there)
{
    BP_AUTO(bp_freep) char *path = in_dir("f");
    BP_AUTO(bp_buf_free) struct bp_buf got = {0};
    struct bp_err err = {0};

    write_file("f", "a long old text");
    write_file("f", "new");
    cr_assert_eq(bp_file_read(path, 100, &got, &err), BP_OK, "%s", err.msg);
    cr_expect_str_eq(bp_buf_str(&got), "new");
    write_file("f", "");
    bp_buf_cut(&got, 0);
    cr_assert_eq(bp_file_read(path, 0, &got, &err), BP_OK, "an empty file is within any limit");
    cr_expect_str_eq(bp_buf_str(&got), "");
}

Test(file, only_this_user_can_read_what_is_written)
{
    BP_AUTO(bp_freep) char *fresh = in_dir("fresh");
    BP_AUTO(bp_freep) char *open_to_all = in_dir("open");
    int fd = open(open_to_all, O_CREAT | O_WRONLY, 0600);

    cr_assert_geq(fd, 0);
    cr_assert_eq(fchmod(fd, 0666), 0);
    (void)close(fd);
    (void)umask(0);
    write_file("fresh", "secret");
    write_file("open", "secret");
    cr_expect_eq(mode_of(fresh), 0600);
    cr_expect_eq(mode_of(open_to_all), 0600, "replacing a file that others could read");
    cr_expect_eq(mode_of(dir), 0700);
}

Test(file, reading_has_a_limit)
{
    BP_AUTO(bp_freep) char *path = in_dir("f");
    BP_AUTO(bp_freep) char *wanted = bp_format("'%s' is larger than the limit of 9 bytes", path);
    BP_AUTO(bp_buf_free) struct bp_buf got = {0};
    struct bp_err err = {0};

    write_file("f", "0123456789");
    cr_expect_eq(bp_file_read(path, 9, &got, &err), BP_EFAILED);
    cr_expect_str_eq(err.msg, wanted);
    bp_buf_cut(&got, 0);
    bp_buf_puts(&got, "what was there before does not count");
    cr_expect_eq(bp_file_read(path, 10, &got, &err), BP_OK, "%s", err.msg);
}

Test(file, an_endless_file_ends_at_the_limit)
{
    BP_AUTO(bp_buf_free) struct bp_buf got = {0};
    struct bp_err err = {0};

    cr_expect_eq(bp_file_read("/dev/zero", 1000000, &got, &err), BP_EFAILED);
    cr_expect_lt(got.len, 1100000);
}

Test(file, what_is_missing_is_told_from_what_cannot_be_read)
{
    BP_AUTO(bp_freep) char *missing = in_dir("missing");
    BP_AUTO(bp_freep) char *below = in_dir("f/below");
    BP_AUTO(bp_freep) char *nowhere = in_dir("no/such");
    BP_AUTO(bp_buf_free) struct bp_buf got = {0};
    struct bp_err err = {0};

    write_file("f", "x");
    cr_expect_eq(bp_file_read(missing, 10, &got, &err), BP_ENOTFOUND);
    cr_expect(strstr(err.msg, missing) != NULL, "%s", err.msg);
    cr_expect_eq(bp_file_read(below, 10, &got, &err), BP_EFAILED);
    cr_expect_eq(bp_file_read(dir, 10, &got, &err), BP_EFAILED, "a folder is no file");
    cr_expect_eq(bp_file_write(nowhere, "x", 1, &err), BP_EFAILED);
    cr_expect_eq(bp_file_write("/dev/full", "x", 1, &err), BP_EFAILED, "the disk is full");
    cr_expect(strstr(err.msg, "cannot write '/dev/full'") != NULL, "%s", err.msg);
}

Test(file, knows_folders)
{
    BP_AUTO(bp_freep) char *path = in_dir("f");
    BP_AUTO(bp_freep) char *missing = in_dir("missing");

    write_file("f", "x");
    cr_expect(bp_file_is_folder(dir));
    cr_expect_not(bp_file_is_folder(path));
    cr_expect_not(bp_file_is_folder(missing));
    cr_expect_not(bp_file_is_folder(""));
}

Test(file, each_temporary_folder_is_a_new_one)
{
    char *other = NULL;
    struct bp_err err = {0};

    cr_assert_eq(bp_tempdir_new(dir, &other, &err), BP_OK, "%s", err.msg);
    cr_expect_str_neq(other, dir);
    cr_expect(bp_file_is_folder(other));
    bp_tempdir_removep(&other);
    cr_expect_null(other);
    bp_tempdir_removep(&other);
    cr_expect(bp_file_is_folder(dir));
}

Test(file, a_temporary_folder_needs_a_parent)
{
    char *other = NULL;
    struct bp_err err = {0};

    cr_expect_eq(bp_tempdir_new("/no/such/parent", &other, &err), BP_EFAILED);
    cr_expect_null(other);
    cr_expect(strstr(err.msg, "in '/no/such/parent'") != NULL, "%s", err.msg);
    cr_expect(strstr(err.msg, "hint: set TMPDIR") != NULL, "%s", err.msg);
}

Test(file, removing_takes_nested_folders_and_leaves_what_links_point_to)
{
    BP_AUTO(bp_tempdir_removep) char *outside = NULL;
    BP_AUTO(bp_freep) char *precious = NULL;
    BP_AUTO(bp_freep) char *link_to_folder = in_dir("a/b/folder");
    BP_AUTO(bp_freep) char *link_to_file = in_dir("a/file");
    BP_AUTO(bp_freep) char *dangling = in_dir("dangling");
    BP_AUTO(bp_freep) char *was = bp_strdup(dir);
    BP_AUTO(bp_buf_free) struct bp_buf got = {0};
    struct bp_err err = {0};

    cr_assert_eq(bp_tempdir_new("/tmp", &outside, &err), BP_OK, "%s", err.msg);
    precious = bp_format("%s/precious", outside);
    cr_assert_eq(bp_file_write(precious, "kept", 4, &err), BP_OK, "%s", err.msg);
    make_folder("a");
    make_folder("a/b");
    make_folder("a/b/c");
    write_file("a/b/c/f", "x");
    write_file(".hidden", "x");
    cr_assert_eq(symlink(outside, link_to_folder), 0);
    cr_assert_eq(symlink(precious, link_to_file), 0);
    cr_assert_eq(symlink("nowhere", dangling), 0);
    bp_tempdir_removep(&dir);
    cr_expect_null(dir);
    cr_expect_not(bp_file_is_folder(was), "%s is still there", was);
    cr_expect_eq(bp_file_read(precious, 10, &got, &err), BP_OK, "a link was followed: %s", err.msg);
}

Test(file, removing_goes_deeper_than_its_descriptors)
{
    BP_AUTO(bp_buf_free) struct bp_buf path = {0};
    BP_AUTO(bp_freep) char *was = bp_strdup(dir);

    bp_buf_puts(&path, dir);
    for (int i = 0; i < 60; i++) {
        bp_buf_puts(&path, "/d");
        cr_assert_eq(mkdir(bp_buf_str(&path), 0700), 0);
    }
    bp_tempdir_removep(&dir);
    cr_expect_not(bp_file_is_folder(was), "%s is still there", was);
}

Test(file, putting_makes_the_folders_and_a_file_for_all)
{
    BP_AUTO(bp_freep) char *path = in_dir("a/b/c.yml");
    BP_AUTO(bp_buf_free) struct bp_buf got = {0};
    struct bp_err err = {0};
    struct stat info;
    mode_t mask = umask(022);

    cr_expect_eq(bp_file_put(path, "text\n", false, &err), BP_OK, "%s", err.msg);
    (void)umask(mask);
    cr_expect_eq(bp_file_read(path, 100, &got, &err), BP_OK, "%s", err.msg);
    cr_expect_str_eq(bp_buf_str(&got), "text\n");
    cr_expect(stat(path, &info) == 0 && (info.st_mode & 0777) == 0644);
    cr_expect_eq((int)info.st_nlink, 1, "something was left behind");
}

Test(file, putting_replaces_only_when_told_to)
{
    BP_AUTO(bp_freep) char *path = in_dir("c.yml");
    BP_AUTO(bp_freep) char *nowhere = in_dir("link");
    BP_AUTO(bp_buf_free) struct bp_buf got = {0};
    struct bp_err err = {0};

    write_file("c.yml", "mine\n");
    cr_expect_eq(bp_file_put(path, "new\n", false, &err), BP_ELOCKED);
    cr_expect_not_null(strstr(err.msg, "c.yml' is there already"), "%s", err.msg);
    cr_expect_eq(bp_file_read(path, 100, &got, &err), BP_OK);
    cr_expect_str_eq(bp_buf_str(&got), "mine\n");
    cr_expect_eq(bp_file_put(path, "new\n", true, &err), BP_OK, "%s", err.msg);
    bp_buf_cut(&got, 0);
    cr_expect_eq(bp_file_read(path, 100, &got, &err), BP_OK);
    cr_expect_str_eq(bp_buf_str(&got), "new\n");
    /* One that points nowhere is there as well. */
    cr_assert_eq(symlink("gone", nowhere), 0);
    cr_expect_eq(bp_file_put(nowhere, "new\n", false, &err), BP_ELOCKED);
}

Test(file, putting_that_fails_names_the_reason_and_leaves_nothing)
{
    BP_AUTO(bp_freep) char *path = in_dir("file/c.yml");
    BP_AUTO(bp_freep) char *folder = in_dir("folder");
    struct bp_err err = {0};

    write_file("file", "x");
    make_folder("folder");
    cr_expect_eq(bp_file_put(path, "x", false, &err), BP_EFAILED);
    cr_expect_eq(bp_file_put(folder, "x", true, &err), BP_EFAILED);
    cr_expect_not_null(strstr(err.msg, "folder': Is a directory"), "%s", err.msg);
}
