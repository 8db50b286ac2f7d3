"""backproof backup of a part of a database, and of columns whose values stay in the server."""
from __future__ import annotations

import hashlib
import re
import subprocess
import unittest
from pathlib import Path

from backing_up import TOKEN, BackupTest, canonical
from git_server import GitServer
from harness import Cluster, Result, clean_env, unwind_on_sigterm

ODD = '"Odd ""S"".x"'
ODD_TABLE = f'{ODD}."T;*"'
SQL = f'''
create schema app;
create schema {ODD};
create schema other;
create type app.mood as enum ('sad', 'ok');
create table app.users (id serial primary key, email text not null, mood app.mood);
create table app.orders (id int primary key, user_id int references app.users, note text);
create table app.log_1 (id int, words text);
create table app.log_2 (id int, words text);
create table other.plain (id int primary key, words text);
create table {ODD_TABLE} ("C c" int, words text);
create table app.parts (id int, words text) partition by range (id);
create table app.parts_low partition of app.parts for values from (0) to (100);
create table app.parts_high partition of app.parts for values from (100) to (200);
create table public.free (id int generated always as identity, words text unique);
create view app.names as select email from app.users;
create materialized view other.numbers as select 1 as n;
create function other.f() returns int language sql as 'select 1';
create index on app.users (mood);
insert into app.users (email, mood) select 'mail' || g, 'ok' from generate_series(1, 20) g;
insert into app.orders select g, g, 'note ' || g from generate_series(1, 10) g;
insert into app.log_1 values (1, 'one');
insert into app.log_2 values (2, 'two');
insert into other.plain values (1, 'word');
insert into {ODD_TABLE} values (1, 'odd');
insert into app.parts select g, 'part ' || g from generate_series(0, 199, 10) g;
insert into public.free (words) select 'free ' || g from generate_series(1, 30) g;
select lo_create(4711);
'''
cluster: Cluster
server: GitServer


def setUpModule() -> None:
    global cluster, server
    unwind_on_sigterm()
    cluster = Cluster()
    cluster.__enter__()
    unittest.addModuleCleanup(cluster.__exit__, None, None, None)
    server = GitServer('x-access-token', TOKEN)
    server.__enter__()
    unittest.addModuleCleanup(server.__exit__, None, None, None)
    cluster.create_db('scope')
    cluster.psql('scope', SQL)


class Bed(BackupTest):
    maxDiff = None

    def setUp(self) -> None:
        self.cluster, self.server = cluster, server
        super().setUp()
        self.env['DATABASE_URL'] = self.url('scope')

    def backup(self, *args: str, **env: str) -> Result:
        return self.run_it('backup', *args, **env)

    def git(self, *words: str, text: bytes = b'') -> bytes:
        return subprocess.run(['git', '-c', 'safe.directory=*', '-C', server.path(self.repo),
                               *words], input=text, check=True, capture_output=True,
                              env=clean_env()).stdout

    def all_pushed(self) -> bytes:
        """Every object of the repository, of every kind."""
        found = self.git('cat-file', '--batch', '--batch-all-objects')
        self.assertIn(b'"format"', found)
        return found

    def blob(self, path: str, commit: str = 'main') -> bytes:
        return self.git('cat-file', 'blob', f'{commit}:backups/current/{path}')

    def tree(self) -> str:
        """All files of the newest archive but those that hold a time."""
        listed = self.git('ls-tree', '-r', 'main:backups/current').decode()
        return ''.join(line + '\n' for line in listed.splitlines() if 'manifest' not in line)

    def options(self) -> dict:
        return self.manifest()['options']

    def tables(self) -> list[str]:
        return [f"{one['schema']}.{one['name']}" for one in self.manifest()['tables']]

    def clone(self) -> Path:
        folder = self.folder / 'clone'
        subprocess.run(['git', 'clone', '-q', server.path(self.repo), folder], check=True,
                       env=clean_env(GIT_CONFIG_COUNT='1', GIT_CONFIG_KEY_0='safe.directory',
                                     GIT_CONFIG_VALUE_0='*'))
        return folder / 'backups' / 'current'

    def restored(self) -> list[str]:
        """Two databases that were empty: by the program and by the script."""
        first, second = self.new_db(), self.new_db()
        self.run_it('restore', 'latest', BACKPROOF_TARGET_URL=self.url(first))
        done = subprocess.run([self.clone() / 'restore.sh'], capture_output=True, text=True,
                              env=clean_env(TARGET_DATABASE_URL=self.url(second)))
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        return [first, second]

    def selected(self, *words: str, db: str = 'scope') -> str:
        """The same by pg_dump, through a database of its own: it keeps what a restore keeps."""
        return canonical(cluster.pg_dump(db, *words))

    def assert_restores_like(self, *words: str) -> None:
        wanted = self.selected(*words)
        for name in self.restored():
            self.assertEqual(wanted.splitlines(), self.selected(db=name).splitlines())


class Selections(Bed):
    def test_only_some_schemas(self) -> None:
        self.backup('--schema', 'app', '--schema', ODD)
        self.assertEqual({'schemas': ['app', ODD]}, self.options())
        self.assertNotIn('other.plain', self.tables())
        self.assertNotIn(b'4711', self.all_pushed())
        self.assert_restores_like('-n', 'app', '-n', ODD)

    def test_all_schemas_but_some(self) -> None:
        self.backup('--exclude-schema', 'app', '--exclude-schema', 'oth*')
        self.assertEqual({'exclude_schemas': ['app', 'oth*']}, self.options())
        self.assertEqual(['Odd "S".x.T;*', 'public.free'], self.tables())
        self.assert_restores_like('-N', 'app', '-N', 'oth*')

    def test_only_some_tables(self) -> None:
        self.backup('--table', 'free')
        self.assertEqual({'tables': ['free']}, self.options())
        self.assertEqual(['public.free'], self.tables())
        self.assert_restores_like('-t', 'free')

    def test_only_tables_that_need_a_schema_and_a_type(self) -> None:
        words = ('--table', 'app.users', '--table', ODD_TABLE)
        self.backup(*words)
        self.assertEqual(['Odd "S".x.T;*', 'app.users'], self.tables())
        name = self.new_db(f"create schema app; create schema {ODD};"
                           "create type app.mood as enum ('sad', 'ok');")
        # The program restores into empty databases only: a person puts this into another one.
        folder = self.clone()
        files = ['database/pre-data.sql', *sorted(str(path.relative_to(folder)) for path in
                                                  folder.glob('**/data*.sql')),
                 'database/sequences.sql', 'database/post-data.sql']
        for file in files:
            cluster.psql(name, (folder / file).read_text())
        self.assertEqual(self.selected(*words).splitlines(),
                         self.selected(*words, db=name).splitlines())

    def test_all_tables_but_some(self) -> None:
        self.backup('--exclude-table', 'app.log_*', '--exclude-table', ODD_TABLE)
        self.assertEqual({'exclude_tables': ['app.log_*', ODD_TABLE]}, self.options())
        pushed = self.all_pushed()
        self.assertNotIn(b'log_1 ', pushed)
        self.assertIn(b'4711', pushed)
        self.assert_restores_like('-T', 'app.log_*', '-T', ODD_TABLE, '--blobs')

    def test_the_definitions_of_some_tables_without_their_rows(self) -> None:
        self.backup('--exclude-table-data', 'app.log_*', '--exclude-table-data', 'app.parts_low',
                    '--exclude-table-data', ODD_TABLE)
        self.assertEqual({'exclude_table_data': ['app.log_*', 'app.parts_low', ODD_TABLE]},
                         self.options())
        self.assertEqual(['app.orders', 'app.parts_high', 'app.users', 'other.plain',
                          'public.free'], self.tables())
        self.assertNotIn(b'part 90', self.all_pushed())
        wanted = self.selected('--exclude-table-data=app.log_*', f'--exclude-table-data={ODD_TABLE}',
                               '--exclude-table-data=app.parts_low')
        for name in self.restored():
            self.assertEqual(without_empty(wanted), without_empty(self.selected(db=name)))

    def test_several_lines_in_the_environment(self) -> None:
        self.backup(BACKPROOF_EXCLUDE_TABLE=f'app.log_1\napp.log_2\n\n{ODD_TABLE}\n')
        self.assertEqual({'exclude_tables': ['app.log_1', 'app.log_2', ODD_TABLE]},
                         self.options())
        self.assert_restores_like('-T', 'app.log_*', '-T', ODD_TABLE)

    def test_all_of_it_together(self) -> None:
        self.backup('--schema', 'app', '--exclude-table', 'app.log_1', '--exclude-table-data',
                    'app.orders', '--mask', "app.users.email='x@example.com'")
        self.assertEqual({'schemas': ['app'], 'exclude_tables': ['app.log_1'],
                          'exclude_table_data': ['app.orders'],
                          'masks': ["app.users.email='x@example.com'"]}, self.options())
        self.assertEqual(['app.log_2', 'app.parts_high', 'app.parts_low', 'app.users'],
                         self.tables())
        for name in self.restored():
            self.assertEqual('0', cluster.psql(name, 'select count(*) from app.orders'))
            self.assertEqual('x@example.com|20', cluster.psql(
                name, 'select email, count(*) from app.users group by 1'))

    def test_nothing_selected_is_nothing_in_the_manifest(self) -> None:
        self.backup()
        self.assertEqual({}, self.manifest().get('options', {}))


def without_empty(dump: str) -> str:
    """pg_dump writes a COPY for a table that is empty, and none for one whose rows it leaves out."""
    return re.sub(r'^--\n-- Data for Name: .*\n--\n\nCOPY .* FROM stdin;\n\\\.\n\n\n', '', dump,
                  flags=re.MULTILINE)


class Mistakes(Bed):
    def test_a_mistyped_pattern_is_named(self) -> None:
        for option, pattern, words in (('--schema', 'ap', "no schema matches --schema 'ap'"),
                                       ('--table', 'app.usres', "--table 'app.usres'"),
                                       ('--table', 'users', "--table 'users'"),
                                       ('--mask', 'app.usres.email=null', "no table 'usres'"),
                                       ('--mask', 'app.users.mail=null', "'mail'"),
                                       ('--exclude-table', 'a.b.c.d', "'a.b.c.d'")):
            with self.subTest(option=option, pattern=pattern):
                self.assert_fails(2, words, 'backup', option, pattern)
                self.assertEqual('', self.tip())

    def test_one_mistyped_pattern_among_good_ones(self) -> None:
        self.assert_fails(2, "'app.usres'", 'backup', BACKPROOF_TABLE='app.users\napp.usres')
        self.assertEqual('', self.tip())

    def test_an_exclude_pattern_that_matches_nothing_warns(self) -> None:
        for option in ('--exclude-schema', '--exclude-table', '--exclude-table-data'):
            with self.subTest(option):
                done = self.backup(option, 'nothing_like_it')
                self.assertRegex(done.err, f"warning: .* matches {option} 'nothing_like_it'")

    def test_a_part_whose_whole_is_left_out_warns(self) -> None:
        done = self.backup('--exclude-table', 'app.parts')
        self.assertRegex(done.err, 'warning: app.parts_high is made from app.parts, which is left')

    def test_no_row_at_all(self) -> None:
        url = self.url(self.new_db('create table t (id int); create table u (id int)'))
        self.assert_fails(1, 'none of the 2 tables', 'backup', DATABASE_URL=url)
        self.assertEqual('', self.tip())
        self.backup('--allow-empty', DATABASE_URL=url)
        self.assertEqual(['public.t', 'public.u'], self.tables())
        for name in self.restored():
            self.assertEqual('0', cluster.psql(name, 'select count(*) from t, u'))

    def test_rows_that_are_all_left_out_are_no_rows(self) -> None:
        self.assert_fails(1, '--allow-empty', 'backup', '--exclude-table-data', '*.*')
        self.assertEqual('', self.tip())
        self.backup('--exclude-table-data', '*.*', '--allow-empty')
        self.assertEqual([], self.tables())


SECRETS_SQL = '''
create table people (id int primary key, name text, mail varchar(20) unique, phone text not null,
                     born date, "Odd ""C"" =" text, pet text);
insert into people select g, 'secret-name-' || g, 'secret-' || g, 'secret-phone-' || g,
    date '1777-07-07', 'secret-odd-' || g, 'pet ' || g from generate_series(1, 50) g;
create table tree (id int, note text) partition by range (id);
create table tree_low partition of tree for values from (0) to (100);
create table tree_high partition of tree for values from (100) to (200) partition by list (id);
create table tree_deep partition of tree_high default;
insert into tree select g, 'secret-note-' || g from generate_series(0, 199) g;
create table "Odd; T" (note text);
insert into "Odd; T" values ('secret-table');
create materialized view seen as select count(*) from people;
'''
MASKS = ['people.name=null', 'people.mail=hash', "people.phone='a phone; \"it''s\"'",
         "people.born=date '2000-01-01' + t.id", 'people."Odd ""C"" ="=upper(\'x\') || id',
         'public.tree.note=md5(note)', '"Odd; T".note=null']


class Masks(Bed):
    def setUp(self) -> None:
        super().setUp()
        self.db = self.new_db(SECRETS_SQL)
        self.env['DATABASE_URL'] = self.url(self.db)

    def test_what_they_hide_is_nowhere(self) -> None:
        self.backup(*(word for mask in MASKS for word in ('--mask', mask)))
        self.assertEqual({'masks': MASKS}, self.options())
        pushed = self.all_pushed()
        for secret in (b'secret-', b'1777-07-07'):
            self.assertNotIn(secret, pushed)
        self.assertIn(b'pet 50', pushed)

    def test_what_they_show_instead_is_restored(self) -> None:
        self.backup(BACKPROOF_MASK='\n'.join(MASKS))
        mail = hashlib.sha256(b'secret-7').hexdigest()[:20]
        for name in self.restored():
            self.assertEqual(f'7||{mail}|a phone; "it\'s"|2000-01-08|X7|pet 7', cluster.psql(
                name, 'select * from people where id = 7'))
            self.assertEqual('50', cluster.psql(name, 'select count(distinct mail) from people'))
            self.assertEqual('200', cluster.psql(
                name, "select count(*) from tree where note = md5('secret-note-' || id)"))
            self.assertEqual('100', cluster.psql(name, 'select count(*) from tree_deep'))
            self.assertEqual('1|0', cluster.psql(
                name, 'select count(*), count(note) from "Odd; T"'))
            self.assertEqual(cluster.pg_dump(self.db, '--schema-only').splitlines(),
                             cluster.pg_dump(name, '--schema-only').splitlines())

    def test_the_same_masks_give_the_same_files(self) -> None:
        words = [word for mask in MASKS for word in ('--mask', mask)]
        self.backup(*words)
        before = self.tree()
        self.backup(*words, '--jobs', '3')
        self.assertEqual(before, self.tree())

    def test_a_mask_that_cannot_be_says_why_and_pushes_nothing(self) -> None:
        for mask, words in (('people.phone=null', 'cannot be null'),
                            ("people.mail='same'", 'is unique'),
                            ('people.born=hash', 'a hash is text'),
                            ('people.name=nope(name)', 'the server says: '),
                            ('people.name=1; drop table people', 'people.name'),
                            ('tree.id=0', 'partition key'),
                            ('people.name', 'people.name')):
            with self.subTest(mask):
                self.assert_fails(2, words, 'backup', '--mask', mask)
                self.assertEqual('', self.tip())

    def test_dumps_of_schemas_would_show_what_they_hide(self) -> None:
        self.assert_fails(2, '--schema-dumps', 'backup', '--schema-dumps', '--mask',
                          'people.name=null')
        self.assertEqual('', self.tip())


class Dumps(Bed):
    def dump_file(self, path: str) -> str:
        file = self.folder / 'one.dump'
        file.write_bytes(self.blob(path))
        return str(file)

    def schema_of(self, path: str, *words: str) -> str:
        """A database that pg_restore made of it, as pg_dump sees it."""
        name = self.new_db()
        if 'public' in path:
            cluster.psql(name, 'drop schema public')
        cluster.run('pg_restore', '--exit-on-error', '--dbname', name, self.dump_file(path))
        return self.selected(*words, db=name)

    def test_each_schema_comes_back_from_its_own(self) -> None:
        self.backup('--schema-dumps')
        self.assertEqual({'schema_dumps': True}, self.options())
        for path, schema in (('public/public.dump', 'public'), ('app/app.dump', 'app'),
                             ('other/other.dump', 'other')):
            with self.subTest(schema):
                words = ('-n', schema, '--no-acl')      # a schema public that is new has others
                self.assertEqual(self.selected(*words).splitlines(),
                                 self.schema_of(path, *words).splitlines())

    def test_an_unchanged_database_gives_the_same_blobs(self) -> None:
        self.backup('--schema-dumps')
        before = self.tree()
        self.assertEqual(4, before.count('.dump\n') + before.count('.dump"\n'), before)
        self.backup('--schema-dumps', '--jobs', '1')
        self.assertEqual(before, self.tree())

    def test_only_selected_schemas_have_one_with_what_is_selected(self) -> None:
        self.backup('--schema-dumps', '--schema', 'app', '--schema', 'other', '--exclude-table',
                    'app.log_1', '--exclude-table-data', 'app.orders')
        self.assertEqual({'app', 'other'}, set(re.findall(r'(\w+)\.dump', self.tree())))
        words = ('-n', 'app', '-T', 'app.log_1', '--exclude-table-data=app.orders')
        self.assertEqual(without_empty(self.selected(*words)),
                         without_empty(self.schema_of('app/app.dump')))

    def test_an_archive_with_dumps_restores_like_any_other(self) -> None:
        self.backup('--schema-dumps')
        self.assert_restores_like()


class Jobs(Bed):
    def test_any_number_of_them_gives_the_same_files(self) -> None:
        self.backup('--jobs', '1')
        before = self.tree()
        for jobs in ('2', '8'):
            self.backup('--jobs', jobs)
            self.assertEqual(before, self.tree(), f'{jobs} jobs')
        self.assert_restores_like()

    def test_a_table_in_slices_gives_the_same_files_as_a_whole_one(self) -> None:
        """It has to take more than 256 MiB on the server: pages with one short row each do."""
        name = self.new_db('''
            create unlogged table large (id int primary key, words text) with (fillfactor = 10);
            insert into large select g, repeat('x', 600) from generate_series(1, 40000) g;
            analyze large;''')
        self.assertLess(256 << 20, int(cluster.psql(name, "select pg_relation_size('large')")))
        cluster.psql('postgres', f"alter database {name} set log_statement = 'all'")
        self.env['DATABASE_URL'] = self.url(name)
        second = r'COPY \(SELECT t\.id, t\.words FROM ONLY public\.large t WHERE t\.id >= '
        self.backup('--jobs', '1')
        before = self.tree()
        self.assertNotRegex(cluster.log(), second)
        self.backup('--jobs', '2')
        self.assertRegex(cluster.log(), second)
        self.assertEqual(before, self.tree())
        self.assertEqual(40000, self.rows('large'))

    def test_too_many_are_refused(self) -> None:
        self.assert_fails(2, '--jobs takes at most 64', 'backup', '--jobs', '65')


if __name__ == '__main__':
    unittest.main()
