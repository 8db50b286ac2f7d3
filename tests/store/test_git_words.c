#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/git_internal.h"

Test(store_git_words, words_of_git_become_codes)
{
    static const struct {
        const char *errs;
        enum bp_code code;
        const char *hint; /* part of the message */
    } rows[] = {
        {"remote: Repository not found.\nfatal: repository 'https://github.com/o/r/' not found\n",
         BP_ENOTFOUND, "no right to see"},
        {"ERROR: Repository not found.\nfatal: Could not read from remote repository.\n\nPlease "
         "make sure you have the correct access rights\nand the repository exists.\n",
         BP_ENOTFOUND, "no right to see"},
        {"fatal: '/srv/x' does not appear to be a git repository\n", BP_ENOTFOUND, "--bare"},
        {"remote: Invalid username or token. Password authentication is not supported for Git "
         "operations.\nfatal: Authentication failed for 'https://github.com/o/r/'\n",
         BP_EAUTH, "BACKPROOF_BACKUP_TOKEN"},
        {"fatal: could not read Username for 'https://github.com': terminal prompts disabled\n",
         BP_EAUTH, "BACKPROOF_BACKUP_TOKEN"},
        {"remote: Permission to o/r.git denied to somebody.\nfatal: unable to access "
         "'https://github.com/o/r/': The requested URL returned error: 403\n",
         BP_EAUTH, "cannot write"},
        {"remote: Write access to repository not granted.\nfatal: unable to access "
         "'https://github.com/o/r/': The requested URL returned error: 403\n",
         BP_EAUTH, "Contents: read and write"},
        {"remote: This repository was archived so it is read-only.\nfatal: unable to access "
         "'https://github.com/o/r/': The requested URL returned error: 403\n",
         BP_EFAILED, "unarchive"},
        {"remote: The repo is archived. You can view files and clone it, but cannot push.\nfatal: "
         "unable to access 'https://h/o/r/': The requested URL returned error: 403\n",
         BP_EFAILED, "unarchive"},
        {"remote: This repository has been disabled.\nfatal: unable to access 'https://h/o/r/': The "
         "requested URL returned error: 403\n",
         BP_EFAILED, "billing page of its owner"},
        {"remote: Your account is suspended. Please visit https://support.github.com for more "
         "information.\nfatal: unable to access 'https://h/o/r/': The requested URL returned "
         "error: 403\n",
         BP_EAUTH, ""},
        {"error: RPC failed; HTTP 413 curl 22 The requested URL returned error: 413\nsend-pack: "
         "unexpected disconnect while reading sideband packet\nfatal: the remote end hung up "
         "unexpectedly\n",
         BP_EFAILED, "client_max_body_size"},
        {"error: RPC failed; curl 92 HTTP/2 stream 0 was not closed cleanly: CANCEL (err 8)\n"
         "remote: fatal: pack exceeds maximum allowed size\nsend-pack: unexpected disconnect while "
         "reading sideband packet\nfatal: the remote end hung up unexpectedly\n",
         BP_EFAILED, "--push-limit"},
        {"ERROR: The key you are authenticating with has been marked as read only.\nfatal: Could "
         "not read from remote repository.\n",
         BP_EAUTH, "deploy key"},
        {"Host key verification failed.\nfatal: Could not read from remote repository.\n", BP_EAUTH,
         "known_hosts"},
        {"fatal: unable to access 'https://h/': Could not resolve host: h\n", BP_EUNAVAILABLE,
         "Could not resolve host"},
        {"fatal: unable to access 'https://h/': Failed to connect to h port 443 after 21 ms: "
         "Connection refused\n",
         BP_EUNAVAILABLE, "refused"},
        {"fatal: unable to access 'https://h/': SSL certificate problem: self-signed "
         "certificate\n",
         BP_EUNAVAILABLE, "--ca-file"},
        {"fatal: unable to access 'https://h/': The requested URL returned error: 503\n",
         BP_EUNAVAILABLE, "503"},
        {"error: RPC failed; HTTP 502 curl 22 The requested URL returned error: 502\nsend-pack: "
         "unexpected disconnect while reading sideband packet\nfatal: the remote end hung up "
         "unexpectedly\n",
         BP_EUNAVAILABLE, "502"},
        {"ssh: connect to host h port 22: Connection timed out\nfatal: Could not read from remote "
         "repository.\n",
         BP_EUNAVAILABLE, "timed out"},
        {"fatal: mismatched algorithms: client sha1; server sha256\n", BP_EFAILED, "SHA-256"},
        {"fatal: the receiving end does not support this repository's hash algorithm\n"
         "fatal: the remote end hung up unexpectedly\n",
         BP_EFAILED, "SHA-256"},
        {"fatal: write error: No space left on device\n", BP_EFAILED,
         "hint: set TMPDIR (RUNNER_TEMP in a workflow) to a folder with more space"},
        {"git push was ended by signal 9\nwarning: x\n", BP_EFAILED,
         "git push was ended by signal 9; hint: out of memory?"},
        {"fatal: unable to access 'https://h/timeout-SSL': Connection refused\n", BP_EUNAVAILABLE,
         "Connection refused"},
        {"fatal: 'https://h/timeout' is odd\n", BP_EFAILED, "is odd"},
        {"fatal: couldn't do it in 'SSL'\n", BP_EFAILED, "couldn't do it in 'SSL'"},
        {"warning: redirecting to https://h/timeout/\nfatal: something\n", BP_EFAILED, "something"},
        {"fatal: something new\n", BP_EFAILED, "something new"},
        {"", BP_EFAILED, "git gave no reason"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bp_err err = {0};

        cr_expect_eq(bp_git_words_fail("URL", true, rows[i].errs, &err), rows[i].code, "%s",
                     rows[i].errs);
        cr_expect_not_null(strstr(err.msg, rows[i].hint), "'%s' is not in '%s'", rows[i].hint,
                           err.msg);
        cr_expect(bp_text_starts_with(err.msg, "cannot write to the backup repository 'URL': "));
        cr_expect_null(strchr(err.msg, '\n'));
    }
}

Test(store_git_words, the_ends_of_a_push_become_codes)
{
    static const struct {
        const char *reason;
        const char *errs;
        enum bp_code code;
        const char *words;
    } rows[] = {
        {"[rejected] (stale info)", "", BP_ELOCKED, "somebody else"},
        {"[rejected] (fetch first)", "", BP_ELOCKED, "somebody else"},
        {"[remote rejected] (cannot lock ref 'refs/heads/main': is at 1 but expected 2)", "",
         BP_ELOCKED, "somebody else"},
        {"[remote rejected] (failed to update ref)",
         "remote: error: cannot lock ref 'refs/heads/main': is at 1 but expected 2\n", BP_ELOCKED,
         "somebody else"},
        {"[remote rejected] (failed to update ref)",
         "remote: error: cannot lock ref 'refs/heads/a/b': 'refs/heads/a' exists; cannot create "
         "'refs/heads/a/b'\n",
         BP_EFAILED, "cannot create"},
        {"[remote rejected] (branch is currently checked out)",
         "remote: error: refusing to update checked out branch: refs/heads/main\n", BP_EFAILED,
         "use a bare repository"},
        {"[remote rejected] (push declined due to repository rule violations)",
         "remote: error: GH013: Repository rule violations found for refs/heads/main.\nremote: \n"
         "remote: - GITHUB PUSH PROTECTION\nremote:   ————————————————\nremote:     - Push cannot "
         "contain secrets\n",
         BP_EFAILED, "hide its column with --mask"},
        {"[remote rejected] (protected branch hook declined)",
         "remote: error: GH006: Protected branch update failed for refs/heads/main.\n", BP_EFAILED,
         "protected branch"},
        {"[remote rejected] (pre-receive hook declined)",
         "remote: error: GH001: Large files detected.\nremote: error: File x is 120.00 MB; this "
         "exceeds GitHub's file size limit of 100.00 MB\n",
         BP_EFAILED, "larger than the server allows"},
        {"[remote rejected] (pre-receive hook declined)",
         "remote: PUSH BLOCKED: Secrets detected in code changes\n", BP_EFAILED,
         "turn the server's scan for secrets off"},
        {"[remote rejected] (VS403654: The push was rejected because it contains one or more "
         "secrets.)",
         "", BP_EFAILED, "turn the server's scan for secrets off"},
        {"[remote rejected] (unpacker error)", "remote: fatal: No space left on device\n",
         BP_EFAILED, "the server has no room left"},
        {"[remote rejected] (pre-receive hook declined)", "remote: not today\n", BP_EFAILED,
         "not today"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        BP_AUTO(bp_freep)
        char *out =
            bp_format("To https://h/r\n!\t1234:refs/heads/main\t%s\nDone\n", rows[i].reason);
        struct bp_err err = {0};
        struct bp_git_push_end end = bp_git_words_push("URL", out, rows[i].errs, &err);

        cr_expect(end.told);
        cr_expect_eq(end.code, rows[i].code, "%s", rows[i].reason);
        cr_expect_not_null(strstr(err.msg, rows[i].words), "%s", err.msg);
        cr_expect_null(strstr(err.msg, "——"), "%s", err.msg);
    }
}

/* What servers print when they refuse, and what helps. */
Test(store_git_words, refusals_are_explained_with_what_helps)
{
    static const char hook[] = "[remote rejected] (pre-receive hook declined)";
    static const struct {
        const char *reason;
        const char *errs;
        enum bp_code code;
        const char *hint;
    } rows[] = {
        /* GitHub */
        {"[remote rejected] (push declined due to repository rule violations)",
         "remote: error: GH013: Repository rule violations found for refs/heads/main.\nremote: \n"
         "remote: - Cannot force-push to this branch\n",
         BP_EFAILED, "rewrite the branch (force push)"},
        {"[remote rejected] (push declined due to repository rule violations)",
         "remote: error: GH013: Repository rule violations found for refs/heads/main.\nremote: \n"
         "remote: - Changes must be made through a pull request.\n",
         BP_EFAILED, "bypass the rules of the branch"},
        {"[remote rejected] (protected branch hook declined)",
         "remote: error: GH006: Protected branch update failed for refs/heads/main.\n"
         "remote: error: Cannot force-push to this branch\n",
         BP_EFAILED, "rewrite the branch (force push)"},
        {"[remote rejected] (protected branch hook declined)",
         "remote: error: GH006: Protected branch update failed for refs/heads/main.\n"
         "remote: error: Changes must be made through a pull request.\n",
         BP_EFAILED, "push to the protected branch"},
        {"[remote rejected] (pre-receive hook declined)",
         "remote: error: GH003: Sorry, force-pushing to main is not allowed.\n", BP_EFAILED,
         "rewrite the branch (force push)"},
        {"[remote rejected] (pre-receive hook declined)",
         "remote: error: Trace: 1f\nremote: error: See https://gh.io/lfs for more information.\n"
         "remote: error: File x is 120.00 MB; this exceeds GitHub's file size limit of 100.00 MB\n"
         "remote: error: GH001: Large files detected. You may want to try Git Large File Storage - "
         "https://git-lfs.github.com.\n",
         BP_EFAILED, "only a single row can make one so large"},
        {"[remote rejected] (failed)",
         "remote: fatal: pack exceeds maximum allowed size (2.00 GiB)\n"
         "error: remote unpack failed: index-pack abnormal exit\n",
         BP_EFAILED, "set a smaller --push-limit"},
        /* GitLab */
        {hook,
         "remote: GitLab: You are not allowed to force push code to a protected branch on this "
         "project.\n",
         BP_EFAILED, "rewrite the branch (force push)"},
        {hook,
         "remote: GitLab: You are not allowed to push code to protected branches on this "
         "project.\n",
         BP_EFAILED, "push to the protected branch"},
        {hook, "remote: GitLab: You are not allowed to push code to this project.\n", BP_EAUTH,
         "the right to write"},
        {hook,
         "remote: GitLab: File \"x\" is larger than the allowed size of 1 MB. Use Git LFS to manage "
         "this file.\n",
         BP_EFAILED, "only a single row can make one so large"},
        {hook,
         "remote: GitLab: Your push has been rejected, because this repository has exceeded its "
         "size limit of 10 GB by 5 MB. Please contact your GitLab administrator for more "
         "information.\n",
         BP_EFAILED, "prune --squash"},
        /* Gitea, Forgejo */
        {hook, "remote: Gitea: Not allowed to push to protected branch main\n", BP_EFAILED,
         "push to the protected branch"},
        {hook, "remote: Forgejo: Not allowed to force-push to protected branch main\n", BP_EFAILED,
         "rewrite the branch (force push)"},
        {hook, "remote: Gitea: User permission denied for writing.\n", BP_EAUTH,
         "the right to write"},
        {hook, "remote: Forgejo: Quota exceeded\n", BP_EFAILED, "prune --squash"},
        /* Bitbucket */
        {hook,
         "remote: Repository is over the size limit (4 GB) and will not accept further "
         "additions.\n",
         BP_EFAILED, "prune --squash"},
        {hook, "remote: Permission denied to update branch main.\n", BP_EFAILED,
         "push to the protected branch"},
        /* Azure DevOps */
        {"[remote rejected] (TF402455: Pushes to this branch are not permitted; you must use a "
         "pull request to update this branch.)",
         "", BP_EFAILED, "bypass the policies of the branch"},
        {"[remote rejected] (TF401027: You need the Git 'ForcePush' permission to perform this "
         "action. Details: identity 'x', scope 'branch'.)",
         "", BP_EAUTH, "'Force push' for the removal"},
        {"[remote rejected] (TF402462: The push was rejected because its size is greater than the "
         "5120 MB limit for pushes in this repository.)",
         "", BP_EFAILED, "set a smaller --push-limit"},
        /* git itself */
        {"[remote rejected] (non-fast-forward)",
         "remote: error: denying non-fast-forward refs/heads/main (you should pull first)\n",
         BP_EFAILED, "receive.denyNonFastForwards"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        BP_AUTO(bp_freep) char *out = bp_format("!\t12:refs/heads/main\t%s\n", rows[i].reason);
        struct bp_err err = {0};

        cr_expect_eq(bp_git_words_push("URL", out, rows[i].errs, &err).code, rows[i].code, "%s",
                     err.msg);
        cr_expect_not_null(strstr(strstr(err.msg, "; hint: "), rows[i].hint), "%s", err.msg);
    }
}

/* As GitHub prints it, with its colors left out. */
Test(store_git_words, a_secret_is_told_with_its_kind_its_place_and_the_address_that_allows_it)
{
    static const char errs[] =
        "remote: error: GH013: Repository rule violations found for refs/heads/main.        \n"
        "remote: \n"
        "remote: - GITHUB PUSH PROTECTION        \n"
        "remote:   —————————————————————————————————————————        \n"
        "remote:     Resolve the following violations before pushing again        \n"
        "remote: \n"
        "remote:     - Push cannot contain secrets        \n"
        "remote: \n"
        "remote:      (?) Learn how to resolve a blocked push        \n"
        "remote:      https://docs.github.com/code-security/secret-scanning/"
        "working-with-secret-scanning-and-push-protection/"
        "working-with-push-protection-from-the-command-line#resolving-a-blocked-push        \n"
        "remote: \n"
        "remote:       —— GitHub Personal Access Token ——————————————————————        \n"
        "remote:        locations:        \n"
        "remote:          - commit: 5477a7dd26384ed3c8b3814ee677f755ad27a597        \n"
        "remote:            path: backups/current/public/tables/users/data.sql:34        \n"
        "remote: \n"
        "remote:        (?) To push, remove secret from commit(s) or follow this URL to allow the "
        "secret.        \n"
        "remote:        "
        "https://github.com/o/r/security/secret-scanning/unblock-secret/2gakJrAududURpxl        \n"
        "To https://github.com/o/r\n";
    struct bp_err err = {0};
    struct bp_git_push_end end = bp_git_words_push(
        "https://github.com/o/r",
        "!\t12:refs/heads/main\t[remote rejected] (push declined due to repository rule "
        "violations)\n",
        errs, &err);

    cr_expect_eq(end.code, BP_EFAILED);
    cr_expect_str_eq(
        err.msg,
        "cannot write to the backup repository 'https://github.com/o/r': [remote rejected] (push "
        "declined due to repository rule violations); GH013: Repository rule violations found for "
        "refs/heads/main.; - GITHUB PUSH PROTECTION; - Push cannot contain secrets; GitHub Personal "
        "Access Token; path: backups/current/public/tables/users/data.sql:34; hint: a table holds "
        "what looks like a secret: hide its column with --mask, turn the server's scan for secrets "
        "off for the backup repository, or allow this one at "
        "https://github.com/o/r/security/secret-scanning/unblock-secret/2gakJrAududURpxl");
}

Test(store_git_words, names_of_repositories_are_no_reasons)
{
    struct bp_err err = {0};
    struct bp_git_push_end end =
        bp_git_words_push("https://h/o/secret-quota-exceeds",
                          "!\t1:refs/heads/main\t[remote rejected] (pre-receive hook declined)\n",
                          "remote: not today\nTo https://h/o/secret-quota-exceeds\n"
                          "error: failed to push some refs to 'https://h/o/secret-quota-exceeds'\n",
                          &err);

    cr_expect_eq(end.code, BP_EFAILED);
    cr_expect_null(strstr(err.msg, "hint"), "%s", err.msg);
}

Test(store_git_words, hints_name_what_exists)
{
    static const char *const reasons[] = {
        "Push cannot contain secrets", "quota exceeded", "exceeds the limit", "GH006", "GH013",
        "is currently checked out"};

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        BP_AUTO(bp_freep) char *out = bp_format("!\t1:refs/heads/main\t%s\n", reasons[i]);
        struct bp_err err = {0};

        (void)bp_git_words_push("URL", out, "", &err);
        cr_expect_not_null(strstr(err.msg, "; hint: "), "%s", err.msg);
        cr_expect_null(strstr(err.msg, "--recipient"), "%s", err.msg);
        cr_expect_null(strstr(err.msg, "exclude"), "%s", err.msg);
    }
}

Test(store_git_words, names_of_tables_and_chatter_of_hooks_are_no_reason)
{
    static const char *const said[] = {
        "backups/latest/latest_2024/public/tables/quota exceeded/data.sql",
        "looking at public/tables/archived_orders/data.sql",
        "billing_2024 checked, quotations checked, archived_orders checked",
        "the number of rows exceeds that of yesterday",
    };

    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        static const char porcelain[] =
            "!\t1:refs/heads/main\t[remote rejected] (pre-receive hook declined)\n";
        BP_AUTO(bp_freep) char *errs = bp_format("remote: %s\nremote: not today\n", said[i]);
        struct bp_err err = {0};

        cr_expect_eq(bp_git_words_push("URL", porcelain, errs, &err).code, BP_EFAILED);
        cr_expect_null(strstr(err.msg, "hint:"), "%s", err.msg);
        cr_expect_not_null(strstr(err.msg, "not today"), "%s", err.msg);
        cr_expect_eq(bp_git_words_fail("URL", true, errs, &err), BP_EFAILED);
        cr_expect_null(strstr(err.msg, "hint:"), "%s", err.msg);
    }
}

Test(store_git_words, a_push_that_did_not_get_to_sending_is_known_by_its_words)
{
    static const char *const unsent[] = {
        "fatal: unable to access 'https://h/': The requested URL returned error: 503\n",
        "remote: Repository not found.\nfatal: repository 'https://h/r/' not found\n",
        "ssh: no route\r\nfatal: Could not read from remote repository.\n\nPlease make sure\n",
        "fatal: unable to connect to h:\nh[0]: errno=Connection refused\n"};
    static const char *const sent[] = {
        "",
        "error: RPC failed; HTTP 503 curl 22 The requested URL returned error: 503\n"
        "send-pack: unexpected disconnect while reading sideband packet\n"
        "fatal: the remote end hung up unexpectedly\n",
        "remote: fatal: unable to access '/x'\nfatal: the remote end hung up\n",
        "fatal: the remote end hung up unexpectedly\n"};

    for (size_t i = 0; i < sizeof(unsent) / sizeof(unsent[0]); i++)
        cr_expect(bp_git_words_unsent(unsent[i]), "%s", unsent[i]);
    for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++)
        cr_expect_not(bp_git_words_unsent(sent[i]), "%s", sent[i]);
}

Test(store_git_words, a_full_disk_is_told_with_advice)
{
    struct bp_err err = {0};

    cr_assert_geq(git_libgit2_init(), 0);
    (void)git_error_set_str(GIT_ERROR_OS, "failed to write chunk: No space left on device");
    cr_expect_eq(bp_git_fail(&err, -1, "write '%s'", "x"), BP_EFAILED);
    cr_expect_str_eq(err.msg, "cannot write 'x': failed to write chunk: No space left on device; "
                              "hint: set TMPDIR (RUNNER_TEMP in a workflow) to a folder with more "
                              "space");
    (void)git_libgit2_shutdown();
}

Test(store_git_words, a_push_without_an_answer_is_not_decided)
{
    static const char *const silent[] = {
        "", "To https://h/r\n", "Done\n", "garbage",
        "To x\n!\t1:refs/heads/main\t[remote failure] (remote failed to report status)\nDone\n"};

    for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++) {
        struct bp_err err = {0};

        cr_expect_not(bp_git_words_push("URL", silent[i], "", &err).told, "%s", silent[i]);
    }
    cr_expect(bp_git_words_push("URL", "*\t1:refs/heads/main\t[new branch]\n", "", NULL).told);
}

Test(store_git_words, foreign_words_stay_on_one_line_and_short)
{
    BP_AUTO(bp_buf_free) struct bp_buf errs = {0};
    BP_AUTO(bp_buf_free) struct bp_buf out = {0};

    bp_buf_puts(&errs, "remote: a\033[31m b   \r\nremote:\nremote: =====\nwarning: no\nhint: no\n");
    for (int i = 0; i < 1000; i++)
        bp_buf_puts(&errs, "error: line\n");
    bp_git_words_put(&out, bp_buf_str(&errs));
    cr_expect(bp_text_starts_with(bp_buf_str(&out), "a [31m b; line; line; "), "%s", out.data);
    cr_expect_lt(out.len, 430);
}
