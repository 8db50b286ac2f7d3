#include "store/folder.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

static char *root;
static struct bp_store *store;
static struct bp_err err;
static struct bp_buf out;
static struct bp_list names;

static void set_up(void)
{
    cr_assert_eq(bp_tempdir_new("/tmp", &root, &err), BP_OK, "%s", err.msg);
}

static void tear_down(void)
{
    bp_store_freep(&store);
    bp_tempdir_removep(&root);
    bp_buf_free(&out);
    bp_list_free(&names);
}

TestSuite(folder, .init = set_up, .fini = tear_down);

static void put(const char *path, const char *text)
{
    BP_AUTO(bp_freep) char *full = bp_format("%s/%s", root, path);

    cr_assert_eq(bp_file_put(full, text, true, &err), BP_OK, "%s", err.msg);
}

static void put_link(const char *path, const char *to)
{
    BP_AUTO(bp_freep) char *full = bp_format("%s/%s", root, path);

    cr_assert_eq(symlink(to, full), 0);
}

static void open_store(void)
{
    store = bp_folder_store_new(root);
    cr_assert_eq(store->ops->open(store, &err), BP_OK, "%s", err.msg);
    cr_expect(store->ops->exists(store));
}

static enum bp_code read_file(const char *path)
{
    bp_buf_cut(&out, 0);
    return store->ops->read(store, path, 100, &out, &err);
}

Test(folder, a_copy_of_the_repository_is_read_as_it_lies)
{
    put("backups/latest/latest_x/manifest.json", "{}");
    put("backups/keep", "a  b\n");
    cr_expect_eq(bp_folder_kind(root), BP_FOLDER_BACKUPS);
    open_store();
    cr_assert_eq(store->ops->list(store, "backups", &names, &err), BP_OK);
    cr_assert_eq(names.count, 2);
    cr_expect_str_eq(names.at[0], "keep");
    cr_expect_eq(read_file("backups/latest/latest_x/manifest.json"), BP_OK);
    cr_expect_str_eq(bp_buf_str(&out), "{}");
    cr_expect_eq(read_file("backups/none"), BP_ENOTFOUND);
    cr_expect_eq(read_file("backups/latest"), BP_ENOTFOUND);
    cr_expect_eq(store->ops->list(store, "backups/archive", &names, &err), BP_OK);
    cr_expect_eq(names.count, 2);
}

Test(folder, one_archive_is_shown_as_the_latest)
{
    put("manifest.json", "{\"id\": \"2024-01-15T14-30-45Z\"}");
    put("public/tables/users/data.sql", "rows");
    cr_expect_eq(bp_folder_kind(root), BP_FOLDER_ARCHIVE);
    open_store();
    cr_assert_eq(store->ops->list(store, "backups/latest", &names, &err), BP_OK);
    cr_assert_eq(names.count, 1);
    cr_expect_str_eq(names.at[0], "latest_2024-01-15T14-30-45Z");
    cr_expect_eq(
        read_file("backups/latest/latest_2024-01-15T14-30-45Z/public/tables/users/data.sql"),
        BP_OK);
    cr_expect_str_eq(bp_buf_str(&out), "rows");
    cr_expect_eq(read_file("backups/keep"), BP_ENOTFOUND);
    cr_expect_eq(read_file("manifest.json"), BP_ENOTFOUND);
    cr_expect_eq(read_file("backups/latest/latest_2024-01-15T14-30-45Zx"), BP_ENOTFOUND);
}

Test(folder, an_archive_that_does_not_tell_its_id_is_damaged)
{
    static const char *const texts[] = {"", "{", "{}", "{\"id\": \"\"}", "{\"id\": \"../../x\"}"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        put("manifest.json", texts[i]);
        bp_store_freep(&store);
        store = bp_folder_store_new(root);
        cr_expect_eq(store->ops->open(store, &err), BP_EINTEGRITY, "%s", texts[i]);
    }
}

Test(folder, a_git_repository_is_none)
{
    put("backups/x", "");
    put(".git/HEAD", "");
    cr_expect_eq(bp_folder_kind(root), BP_FOLDER_OTHER);
    store = bp_folder_store_new(root);
    cr_expect_eq(store->ops->open(store, &err), BP_ENOTFOUND);
    cr_expect_not(store->ops->exists(store));
}

Test(folder, a_bare_repository_and_any_other_folder_are_none)
{
    cr_expect_eq(bp_folder_kind(root), BP_FOLDER_OTHER);
    put("manifest.json", "{}");
    put("HEAD", "");
    put("objects/x", "");
    cr_expect_eq(bp_folder_kind(root), BP_FOLDER_OTHER);
    cr_expect_eq(bp_folder_kind("https://example.com/a/b"), BP_FOLDER_OTHER);
}

Test(folder, links_that_lead_out_are_refused_and_others_are_not)
{
    put("backups/real/a", "inside");
    put_link("backups/near", "real");
    put_link("backups/far", "/etc");
    put_link("backups/up", "../../..");
    open_store();
    cr_expect_eq(read_file("backups/near/a"), BP_OK);
    cr_expect_eq(read_file("backups/far/passwd"), BP_EFAILED);
    cr_expect_not_null(strstr(err.msg, "leads out of the folder"));
    cr_expect_eq(read_file("backups/../../../etc/passwd"), BP_EFAILED);
    cr_expect_eq(store->ops->list(store, "backups/up", &names, &err), BP_EFAILED);
    cr_expect_eq(out.len, 0);
}

Test(folder, a_file_above_the_limit_is_refused_and_a_pipe_is_not_waited_for)
{
    BP_AUTO(bp_freep) char *pipe = bp_format("%s/backups/pipe", root);
    char large[102];

    memset(large, 'x', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    put("backups/large", large);
    cr_assert_eq(mkfifo(pipe, 0600), 0);
    open_store();
    cr_expect_eq(read_file("backups/large"), BP_EFAILED);
    cr_expect_eq(read_file("backups/pipe"), BP_ENOTFOUND);
}

Test(folder, nothing_is_written)
{
    struct bp_edit edit = {.kind = BP_EDIT_REMOVE, .to = "backups/x"};
    struct bp_store_step step = {.edits = &edit, .count = 1, .message = "m"};
    struct bp_store_commit commit;
    struct bp_blob blob = {.id = ""};
    int64_t bytes = 0;
    bool is_public = true;

    put("backups/x", "");
    open_store();
    cr_expect_eq(store->ops->find(store, "backups/x", &blob, &err), BP_EUSAGE);
    cr_expect_eq(store->ops->base(store, "backups", &err), BP_EUSAGE);
    cr_expect_eq(store->ops->put(store, "x", 1, &blob, &err), BP_EUSAGE);
    cr_expect_eq(store->ops->hash(store, "x", 1, &blob, &err), BP_EUSAGE);
    cr_expect_eq(store->ops->stage(store, "backups/y", &blob, false, &err), BP_EUSAGE);
    cr_expect_eq(store->ops->commit(store, &edit, 1, "m", &commit, &err), BP_EUSAGE);
    cr_expect_eq(store->ops->rewrite(store, &step, 1, &commit, &err), BP_EUSAGE);
    cr_expect_eq(store->ops->weigh(store, &bytes, &err), BP_EUSAGE);
    cr_expect_not_null(strstr(err.msg, "is only read; hint: name the backup repository"));
    cr_expect_eq(read_file("backups/x"), BP_OK);
    cr_expect_eq(store->ops->is_public(store, &is_public, &err), BP_OK);
    cr_expect_not(is_public);
    cr_expect_str_eq(store->ops->message(store), "");
    cr_expect_eq(store->ops->held(store), 0);
    cr_expect_eq(store->ops->fetch(store, &names, &err), BP_OK);
    cr_expect_eq(store->ops->refresh(store, &err), BP_OK);
}
