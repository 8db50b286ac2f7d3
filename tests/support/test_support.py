"""The servers that tests use test themselves: contract check, PostgreSQL, Git.

    /usr/bin/python3 -m unittest discover -s tests/support -v
"""
from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import cut_openapi
from asking import DISPATCH, ROOT, RUNS, REPO, ask, example, wait_until, wait_until_gone
from contract import DESCRIPTION, ContractProxy
from fake_github import FakeGitHub
from git_server import GitServer
from postgres import Cluster, normalise_dump
from processes import clean_env, unwind_on_sigterm
from ssh_server import SshServer

HERE = Path(__file__).resolve().parent


def setUpModule() -> None:
    unwind_on_sigterm()


class Contract(unittest.TestCase):
    def test_everything_the_fake_says_is_as_described(self) -> None:
        with example() as fake, ContractProxy(fake) as proxy:
            run = fake.add_run(REPO)
            run_path = f'{ROOT}/actions/runs/{run.id}'
            for path in ('/user', '/versions', '/rate_limit', ROOT, f'{ROOT}/branches/release%2F1',
                         f'{ROOT}/git/ref/heads/main', f'{ROOT}/git/ref/heads/release/1',
                         f'{ROOT}/actions/permissions', f'{ROOT}/actions/workflows',
                         f'{ROOT}/actions/workflows/backup.yml', f'{ROOT}/actions/runs',
                         f'{RUNS}?created=%3E%3D2026-11-21T10:00:00Z&per_page=1&event=push',
                         run_path, f'{run_path}/jobs'):
                with self.subTest(path=path):
                    self.assertEqual(200, ask(proxy.url, 'GET', path).status)
            fake.advance(1000)
            for path in (run_path, f'{run_path}/jobs'):
                self.assertEqual(200, ask(proxy.url, 'GET', path).status)
            for body, status in (({'ref': 'main'}, 204), ({'ref': 'none'}, 422),
                                 ({'ref': 'main', 'return_run_details': True}, 200)):
                self.assertEqual(status, ask(proxy.url, 'POST', DISPATCH, body).status)
            cancel = f'{ROOT}/actions/runs/{fake.runs[-1].id}/cancel'
            self.assertEqual([202, 409], [ask(proxy.url, 'POST', cancel).status for _ in range(2)])
            enable = f'{ROOT}/actions/workflows/backup.yml/enable'
            self.assertEqual(204, ask(proxy.url, 'PUT', enable).status)
            self.assertEqual(401, ask(proxy.url, 'GET', ROOT, token='ghp_unknown').status)
            page = ask(proxy.url, 'GET', f'{RUNS}?per_page=1')
            self.assertTrue(page.headers['Link'].startswith(f'<{proxy.url}/'))
            proxy.assert_clean(at_least=20)
            self.assertTrue(proxy.warnings)     # the 422 that GitHub does not describe

            handled = len(fake.calls())
            self._wrong_requests_are_caught(proxy)
            self.assertEqual(handled, len(fake.calls()), 'a wrong request must not get through')
            self._wrong_answers_are_caught(fake, proxy)

    def _wrong_requests_are_caught(self, proxy: ContractProxy) -> None:
        wrong = [('POST', DISPATCH, {'inputs': {}}, "must have required property 'ref'"),
                 ('POST', DISPATCH, {'ref': 5}, 'ref must be string'),
                 ('GET', f'{RUNS}?status=bogus', None, 'equal to one of the allowed values'),
                 ('GET', f'{RUNS}?created=yesterday', None, 'must match pattern'),
                 ('GET', f'{ROOT}/nowhere', None, 'no path matched')]
        for method, path, body, words in wrong:
            with self.subTest(path=path, body=body):
                before = len(proxy.violations)
                ask(proxy.url, method, path, body)
                self.assertEqual(before + 1, len(proxy.violations))
                self.assertIn(words, str(proxy.violations[-1]))

    def _wrong_answers_are_caught(self, fake: FakeGitHub, proxy: ContractProxy) -> None:
        before = len(proxy.violations)
        fake.fault('status', status=200, body={'total_count': 1})
        self.assertEqual(500, ask(proxy.url, 'GET', RUNS).status)
        self.assertEqual(before + 1, len(proxy.violations))
        self.assertIn("'workflow_runs'", str(proxy.violations[-1]))
        self.assertRaises(AssertionError, proxy.assert_clean)

    def test_the_excerpt_holds_what_it_needs_and_nothing_else(self) -> None:
        document = json.loads(DESCRIPTION.read_text(encoding='utf-8'))
        needed = {path for path in document['paths'] if not re.search(r'_\d\}', path)}
        self.assertEqual(set(cut_openapi.PATHS), needed)
        present = {f'#/components/{kind}/{name}' for kind, parts in document['components'].items()
                   for name in parts}
        self.assertEqual(cut_openapi.references(document), present)


class Postgres(unittest.TestCase):
    def test_a_round_trip(self) -> None:
        with Cluster() as pg, tempfile.TemporaryDirectory() as folder:
            gone_folder = pg.folder
            sql = Path(folder, 'shop.sql')
            sql.write_text("create table t (a int primary key, b text); insert into t values "
                           "(1, 'x'), (2, E'y\\nz');")
            pg.create_db('shop', sql)
            self.assertEqual('2', pg.psql('shop', 'select count(*) from t'))
            dump = pg.pg_dump('shop')
            pg.create_db('copy')
            pg.psql('copy', dump)
            self.assertEqual(dump, pg.pg_dump('copy'))
            self.assertIn('COPY public.t', dump)
            with self.assertRaisesRegex(RuntimeError, 'does not exist'):
                pg.psql('shop', 'select * from nope')
            pg.create_role('reader', "it's")
            url = pg.url('shop', 'reader', password="it's", application_name='test')
            with subprocess.Popen(['psql', '-X', '-q', url], stdin=subprocess.PIPE,
                                  env=clean_env()) as client:
                session = wait_until(pg.sessions, 'the session')[0]
                self.assertEqual(('reader', 'shop', 'test'), (
                    session['usename'], session['datname'], session['application_name']))
                client.stdin.close()
            wait_until(lambda: not pg.sessions(), 'the end of the session')
            pg.stop('immediate')
            pg.start()
            self.assertEqual('2', pg.psql('shop', 'select count(*) from t'))
        self.assertFalse(gone_folder.exists())

    def test_a_password_is_needed_and_tls_works(self) -> None:
        with Cluster(tls=True) as pg:
            def ask_ssl(url: str) -> subprocess.CompletedProcess:
                return subprocess.run(
                    ['psql', '-X', '-A', '-t', '-w', url, '-c',
                     'select ssl from pg_stat_ssl where pid = pg_backend_pid()'],
                    text=True, capture_output=True, env=clean_env(), check=False)

            self.assertEqual('t', ask_ssl(pg.url('postgres')).stdout.strip())
            refused = ask_ssl(pg.url('postgres', with_password=False))
            self.assertIn('no password supplied', refused.stderr)
            untrusted = ask_ssl(pg.url('postgres', sslrootcert='/dev/null'))
            self.assertNotEqual(0, untrusted.returncode)

    def test_the_program_form(self) -> None:
        with tempfile.TemporaryDirectory(dir='/tmp') as parent:
            Path(parent).chmod(0o755)
            folder = Path(parent, 'pg')
            program = [sys.executable, str(HERE / 'postgres.py')]
            try:
                for _ in range(2):          # a second start replaces what the first one left
                    subprocess.run([*program, 'start', str(folder)], check=True, timeout=30)
                values = dict(line.split('=', 1) for line in
                              (folder / 'env').read_text().splitlines())
                port = (folder / 'port').read_text().strip()
                for host, number in ((values['PGHOST'], '5432'), ('127.0.0.1', port)):
                    env = clean_env(**{**values, 'PGHOST': host, 'PGPORT': number})
                    done = subprocess.run(['psql', '-X', '-A', '-t', '-w', '-c', 'select 1'],
                                          text=True, capture_output=True, env=env, check=False)
                    self.assertEqual('1\n', done.stdout, done.stderr)
                pid = int((folder / 'data/postmaster.pid').read_text().splitlines()[0])
            finally:
                subprocess.run([*program, 'stop', str(folder)], check=True, timeout=30)
            wait_until_gone(pid)
            self.assertFalse(folder.exists())

    def test_dumps_are_compared_without_the_random_key(self) -> None:
        self.assertEqual('\\restrict KEY\nselect 1;\n\\unrestrict KEY\n',
                         normalise_dump('\\restrict aB3\nselect 1;\n\\unrestrict aB3\n'))


class Git(unittest.TestCase):
    def git(self, *arguments: str, ok: bool = True, **env: str) -> str:
        done = subprocess.run(
            ['git', '-c', 'user.name=test', '-c', 'user.email=test@example.com', *arguments],
            text=True, capture_output=True, check=False, timeout=30, stdin=subprocess.DEVNULL,
            env=clean_env(GIT_TERMINAL_PROMPT='0', GIT_CONFIG_GLOBAL='/dev/null',
                          GIT_CONFIG_NOSYSTEM='1', **env))
        self.assertEqual(ok, done.returncode == 0, done.stderr)
        return done.stdout + done.stderr

    def test_push_password_hook_and_partial_clone(self) -> None:
        with GitServer(user='backup', password='a:b/c d') as server, \
                tempfile.TemporaryDirectory() as folder:
            server.create('backups')
            self.git('init', '-q', '-b', 'main', folder)
            Path(folder, 'data').write_bytes(os.urandom(300_000))
            self.git('-C', folder, 'add', 'data')
            self.git('-C', folder, 'commit', '-q', '-m', 'one')

            def push(ok: bool = True, with_auth: bool = True) -> str:
                return self.git('-C', folder, 'push', server.url('backups', with_auth), 'main',
                                ok=ok)

            push(ok=False, with_auth=False)
            self.assertEqual({401}, {access.status for access in server.accesses('backups')})
            push()
            server.fsck('backups')
            self.assertEqual(self.git('-C', folder, 'rev-parse', 'main'),
                             server.git('backups', 'rev-parse', 'main'))
            self.assertGreater(server.received('backups'), 300_000)

            copy = Path(folder, 'copy')
            self.git('clone', '-q', '--bare', '--depth', '1', '--filter=blob:none',
                     server.url('backups', with_auth=True), str(copy))
            self.assertIn('blob:none', (copy / 'config').read_text())
            self.assertLess(server.accesses('backups')[-1].sent, 300_000)

            server.install_hook('backups', 'pre-receive', 'echo the door is closed >&2; exit 1')
            self.git('-C', folder, 'commit', '-q', '--allow-empty', '-m', 'two')
            refusal = push(ok=False)
            self.assertIn('the door is closed', refusal)
            self.assertIn('pre-receive hook declined', refusal)

            old = server.url('backups', with_auth=True)
            server.set_password('new')
            self.git('ls-remote', old, ok=False)
            self.git('ls-remote', server.url('backups', with_auth=True))

    def test_https(self) -> None:
        with GitServer(tls=True) as server:
            server.create('backups')
            url = server.url('backups', with_auth=True)
            self.git('ls-remote', url, ok=False)
            self.git('ls-remote', url, GIT_SSL_CAINFO=str(server.ca_file))


    def test_a_public_one_is_read_without_a_password_and_not_written(self) -> None:
        with GitServer(public=True) as server, tempfile.TemporaryDirectory() as folder:
            server.create('backups')
            self.git('ls-remote', server.url('backups'))
            self.git('init', '-q', '-b', 'main', folder)
            self.git('-C', folder, 'commit', '-q', '--allow-empty', '-m', 'one')
            self.git('-C', folder, 'push', server.url('backups'), 'main', ok=False)
            self.git('-C', folder, 'push', server.url('backups', with_auth=True), 'main')

    def test_ssh(self) -> None:
        with SshServer() as server:
            server.create('backups')
            url = server.url('backups')
            self.git('ls-remote', url, GIT_SSH_COMMAND=server.command(server.key))
            self.git('ls-remote', 'backups:backups.git',
                     GIT_SSH_COMMAND=server.command(server.key))
            self.git('ls-remote', url, GIT_SSH_COMMAND=server.command(server.other_key), ok=False)
            batch = ' -oBatchMode=yes'
            self.git('ls-remote', url, ok=False,
                     GIT_SSH_COMMAND=server.command(server.key, known=False) + batch)
            shell = subprocess.run([*server.command(server.key).split(), 'backups', 'id'],
                                   capture_output=True, check=False, stdin=subprocess.DEVNULL)
            self.assertNotEqual(0, shell.returncode, 'no command but those of Git')


class LeavingNothing(unittest.TestCase):
    def test_servers_end_even_with_a_killed_test(self) -> None:
        code = ('import sys; from postgres import Cluster; from git_server import GitServer\n'
                'from ssh_server import SshServer\n'
                'with Cluster() as pg, GitServer() as git, SshServer() as ssh:\n'
                '    ssh.agent(ssh.key)\n'
                '    print(pg.folder, git.folder, ssh.folder, pg._server.pid, ssh._sshd.pid,'
                ' ssh._agent.pid, *[c.pid for c in git._children], flush=True)\n'
                '    sys.stdin.read()\n')
        with subprocess.Popen([sys.executable, '-c', code], cwd=HERE, text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            words = child.stdout.readline().split()
            child.kill()
        for pid in words[3:]:
            wait_until_gone(int(pid))
        for folder in words[:3]:        # nobody is left who could have removed them
            shutil.rmtree(folder)


if __name__ == '__main__':
    unittest.main()
