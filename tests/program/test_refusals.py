"""What a Git server refuses, in its own words: the exit status, the reason and what helps."""
from __future__ import annotations

import unittest

from backing_up import TOKEN, BackupTest
from git_server import GitServer
from harness import Cluster, Result, unwind_on_sigterm

PUSH_PROTECTION = '''
error: GH013: Repository rule violations found for refs/heads/main.

- GITHUB PUSH PROTECTION
  —————————————————————————————————————————
    Resolve the following violations before pushing again

    - Push cannot contain secrets


     (?) Learn how to resolve a blocked push
     https://docs.github.com/code-security/secret-scanning/working-with-secret-scanning-and-push-\
protection/working-with-push-protection-from-the-command-line#resolving-a-blocked-push


      —— GitHub Personal Access Token ——————————————————————
       locations:
         - commit: 5477a7dd26384ed3c8b3814ee677f755ad27a597
           path: backups/current/public/tables/t/data.sql:2

       (?) To push, remove secret from commit(s) or follow this URL to allow the secret.
       https://github.com/o/r/security/secret-scanning/unblock-secret/2gakJrAududURpxlhIZdNlX14ZZ
'''
LARGE_FILES = '''
error: Trace: 6a13b3a1
error: See https://gh.io/lfs for more information.
error: File backups/current/public/tables/t/data.sql is 120.00 MB; this exceeds GitHub's file size \
limit of 100.00 MB
error: GH001: Large files detected. You may want to try Git Large File Storage - \
https://git-lfs.github.com.
'''


def setUpModule() -> None:
    unwind_on_sigterm()
    BackupTest.cluster = Cluster()
    BackupTest.cluster.__enter__()
    unittest.addModuleCleanup(BackupTest.cluster.__exit__, None, None, None)
    BackupTest.server = GitServer(user='x-access-token', password=TOKEN)
    BackupTest.server.__enter__()
    unittest.addModuleCleanup(BackupTest.server.__exit__, None, None, None)


class Refusals(BackupTest):
    def setUp(self) -> None:
        super().setUp()
        self.env['DATABASE_URL'] = self.url(self.new_db('create table t as select 1 as one'))

    def refused(self, status: int, hint: str, words: str, hook: str = 'pre-receive') -> Result:
        """The server's hook says these words and refuses the push."""
        self.server.install_hook(self.repo, hook, f"cat >&2 <<'END'\n{words}\nEND\nexit 1")
        child = self.start('backup')
        result = self.finish(child, status, 'cannot write to the backup repository', hint)
        self.assertEqual('', self.tip())
        self.assert_nothing_left(child)
        return result

    def test_a_secret_in_a_row(self) -> None:
        err = self.refused(1, 'hide its column with --mask', PUSH_PROTECTION).err
        self.assertIn('or allow this one at https://github.com/o/r/security/secret-scanning/'
                      'unblock-secret/2gakJrAududURpxlhIZdNlX14ZZ', err)
        self.assertIn('path: backups/current/public/tables/t/data.sql:2', err)

    def test_a_large_file(self) -> None:
        self.refused(1, 'a file is larger than the server allows', LARGE_FILES)

    def test_a_protected_branch(self) -> None:
        self.refused(1, 'push to the protected branch',
                     'error: GH006: Protected branch update failed for refs/heads/main.\n'
                     'error: Changes must be made through a pull request.', hook='update')

    def test_a_ruleset(self) -> None:
        self.refused(1, 'bypass the rules of the branch',
                     'error: GH013: Repository rule violations found for refs/heads/main.\n\n'
                     '- Changes must be made through a pull request.', hook='update')

    def test_a_right_that_is_missing(self) -> None:
        self.refused(3, 'the right to write', 'GitLab: You are not allowed to push code to this '
                     'project.')

    def test_a_repository_that_is_full(self) -> None:
        self.refused(1, 'prune --squash', 'Repository is over the size limit (4 GB) and will not '
                     'accept further additions.')

    def test_a_request_that_is_too_large(self) -> None:
        """Something before the Git server has a limit, here of less than any push."""
        with GitServer(user='x-access-token', password=TOKEN, body_limit='300k') as limited:
            limited.create(self.repo)
            db = self.new_db('create table t as select sha512(g::text::bytea) as words '
                             'from generate_series(1, 20000) g')
            self.assert_fails(1, 'client_max_body_size', 'backup', DATABASE_URL=self.url(db),
                              BACKPROOF_BACKUP_REPO=limited.url(self.repo))
            self.assertIn(413, [one.status for one in limited.accesses(self.repo)])

    def test_a_hook_of_ones_own(self) -> None:
        """Its words stay, on one line, and shortened."""
        err = self.refused(1, 'hook declined',
                           'not on a\nFriday\n' + 'for many reasons\n' * 100).err
        self.assertIn('not on a; Friday; for many reasons; ', err)
        self.assertLess(len(err), 1024)


if __name__ == '__main__':
    unittest.main()
