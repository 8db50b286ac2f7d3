"""What comes near a limit of Git servers is told of, and does not stop a backup."""
from __future__ import annotations

import unittest

from backing_up import TOKEN, BackupTest
from harness import Cluster, unwind_on_sigterm
from git_server import GitServer
import many_archives

MIB = 1 << 20
cluster: Cluster
server: GitServer


def setUpModule() -> None:
    global cluster, server
    unwind_on_sigterm()
    cluster = Cluster()
    cluster.__enter__()
    unittest.addModuleCleanup(cluster.__exit__, None, None, None)
    server = GitServer('x-access-token', TOKEN)
    server.__enter__()
    unittest.addModuleCleanup(server.__exit__)


class Limits(BackupTest):
    def setUp(self) -> None:
        self.cluster, self.server = cluster, server
        super().setUp()

    def warnings(self, err: str) -> list[str]:
        return [line for line in err.splitlines() if line.startswith('backproof: warning: ')]

    def test_a_row_that_makes_a_large_file_is_named(self) -> None:
        db = self.new_db('create table small (id int primary key); insert into small values (1);'
                         'create table big (id int primary key, body text);'
                         f"insert into big values (1, repeat('0123456789abcdef', {51 * MIB // 16}))")
        warnings = self.warnings(self.run_it('backup', DATABASE_URL=self.url(db)).err)
        self.assertEqual(1, len(warnings), str(warnings))
        self.assertIn("'public/tables/big/data.sql' has 51.0 MiB", warnings[0])
        self.assertIn('hint: a single row is that large', warnings[0])
        self.assertEqual(1, self.rows('big'))

    def test_many_archives_are_told_by_backup_and_by_check(self) -> None:
        many_archives.make(server.path(self.repo), 2500, tables=1, changes=1)
        url = self.url(self.new_db('create table t (id int primary key); insert into t values (1)'))
        # 2,499 are in the folder, and the newest one goes there now.
        words = ('the branch holds 2,500 archives, and GitHub takes 3,000 entries in a folder; '
                 "hint: 'backproof prune' removes old ones")
        self.assertNotIn('2,499', self.run_it('check', DATABASE_URL=url).out)
        result = self.run_it('backup', DATABASE_URL=url)
        self.assertEqual([f'backproof: warning: {words}'], self.warnings(result.err))
        self.assertEqual(2501, self.commits())
        checked = self.run_it('check', DATABASE_URL=url).out
        self.assertRegex(checked, r'(?m)^warning +backup repository: the branch holds 2,500 archives')

    def test_a_branch_with_room_is_no_warning(self) -> None:
        many_archives.make(server.path(self.repo), 3, tables=1, changes=1)
        url = self.url(self.new_db('create table t (id int primary key); insert into t values (1)'))
        self.assertEqual([], self.warnings(self.run_it('backup', DATABASE_URL=url).err))
        self.assertRegex(self.run_it('check', DATABASE_URL=url).out,
                         r'(?m)^ok +backup repository: 3 earlier archives, and there is room for '
                         '3000$')


if __name__ == '__main__':
    unittest.main()
