"""What can be seen and done of sealed archives, with a key and without one."""
from __future__ import annotations

import json

import test_sealed
from test_sealed import Bed, setUpModule  # noqa: F401 (unittest calls it)


class Looks(Bed):
    """What needs no key needs none; what does takes it."""

    def setUp(self) -> None:
        super().setUp()
        self.db = self.new_db('create table item (id int primary key, note text);'
                              " insert into item values (1, 'one'), (2, 'two');")
        self.env['DATABASE_URL'] = test_sealed.cluster.url(self.db, 'postgres')
        self.back_up()
        test_sealed.cluster.psql(self.db, "insert into item values (3, 'three');"
                                 " update item set note = 'ONE' where id = 1")
        self.back_up()

    def json(self, *args: str) -> dict:
        return json.loads(self.run_it(*args, '--format', 'json').out)

    def test_list_says_that_they_are_sealed(self) -> None:
        self.assertNotIn(' 0 ', self.run_it('list').out)
        for one in self.json('list')['archives']:
            self.assertEqual((True, None, None, None), (one['sealed'], one['tables'], one['rows'],
                                                        one['database']))

    def test_show_tells_what_it_may_and_with_a_key_everything(self) -> None:
        shut = self.run_it('show')
        self.assertIn('--identity FILE opens it', shut.out)
        self.assertNotIn('item', shut.out)
        shut = self.json('show')
        self.assertEqual((True, None), (shut['sealed'], shut['tables']))
        key = ['--identity', str(self.mine)]
        self.assertRegex(self.run_it('show', *key).out, r'public\.item +3 .* \+1 row')
        opened = self.json('show', *key)
        self.assertEqual((True, 'item', 3, 2), (opened['sealed'], opened['tables'][0]['name'],
                         opened['tables'][0]['rows'], opened['tables'][0]['rows_before']))
        self.run_it('show', '--identity', str(self.other), status=3)
        self.assertIn('not signed', self.run_it('show', '--trusted-key', 'RWQ' + 'A' * 53,
                                                status=8).err)

    def test_diff_needs_the_key_and_tells_rows_and_definitions(self) -> None:
        old = self.json('list')['archives'][1]['id']
        self.assertIn('--identity', self.run_it('diff', old, 'latest', status=2).err)
        key = ['--identity', str(self.mine)]
        table = self.json('diff', old, 'latest', '--table', 'item', *key)['tables'][0]
        self.assertEqual([{'id': '3', 'note': 'three'}],
                         [row['values'] for row in table['added']['rows']])
        self.assertEqual([{'note': 'ONE'}], [row['new'] for row in table['changed']['rows']])
        self.assertEqual([], self.json('diff', 'latest', 'latest', *key)['tables'])
        test_sealed.cluster.psql(self.db, 'alter table item add column more text')
        self.back_up()
        self.assertIn('+    more text', self.run_it('diff', old, 'latest', *key).out)

    def test_archives_are_kept_and_removed_and_squashed_without_a_key(self) -> None:
        self.back_up()
        ids = [one['id'] for one in self.json('list')['archives']]
        self.run_it('keep', ids[2], '--reason', 'the first')
        self.run_it('prune', '--keep-last', '1', '--squash')
        self.assertEqual([ids[0], ids[2]], [one['id'] for one in self.json('list')['archives']])
        self.assertEqual('2', test_sealed.server.git(self.repo, 'rev-list', '--count',
                                                     'main').strip())
        self.run_it('restore', ids[2], '--identity', str(self.mine), **self.target(self.new_db()))

    def test_a_squash_keeps_the_history_when_a_sealed_file_is_damaged(self) -> None:
        folder = self.clone()
        archive = next((folder / 'backups' / 'archive').iterdir())
        path = max((archive / 'sealed').rglob('*.age'))
        path.write_bytes(path.read_bytes()[:-1] + b'x')
        self.push(folder)
        result = self.run_it('prune', '--keep-last', '2', '--squash', status=8)
        self.assertIn(str(path.relative_to(archive)), result.err)
