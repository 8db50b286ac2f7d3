"""backproof with a backup repository that is reached over SSH, or lies on this machine."""
from __future__ import annotations

import os
import pty
import subprocess
import unittest

from harness import PROGRAM, Cluster, ProgramTest, clean_env, unwind_on_sigterm
from asking import wait_until
from ssh_server import SshServer

ROWS = 500
SQL = f'create table t as select g as id from generate_series(1, {ROWS}) g'
UNKNOWN = 'Host key verification failed.; hint: add the server\'s key to known_hosts'


def setUpModule() -> None:
    unwind_on_sigterm()
    RepositoryTest.cluster = Cluster()
    RepositoryTest.cluster.__enter__()
    unittest.addModuleCleanup(RepositoryTest.cluster.__exit__, None, None, None)
    RepositoryTest.cluster.create_db('source')
    RepositoryTest.cluster.psql('source', SQL)


class RepositoryTest(ProgramTest):
    cluster: Cluster
    serial = 0

    def setUp(self) -> None:
        super().setUp()
        RepositoryTest.serial += 1
        self.name = f'r{RepositoryTest.serial}'
        self.env = {'DATABASE_URL': self.cluster.url('source', 'postgres'),
                    'RUNNER_TEMP': str(self.temp), 'HOME': str(self.folder)}

    def go_round(self, repo: str) -> None:
        """Two backups, a list of both, a restore: all rows are there again."""
        self.env['BACKPROOF_BACKUP_REPO'] = repo
        self.run_it('backup')
        self.run_it('backup')
        archives = self.run_it('list', '--format', 'json').json['archives']
        self.assertEqual(2, len(archives))
        target = f'target_{self.name}'
        self.cluster.create_db(target)
        self.addCleanup(self.cluster.psql, 'postgres', f'drop database {target} with (force)')
        self.run_it('restore', 'latest',
                    BACKPROOF_TARGET_URL=self.cluster.url(target, 'postgres'))
        self.assertEqual(str(ROWS), self.cluster.psql(target, 'select count(*) from t'))


class OverSsh(RepositoryTest):
    server: SshServer

    @classmethod
    def setUpClass(cls) -> None:
        cls.server = SshServer()
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.__exit__, None, None, None)

    def setUp(self) -> None:
        super().setUp()
        self.server.create(self.name)
        self.env['BACKPROOF_BACKUP_REPO'] = self.server.url(self.name)

    def configure(self, key: str, value: str) -> None:
        subprocess.run(['git', 'config', '--global', key, value], check=True,
                       env=clean_env(HOME=str(self.folder)))

    def test_a_key_of_the_environment(self) -> None:
        self.env['GIT_SSH_COMMAND'] = self.server.command(self.server.key)
        self.go_round(self.server.url(self.name))
        self.server.git(self.name, 'fsck', '--full', '--strict')

    def test_a_key_of_gits_settings(self) -> None:
        self.configure('core.sshCommand', self.server.command(self.server.key))
        self.go_round(self.server.url(self.name))

    def test_the_short_form_of_an_address(self) -> None:
        self.env['GIT_SSH_COMMAND'] = self.server.command(self.server.key)
        self.go_round(f'{self.server.user}@backups:{self.name}.git')

    def test_an_agent(self) -> None:
        self.env['GIT_SSH_COMMAND'] = self.server.command()
        self.env['SSH_AUTH_SOCK'] = self.server.agent(self.server.key)
        self.go_round(self.server.url(self.name))
        del self.env['SSH_AUTH_SOCK']
        self.assert_fails(3, 'Permission denied (publickey)', 'list')

    def test_a_key_that_the_server_does_not_know(self) -> None:
        self.env['GIT_SSH_COMMAND'] = self.server.command(self.server.other_key)
        self.assert_fails(3, 'Permission denied (publickey).; hint: does the server know the SSH '
                          'key, and can ssh read it?', 'backup')

    def test_a_server_that_is_not_known(self) -> None:
        self.env['GIT_SSH_COMMAND'] = self.server.command(self.server.key, known=False)
        self.assert_fails(3, UNKNOWN, 'backup')

    def test_a_repository_that_is_not_there(self) -> None:
        self.env['GIT_SSH_COMMAND'] = self.server.command(self.server.key)
        self.assert_fails(4, 'does not appear to be a git repository', 'backup',
                          BACKPROOF_BACKUP_REPO=self.server.url('none'))

    def test_nobody_is_asked_at_a_terminal(self) -> None:
        """The program has one, and ssh would ask there whether to trust the server."""
        master, terminal = pty.openpty()
        self.addCleanup(os.close, master)
        env = {**clean_env(), **self.env, 'TMPDIR': str(self.temp),
               'GIT_SSH_COMMAND': self.server.command(self.server.key, known=False)}
        # setsid makes the terminal the one of the program's session.
        child = subprocess.Popen(['setsid', '--ctty', PROGRAM, 'list'], env=env, stdin=terminal,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        os.close(terminal)
        out, err = child.communicate(timeout=60)
        self.assertEqual((3, ''), (child.returncode, out), err)
        self.assertIn(UNKNOWN, err)
        self.assert_clean()

    def test_no_process_is_left(self) -> None:
        self.env['GIT_SSH_COMMAND'] = self.server.command(self.server.key)
        self.run_it('backup')
        mark = str(self.server.config(self.server.key))
        wait_until(lambda: not [one for one in commands() if mark in one], 'the end of every ssh')


class OnThisMachine(RepositoryTest):
    def make(self, *options: str) -> str:
        path = self.folder / 'repository'
        subprocess.run(['git', 'init', '-q', '-b', 'main', *options, str(path)], check=True,
                       env=clean_env())
        return str(path)

    def test_the_path_of_a_bare_repository(self) -> None:
        self.go_round(self.make('--bare'))

    def test_the_address_of_a_bare_repository(self) -> None:
        self.go_round('file://' + self.make('--bare'))

    def test_a_repository_with_files(self) -> None:
        """Into a branch that it has not checked out."""
        self.env['BACKPROOF_BACKUP_BRANCH'] = 'backups'
        self.go_round(self.make())

    def test_a_path_relative_to_the_current_folder(self) -> None:
        self.make('--bare')
        self.go_round('./repository')

    def test_a_path_that_is_not_there(self) -> None:
        self.assert_fails(4, 'cannot find the backup repository', 'backup', '--backup-repo',
                          str(self.folder / 'none'))


def commands() -> list[str]:
    """The arguments of every process."""
    found = []
    for name in os.listdir('/proc'):
        if name.isdigit():
            try:
                with open(f'/proc/{name}/cmdline', encoding='utf-8', errors='replace') as file:
                    found.append(file.read().replace('\0', ' '))
            except (FileNotFoundError, ProcessLookupError):
                pass
    return found


if __name__ == '__main__':
    unittest.main()
