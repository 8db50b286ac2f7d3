"""A backup repository that everybody can read: refused before a row is read, unless allowed."""
from __future__ import annotations

import unittest

from backing_up import TOKEN, BackupTest
from git_server import GitServer
from harness import Cluster, unwind_on_sigterm

WHY = 'public: everybody on the internet could read the rows'
FIX = 'make the repository private; or, when the data is meant to be public, give --allow-public'


def setUpModule() -> None:
    unwind_on_sigterm()
    BackupTest.cluster = Cluster()
    BackupTest.cluster.__enter__()
    unittest.addModuleCleanup(BackupTest.cluster.__exit__, None, None, None)


class PublicTest(BackupTest):
    public = True

    def setUp(self) -> None:
        self.server = GitServer(user='x-access-token', password=TOKEN, public=self.public)
        self.server.__enter__()
        self.addCleanup(self.server.__exit__, None, None, None)
        super().setUp()
        self.db = self.new_db('create table t as select g as id from generate_series(1, 5) g')
        self.env['DATABASE_URL'] = self.url(self.db)


class Public(PublicTest):
    def test_is_refused_before_a_row_is_read(self) -> None:
        self.cluster.psql('postgres', f"alter database {self.db} set log_statement = 'all'")
        self.assert_fails(2, f'the backup repository is {WHY}', 'backup')
        log = self.cluster.log()
        self.assertIn('advisory', log)
        self.assertNotIn('LOCK TABLE', log)
        self.assertNotIn('COPY', log)
        self.assertEqual('', self.tip())

    def test_the_fix_is_told(self) -> None:
        self.assertIn(FIX, self.assert_fails(2, WHY, 'backup').err)

    def test_is_taken_when_allowed(self) -> None:
        self.run_it('backup', '--allow-public')
        self.assertEqual(5, self.rows('t'))
        self.run_it('backup', BACKPROOF_ALLOW_PUBLIC='1')

    def test_a_check_finds_it(self) -> None:
        result = self.run_it('check', status=2)
        self.assertIn(f'failure  backup repository: it is {WHY}', result.out)
        self.assertIn(f'-> {FIX}', result.out)
        self.assertIn('ok       backup repository: it is public, as --allow-public says',
                      self.run_it('check', '--allow-public').out)

    def test_reading_is_not_refused(self) -> None:
        self.run_it('backup', '--allow-public')
        self.assertEqual(1, len(self.run_it('list', '--format', 'json').json['archives']))


class Private(PublicTest):
    public = False

    def test_what_the_user_has_is_not_used_to_find_out(self) -> None:
        home = self.folder / 'home'
        home.mkdir()
        (home / '.netrc').write_text(f'machine 127.0.0.1 login x-access-token password {TOKEN}\n')
        (home / '.netrc').chmod(0o600)
        del self.env['BACKPROOF_BACKUP_TOKEN']
        self.run_it('backup', HOME=str(home))
        self.assertEqual(5, self.rows('t'))
        self.assertIn(401, [one.status for one in self.server.accesses(self.repo)
                            if one.user in ('', '-')])


if __name__ == '__main__':
    unittest.main()
