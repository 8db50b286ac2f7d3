"""What a database may be besides its objects: encodings, settings, guarded rows, odd triggers."""
from __future__ import annotations

import subprocess
import unittest

from harness import Cluster, ProgramTest, clean_env, unwind_on_sigterm
from test_every_object import SAFE, digests, dump, run

cluster: Cluster
serial = 0


def setUpModule() -> None:
    global cluster
    unwind_on_sigterm()
    cluster = Cluster()
    cluster.__enter__()
    unittest.addModuleCleanup(cluster.__exit__, None, None, None)


class Bed(ProgramTest):
    maxDiff = None

    def setUp(self) -> None:
        global serial
        super().setUp()
        serial += 1
        self.repo = self.folder / 'backups.git'
        self.db = f'db{serial}'
        subprocess.run(['git', 'init', '-q', '--bare', self.repo], check=True, env=clean_env())
        self.env = {'BACKPROOF_BACKUP_REPO': str(self.repo), **SAFE}

    def create(self, name: str, encoding: str = 'UTF8') -> str:
        run(cluster, 'createdb', '-T', 'template0', '-E', encoding, '--locale=C', name)
        self.addCleanup(cluster.psql, 'postgres', f'drop database {name} with (force)')
        return name

    def make(self, text: str | bytes, encoding: str = 'UTF8') -> None:
        text = text if isinstance(text, bytes) else text.encode()
        self.create(self.db, encoding)
        run(cluster, 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', self.db, text=text)

    def backup(self, **env: str) -> None:
        self.run_it('backup', **{'DATABASE_URL': cluster.url(self.db), **env})

    def restored(self, encoding: str = 'UTF8') -> str:
        name = self.create(f'{self.db}_restored', encoding)
        self.run_it('restore', 'latest', BACKPROOF_TARGET_URL=cluster.url(name))
        return name

    def restored_by_script(self, encoding: str = 'UTF8') -> str:
        name = self.create(f'{self.db}_by_script', encoding)
        clone = self.folder / 'clone'
        subprocess.run(['git', 'clone', '-q', '-b', 'main', self.repo, clone], check=True,
                       env=clean_env(**SAFE))
        done = subprocess.run([clone / 'backups/current/restore.sh'], capture_output=True,
                              env=clean_env(TARGET_DATABASE_URL=cluster.url(name)))
        self.assertEqual((0, b''), (done.returncode, done.stderr))
        return name

    def plain(self, name: str) -> bytes:
        """Its dump, as if each database had the same name."""
        return dump(cluster, name).replace(name.encode(), b'db')

    def round_trip(self, text: str | bytes, encoding: str = 'UTF8') -> None:
        self.make(text, encoding)
        self.backup()
        wanted = self.plain(self.db)
        for name in (self.restored(encoding), self.restored_by_script(encoding)):
            self.assertEqual(wanted.split(b'\n'), self.plain(name).split(b'\n'))
            if encoding != 'SQL_ASCII':
                self.assertEqual(digests(cluster, self.db), digests(cluster, name))


class Encodings(Bed):
    TEXT = '''
        create schema "{0}";
        create type "{0}"."typ {0}" as enum ('{0}', 'x');
        create table "{0}"."tab {0}" ("col {0}" text primary key, e "{0}"."typ {0}" default '{0}',
            check ("col {0}" <> '{0}{0}'));
        insert into "{0}"."tab {0}" values ('{0}'), (E'\\\\'), ('a'), ('{0} tab\t{0}');
        create function "{0}"."f {0}"() returns text language sql as $$select '{0}'$$;
        create materialized view "{0}"."mat {0}" as select "col {0}" || '{0}' from "{0}"."tab {0}";
        create sequence "{0}"."seq {0}";
        comment on table "{0}"."tab {0}" is '{0}';
        select lo_from_bytea(77, '\\x00ff');
        comment on large object 77 is E'{0}\n{0}';
        alter database {1} set my.words = '{0}';
    '''

    def check(self, encoding: str, words: str) -> None:
        with self.subTest(encoding):
            self.setUp()
            sql = self.TEXT.format(words, self.db)
            self.round_trip(f"set client_encoding = 'UTF8';\n{sql}", encoding)

    def test_every_encoding_of_a_server(self) -> None:
        for encoding, words in (
                ('LATIN1', 'äöüß£'), ('LATIN9', 'äö€Š'), ('WIN1252', '“ä”€'), ('WIN1251', 'Ключ'),
                ('KOI8R', 'Ключ'), ('ISO_8859_5', 'Ключ'), ('EUC_JP', '日本語ソ表'),
                ('EUC_KR', '한국어'), ('EUC_CN', '中文'), ('EUC_TW', '中文'),
                ('EUC_JIS_2004', '日本語ソ'), ('UTF8', '日本語😀')):
            self.check(encoding, words)

    def test_no_encoding_at_all_with_bytes_that_are_no_utf_8(self) -> None:
        """But for the names of tables and their schemas, which stand in the manifest."""
        text = self.TEXT.replace('"tab {0}"', 'tab').replace('"{0}"', 's')
        self.round_trip(text.format('WORDS', self.db).encode()
                        .replace(b'WORDS', b'\xe4\xff\xc3\x28 \x80'), 'SQL_ASCII')


class Settings(Bed):
    def test_settings_of_the_database_change_nothing_of_what_is_written(self) -> None:
        """Each of them changes how a session writes or reads something."""
        self.make(f'''
            create table t (id int primary key, b bytea, f float8, ts timestamptz, i interval,
                t text default E'back\\\\slash', m money, x xml, a text[], d date);
            insert into t values (1, '\\x00ff5c', 1.0 / 3, '2020-02-03 04:05:06.789+00',
                '-1 year 2 days 3:04:05.6', E'\\\\', 12.34, '<a/>text', '{{NULL,"NULL"}}',
                '2020-02-03');
            create view v as select id, '1 day -1 hour'::interval, '2020-02-03'::date, E'\\\\'::text
                as t, null::text = any (a) as n, '5.00'::money as m from t;
            create sequence "s\\q";
            select setval('"s\\q"', 7);
            select lo_from_bytea(78, 'x');
            comment on large object 78 is E'a\\nb\\\\';
            alter database {self.db} set bytea_output = escape;
            alter database {self.db} set extra_float_digits = -15;
            alter database {self.db} set datestyle = 'SQL, DMY';
            alter database {self.db} set intervalstyle = sql_standard;
            alter database {self.db} set standard_conforming_strings = off;
            alter database {self.db} set escape_string_warning = on;
            alter database {self.db} set backslash_quote = off;
            alter database {self.db} set quote_all_identifiers = on;
            alter database {self.db} set xmloption = document;
            alter database {self.db} set array_nulls = off;
            alter database {self.db} set timezone = 'Asia/Kathmandu';
            alter database {self.db} set search_path = '';
            alter database {self.db} set row_security = off;
            alter database {self.db} set default_transaction_read_only = on;
            alter database {self.db} set default_transaction_isolation = serializable;
            alter database {self.db} set client_encoding = 'LATIN1';
            alter database {self.db} set lc_messages = 'C';
            alter database {self.db} set transform_null_equals = on;
            alter database {self.db} set statement_timeout = '1h';
            alter database {self.db} set enable_seqscan = off;
            alter database {self.db} set default_toast_compression = pglz;
            alter database {self.db} set check_function_bodies = on;
            alter database {self.db} set client_min_messages = debug1;
        ''')
        self.backup()
        names = (self.restored(), self.restored_by_script())
        for name in (self.db, *names):
            cluster.psql('postgres', f'alter database {name} reset default_transaction_read_only')
        for name in names:
            self.assertEqual(self.plain(self.db).split(b'\n'), self.plain(name).split(b'\n'))


class Traps(Bed):
    def test_an_event_trigger_that_forbids_refreshing_does_not_see_the_restore(self) -> None:
        self.round_trip("""
            create table t (id int primary key);
            insert into t values (1);
            create materialized view m as select * from t;
            create function f() returns event_trigger language plpgsql as
                $$begin raise exception 'seen: %', tg_tag; end$$;
            create event trigger e on ddl_command_start execute function f();
            comment on event trigger e is 'sees all';
        """)

    def test_rows_whose_partition_depends_on_an_enum_inside_of_something(self) -> None:
        self.make("""
            create type mood as enum ('a', 'b', 'c', 'd', 'e');
            create type pair as (m mood, n int);
            create type span as range (subtype = mood);
            create domain d as mood;
            create table by_array (m mood[]) partition by hash (m);
            create table by_row (m pair) partition by hash (m);
            create table by_range (m span) partition by hash (m);
            create table by_multirange (m span_multirange) partition by hash (m);
            create table by_domain (m d) partition by hash (m);
            do $$
            declare t text;
            begin
              foreach t in array array['by_array', 'by_row', 'by_range', 'by_multirange',
                                       'by_domain'] loop
                for i in 0..6 loop
                  execute format('create table %s_%s partition of %1$s for values with '
                                 '(modulus 7, remainder %2$s)', t, i);
                end loop;
              end loop;
            end
            $$;
            insert into by_array select array[m] from unnest(enum_range(null::mood)) m;
            insert into by_row select (m, 1)::pair from unnest(enum_range(null::mood)) m;
            insert into by_range select span(m, 'e', '[]') from unnest(enum_range(null::mood)) m;
            insert into by_multirange select span_multirange(m) from by_range r;
            insert into by_domain select m from unnest(enum_range(null::mood)) m;
        """)
        self.backup()
        for name in (self.restored(), self.restored_by_script()):
            for table in ('by_array', 'by_row', 'by_range', 'by_multirange', 'by_domain'):
                rows = f'select m::text from {table} order by 1'
                self.assertEqual(cluster.psql(self.db, rows), cluster.psql(name, rows))

    def test_a_security_label_without_its_provider_is_an_error_that_names_it(self) -> None:
        self.make("""
            create table t (id int);
            set allow_system_table_mods = on;
            insert into pg_seclabel values ('t'::regclass, 'pg_class'::regclass, 0, 'guard',
                'secret');
        """)
        self.backup(BACKPROOF_ALLOW_EMPTY='1')
        name = self.create(f'{self.db}_new')
        self.assert_fails(1, 'security label provider "guard" is not loaded', 'restore', 'latest',
                          BACKPROOF_TARGET_URL=cluster.url(name))

    def test_a_shell_type_alone_makes_a_target_not_empty(self) -> None:
        self.make('create table t (id int)')
        self.backup(BACKPROOF_ALLOW_EMPTY='1')
        name = self.create(f'{self.db}_new')
        cluster.psql(name, 'create type s')
        self.assert_fails(2, 'holds 1 objects (type public.s)', 'restore', 'latest',
                          BACKPROOF_TARGET_URL=cluster.url(name))


class RowSecurity(Bed):
    TABLE = '''create table guarded (id int, owner text);
               insert into guarded values (1, 'me'), (2, 'you');
               alter table guarded enable row level security;
               create policy p on guarded using (owner = 'me');
               create table open (id int);
               insert into open values (1);'''

    def setUp(self) -> None:
        super().setUp()
        self.role = f'role{serial}'
        cluster.create_role(self.role, 'secret')
        self.addCleanup(cluster.psql, 'postgres', f'drop role {self.role}')

    def as_role(self) -> dict[str, str]:
        return {'DATABASE_URL': cluster.url(self.db, self.role, password='secret')}

    def refuses(self, names: str = 'public.guarded') -> None:
        self.assert_fails(3, f"hides rows from user '{self.role}' in: {names}; hint:", 'backup',
                          **self.as_role())
        self.assertEqual([], list((self.repo / 'refs/heads').iterdir()))

    def test_a_reader_whom_a_policy_hides_rows_from(self) -> None:
        self.make(f'{self.TABLE} grant pg_read_all_data to {self.role};')
        self.refuses()

    def test_a_reader_without_any_policy_sees_none_of_the_rows(self) -> None:
        self.make(f'{self.TABLE} drop policy p on guarded; grant pg_read_all_data to {self.role};')
        self.refuses()

    def test_an_owner_on_whom_it_is_forced(self) -> None:
        self.make(f'''{self.TABLE} alter table guarded force row level security;
                      alter table guarded owner to {self.role};
                      alter table open owner to {self.role};''')
        self.refuses()

    def test_each_such_table_is_named(self) -> None:
        self.make(f'''{self.TABLE} create table "se;c" (id int) partition by list (id);
                      create table leaf partition of "se;c" default;
                      alter table leaf enable row level security;
                      grant pg_read_all_data to {self.role};''')
        self.refuses('public.guarded, public.leaf')

    def test_an_owner_and_a_role_with_bypassrls_see_all(self) -> None:
        self.make(f'''{self.TABLE} alter table guarded owner to {self.role};
                      alter table open owner to {self.role};''')
        self.backup(**self.as_role())
        cluster.psql(self.db, f'''alter table guarded owner to postgres;
            alter table open owner to postgres; alter table guarded force row level security;
            alter role {self.role} bypassrls; grant pg_read_all_data to {self.role}''')
        self.backup(**self.as_role())
        self.assertEqual('2', cluster.psql(self.restored(), 'select count(*) from guarded'))

    def test_policies_of_a_partitioned_table_hide_nothing_from_who_reads_its_parts(self) -> None:
        self.make(f'''create table root (id int) partition by list (id);
                      create table part partition of root default;
                      insert into root values (1), (2);
                      alter table root enable row level security;
                      grant pg_read_all_data to {self.role};''')
        self.backup(**self.as_role())
        self.assertEqual('2', cluster.psql(self.restored(), 'select count(*) from part'))


if __name__ == '__main__':
    unittest.main()
