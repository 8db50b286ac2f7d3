"""verify: each level is reached by a good archive, and is not by one that is not good."""
from __future__ import annotations

import os
import tempfile
import unittest
from pathlib import Path

from every_object import load_every_object, server_with_extension
from harness import Cluster, unwind_on_sigterm
from proving import Archive, ProvingTest

programs: Path
cluster: Cluster


def setUpModule() -> None:
    global programs, cluster
    unwind_on_sigterm()
    folder = tempfile.TemporaryDirectory(prefix='bp-verify-')
    unittest.addModuleCleanup(folder.cleanup)
    programs = server_with_extension(Path(folder.name))
    cluster = Cluster(bin_dir=programs, settings={'wal_level': 'logical'})
    cluster.__enter__()
    unittest.addModuleCleanup(cluster.__exit__, None, None, None)
    ProvingTest.cluster = cluster


class Good(ProvingTest):
    def test_all_that_a_database_can_hold_is_proved_to_the_last_level(self) -> None:
        load_every_object(cluster, 'every')
        self.backup('every')
        check = self.folder / 'checks.sql'
        check.write_text("-- what matters\nselect count(*) > 3 from pg_tables; select ';' = ';'\n")
        path = f"{programs}:{os.environ['PATH']}"
        done = self.run_it('verify', '--level', 'L5', '--check-sql', str(check), '--format',
                           'json', PATH=path).json
        self.assertEqual(('L5', True, [], []), (done['level'], done['verified'], done['findings'],
                                                done['except']))
        self.assertEqual('L5', self.recorded()['level'])
        self.assertGreater(done['recovery_ms'], 0)

    def test_the_result_is_written_into_the_manifest_and_nothing_else_changes(self) -> None:
        self.backup(self.new_db())
        done = self.run_it('verify')
        self.assertIn(': proved to L3 in ', done.out)
        self.assertRegex(self.subject(), r'^verify: \S+ reached L3$')
        changed = self.git('-C', self.repo, 'diff', '--name-only', 'main~', 'main').split()
        self.assertEqual(['manifest.json'], [Path(name).name for name in changed[:1]])
        self.assertEqual({'backups/current/manifest.json'}, {name for name in changed
                                                             if 'latest_' not in name})
        self.assertEqual(2, len(changed))
        self.assertIn('L3', self.run_it('list').out)

    def test_an_older_archive_is_proved_and_the_newest_stays_as_it_is(self) -> None:
        db = self.new_db()
        self.backup(db)
        first = self.run_it('list', '--format', 'json').json['archives'][0]['id']
        self.backup(db)
        done = self.run_it('verify', first, '--format', 'json').json
        self.assertEqual((first, 'L3'), (done['id'], done['level']))
        changed = self.git('-C', self.repo, 'diff', '--name-only', 'main~', 'main').split()
        self.assertEqual(1, len(changed))
        self.assertTrue(changed[0].startswith('backups/archive/'))
        self.assertEqual({}, self.recorded())

    def test_less_does_not_take_back_what_was_proved(self) -> None:
        self.backup(self.new_db())
        self.run_it('verify', '--level', 'L2')
        before = self.tip()
        self.assertEqual('', self.run_it('verify', '--level', 'L1', '--format', 'json')
                         .json['commit'])
        self.assertEqual(before, self.tip())

    def test_nothing_is_written_when_it_shall_not_be(self) -> None:
        self.backup(self.new_db())
        before = self.tip()
        for words in (['--no-record'], ['--dry-run']):
            self.run_it('verify', '--level', 'L1', *words)
        self.assertEqual(before, self.tip())

    def test_parts_and_masks_are_proved_by_the_same_rules(self) -> None:
        sql = '''create schema app; create schema other;
                 create table app.t (id int primary key, mail text unique);
                 insert into app.t select i, 'm' || i from generate_series(1, 50) i;
                 create table other.u (id int primary key); insert into other.u values (1);
                 create table public.heap (a text, b int);
                 insert into public.heap select md5(i::text), i from generate_series(1, 50) i;'''
        db = self.new_db(sql)
        for words in (['--schema', 'app'], ['--table', 'heap'], ['--exclude-schema', 'other'],
                      ['--exclude-table-data', 'app.t'],
                      ['--mask', 'app.t.mail=hash', '--mask', "heap.a=null"]):
            with self.subTest(words):
                self.backup(db, *words, '--backup-branch', words[1])
                done = self.run_it('verify', '--level', 'L4', '--format', 'json',
                                   '--backup-branch', words[1]).json
                self.assertEqual(('L4', []), (done['level'], done['findings']))

    def test_tables_without_their_schema_are_proved_as_far_as_that_goes(self) -> None:
        db = self.new_db('create schema app; create table app.t as select 1')
        self.backup(db, '--table', 'app.t')
        done = self.run_it('verify', '--format', 'json', status=1).json
        self.assertEqual(('L1', False), (done['level'], done['verified']))
        self.assertIn("tables of schema 'app' and not the schema", done['except'][0])


class Bad(ProvingTest):
    def setUp(self) -> None:
        super().setUp()
        self.backup(self.new_db())

    def refuse(self, level: str | None, words: str, *, wanted: str = 'L3', status: int = 8,
               **env: str) -> dict:
        """The archive reaches this level only."""
        done = self.run_it('verify', '--level', wanted, '--format', 'json', status=status, **env)
        self.assertEqual(level, done.json['level'], str(done))
        self.assertIn(words, '\n'.join(done.json['except'] + done.json['findings']))
        self.assertIn('error: archive ', done.err)
        self.assertFalse(done.json['verified'])
        return done.json

    def test_a_flipped_byte(self) -> None:
        self.run_it('verify', '--level', 'L1')
        self.change(lambda a: a.replace('public/tables/users/data.sql', 'bob', 'bod'))
        self.refuse(None, "the checksum of 'public/tables/users/data.sql' is wrong")
        self.assertEqual({}, self.recorded(next(
            'backups/latest/' + name for name in self.git(
                '-C', self.repo, 'ls-tree', '--name-only', 'main:backups/latest').split())))
        self.assertRegex(self.subject(), '^verify: .* is damaged$')

    def test_a_missing_file(self) -> None:
        self.change(lambda a: (a.path / 'database/sequences.sql').unlink())
        self.refuse(None, "lacks the file 'database/sequences.sql'", wanted='L0')

    def test_an_extra_file(self) -> None:
        self.change(lambda a: (a.path / 'database/zzz.sql').write_text('drop table users'))
        self.refuse(None, "holds 'database/zzz.sql', which its manifest does not list")

    def test_a_row_of_too_many_values(self) -> None:
        def edit(archive: Archive) -> None:
            archive.replace('public/tables/users/data.sql', 'bob\t', 'bob\tx\t')
            archive.sign_off()
        self.change(edit)
        self.refuse('L0', "'public/tables/users/data.sql': row 2 does not have 3 values")

    def test_a_checksum_of_a_table_that_is_not_that_of_its_files(self) -> None:
        def edit(archive: Archive) -> None:
            manifest = archive.manifest
            manifest['tables'][0]['sha256'] = '0' * 64
            archive.describe(manifest)
        self.change(edit)
        self.refuse('L0', "checksum of it is not that of its files")

    def test_a_row_that_does_not_load(self) -> None:
        def edit(archive: Archive) -> None:
            archive.replace('public/tables/users/data.sql', '2\tbob', 'two\tbob')
            archive.sign_off()
        self.change(edit)
        self.refuse('L1', 'invalid input syntax')
        self.assertEqual('L1', self.recorded(next(
            'backups/latest/' + name for name in self.git(
                '-C', self.repo, 'ls-tree', '--name-only', 'main:backups/latest').split()))['level'])

    def test_a_row_that_becomes_another_one(self) -> None:
        def edit(archive: Archive) -> None:
            archive.replace('public/tables/users/data.sql', '2.25', '+2.25')
            archive.sign_off()
        self.change(edit)
        self.refuse('L2', "table 'public.users': its 3 rows in the restored database are not those "
                          "of the source")

    def test_rows_that_the_restore_itself_adds(self) -> None:
        def edit(archive: Archive) -> None:
            archive.replace('database/post-data.sql', 'CREATE INDEX users_name',
                            "INSERT INTO public.no_key VALUES ('c');\nCREATE INDEX users_name")
            archive.sign_off()
        self.change(edit)
        self.refuse('L2', "table 'public.no_key' has 4 rows in the restored database, 3 in the "
                          "archive")

    def test_a_large_object_that_is_another_one(self) -> None:
        def edit(archive: Archive) -> None:
            archive.replace('database/post-data.sql', 'CREATE INDEX users_name',
                            "SELECT pg_catalog.lo_put(4711, 0, 'X');\nCREATE INDEX users_name")
            archive.sign_off()
        self.change(edit)
        self.refuse('L2', 'large objects are not those')

    def test_a_definition_that_becomes_another_one(self) -> None:
        def edit(archive: Archive) -> None:
            archive.replace('database/pre-data.sql', 'name text', 'name  text')
            archive.sign_off()
        self.change(edit)
        done = self.refuse('L3', "'database/pre-data.sql' is not what the restored database gives",
                           wanted='L4')
        self.assertIn('-    name  text', done['findings'][0])
        self.assertIn('+    name text', done['findings'][0])

    def test_checks_that_do_not_return_true(self) -> None:
        check = self.folder / 'checks.sql'
        check.write_text('select true; select false; select null::bool; select true from users;\n'
                         'select no_such_column; select count(*) = 3 from users')
        done = self.refuse('L4', 'check 2 of 6 (select false;): it returned false', wanted='L5',
                           BACKPROOF_CHECK_SQL=str(check))
        self.assertEqual(4, len(done['findings']))
        self.assertIn('it returned 3 rows', done['findings'][2])

    def test_an_extension_that_is_missing_here(self) -> None:
        def edit(archive: Archive) -> None:
            archive.replace('database/pre-data.sql', '-- Name: users; Type: TABLE;',
                            '-- Name: no_such_thing; Type: EXTENSION; Schema: -; Owner: -\n--\n\n'
                            'CREATE EXTENSION IF NOT EXISTS no_such_thing WITH SCHEMA public;\n\n'
                            '--\n-- Name: users; Type: TABLE;')
            archive.sign_off()
        self.change(edit)
        done = self.refuse('L1', "extension 'no_such_thing' is not available", status=1)
        self.assertNotEqual([], done['except'])
        text = self.run_it('verify', '--level', 'L3', status=1).out
        self.assertIn('verified, with exceptions, to L1', text)

    def test_a_server_that_is_too_old(self) -> None:
        def edit(archive: Archive) -> None:
            manifest = archive.manifest
            manifest['database']['server_version_num'] = 990001
            archive.describe(manifest)
        self.change(edit)
        self.assert_fails(4, 'install postgresql-99, or give an empty database with --scratch-url',
                          'verify')


class Commands(ProvingTest):
    def test_the_last_level_needs_checks(self) -> None:
        self.assert_fails(2, '--check-sql names a file', 'verify', '--level', 'L5')

    def test_a_file_of_checks_that_is_none(self) -> None:
        check = self.folder / 'checks.sql'
        for text, words in (('-- nothing\n', 'holds no query'), ("select 'x", 'without an end'),
                            ('\\dt\n', 'a command of psql')):
            check.write_text(text)
            self.assert_fails(2, words, 'verify', '--check-sql', str(check))

    def test_an_id_and_a_time_are_too_much(self) -> None:
        self.assert_fails(2, 'an ID and --at', 'verify', 'latest', '--at', '2024-01-01')


if __name__ == '__main__':
    unittest.main()
