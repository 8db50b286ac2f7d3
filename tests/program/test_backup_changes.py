"""backproof backup while others change what no lock holds still: functions, types, views, names."""
from __future__ import annotations

import unittest

from backing_up import TOKEN, BackupTest
from git_server import GitServer
from harness import Cluster, Result, unwind_on_sigterm

PG_DUMP = b"set_config('search_path'"      # how it begins
SQL = '''
create schema app;
create sequence app.numbers;
create sequence lone;
create function f() returns int language sql as 'select 1';
create type mood as enum ('bad', 'good');
create table t (id int primary key, m mood not null);
insert into t select g, 'good' from generate_series(1, 500) g;
create index t_words on t (m);
comment on index t_words is 'named here as well';
create statistics st on id, m from t;
create view v as select id from t;
'''


def setUpModule() -> None:
    unwind_on_sigterm()
    BackupTest.cluster = Cluster()
    BackupTest.cluster.__enter__()
    unittest.addModuleCleanup(BackupTest.cluster.__exit__, None, None, None)
    BackupTest.server = GitServer(user='x-access-token', password=TOKEN)
    BackupTest.server.__enter__()
    unittest.addModuleCleanup(BackupTest.server.__exit__, None, None, None)


class WhilePgDumpRuns(BackupTest):
    """After the snapshot, and before pg_dump has read the catalogs."""

    def setUp(self) -> None:
        super().setUp()
        self.db = self.new_db(SQL)

    def back_up_during(self, change: str, *args: str) -> Result:
        net = self.wire()
        net.cut('hang', 1, client=PG_DUMP)
        child = self.start('backup', *args, DATABASE_URL=self.url(self.db, net.port))
        net.wait_until_cut(30)
        self.cluster.psql(self.db, f"set lock_timeout = '5s'; {change}")
        net.mend()
        result = self.finish(child, 0)
        self.assert_nothing_left(child)
        self.assertEqual(1, self.commits())
        self.assertEqual(500, self.rows('t'))
        return result

    def restore(self) -> str:
        """The archive is one that can be restored, and of one moment: that after the change."""
        target = self.new_db()
        self.run_it('restore', 'latest', BACKPROOF_TARGET_URL=self.url(target))
        self.assertEqual(self.cluster.pg_dump(self.db, '--schema-only'),
                         self.cluster.pg_dump(target, '--schema-only'))
        return target

    def assert_begins_anew(self, name: str, change: str, jobs: str) -> None:
        """With one job, what fails first is the connection that holds the locks."""
        result = self.back_up_during(change, '--jobs', jobs)
        self.assertIn('definitions were changed while they were read: ', result.err)
        self.assertIn(name, result.err)
        self.assertEqual(1, result.err.count('; beginning anew'), result.err)
        self.restore()

    def test_a_function_that_is_dropped(self) -> None:
        self.assert_begins_anew('function public.f ', 'drop function f()', '2')

    def test_a_value_of_an_enum_that_is_renamed(self) -> None:
        self.assert_begins_anew("value 'good' of type public.mood ",
                                "alter type mood rename value 'good' to 'fine'", '2')

    def test_a_view_that_is_replaced(self) -> None:
        self.assert_begins_anew('rule "_RETURN" on public.v ',
                                'create or replace view v as select id from t where id > 0', '2')

    def test_a_view_that_is_dropped(self) -> None:
        self.assert_begins_anew('public.v ', 'drop view v', '1')

    def test_a_sequence_that_is_dropped(self) -> None:
        self.assert_begins_anew('relation public.lone ', 'drop sequence lone', '1')

    def test_a_schema_that_is_renamed(self) -> None:
        self.assert_begins_anew('app', 'alter schema app rename to app2', '1')

    def test_an_index_that_is_renamed(self) -> None:
        self.assert_begins_anew('public.t_words', 'alter index t_words rename to t_again', '1')

    def test_statistics_that_are_renamed(self) -> None:
        self.assert_begins_anew('public.st', 'alter statistics st rename to st2', '1')

    def test_a_role_that_is_renamed(self) -> None:
        old, new = f'{self.db}_old', f'{self.db}_new'
        self.cluster.psql(self.db, f'create role {old}; grant select on t to {old}')
        self.addCleanup(self.cluster.psql, self.db, f'drop owned by {new}; drop role {new}')
        self.assert_begins_anew(old, f'alter role {old} rename to {new}', '1')

    def test_what_is_new_does_not_matter(self) -> None:
        """Nor is it in the archive: that is of the moment of the snapshot."""
        result = self.back_up_during(
            'create table u (id int); create function g() returns int language sql as $$select 1$$;'
            ' create schema new; analyze t; grant select on t to pg_monitor')
        self.assertNotIn('beginning anew', result.err)
        target = self.new_db()
        self.run_it('restore', 'latest', BACKPROOF_TARGET_URL=self.url(target))
        self.assertEqual('500||', self.cluster.psql(
            target, "select (select count(*) from t), to_regclass('u'), to_regproc('g')"))

    def test_a_change_that_comes_again_and_again_is_an_error(self) -> None:
        net = self.wire()
        net.cut('hang', 1, client=PG_DUMP)
        child = self.start('backup', '--lock-retries', '0',
                           DATABASE_URL=self.url(self.db, net.port))
        net.wait_until_cut(30)
        self.cluster.psql(self.db, 'drop function f()')
        net.mend()
        self.assert_fails_cleanly(child, '', 7, 'definitions were changed', 'function public.f ')

    def test_schemas_that_change_places_begin_all_anew(self) -> None:
        """The rows of app.t are now those of another table, which the snapshot cannot see."""
        self.cluster.psql(self.db, 'create table app.t as select g as id '
                          'from generate_series(1, 700) g')
        result = self.back_up_during('''
            create schema stage; create sequence stage.numbers;
            create table stage.t as select g as id from generate_series(1, 7) g;
            begin; alter schema app rename to old; alter schema stage rename to app; commit''')
        self.assertIn('; beginning anew', result.err)
        target = self.restore()
        self.assertEqual('7|700', self.cluster.psql(
            target, 'select (select count(*) from app.t), (select count(*) from old.t)'))

    def test_the_end_of_the_session_with_the_locks_is_named_and_not_what_follows_from_it(self,
                                                                                         ) -> None:
        for jobs in ('1', '2'):
            with self.subTest(jobs=jobs):
                net = self.wire()
                net.cut('hang', 1, client=PG_DUMP)
                child = self.start('backup', '--jobs', jobs,
                                   DATABASE_URL=self.url(self.db, net.port))
                net.wait_until_cut(30)
                self.terminate(self.holder())
                net.mend()
                self.assert_fails_cleanly(child, '', 5,
                                          'the session that holds the locks is gone')


if __name__ == '__main__':
    unittest.main()
