"""backproof restore beside what a target holds already, and after its server broke down."""
from __future__ import annotations

import subprocess
import tempfile
import unittest
from pathlib import Path

import test_every_object as every
from backing_up import BackupTest, canonical, wait_until
from harness import Cluster, sample_cluster, unwind_on_sigterm

# `slow` cannot be built while somebody holds the lock, so that the test can choose the moment.
SQL = """
create schema app;
create table app.a (n int primary key, next int);
create table app.b (n int primary key, next int references app.a);
insert into app.a select n, n from generate_series(1, 500) n;
insert into app.b select n, n from generate_series(1, 500) n;
alter table app.a add foreign key (next) references app.b;
create table app.parts (day int, t text) partition by range (day);
create table app.low partition of app.parts for values from (0) to (100);
create table app.high partition of app.parts for values from (100) to (1000);
insert into app.parts select n, 'x' from generate_series(0, 999) n;
create unlogged table app.light (n serial, t text);
insert into app.light (t) select 'y' from generate_series(1, 300);
create role restore_reader;
grant usage on schema app to restore_reader;
create table app.hidden (n int);
insert into app.hidden select generate_series(1, 10);
alter table app.hidden enable row level security;
create policy four on app.hidden to restore_reader using (n <= 4);
grant select on app.hidden to restore_reader;
create materialized view app.seen as select n from app.hidden;
alter materialized view app.seen owner to restore_reader;
refresh materialized view app.seen;
create function app.held(n int) returns int language plpgsql immutable as $$begin
    perform pg_catalog.pg_advisory_xact_lock_shared(4712); return n; end$$;
create index slow on app.light (app.held(n));
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
    cluster.create_db('app')
    cluster.psql('app', SQL)
    every.back_up(cluster, 'app', folder)
    BackupTest.cluster = cluster


class State(BackupTest):
    server = None

    def use_new_repo(self) -> None:
        BackupTest.serial += 1
        self.db = self.new_db()
        self.env = {**every.SAFE, 'BACKPROOF_BACKUP_REPO': str(folder / 'app.git'),
                    'BACKPROOF_TARGET_URL': self.url(self.db), 'RUNNER_TEMP': str(self.temp)}

    def assert_restored(self) -> None:
        self.assertEqual(canonical(cluster.pg_dump('app')), canonical(cluster.pg_dump(self.db)))

    def count(self, table: str) -> str:
        return cluster.psql(self.db, f'select count(*) from {table}')

    def test_a_view_is_filled_with_what_its_owner_sees(self) -> None:
        for jobs in ('1', '2'):
            with self.subTest(jobs):
                self.run_it('restore', 'latest', '--jobs', jobs, '--clean', '--yes')
                self.assert_restored()
                self.assertEqual('4', self.count('app.seen'))

    def test_partitioned_tables_and_views_have_statistics_too(self) -> None:
        self.run_it('restore', 'latest')
        for name in ('parts', 'low', 'seen'):
            self.assertNotEqual('0', self.count(f"pg_stats where tablename = '{name}'"), name)

    def test_tables_that_need_each_other_are_replaced_together(self) -> None:
        self.run_it('restore', 'latest')
        cluster.psql(self.db, 'delete from app.parts where day > 10; truncate app.a, app.b')
        self.run_it('restore', 'latest', '--table', 'app.a', '--table', 'app.b', '--table',
                    'app.parts', '--clean', '--yes')
        for name in ('a', 'b', 'parts', 'light'):
            self.assertEqual(cluster.psql('app', f'select count(*) from app.{name}'),
                             self.count(f'app.{name}'), name)

    def test_what_depends_on_a_table_that_is_replaced(self) -> None:
        self.run_it('restore', 'latest')
        self.assert_fails(1, 'nothing was restored: what is replaced: DROP TABLE "app"."hidden": '
                          'cannot drop table app.hidden because other objects depend on it '
                          '(materialized view app.seen depends on table app.hidden); hint: drop '
                          'what depends on it first', 'restore', 'latest', '--table', 'app.hidden',
                          '--clean', '--yes')
        self.assertEqual('10', self.count('app.hidden'))

    def test_a_part_that_fails_tells_what_it_lacks(self) -> None:
        cluster.psql('app', 'create type public.mood as enum (); create table app.moods '
                            '(m public.mood)')
        self.addCleanup(cluster.psql, 'app', 'drop table app.moods; drop type public.mood')
        every.back_up(cluster, 'app', self.folder)
        said = self.assert_fails(1, 'type "public.mood" does not exist', 'restore', 'latest',
                                 '--table', 'app.moods',
                                 BACKPROOF_BACKUP_REPO=str(self.folder / 'app.git'))
        self.assertIn('  TABLE app.moods: it needs public.mood, which is not restored and has to '
                      'be there\n', said.out)

    def test_a_schema_called_like_that_of_the_marks(self) -> None:
        source = self.new_db('create schema backproof_restore;'
                             'create table backproof_restore.restore as select 1 as mine')
        every.back_up(cluster, source, self.folder)
        repo = {'BACKPROOF_BACKUP_REPO': str(self.folder / f'{source}.git')}
        self.assert_fails(2, "the schema 'backproof_restore' would be made", 'restore', 'latest',
                          '--jobs', '2', **repo)
        self.run_it('restore', 'latest', **repo)
        self.assertEqual('1', self.count('backproof_restore.restore'))
        self.assert_fails(2, "nothing was restored: the database has a schema 'backproof_restore'",
                          'restore', 'latest', '--jobs', '2')
        self.assertEqual('1', self.count('backproof_restore.restore'))

    def test_a_role_of_a_map_that_is_missing(self) -> None:
        for jobs in ('1', '2'):
            said = self.assert_fails(1, 'OWNER TO "nobody_here": role "nobody_here" does not exist; '
                                     'hint: make that role', 'restore', 'latest', '--jobs', jobs,
                                     '--role-map', 'restore_reader=nobody_here')
            self.assertIn('nothing was restored: database/pre-data.sql: ', said.err)
            self.assertEqual('0', self.count("pg_namespace where nspname = 'app'"))


class BrokenServer(BackupTest):
    server = None

    def use_new_repo(self) -> None:
        self.cluster = Cluster()
        self.cluster.__enter__()
        self.addCleanup(self.cluster.__exit__, None, None, None)
        self.cluster.create_db('new')
        self.env = {**every.SAFE, 'BACKPROOF_BACKUP_REPO': str(folder / 'app.git'),
                    'BACKPROOF_TARGET_URL': self.url('new'), 'RUNNER_TEMP': str(self.temp)}

    def break_down(self) -> None:
        """While the last index is built."""
        psql = subprocess.Popen([str(self.cluster.clients / 'psql'), '-qAt', self.url('new')],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True)
        psql.stdin.write('select 1 from pg_advisory_lock(4712);\n')
        psql.stdin.flush()
        psql.stdout.readline()
        child = self.start('restore', 'latest', '--jobs', '2')
        waiting = """select count(*) from pg_stat_activity where datname = 'new'
            and wait_event_type = 'Lock' and query like '%INDEX slow%'"""
        wait_until(lambda: self.cluster.psql('postgres', waiting) != '0', 'the index that waits')
        self.cluster.stop('immediate')
        self.finish(child, 5, 'is partly restored')
        psql.communicate()
        self.cluster.start()

    def test_what_it_emptied_is_loaded_anew(self) -> None:
        self.break_down()
        count = 'select count(*) from app.light'
        self.assertEqual('0', self.cluster.psql('new', count), 'an unlogged table')
        self.run_it('restore', 'latest', '--resume')
        self.assertEqual('300', self.cluster.psql('new', count))
        self.assertEqual(canonical(cluster.pg_dump('app')),
                         canonical(self.cluster.pg_dump('new')))


if __name__ == '__main__':
    unittest.main()
