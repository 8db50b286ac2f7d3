"""Where the credentials for the backup repository come from, and where they never show."""
from __future__ import annotations

import base64
import subprocess
import unittest
from pathlib import Path

from backing_up import TOKEN, BackupTest, processes_of, wait_until
from git_server import GitServer
from harness import Cluster, clean_env, unwind_on_sigterm

BASIC = base64.b64encode(f'x-access-token:{TOKEN}'.encode()).decode()
HEADER = f'AUTHORIZATION: basic {BASIC}'
# Holds a push until the test has looked around; the test says where it waits.
HOLD = 'touch {0}/here; while [ ! -e {0}/go ]; do sleep 0.02; done'


def setUpModule() -> None:
    unwind_on_sigterm()
    BackupTest.cluster = Cluster()
    BackupTest.cluster.__enter__()
    unittest.addModuleCleanup(BackupTest.cluster.__exit__, None, None, None)
    BackupTest.server = GitServer(user='x-access-token', password=TOKEN)
    BackupTest.server.__enter__()
    unittest.addModuleCleanup(BackupTest.server.__exit__, None, None, None)


class CredentialsTest(BackupTest):
    def setUp(self) -> None:
        super().setUp()
        self.env.update(DATABASE_URL=self.url(self.new_db('create table t as select 1 as one')),
                        HOME=str(self.folder / 'nobody'))

    def git(self, *arguments: str) -> None:
        """In the folder where the program runs."""
        subprocess.run(['git', *arguments], cwd=self.folder, check=True, capture_output=True,
                       env=clean_env(HOME=str(self.folder / 'nobody')))

    def check_out(self, kind: str, server: GitServer) -> None:
        """What actions/checkout leaves in the folder where it checked out a repository."""
        self.env.pop('BACKPROOF_BACKUP_TOKEN', None)
        key = f'http.http://127.0.0.1:{server.port}/.extraheader'
        self.git('init', '-q')
        if kind == 'setting':           # up to version 5
            self.git('config', '--local', key, HEADER)
            return
        file = self.folder / 'git-credentials-6e2b.config'
        self.git('config', '--file', str(file), key, HEADER)
        self.git('config', '--local', f'includeIf.gitdir:{self.folder}/.git.path', str(file))


class Checkout(CredentialsTest):
    def test_a_header_in_the_settings_of_the_checkout(self) -> None:
        self.check_out('setting', self.server)
        self.run_it('backup')
        self.assertEqual(1, self.rows('t'))

    def test_a_header_in_a_file_that_the_checkout_includes(self) -> None:
        self.check_out('file', self.server)
        self.run_it('backup')
        self.assertEqual(1, self.rows('t'))
        self.assertEqual(1, len(self.run_it('list', '--format', 'json').json['archives']))

    def test_a_token_wins_over_it(self) -> None:
        for kind in ('setting', 'file'):
            with self.subTest(kind):
                self.check_out(kind, self.server)
                self.assert_fails(3, 'BACKPROOF_BACKUP_TOKEN was not accepted', 'backup',
                                  BACKPROOF_BACKUP_TOKEN='ghs_wrong')

    def test_another_server_does_not_get_it(self) -> None:
        for kind in ('setting', 'file'):
            with self.subTest(kind), GitServer(user='x-access-token', password=TOKEN) as other:
                other.create(self.repo)
                self.check_out(kind, self.server)
                self.assert_fails(3, 'set BACKPROOF_BACKUP_TOKEN', 'backup',
                                  BACKPROOF_BACKUP_REPO=other.url(self.repo))
                accesses = other.accesses(self.repo)
                self.assertEqual({('-', 401)}, {(one.user, one.status) for one in accesses})


class Hidden(CredentialsTest):
    """While a push is held, nothing but the memory of the processes has the secret."""

    def look_around(self) -> None:
        self.server.install_hook(self.repo, 'pre-receive', HOLD.format(self.folder))
        child = self.start('backup', '--verbose')
        wait_until(lambda: (self.folder / 'here').exists(), 'the push')
        pids = processes_of(child.pid)
        self.assertGreater(len(pids), 1, 'git runs')
        lines = [Path(f'/proc/{pid}/cmdline').read_bytes() for pid in pids]
        files = {path: path.read_bytes() for path in self.temp.rglob('*') if path.is_file()}
        (self.folder / 'go').touch()
        self.assertTrue(any(b'push' in line for line in lines), lines)
        self.assertNotEqual({}, files)
        for secret in (TOKEN.encode(), BASIC.encode()):
            self.assertEqual([], [line for line in lines if secret in line])
            self.assertEqual([], [path for path, data in files.items() if secret in data])
        result = self.finish(child, 0)
        self.assertNotIn(BASIC, result.out + result.err)
        self.assertNotIn(TOKEN, result.out + result.err)

    def test_a_token(self) -> None:
        self.look_around()

    def test_the_header_of_a_checkout(self) -> None:
        self.check_out('setting', self.server)
        self.look_around()

    def test_a_token_that_is_refused(self) -> None:
        for verbose in ((), ('--verbose',)):
            self.server.set_password('another')
            self.addCleanup(self.server.set_password, TOKEN)
            result = self.assert_fails(3, 'was not accepted', 'backup', *verbose)
            self.assertNotIn(TOKEN, result.out + result.err)


if __name__ == '__main__':
    unittest.main()
