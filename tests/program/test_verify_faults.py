"""verify: an archive that is not good does not reach the level that would hide it."""
from __future__ import annotations

import unittest

from harness import Cluster, unwind_on_sigterm
from proving import Archive, ProvingTest

cluster: Cluster


def setUpModule() -> None:
    global cluster
    unwind_on_sigterm()
    cluster = Cluster()
    cluster.__enter__()
    unittest.addModuleCleanup(cluster.__exit__, None, None, None)
    ProvingTest.cluster = cluster


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


if __name__ == '__main__':
    unittest.main()
