"""--proxy and --ca-file: for the API, the backup repository and the database alike."""
from __future__ import annotations

import shutil
import signal
import socket
import unittest
from pathlib import Path

from backing_up import TOKEN, BackupTest, processes_of, wait_until
from fake_github import FakeGitHub
from git_server import GitServer
from harness import Cluster, Result, unwind_on_sigterm
from proxy import Proxy, SocksProxy

LOGIN = 'somebody:pr0xy-s3cret'
SQL = '''
create table t as select g as id, md5(g::text) as words from generate_series(1, 20000) g;
create table u as select g as id from generate_series(1, 500) g;
'''
ELSEWHERE = 'db.test'       # a name that only the proxy knows


def setUpModule() -> None:
    unwind_on_sigterm()
    BackupTest.cluster = Cluster()
    BackupTest.cluster.__enter__()
    unittest.addModuleCleanup(BackupTest.cluster.__exit__, None, None, None)
    BackupTest.server = GitServer(user='x-access-token', password=TOKEN)
    BackupTest.server.__enter__()
    unittest.addModuleCleanup(BackupTest.server.__exit__, None, None, None)


class ProxyTest(BackupTest):
    def setUp(self) -> None:
        super().setUp()
        self.db = self.new_db(SQL)
        # Some machines keep requests to themselves away from every proxy.
        self.env.update(DATABASE_URL=self.elsewhere(self.db), NO_PROXY='', no_proxy='')

    def elsewhere(self, db: str) -> str:
        return self.url(db).replace('@127.0.0.1:', f'@{ELSEWHERE}:')

    def proxy(self, kind: type[Proxy] = Proxy, **options) -> Proxy:
        proxy = kind(names={ELSEWHERE: '127.0.0.1'}, **options)
        proxy.__enter__()
        self.addCleanup(proxy.__exit__)
        return proxy

    def to_database(self, proxy: Proxy) -> list[str]:
        return [one for one in proxy.asked if one == f'CONNECT {ELSEWHERE}:{self.cluster.port}']

    def fails(self, proxy: str, status: int, words: str, *args: str, **env: str) -> Result:
        result = self.assert_fails(status, words, *(args or ('backup',)), BACKPROOF_PROXY=proxy,
                                   **env)
        self.assertNotIn('pr0xy-s3cret', result.out + result.err)
        return result


class Database(ProxyTest):
    def test_a_backup_and_a_restore(self) -> None:
        """Two readers, the holder of the locks, pg_dump: all through the proxy."""
        proxy = self.proxy()
        child = self.start('backup', '--jobs', '2', '--schema-dumps', '--proxy', proxy.url,
                           NO_PROXY='*', no_proxy='*')
        self.finish(child, 0)
        self.assertEqual((20000, 500), (self.rows('t'), self.rows('u')))
        self.assertGreaterEqual(len(self.to_database(proxy)), 4)
        self.assertIn(f'GET {self.server.url(self.repo)}/info/refs?service=git-upload-pack',
                      proxy.asked)
        self.assert_nothing_left(child)
        wait_until(lambda: proxy.open_tunnels == 0, 'the end of every tunnel')
        target = self.new_db()
        before = len(self.to_database(proxy))
        self.run_it('restore', 'latest', '--proxy', proxy.url,
                    BACKPROOF_TARGET_URL=self.elsewhere(target))
        self.assertGreater(len(self.to_database(proxy)), before)
        self.assertEqual('20000', self.cluster.psql(target, 'select count(*) from t'))

    def test_is_not_led_through_the_proxy_of_the_environment(self) -> None:
        proxy = self.proxy()
        self.run_it('backup', DATABASE_URL=self.url(self.db), http_proxy=proxy.url,
                    https_proxy=proxy.url, ALL_PROXY=proxy.url)
        self.assertEqual([], [one for one in proxy.asked if one.startswith('CONNECT')])
        self.assertNotEqual([], proxy.asked)

    def test_messages_name_the_server_and_not_the_way(self) -> None:
        proxy = self.proxy()
        out = self.run_it('check', '--proxy', proxy.url).out
        where = f'{ELSEWHERE}:{self.cluster.port}'
        self.assertIn(f"connected to '{self.db}' at {where} as user", out)
        self.assertIn(f'warning  database: password and rows travel to {where} without encryption',
                      out)
        self.fails(proxy.url, 3, f'cannot connect to {where}',
                   DATABASE_URL=self.env['DATABASE_URL'].replace('postgres:', 'postgres:wrong'))

    def test_a_proxy_that_wants_a_login(self) -> None:
        proxy = self.proxy(login=LOGIN)
        self.run_it('backup', BACKPROOF_PROXY=proxy.url_with_login)
        self.assertEqual(500, self.rows('u'))
        self.fails(proxy.url, 3, 'wants a user name and a password', 'check',
                   BACKPROOF_BACKUP_REPO='')
        self.fails(proxy.url_with_login.replace('s3cret', 's3cret-not'), 3,
                   'wants a user name and a password')

    def test_a_login_is_refused_on_the_command_line(self) -> None:
        self.assert_fails(2, 'the password in --proxy would show in the process list', 'backup',
                          '--proxy', f'http://{LOGIN}@127.0.0.1:1')

    def test_a_proxy_that_refuses(self) -> None:
        proxy = self.proxy(refuse=403)
        self.fails(proxy.url, 5, f"the proxy '{proxy.url}' does not lead to {ELSEWHERE}:"
                   f'{self.cluster.port} (HTTP 403)', BACKPROOF_CONNECT_RETRIES='3')
        self.assertEqual(1, len(self.to_database(proxy)), 'a refusal is not asked for again')

    def test_a_proxy_that_is_not_there(self) -> None:
        with Proxy() as proxy:
            url = proxy.url
        self.fails(url, 5, f"no way through the proxy '{url}' to {ELSEWHERE}:{self.cluster.port}")

    def test_a_proxy_that_finds_no_server(self) -> None:
        proxy = self.proxy()
        self.fails(proxy.url, 5, '(HTTP 502)', DATABASE_URL=self.env['DATABASE_URL'].replace(
            f':{self.cluster.port}/', ':1/'))

    def test_a_socks_proxy(self) -> None:
        """It looks the name up, and the backup repository is behind it too."""
        proxy = self.proxy(SocksProxy)
        self.run_it('backup', '--jobs', '2', '--proxy', proxy.url)
        self.assertEqual(500, self.rows('u'))
        self.assertGreaterEqual(len(self.to_database(proxy)), 3)
        self.assertIn(f'CONNECT 127.0.0.1:{self.server.port}', proxy.asked)
        wait_until(lambda: proxy.open_tunnels == 0, 'the end of every tunnel')

    def test_a_socks_proxy_that_wants_a_login(self) -> None:
        proxy = self.proxy(SocksProxy, login=LOGIN)
        self.run_it('backup', BACKPROOF_PROXY=proxy.url_with_login)
        self.assertEqual(500, self.rows('u'))
        for url in (proxy.url, proxy.url_with_login.replace('s3cret', 's3cret-not')):
            self.fails(url, 3, f"the proxy '{proxy.url}' wants a user name and a password; hint: set "
                       'BACKPROOF_PROXY to socks5h://user:password@host:port', 'check',
                       BACKPROOF_BACKUP_REPO='')

    def test_a_socks_proxy_that_refuses(self) -> None:
        proxy = self.proxy(SocksProxy, refuse=2)
        self.fails(proxy.url, 5, f"the proxy '{proxy.url}' does not lead to {ELSEWHERE}:"
                   f'{self.cluster.port}', 'check', BACKPROOF_CONNECT_RETRIES='3',
                   BACKPROOF_BACKUP_REPO='')
        self.assertEqual(1, len(self.to_database(proxy)), 'a refusal is not asked for again')

    def test_a_proxy_that_does_not_answer_is_named(self) -> None:
        with socket.create_server(('127.0.0.1', 0)) as silent:
            url = f'http://127.0.0.1:{silent.getsockname()[1]}'
            self.fails(url, 5, f"no way through the proxy '{url}' to {ELSEWHERE}", 'check',
                       BACKPROOF_BACKUP_REPO='', BACKPROOF_CONNECT_TIMEOUT='1s',
                       BACKPROOF_CONNECT_RETRIES='0')

    def test_a_database_on_this_machine_is_reached_directly(self) -> None:
        proxy = self.proxy()
        for url in (self.url(self.db), self.url(self.db).replace('@127.0.0.1:', '@localhost:')):
            with self.subTest(url):
                self.run_it('backup', '--proxy', proxy.url, DATABASE_URL=url)
        self.assertEqual([], [one for one in proxy.asked if one.startswith('CONNECT')])
        self.assertNotEqual([], proxy.asked)
        self.fails('http://127.0.0.1:1', 5, 'cannot connect to /nowhere', 'check',
                   DATABASE_URL=f'host=/nowhere dbname={self.db}', BACKPROOF_BACKUP_REPO='',
                   BACKPROOF_CONNECT_RETRIES='0')

    def test_what_a_proxy_cannot_lead_to(self) -> None:
        for url, words in ((f'postgresql://postgres@one.test,two.test/{self.db}',
                            "names several: 'one.test,two.test'"),
                           ('service=mine', "the service 'mine' hides it")):
            with self.subTest(url):
                self.fails('http://127.0.0.1:1', 2, words, DATABASE_URL=url)
                self.fails('http://127.0.0.1:1', 2, words, 'check', DATABASE_URL=url,
                           BACKPROOF_BACKUP_REPO='')

    def test_a_signal_ends_the_way(self) -> None:
        proxy = self.proxy()
        with self.locked(self.db, 't'):
            child = self.start('backup', BACKPROOF_PROXY=proxy.url)
            wait_until(lambda: [one for one in self.sessions() if 'LOCK' in one['query']],
                       'the wait for the lock')
            child.send_signal(signal.SIGTERM)
            child.communicate(timeout=30)
        self.assertEqual(143, child.returncode)
        self.assert_nothing_left(child)
        self.assertEqual([], processes_of(child.pid))
        wait_until(lambda: proxy.open_tunnels == 0, 'the end of every tunnel')


class OfOnesOwn(ProxyTest):
    """One certificate file for all that is talked to: the API, the repository, the database."""

    def setUp(self) -> None:
        self.server = GitServer(user='x-access-token', password=TOKEN, tls=True)
        self.cluster = Cluster(tls=True)
        for one in (self.server, self.cluster):
            one.__enter__()
            self.addCleanup(one.__exit__, None, None, None)
        super().setUp()
        self.own_url = self.without_ca(self.db)
        self.env['DATABASE_URL'] = self.own_url
        self.ca_file = self.bundle(self.server.ca_file, self.cluster.ca_file)

    def without_ca(self, db: str, mode: str = 'verify-full') -> str:
        return f"{self.cluster.url(db, 'postgres').split('?')[0]}?sslmode={mode}"

    def bundle(self, *files: Path) -> Path:
        path = self.folder / 'ca.pem'
        path.write_text(''.join(file.read_text() for file in files))
        return path

    def go_round(self, *args: str, mode: str = 'verify-full', host: str = 'localhost') -> None:
        target = self.new_db()
        source_url, target_url = (self.without_ca(db, mode).replace('@localhost:', f'@{host}:')
                                  for db in (self.db, target))
        self.run_it('backup', '--jobs', '2', *args, DATABASE_URL=source_url)
        self.run_it('check', *args, DATABASE_URL=source_url)
        self.run_it('restore', 'latest', *args, BACKPROOF_TARGET_URL=target_url)
        self.assertEqual('20000', self.cluster.psql(target, 'select count(*) from t'))

    def test_backup_check_and_restore(self) -> None:
        self.go_round('--ca-file', str(self.ca_file))

    def test_the_authority_without_the_name(self) -> None:
        self.go_round('--ca-file', str(self.ca_file), mode='verify-ca')

    def test_through_a_proxy(self) -> None:
        """The server's name is still that of the certificate."""
        proxy = self.proxy()
        self.go_round('--ca-file', str(self.ca_file), '--proxy', proxy.url, host=ELSEWHERE)
        self.assertIn(f'CONNECT {ELSEWHERE}:{self.cluster.port}', proxy.asked)
        self.assertIn(f'CONNECT 127.0.0.1:{self.server.port}', proxy.asked)

    def test_through_an_encrypted_proxy(self) -> None:
        proxy = self.proxy(tls=True, login=LOGIN)
        self.bundle(self.server.ca_file, self.cluster.ca_file, proxy.ca_file)
        self.env['BACKPROOF_PROXY'] = proxy.url_with_login
        self.go_round('--ca-file', str(self.ca_file), host=ELSEWHERE)
        self.assertIn(f'CONNECT {ELSEWHERE}:{self.cluster.port}', proxy.asked)

    def test_of_the_database_is_checked(self) -> None:
        only_git = str(self.bundle(self.server.ca_file))
        self.assert_fails(1, 'certificate verify failed; hint: give', 'backup', '--ca-file', only_git)

    def test_what_the_address_names_comes_first(self) -> None:
        only_git = self.folder / 'git.pem'
        shutil.copy(self.server.ca_file, only_git)
        self.run_it('backup', '--ca-file', str(only_git),
                    DATABASE_URL=f'{self.own_url}&sslrootcert={self.cluster.ca_file}')
        self.run_it('backup', '--ca-file', str(only_git), PGSSLROOTCERT=str(self.cluster.ca_file))

    def test_where_nothing_is_checked_nothing_changes(self) -> None:
        """With an authority that is not the server's, libpq would go on without encryption."""
        only_git = str(self.bundle(self.server.ca_file))
        for mode in ('prefer', 'require'):
            with self.subTest(mode):
                out = self.run_it('check', '--ca-file', only_git,
                                  DATABASE_URL=self.without_ca(self.db, mode)).out
                self.assertRegex(out, 'encrypted with TLS.*not checked')


class Api(ProxyTest):
    def test_a_dispatch_and_a_backup_take_the_same_way(self) -> None:
        fake = FakeGitHub().start()
        self.addCleanup(fake.stop)
        fake.set_plan(start_after=0)
        fake.add_repo('octo-org/shop', branches=['main'])
        fake.add_workflow('octo-org/shop', 'backup.yml', 'Backup')
        fake.add_token(TOKEN, permissions={'*': {'actions': 'write', 'contents': 'read',
                                                 'metadata': 'read'}})
        proxy = self.proxy(login=LOGIN)
        self.env['BACKPROOF_PROXY'] = proxy.url_with_login
        self.run_it('dispatch', '--repo', 'octo-org/shop', '--branch', 'main',
                    BACKPROOF_POLL_INTERVAL='20ms', WORKFLOW_TRIGGER_TOKEN=TOKEN,
                    GITHUB_API_URL=fake.url)
        self.run_it('backup')
        self.assertIn(f'GET {fake.url}/repos/octo-org/shop', proxy.asked)
        self.assertNotEqual([], [one for one in proxy.asked if self.repo in one])
        self.assertNotEqual([], self.to_database(proxy))


if __name__ == '__main__':
    unittest.main()
