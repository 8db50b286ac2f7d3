"""Connecting to real servers that are not there yet, are full, or have a pooler before them."""
from __future__ import annotations

import signal
import subprocess
import unittest

from harness import (SCHEMAS, Cluster, ProgramTest, Result, clean_env, sample_cluster,
                     unwind_on_sigterm)
from gate import Gate
from pgbouncer import PgBouncer
from processes import free_port

AGAIN = 'trying again in '
cluster: Cluster


def setUpModule() -> None:
    global cluster
    unwind_on_sigterm()
    cluster = sample_cluster()
    unittest.addModuleCleanup(cluster.__exit__, None, None, None)
    cluster.create_db('shop', SCHEMAS / 'shop.sql')


class ConnectTest(ProgramTest):
    """A dry run of a backup: it does all that a backup does, and pushes nothing."""

    def setUp(self) -> None:
        super().setUp()
        repo = self.folder / 'backups.git'
        subprocess.run(['git', 'init', '-q', '--bare', repo], check=True, env=clean_env())
        self.env = {'BACKPROOF_BACKUP_REPO': str(repo), 'BACKPROOF_DRY_RUN': 'true',
                    'BACKPROOF_CONNECT_RETRIES': '2'}

    def at_port(self, port: int, **options) -> str:
        return cluster.url('shop', **options).replace(f':{cluster.port}/', f':{port}/')

    def back_up(self, port: int, **env: str) -> Result:
        result = self.run_it('backup', DATABASE_URL=self.at_port(port), **env)
        self.assertIn('would commit', result.out)
        return result

    def waits(self, result: Result) -> list[str]:
        return [line.removeprefix('backproof: ') for line in result.err.splitlines()
                if AGAIN in line]


class Retries(ConnectTest):
    def test_a_server_that_starts(self) -> None:
        with Gate(cluster.port, refusals=2) as gate:
            result = self.back_up(gate.port)
        where = f'cannot connect to 127.0.0.1:{gate.port}: the database system is starting up'
        self.assertEqual([f'{where}; {AGAIN}1 s (1 of 2)', f'{where}; {AGAIN}2 s (2 of 2)'],
                         self.waits(result))

    def test_a_server_that_is_full(self) -> None:
        with Gate(cluster.port, refusals=1, state='53300',
                  words='sorry, too many clients already') as gate:
            result = self.back_up(gate.port)
        self.assertEqual(1, len(self.waits(result)), result)
        self.assertIn('sorry, too many clients already; trying again', result.err)

    def test_a_server_that_is_started_after_the_first_look(self) -> None:
        port = free_port()
        child = self.start('backup', DATABASE_URL=self.at_port(port),
                           BACKPROOF_CONNECT_RETRIES='6')
        first = self.read_until(child, AGAIN)
        self.assertIn('Connection refused', first)
        with Gate(cluster.port, port=port):
            out, err = child.communicate(timeout=60)
        self.assertEqual(0, child.returncode, err)
        self.assertIn('would commit', out)

    def test_one_that_stays_down(self) -> None:
        result = self.assert_fails(5, 'gave up after 3 attempts: cannot connect to 127.0.0.1:',
                                   'backup', DATABASE_URL=self.at_port(free_port()))
        self.assertEqual(2, len(self.waits(result)), result)

    def test_without_retries_there_is_one_attempt(self) -> None:
        result = self.assert_fails(5, 'error: cannot connect to 127.0.0.1:', 'backup',
                                   DATABASE_URL=self.at_port(free_port()),
                                   BACKPROOF_CONNECT_RETRIES='0')
        self.assertEqual([], self.waits(result))

    def test_what_will_not_pass_is_tried_once(self) -> None:
        with Gate(cluster.port) as gate:
            for status, words, url in (
                    (3, 'password authentication failed',
                     self.at_port(gate.port, password='wr0ng-secret')),
                    (4, 'database "nowhere" does not exist',
                     self.at_port(gate.port).replace('/shop', '/nowhere')),
                    (1, 'does not support SSL', self.at_port(gate.port, sslmode='require'))):
                with self.subTest(words):
                    before = gate.connections
                    result = self.assert_fails(status, words, 'backup', DATABASE_URL=url)
                    self.assertEqual([], self.waits(result))
                    self.assertEqual(before + 1, gate.connections)
                    self.assertNotIn('wr0ng', result.err)

    def test_an_unknown_host_is_tried_once(self) -> None:
        result = self.assert_fails(5, 'could not translate host name', 'backup',
                                   DATABASE_URL='postgresql://u@no-such-host.invalid/x')
        # Without any name service the same name fails for now.
        if 'Temporary failure' not in result.err:
            self.assertEqual([], self.waits(result))

    def test_a_signal_ends_the_wait(self) -> None:
        child = self.start('backup', DATABASE_URL=self.at_port(free_port()),
                           BACKPROOF_CONNECT_RETRIES='9')
        self.read_until(child, AGAIN)
        child.send_signal(signal.SIGTERM)
        err = child.communicate(timeout=30)[1]
        self.assertEqual(143, child.returncode, err)
        self.assertIn('stopped by SIGTERM', err)
        self.assert_clean()

    def read_until(self, child: subprocess.Popen, words: str) -> str:
        for line in child.stderr:
            if words in line:
                return line
        self.fail(f'{words!r} was never said')


class Poolers(ConnectTest):
    def refused(self, pooler: PgBouncer) -> None:
        result = self.assert_fails(2, 'leads to a pooler in transaction mode', 'backup',
                                   DATABASE_URL=pooler.url('shop'))
        self.assertIn("hint: use the direct address of the database, or the pooler's session mode",
                      result.err)

    def test_session_mode_works(self) -> None:
        with PgBouncer(cluster, 'session') as pooler:
            self.back_up(pooler.port)

    def test_sessions_that_are_shared_are_refused_on_any_port(self) -> None:
        for mode in ('transaction', 'statement'):
            for order in ('0', '1'):    # the one used last comes first, or the one used first
                with self.subTest(mode=mode, round_robin=order), \
                        PgBouncer(cluster, mode, server_round_robin=order) as pooler:
                    self.refused(pooler)

    def test_they_are_noticed_with_many_sessions_in_the_pool(self) -> None:
        for order in ('0', '1'):
            with self.subTest(round_robin=order), PgBouncer(
                    cluster, 'transaction', server_round_robin=order, min_pool_size='5') as pooler:
                self.warm_up(pooler)
                self.refused(pooler)

    def warm_up(self, pooler: PgBouncer) -> None:
        """Five transactions at once leave five sessions."""
        many = [subprocess.Popen([cluster.bin / 'psql', '-X', '-q', pooler.url('shop')],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                for _ in range(5)]
        for one in many:
            one.stdin.write('begin;\nselect pg_backend_pid();\n')
            one.stdin.flush()
            for _ in range(3):
                one.stdout.readline()
        for one in many:
            one.communicate('rollback;\n')

    def test_nothing_is_set_in_a_session_of_others(self) -> None:
        with PgBouncer(cluster, 'transaction', default_pool_size='1') as pooler:
            self.refused(pooler)
            shown = subprocess.run([cluster.bin / 'psql', '-X', '-A', '-t', '-c',
                                    'show search_path', pooler.url('shop')], check=True,
                                   text=True, capture_output=True)
        self.assertEqual('"$user", public', shown.stdout.strip())

    def test_a_pool_that_is_too_small_is_an_error_and_no_hang(self) -> None:
        with PgBouncer(cluster, 'session', default_pool_size='1') as pooler:
            result = self.assert_fails(5, 'has no second session for us', 'backup',
                                       '--connect-timeout', '2s', DATABASE_URL=pooler.url('shop'))
        self.assertIn('hint: a backup needs one for each of its --jobs and one more', result.err)

    def test_a_wrong_password_is_tried_once(self) -> None:
        with PgBouncer(cluster, 'session') as pooler:
            result = self.assert_fails(3, 'SASL authentication failed; hint: check the user',
                                       'backup', DATABASE_URL=pooler.url('shop', password='wr0ng-secret'))
        self.assertEqual([], self.waits(result))
        self.assertNotIn('wr0ng', result.err)

    def test_a_server_that_is_down_behind_its_pooler(self) -> None:
        with Cluster() as other:
            with PgBouncer(other, 'session') as pooler:
                other.stop()
                result = self.assert_fails(5, 'gave up after 2 attempts', 'backup',
                                           '--connect-timeout', '2s',
                                           DATABASE_URL=pooler.url('postgres'),
                                           BACKPROOF_CONNECT_RETRIES='1')
        self.assertEqual(1, len(self.waits(result)), result)


if __name__ == '__main__':
    unittest.main()
