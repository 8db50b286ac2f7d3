"""A branch with 1,000 archives costs what one with 10 does: bytes and objects on the wire, counted
by the server."""
from __future__ import annotations

import unittest
from dataclasses import dataclass

from backing_up import TOKEN, BackupTest
from harness import Cluster, unwind_on_sigterm
from git_server import GitServer
import many_archives

FEW, MANY = 10, 1000
TABLES = 6
SQL = ''.join(f'create table t{n} (id int primary key, body text);'
              f'insert into t{n} select i, md5((i * {n + 1})::text) from generate_series(1, 500) i;'
              for n in range(TABLES))
cluster: Cluster
server: GitServer


def setUpModule() -> None:
    global cluster, server
    unwind_on_sigterm()
    cluster = Cluster()
    cluster.__enter__()
    unittest.addModuleCleanup(cluster.__exit__, None, None, None)
    server = GitServer('x-access-token', TOKEN, watch=True)
    server.__enter__()
    unittest.addModuleCleanup(server.__exit__)


@dataclass
class Cost:
    """Of one run, as the server saw it."""
    sent: int                   # bytes that the program pushed
    received: int               # bytes of all answers
    pushed: int                 # objects
    fetched: dict[str, str]     # objects: their kinds by id
    strangers: set[str]         # fetched files that are no manifest

    @property
    def files(self) -> int:
        return sum(kind == 'blob' for kind in self.fetched.values())


class ManyArchives(BackupTest):
    costs: dict[int, Cost] = {}     # of one more backup, by the number of archives

    def setUp(self) -> None:
        self.cluster, self.server = cluster, server
        super().setUp()

    def fill(self, count: int) -> None:
        many_archives.make(server.path(self.repo), count)

    def manifests(self) -> set[str]:
        """Every content that a manifest.json of the branch ever had."""
        lines = server.git(self.repo, 'rev-list', '--objects', 'main').splitlines()
        return {line.split()[0] for line in lines if line.endswith('/manifest.json')}

    def measure(self, *args: str, **env: str) -> Cost:
        sent, seen = server.received(self.repo), len(server.accesses(self.repo))
        server.forget()
        self.run_it(*args, **env)
        fetched = dict(server.sent_objects(self.repo))
        return Cost(server.received(self.repo) - sent,
                    sum(one.sent for one in server.accesses(self.repo)[seen:]),
                    server.pushed_objects(), fetched,
                    {name for name, kind in fetched.items() if kind == 'blob'} - self.manifests())

    def one_more(self, count: int) -> Cost:
        """A backup of a database that is as the tip has it, on top of so many archives."""
        if count not in self.costs:
            self.use_new_repo()
            self.fill(count)
            url = self.url(self.new_db(SQL))
            self.run_it('backup', DATABASE_URL=url)
            self.costs[count] = self.measure('backup', DATABASE_URL=url)
            self.assertEqual(count + 2, self.commits())
            server.fsck(self.repo)
        return self.costs[count]

    # One more backup

    def test_sends_a_few_kib(self) -> None:
        for count in (FEW, MANY):
            with self.subTest(archives=count):
                self.assertLess(self.one_more(count).sent, 64 << 10)

    def test_sends_as_much_to_a_large_branch_as_to_a_small_one(self) -> None:
        sizes = sorted(self.one_more(count).sent for count in (FEW, MANY))
        self.assertLessEqual(sizes[1], 1.2 * sizes[0])

    def test_sends_its_manifest_and_the_folders_above_it(self) -> None:
        # The commit, the folders /, backups, archive, latest, the archive's own, and the manifest.
        for count in (FEW, MANY):
            with self.subTest(archives=count):
                self.assertEqual(7, self.one_more(count).pushed)

    def test_fetches_no_file_but_manifests(self) -> None:
        for count in (FEW, MANY):
            with self.subTest(archives=count):
                cost = self.one_more(count)
                self.assertEqual(set(), cost.strangers)
                self.assertLessEqual(cost.files, 1)     # that of the archive that moves

    def test_fetches_the_folders_of_one_archive(self) -> None:
        # The commit, some folders above the archive, a few in it and one for each table.
        for count in (FEW, MANY):
            with self.subTest(archives=count):
                self.assertLessEqual(len(self.one_more(count).fetched), 20 + TABLES)
        self.assertEqual(len(self.one_more(FEW).fetched), len(self.one_more(MANY).fetched))

    def test_an_earlier_archive_costs_its_entry_in_one_folder(self) -> None:
        more = self.one_more(MANY).received - self.one_more(FEW).received
        self.assertLessEqual(more, 64 * (MANY - FEW))

    # What it says of the branch's size

    def test_tells_about_what_it_pushed_and_what_the_branch_holds(self) -> None:
        url = self.url(self.new_db('create table t (id int primary key, body text); insert into t '
                                   'select i, md5(i::text) from generate_series(1, 20000) i'))
        first = self.run_it('backup', '--format', 'json', DATABASE_URL=url).json
        received = server.received(self.repo)
        self.assertGreater(first['pushed_bytes'], 0.8 * received)
        self.assertLess(first['pushed_bytes'], 1.2 * received)
        self.assertEqual(first['pushed_bytes'], first['store_bytes'])
        second = self.run_it('backup', '--format', 'json', DATABASE_URL=url).json
        self.assertLess(second['pushed_bytes'], 64 << 10)
        self.assertEqual(first['store_bytes'] + second['pushed_bytes'], second['store_bytes'])
        self.assertIn(f'\nStore: {second["store_bytes"]} bytes, {first["store_bytes"]} at ',
                      server.git(self.repo, 'log', '-1', '--format=%B', 'main'))

    def test_of_a_branch_that_it_did_not_count_it_tells_the_least(self) -> None:
        self.fill(FEW)
        url = self.url(self.new_db(SQL))
        self.assertRegex(self.run_it('backup', DATABASE_URL=url).out, r'\n  holds   at least \d')
        self.assertIn('\nStore: at least ', server.git(self.repo, 'log', '-1', '--format=%B',
                                                       'main'))

    # Reading

    def test_lists_five_of_many_by_their_manifests(self) -> None:
        self.fill(MANY)
        cost = self.measure('list', '--limit', '5')
        self.assertEqual(set(), cost.strangers)
        self.assertLessEqual(cost.files, 16)
        self.assertLessEqual(len(cost.fetched), 45)     # an archive: its folder and its manifest

    def test_shows_one_of_many_by_its_manifest(self) -> None:
        self.fill(MANY)
        cost = self.measure('show', many_archives.archive_id(MANY // 2))
        self.assertEqual(set(), cost.strangers)
        self.assertLessEqual(cost.files, 2)             # and the one before it
        self.assertLessEqual(len(cost.fetched), 15)

    # Servers

    def test_a_server_that_allows_few_filters_sends_no_rows_either(self) -> None:
        self.fill(FEW)
        server.allow_filters(self.repo)
        url = self.url(self.new_db(SQL))
        self.run_it('backup', DATABASE_URL=url)
        cost = self.measure('backup', DATABASE_URL=url)
        self.assertEqual(set(), cost.strangers)
        self.assertEqual(7, cost.pushed)
        self.assertEqual(FEW + 2, self.commits())

    # What all this is measured with

    def test_the_archives_made_for_this_are_such_as_the_program_makes(self) -> None:
        self.fill(FEW)
        listed = self.run_it('list', '--format', 'json').json['archives']
        self.assertEqual([many_archives.archive_id(n) for n in reversed(range(FEW))],
                         [one['id'] for one in listed])
        self.assertEqual([None] * FEW, [one['damage'] for one in listed])
        db = self.new_db()
        self.run_it('restore', many_archives.archive_id(3), BACKPROOF_TARGET_URL=self.url(db))
        self.assertEqual(str(many_archives.ROWS), cluster.psql(db, 'select count(*) from t099'))


if __name__ == '__main__':
    unittest.main()
