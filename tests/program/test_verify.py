"""verify: each level is reached by a good archive, and that is written down."""
from __future__ import annotations

import os
import tempfile
import unittest
from pathlib import Path

from every_object import load_every_object, server_with_extension
from harness import Cluster, unwind_on_sigterm
from proving import ProvingTest

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
