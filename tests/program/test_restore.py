"""backproof restore by several connections: the same database as in one transaction."""
from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

import test_every_object as every
from backing_up import canonical
from every_object import load_every_object, server_with_extension
from harness import SCHEMAS, Cluster, ProgramTest, sample_cluster, unwind_on_sigterm

source: Cluster
shop: Cluster
folder: Path
serial = 0


def setUpModule() -> None:
    global source, shop, folder
    unwind_on_sigterm()
    temp = tempfile.TemporaryDirectory(prefix='bp-restore-')
    unittest.addModuleCleanup(temp.cleanup)
    folder = Path(temp.name)
    every.programs = server_with_extension(folder)
    source = every.source = every.new_cluster(unittest.addModuleCleanup)
    load_every_object(source, 'every')
    every.back_up(source, 'every', folder)
    shop = sample_cluster()
    unittest.addModuleCleanup(shop.__exit__, None, None, None)
    shop.create_db('shop', SCHEMAS / 'shop.sql')
    every.back_up(shop, 'shop', folder)


class EveryObject(every.EveryObject):
    """Of its tests only what compares."""
    jobs = 4

    def restored(self) -> Cluster:
        cluster = every.new_cluster(self.addCleanup)
        cluster.create_db('every')
        self.run_it('restore', 'latest', '--backup-repo', str(folder / 'every.git'), '--jobs',
                    str(self.jobs), BACKPROOF_TARGET_URL=cluster.url('every'), **every.SAFE)
        return cluster

    def test_four_connections(self) -> None:
        self.assert_same(self.restored())

    def test_one_transaction(self) -> None:
        self.jobs = 1
        self.assert_same(self.restored())


for name in dir(every.EveryObject):
    if name.startswith('test_'):
        setattr(EveryObject, name, None)


class Shop(ProgramTest):
    def setUp(self) -> None:
        global serial
        super().setUp()
        serial += 1
        self.db = f'new{serial}'
        shop.create_db(self.db)
        self.addCleanup(shop.psql, 'postgres', f'drop database {self.db} with (force)')
        self.env = {**every.SAFE, 'BACKPROOF_BACKUP_REPO': str(folder / 'shop.git'),
                    'BACKPROOF_TARGET_URL': shop.url(self.db)}

    def assert_restored(self) -> None:
        self.assertEqual(canonical(shop.pg_dump('shop')), canonical(shop.pg_dump(self.db)))

    def test_each_number_of_connections_gives_the_same(self) -> None:
        for jobs in ('1', '2', '4'):
            with self.subTest(jobs):
                self.run_it('restore', 'latest', '--jobs', jobs, '--clean', '--yes')
                self.assert_restored()

    def test_the_statistics_are_there(self) -> None:
        for jobs in ('1', '2'):
            with self.subTest(jobs):
                self.run_it('restore', 'latest', '--jobs', jobs, '--clean', '--yes')
                self.assertNotEqual('0', shop.psql(self.db, """select count(*) from pg_stats
                    where schemaname = 'shop'"""))

    def test_the_archive_of_a_time(self) -> None:
        made = self.run_it('restore', '--at', '2099-01-01T00:00Z', '--format', 'json').json
        self.assertEqual(1760, made['rows'])
        self.assertEqual([], made['failures'])
        self.assert_fails(4, '', 'restore', '--at', '2000-01-01T00:00Z')

    def test_a_dry_run_tells_the_plan_and_changes_nothing(self) -> None:
        shop.psql(self.db, 'create table mine (a int)')
        said = self.run_it('restore', 'latest', '--dry-run', '--clean', '--jobs', '2').out
        for words in ('  TABLE shop.orders\n', '  "shop"."orders": ', '  table public.mine\n'):
            self.assertIn(words, said)
        self.assertEqual('mine', shop.psql(self.db, """select string_agg(relname, ' ')
            from pg_class where relnamespace::regnamespace::text !~ '^pg_|^information_schema'"""))

    def test_a_table_goes_beside_what_is_there(self) -> None:
        shop.psql(self.db, 'create table mine (a int)')
        self.run_it('restore', 'latest', '--table', 'shop.order_items', '--into-schema', 'old')
        count = 'select count(*) from {}'
        self.assertEqual(shop.psql('shop', count.format('shop.order_items')),
                         shop.psql(self.db, count.format('old.order_items')))
        self.assert_fails(2, 'has such tables already (table "old"."order_items"); hint: ', 'restore',
                          'latest', '--table', 'shop.order_items', '--into-schema', 'old')
        shop.psql(self.db, 'delete from old.order_items')
        self.run_it('restore', 'latest', '--table', 'shop.order_items', '--into-schema', 'old',
                    '--clean', '--yes')
        self.assertEqual(shop.psql('shop', count.format('shop.order_items')),
                         shop.psql(self.db, count.format('old.order_items')))
        self.assertEqual('0', shop.psql(self.db, count.format('mine')))


if __name__ == '__main__':
    unittest.main()
