"""backproof restore when something breaks: what it says, and what the database is like then."""
from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

import test_every_object as every
from backing_up import BackupTest, canonical, wait_until
from harness import Cluster, sample_cluster, unwind_on_sigterm

# Building `slow` waits for somebody else's lock, so that the test can choose the moment.
SQL = """
create table a (n int primary key, t text);
create table b (n int primary key references a, t text);
insert into a select n, repeat('x', 100) from generate_series(1, 20000) n;
insert into b select n, repeat('y', 100) from generate_series(1, 20000) n;
create function held(n int) returns int language plpgsql immutable as $$begin
    perform pg_catalog.pg_advisory_xact_lock_shared(4711); return n; end$$;
create index slow on a (public.held(n));
"""
cluster: Cluster
folder: Path


def setUpModule() -> None:
    global cluster, folder
    unwind_on_sigterm()
    cluster = sample_cluster()
    unittest.addModuleCleanup(cluster.__exit__, None, None, None)
    temp = tempfile.TemporaryDirectory(prefix='bp-restore-')
    unittest.addModuleCleanup(temp.cleanup)
    folder = Path(temp.name)
    cluster.create_db('held')
    cluster.psql('held', SQL)
    every.back_up(cluster, 'held', folder)
    BackupTest.cluster = cluster


class Faults(BackupTest):
    server = None

    def use_new_repo(self) -> None:
        BackupTest.serial += 1
        self.db = self.new_db()
        self.env = {**every.SAFE, 'BACKPROOF_BACKUP_REPO': str(folder / 'held.git'),
                    'BACKPROOF_TARGET_URL': self.url(self.db), 'RUNNER_TEMP': str(self.temp)}

    def hold(self) -> subprocess.Popen:
        """From now on the index waits; ends with the test."""
        psql = subprocess.Popen([str(cluster.clients / 'psql'), '-qAt', self.url(self.db)],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.let_go, psql)
        psql.stdin.write("select 1 from pg_advisory_lock(4711);\n")
        psql.stdin.flush()
        psql.stdout.readline()
        return psql

    def let_go(self, psql: subprocess.Popen) -> None:
        if psql.poll() is None:
            psql.kill()
            psql.communicate()

    def builder(self) -> str:
        """The process of the session that builds the index, once it waits."""
        sql = f"""select pid from pg_stat_activity where datname = '{self.db}'
            and wait_event_type = 'Lock' and query like '%INDEX slow%'"""
        wait_until(lambda: cluster.psql('postgres', sql) != '', 'the index that waits')
        return cluster.psql('postgres', sql)

    def cut(self, *args: str) -> tuple[subprocess.Popen, subprocess.Popen]:
        psql = self.hold()
        return psql, self.start('restore', 'latest', '--jobs', '2', *args)

    def assert_resumes(self, psql: subprocess.Popen) -> None:
        self.let_go(psql)
        self.assert_fails(2, '--resume goes on with it', 'restore', 'latest')
        self.run_it('restore', 'latest', '--resume')
        self.assertEqual(canonical(cluster.pg_dump('held')), canonical(cluster.pg_dump(self.db)))
        self.assert_fails(2, 'holds no restore that was cut off', 'restore', 'latest', '--resume')

    def test_a_session_that_is_ended(self) -> None:
        psql, child = self.cut()
        self.terminate(self.builder())
        self.finish(child, 5, r'is partly restored \(--resume goes on with it, --clean begins anew\)'
                    '.*INDEX public.slow.*terminating connection')
        self.assert_resumes(psql)

    def test_a_signal(self) -> None:
        psql, child = self.cut()
        self.builder()
        child.send_signal(signal.SIGTERM)
        self.finish(child, 143, 'is partly restored')
        self.assert_resumes(psql)

    def test_a_program_that_is_killed(self) -> None:
        psql, child = self.cut()
        pid = self.builder()
        child.kill()
        child.communicate()
        self.let_go(psql)
        wait_until(lambda: pid not in [one['pid'] for one in cluster.sessions()], 'its end')
        wait_until(lambda: not self.sessions(), 'the end of its sessions')
        for path in self.temp.iterdir():
            subprocess.run(['rm', '-r', path], check=True)
        self.assert_resumes(psql)

    def test_two_at_once(self) -> None:
        psql, child = self.cut()
        self.builder()
        self.finish(self.start('restore', 'latest'), 7,
                    f"another restore into database '{self.db}' is running [(]process ")
        self.let_go(psql)
        self.finish(child, 0)
        self.assertEqual(canonical(cluster.pg_dump('held')), canonical(cluster.pg_dump(self.db)))

    def weak_target(self) -> dict[str, str]:
        """The archive has a table of a role that is missing, and this user must not make it."""
        cluster.psql('postgres', "create role weak login password 'weak'; create role strong")
        self.addCleanup(cluster.psql, 'postgres', 'drop role weak')
        cluster.psql('held', 'alter table a owner to weak; alter function held owner to weak;'
                             'alter table b owner to strong')
        every.back_up(cluster, 'held', self.folder)
        cluster.psql('held', 'alter table a owner to postgres; alter function held owner to'
                             ' postgres; alter table b owner to postgres; drop role strong')
        cluster.psql(self.db, f'grant all on database {self.db} to weak;'
                              'grant all on schema public to weak')
        self.addCleanup(cluster.psql, self.db, 'drop owned by weak')
        return {'BACKPROOF_BACKUP_REPO': str(self.folder / 'held.git'),
                'BACKPROOF_TARGET_URL': cluster.url(self.db, 'weak', password='weak')}

    def test_a_role_that_may_not_be_made(self) -> None:
        self.assert_fails(3, 'nothing was restored: roles.sql: DO ', 'restore', 'latest',
                          **self.weak_target())

    def test_all_that_fails_is_listed(self) -> None:
        said = self.assert_fails(1, ' objects of archive ', 'restore', 'latest', '--jobs', '2',
                                 '--continue-on-error', **self.weak_target())
        for words in ('failed:\n', '  roles.sql: DO ', '  database/pre-data.sql: TABLE public.b: ',
                      "  table 'public.b': "):
            self.assertIn(words, said.out)
        self.assertEqual('20000', cluster.psql(self.db, 'select count(*) from a'))
        self.assertEqual('0', cluster.psql(self.db, """select count(*) from pg_namespace
            where nspname = 'backproof_restore'"""))

    def test_a_clean_that_fails_keeps_what_there_was(self) -> None:
        cluster.psql(self.db, 'create table kept as select 1 as a')
        psql, child = self.hold(), None
        child = self.start('restore', 'latest', '--clean', '--yes')
        self.terminate(self.builder())
        self.finish(child, 5, 'nothing was restored: .*INDEX public.slow')
        self.let_go(psql)
        self.assertEqual('1', cluster.psql(self.db, 'select a from kept'))

    def test_a_full_disk_on_the_target(self) -> None:
        small = cluster.folder / f'small{BackupTest.serial}'
        small.mkdir()
        if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=32m,mode=0777', 'none', small],
                          check=False, capture_output=True).returncode != 0:
            self.skipTest('cannot mount here')
        self.addCleanup(subprocess.run, ['umount', '-l', small], check=True)
        (small / 'data').mkdir()
        subprocess.run(['chown', 'postgres', small / 'data'], check=True)
        cluster.psql('postgres', f"create tablespace small location '{small / 'data'}'")
        self.addCleanup(cluster.psql, 'postgres', 'drop tablespace small')
        cluster.psql('postgres', 'create database small template template0 tablespace small')
        self.addCleanup(cluster.psql, 'postgres', 'drop database small with (force)')
        room = os.statvfs(small)
        (small / 'filler').write_bytes(bytes(room.f_bavail * room.f_bsize - (1 << 20)))
        self.env['BACKPROOF_TARGET_URL'] = self.url('small')
        child = self.start('restore', 'latest', '--jobs', '2')
        self.finish(child, 1, "is partly restored .*table 'public[.][ab]'.*No space left on device"
                    '.*hint: make room on the disk')
        (small / 'filler').unlink()
        self.run_it('restore', 'latest', '--resume')
        self.assertEqual(canonical(cluster.pg_dump('held')), canonical(cluster.pg_dump('small')))


if __name__ == '__main__':
    unittest.main()
