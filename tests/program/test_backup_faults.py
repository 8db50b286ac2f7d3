"""backproof backup while its server, its sessions, its network or its disk fail."""
from __future__ import annotations

import os
import signal
import subprocess
import unittest

from backing_up import TOKEN, BackupTest, wait_until
from harness import Cluster, unwind_on_sigterm
from git_server import GitServer

# Two tables whose rows fill more than all the buffers between the server and the program: so
# one that is cut off at MIDDLE is always in the middle of its COPY.
MIDDLE = 4 << 20
LARGE_SQL = '''
create table one (id int primary key, words text not null);
create table two (id int primary key, words text not null);
insert into one select g, repeat(md5(g::text), 4) || md5((g * 7)::text)
    from generate_series(1, 110000) g;
insert into two select * from one;
''' + ''.join(f'create table small_{n} as select g as id from generate_series(1, {n}) g;\n'
              for n in range(1, 9))


def setUpModule() -> None:
    unwind_on_sigterm()
    BackupTest.cluster = Cluster()
    BackupTest.cluster.__enter__()
    unittest.addModuleCleanup(BackupTest.cluster.__exit__, None, None, None)
    BackupTest.server = GitServer(user='x-access-token', password=TOKEN)
    BackupTest.server.__enter__()
    unittest.addModuleCleanup(BackupTest.server.__exit__, None, None, None)
    for name, sql in (('large', LARGE_SQL), ('little', 'create table t as select 1 as a')):
        BackupTest.cluster.create_db(name)
        BackupTest.cluster.psql(name, sql)


LOST = 'connection .* was lost|terminating connection|the session that holds the locks is gone'


class FaultTest(BackupTest):
    """Each test begins with one archive on the branch."""

    def setUp(self) -> None:
        super().setUp()
        self.run_it('backup', DATABASE_URL=self.url('little'))
        self.before = self.tip()

    def start_and_cut(self, how: str, *args: str, whole: bool = False,
                      **env: str) -> subprocess.Popen:
        """A backup whose network was cut while rows came through it."""
        self.net = self.wire()
        self.net.cut(how, MIDDLE, whole)
        child = self.start('backup', *args, DATABASE_URL=self.url('large', self.net.port), **env)
        self.net.wait_until_cut(30)
        return child

    def fails(self, child: subprocess.Popen, status: int, *words: str) -> None:
        self.assert_fails_cleanly(child, self.before, status, *words)


class Server(FaultTest):
    def test_crashes_while_rows_are_read(self) -> None:
        """One of its processes is killed, so it ends every session and starts again."""
        child = self.start_and_cut('hang')
        os.kill(int(self.reader(self.net)), signal.SIGKILL)
        wait_until(lambda: 'all server processes terminated; reinitializing' in self.cluster.log(),
                   'the restart of the server')
        self.wait_for_server()
        self.net.mend()
        self.fails(child, 5, LOST)

    def test_is_stopped_at_once_while_rows_are_read(self) -> None:
        child = self.start_and_cut('hang')
        self.cluster.stop('immediate')
        try:
            self.net.mend()
            result = self.finish(child, 5, LOST)
        finally:
            self.cluster.start()
        self.assertEqual('', result.out)
        self.assert_untouched(self.before)
        self.assert_nothing_left(child)

    def wait_for_server(self) -> None:
        wait_until(lambda: self.cluster.run('pg_isready', '-q', check=False).returncode == 0,
                   'the server')


class Session(FaultTest):
    """An administrator ends one of the backup's sessions."""

    def test_that_holds_the_locks_ends_while_rows_are_read(self) -> None:
        """From then on a table may be emptied, so that what is still read is worth nothing."""
        child = self.start_and_cut('hang')
        self.terminate(self.holder())
        self.net.mend()
        self.fails(child, 5, 'the session that holds the locks is gone')

    def test_that_reads_rows_ends(self) -> None:
        child = self.start_and_cut('hang')
        self.terminate(self.reader(self.net))
        self.net.mend()
        self.fails(child, 5, LOST,
                   r'table .public\.(one|two)')

    def test_that_waits_for_a_lock_ends(self) -> None:
        with self.locked('large', 'small_3'):
            child = self.start('backup', DATABASE_URL=self.url('large'))
            self.terminate(self.waiting())
            self.fails(child, 5, LOST)

    def waiting(self) -> str:
        return wait_until(lambda: self.cluster.psql('postgres', """
            select pid from pg_stat_activity where application_name = 'backproof'
            and wait_event_type = 'Lock'"""), 'a session that waits for a lock')


class Network(FaultTest):
    def test_is_reset_or_closed_while_rows_are_read(self) -> None:
        for how in ('reset', 'close'):
            for whole in (False, True):
                with self.subTest(how=how, whole=whole):
                    child = self.start_and_cut(how, whole=whole)
                    self.fails(child, 5, r'connection .* was lost')

    def test_that_hangs_while_rows_are_read_is_waited_for_no_longer_than_timeout(self) -> None:
        for whole in (False, True):
            with self.subTest(whole=whole):
                child = self.start_and_cut('hang', whole=whole, BACKPROOF_TIMEOUT='5s')
                self.ends_in_time(child, r'read|rows|table')

    def test_that_hangs_while_definitions_are_read_is_waited_for_no_longer(self) -> None:
        """pg_dump asks for much more than the program itself does in a small database."""
        self.net = self.wire()
        self.net.cut('hang', 50000, whole=True)
        child = self.start('backup', DATABASE_URL=self.url('little', self.net.port),
                           BACKPROOF_TIMEOUT='3s')
        self.net.wait_until_cut(30)
        self.ends_in_time(child, r'pg_dump|definition')

    def ends_in_time(self, child: subprocess.Popen, phase: str) -> None:
        try:
            result = self.finish(child, 6, '--timeout', phase, timeout=25)
        finally:
            self.net.mend()         # else the server would not learn that nobody listens
        self.assertEqual('', result.out)
        self.assert_untouched(self.before)
        self.assert_nothing_left(child)

    def test_that_hangs_does_not_keep_the_program_from_ending_when_told(self) -> None:
        child = self.start_and_cut('hang', whole=True)
        child.send_signal(signal.SIGTERM)
        out, err = child.communicate(timeout=30)
        self.net.mend()
        self.assertEqual(128 + signal.SIGTERM, child.returncode, out + err)
        self.assert_no_secret(out + err)
        self.assert_untouched(self.before)
        self.assert_nothing_left(child)

    def test_that_was_slow_for_a_while_does_no_harm(self) -> None:
        child = self.start_and_cut('hang')
        self.net.mend()
        self.finish(child, 0)
        self.assertEqual((110000, 110000), (self.rows('one'), self.rows('two')))
        self.assert_nothing_left(child)


class Disk(FaultTest):
    """The temporary folder is a file system of its own, and too small."""

    def small_folder(self, size: str) -> str:
        folder = self.folder / 'small'
        folder.mkdir()
        sudo = [] if os.geteuid() == 0 else ['sudo', '-n']
        done = subprocess.run([*sudo, 'mount', '-t', 'tmpfs', '-o', f'size={size},mode=0777',
                               'backproof', folder], text=True, capture_output=True, check=False)
        if done.returncode != 0:
            self.skipTest(f'a file system may not be mounted here: {done.stderr.strip()}')
        self.addCleanup(subprocess.run, [*sudo, 'umount', folder], check=True)
        self.temp = folder          # what must be empty in the end
        return str(folder)

    def fails_for_space(self, db: str, size: str) -> None:
        folder = self.small_folder(size)
        child = self.start('backup', DATABASE_URL=self.url(db), RUNNER_TEMP=folder)
        self.fails(child, 1, 'No space left on device', r'hint: set TMPDIR \(RUNNER_TEMP')

    def test_is_full_while_rows_are_staged(self) -> None:
        self.fails_for_space('large', '3m')

    def test_is_full_while_pg_dump_writes(self) -> None:
        name = self.new_db("""
            create table t as select 1 as a;
            do $$ declare body text;
            begin
                select string_agg(md5(g::text), '') into body from generate_series(1, 120000) g;
                execute format('create function f() returns text language sql as %L',
                               'select ' || quote_literal(body));
            end $$;""")
        self.fails_for_space(name, '2m')

    def test_that_is_full_before_anything_is_read_is_said_as_well(self) -> None:
        self.fails_for_space('little', '4k')


class Statement(FaultTest):
    def test_that_takes_too_long_is_given_up_and_its_table_named(self) -> None:
        """The server counts the time in which nobody takes its rows."""
        child = self.start_and_cut('hang', '--statement-timeout', '2s')
        pid = self.reader(self.net)
        wait_until(lambda: self.cluster.psql('postgres', f"""
            select 1 from pg_stat_activity where pid = {pid}
            and clock_timestamp() - query_start > interval '2.5 s'"""), 'a long statement')
        self.net.mend()
        self.fails(child, 6, r'table .public\.(one|two)', 'statement')


if __name__ == '__main__':
    unittest.main()
