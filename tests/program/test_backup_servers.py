"""backproof backup of servers that allow little, or are set otherwise than most."""
from __future__ import annotations

import unittest

from backing_up import TOKEN, BackupTest
from git_server import GitServer
from harness import Cluster, unwind_on_sigterm

PASSWORD = 'pw1'


def setUpModule() -> None:
    unwind_on_sigterm()
    BackupTest.cluster = Cluster()
    BackupTest.cluster.__enter__()
    unittest.addModuleCleanup(BackupTest.cluster.__exit__, None, None, None)
    BackupTest.server = GitServer(user='x-access-token', password=TOKEN)
    BackupTest.server.__enter__()
    unittest.addModuleCleanup(BackupTest.server.__exit__, None, None, None)


class ServersTest(BackupTest):
    def reader_of(self, db: str, options: str = 'login') -> str:
        """The URL of a role that may read everything, and is no superuser."""
        role = f'{db}_reader'
        self.cluster.create_role(role, PASSWORD, options)
        self.addCleanup(self.cluster.psql, 'postgres', f'drop role {role}')
        self.cluster.psql(db, f'grant pg_read_all_data to {role}')
        return self.cluster.url(db, role, password=PASSWORD)


class Connections(ServersTest):
    """What reads may not keep pg_dump from the connection that it needs."""
    SQL = '''
    create table t as select g as id, md5(g::text) || repeat('x', 200) as words
        from generate_series(1, 50000) g;
    create table u as select g as id from generate_series(1, 1000) g;
    create schema more; create table more.v as select 1 as one;
    create schema last; create table last.w as select 1 as one;
    '''

    def back_up_with(self, limit: int, *args: str) -> None:
        db = self.new_db(self.SQL)
        url = self.reader_of(db, f'login connection limit {limit}')
        child = self.start('backup', *args, DATABASE_URL=url)
        self.finish(child, 0)
        self.assert_nothing_left(child)
        self.assertEqual((50000, 1000), (self.rows('t'), self.rows('u')))

    def test_two_for_two_jobs(self) -> None:
        self.back_up_with(2, '--jobs', '2')

    def test_three_for_four_jobs(self) -> None:
        self.back_up_with(3, '--jobs', '4')

    def test_three_for_four_jobs_that_dump_schemas(self) -> None:
        self.back_up_with(3, '--jobs', '4', '--schema-dumps')

    def test_two_for_two_jobs_that_dump_schemas(self) -> None:
        self.back_up_with(2, '--jobs', '2', '--schema-dumps')


class Standby(ServersTest):
    """A server in recovery has the definition of an unlogged table and none of its rows."""

    def test_only_its_unlogged_tables_are_refused(self) -> None:
        with Cluster() as standby:
            for db in ('plain', 'unlogged'):
                standby.create_db(db)
                standby.psql(db, 'create table t as select g as id '
                             'from generate_series(1, 500) g; select lo_from_bytea(0, $$abc$$)')
            standby.psql('unlogged', 'create schema s; create unlogged table s.gone (id int); '
                         'insert into s.gone values (1)')
            standby.stop()
            (standby.folder / 'data' / 'standby.signal').touch()
            standby.start()
            self.assertEqual('t', standby.psql('plain', 'select pg_is_in_recovery()'))
            self.run_it('backup', DATABASE_URL=standby.url('plain'))
            self.assertEqual(500, self.rows('t'))
            before = self.tip()
            url = standby.url('unlogged')
            self.assert_fails(1, "table 's.gone' is unlogged, and a standby has none of its rows; "
                              'hint: back up the primary, or leave out the rows of such tables '
                              'with --exclude-table-data', 'backup', DATABASE_URL=url)
            self.assertEqual(before, self.tip())
            self.run_it('backup', '--exclude-table-data', 's.gone', DATABASE_URL=url)
            self.assertEqual(['t'], [one['name'] for one in self.manifest()['tables']])


class Subscription(ServersTest):
    """Only a superuser may read one, since it may hold a password."""
    SQL = '''
    create table t as select g as id from generate_series(1, 500) g;
    create subscription sub connection 'host=127.0.0.1 dbname=x' publication p
        with (connect = false);
    '''
    END = 'alter subscription sub set (slot_name = none); drop subscription sub'

    def setUp(self) -> None:
        super().setUp()
        self.db = self.new_db(self.SQL)
        self.addCleanup(self.cluster.psql, self.db, self.END)

    def definitions(self) -> str:
        return ''.join(self.server.git(self.repo, 'show', f'main:backups/current/database/{name}')
                       for name in ('pre-data.sql', 'post-data.sql'))

    def test_is_left_out_with_a_warning_by_who_may_not_read_it(self) -> None:
        result = self.run_it('backup', DATABASE_URL=self.reader_of(self.db))
        self.assertRegex(result.err, r'(?m)^.*warning: left out: subscriptions \(1\), which only a '
                         'superuser may read')
        self.assertNotIn('SUBSCRIPTION', self.definitions())
        self.assertEqual(500, self.rows('t'))

    def test_is_in_the_archive_of_a_superuser(self) -> None:
        result = self.run_it('backup', DATABASE_URL=self.url(self.db))
        self.assertNotIn('subscription', result.err)
        self.assertIn('CREATE SUBSCRIPTION sub ', self.definitions())


class Settings(ServersTest):
    """Where and as whom it runs makes no difference to what is in the files."""
    SQL = '''
    create table t (id int primary key, at timestamptz default '2020-01-01 00:00+00', price money,
        check (at > '2010-01-01 00:00+00'));
    insert into t select g, timestamptz '2024-02-01 12:00+00' + g * interval '1 hour', g
        from generate_series(1, 500) g;
    create table p (at timestamptz) partition by range (at);
    create table p1 partition of p for values from ('2020-01-01 00:00+00') to
        ('2030-01-01 00:00+00');
    insert into p values ('2024-02-01 12:00+00');
    '''

    def setUp(self) -> None:
        super().setUp()
        self.db = self.new_db(self.SQL)

    def files(self, *args: str, **env: str) -> dict[str, str]:
        """Of a backup; without the one that has the settings of roles and of the database."""
        self.run_it('backup', *args, DATABASE_URL=self.url(self.db), **env)
        return {one['path']: one['sha256'] for one in self.manifest()['files']
                if one['path'] != 'roles.sql'}

    def assert_the_same(self, before: dict[str, str], now: dict[str, str]) -> None:
        self.assertEqual(list(before), list(now))
        self.assertEqual([], [path for path in now if now[path] != before[path]])

    def test_the_time_zone_of_the_environment(self) -> None:
        before = self.files('--schema-dumps')
        self.assertIn('public/public.dump', before)
        self.assert_the_same(before, self.files('--schema-dumps', PGTZ='Asia/Tokyo',
                                                PGDATESTYLE='German'))

    def test_the_time_zone_of_the_database(self) -> None:
        before = self.files()
        self.cluster.psql('postgres', f"alter database {self.db} set timezone = 'Asia/Tokyo'")
        self.assert_the_same(before, self.files())

    def test_the_time_zone_of_the_role(self) -> None:
        before = self.files()
        self.cluster.psql('postgres', f'alter role postgres in database {self.db} '
                          "set timezone = 'America/Caracas'")
        self.assert_the_same(before, self.files())

    def test_the_time_zone_of_the_role_is_not_what_rows_are_loaded_with(self) -> None:
        self.files()
        target = self.new_db()
        self.cluster.psql('postgres', f"alter database {target} set timezone = 'Asia/Tokyo'")
        self.run_it('restore', 'latest', BACKPROOF_TARGET_URL=self.url(target))
        self.assertEqual(*(self.cluster.psql(db, 'set timezone = utc; select md5(string_agg('
                                             "t::text, ' ' order by id)) from t")
                           for db in (self.db, target)))


if __name__ == '__main__':
    unittest.main()
