"""key check against a real backup repository: before somebody needs the key, it is known to fit."""
from __future__ import annotations

import unittest

from backing_up import TOKEN, BackupTest
from git_server import GitServer
from harness import SCHEMAS, Cluster, sample_cluster, unwind_on_sigterm

cluster: Cluster
server: GitServer


def setUpModule() -> None:
    global cluster, server
    unwind_on_sigterm()
    cluster = sample_cluster()
    unittest.addModuleCleanup(cluster.__exit__, None, None, None)
    server = GitServer(user='x-access-token', password=TOKEN)
    server.__enter__()
    unittest.addModuleCleanup(server.__exit__, None, None, None)
    cluster.create_db('shop', SCHEMAS / 'shop.sql')


class KeyCheck(BackupTest):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.cluster, cls.server = cluster, server

    def setUp(self) -> None:
        super().setUp()
        self.env['DATABASE_URL'] = cluster.url('shop', 'postgres')
        self.mine, self.recipient = self.new_key('mine')
        self.other, _ = self.new_key('other')

    def new_key(self, name: str) -> tuple[str, str]:
        path = str(self.folder / f'{name}.txt')
        return path, self.run_it('keygen', '--output', path).out.strip()

    def test_the_key_that_opens_the_newest_archive_is_named(self) -> None:
        self.run_it('backup', '--recipient', self.recipient)
        done = self.run_it('key', 'check', '--identity', self.other, '--identity', self.mine,
                           '--format', 'json').json
        self.assertTrue(done['sealed'])
        self.assertEqual([self.recipient], done['opened_by'])
        self.assertGreater(done['files'], 0)
        self.assert_fails(3, 'it is sealed for other recipients', 'key', 'check', '--identity',
                          self.other)
        self.assert_fails(2, '--identity', 'key', 'check')

    def test_a_readable_archive_needs_none_and_one_must_be_there(self) -> None:
        self.assert_fails(4, 'no branch', 'key', 'check', '--identity', self.mine)
        self.run_it('backup')
        self.assertIn('is readable: no key is needed', self.run_it('key', 'check').out)

    def test_a_trusted_key_must_have_signed_it(self) -> None:
        sign = self.folder / 'sign'
        public = self.run_it('keygen', 'signing', '--output', str(sign)).out.splitlines()[1]
        words = ('key', 'check', '--identity', self.mine, '--trusted-key', public)
        self.run_it('backup', '--recipient', self.recipient)
        self.assert_fails(8, 'is not signed', *words)
        self.run_it('backup', '--recipient', self.recipient, BACKPROOF_SIGN_KEY=sign.read_text())
        self.assertIn('a trusted key has signed it', self.run_it(*words).err)


if __name__ == '__main__':
    unittest.main()
