"""verify: where an archive is restored into, what is refused, and that nothing stays behind."""
from __future__ import annotations

import os
import shutil
import signal
import unittest
from pathlib import Path

from harness import Cluster, unwind_on_sigterm
from asking import wait_until, wait_until_gone
from proving import ProvingTest

cluster: Cluster


def setUpModule() -> None:
    global cluster
    unwind_on_sigterm()
    cluster = Cluster()
    cluster.__enter__()
    unittest.addModuleCleanup(cluster.__exit__, None, None, None)
    ProvingTest.cluster = cluster


def processes_with(words: str) -> list[int]:
    """Processes of this machine whose command line holds these words."""
    found = []
    for path in Path('/proc').glob('[0-9]*/cmdline'):
        try:
            if words.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            pass
    return found


class GivenDatabase(ProvingTest):
    def test_an_empty_database_is_used_and_is_empty_again(self) -> None:
        self.backup(self.new_db())
        scratch = self.new_db('')
        done = self.run_it('verify', '--level', 'L4', '--format', 'json',
                           BACKPROOF_SCRATCH_URL=cluster.url(scratch)).json
        self.assertEqual('L4', done['level'])
        self.assertIn('127.0.0.1', done['scratch'])
        self.assertEqual('0', cluster.psql(scratch, "select count(*) from pg_class where oid > "
                                                    "16384 and relnamespace = 'public'::regnamespace"))

    def test_the_source_is_refused_by_what_it_is(self) -> None:
        db = self.new_db()
        self.backup(db)
        tip = self.tip()
        for host in ('127.0.0.1', 'localhost'):
            url = cluster.url(db).replace('127.0.0.1', host)
            self.assert_fails(2, f"the scratch database is the source of the archive: '{db}'",
                              'verify', BACKPROOF_SCRATCH_URL=url)
        self.assertEqual('3', cluster.psql(db, 'select count(*) from users'))
        self.assertEqual(tip, self.tip())

    def test_a_database_that_holds_something_is_refused(self) -> None:
        self.backup(self.new_db())
        other = self.new_db('create table precious (a int)')
        self.assert_fails(2, 'is not empty: it holds 1 objects (table public.precious)', 'verify',
                          BACKPROOF_SCRATCH_URL=cluster.url(other))
        self.assertEqual('0', cluster.psql(other, 'select count(*) from precious'))

    def test_a_password_does_not_belong_on_the_command_line(self) -> None:
        self.assert_fails(2, 'set BACKPROOF_SCRATCH_URL instead', 'verify', '--scratch-url',
                          'postgresql://u:secret@localhost/db')


class OwnCluster(ProvingTest):
    def make_slow(self) -> None:
        """A restore that takes long enough to be ended in the middle."""
        self.backup(self.new_db())
        self.change(lambda a: (a.replace('database/sequences.sql', 'SELECT',
                                         'SELECT pg_catalog.pg_sleep(600);\nSELECT'),
                               a.sign_off()))

    def start_slow(self):
        child = self.start('verify', '--no-record')
        self.addCleanup(lambda: (child.kill(), child.communicate()))
        wait_until(lambda: len(self.postmasters()) > 0, 'a scratch server')
        return child

    def postmasters(self) -> list[int]:
        return [pid for pid in processes_with(f'{self.temp}/backproof-')
                if b'postgres' in Path(f'/proc/{pid}/cmdline').read_bytes().split(b'\0')[0]]

    def test_no_server_stays_behind_when_it_is_killed(self) -> None:
        self.folder.chmod(0o755)
        self.temp.chmod(0o755)
        self.make_slow()
        child = self.start_slow()
        servers = self.postmasters()
        os.kill(child.pid, signal.SIGKILL)
        for pid in servers:
            wait_until_gone(pid)
        for path in self.temp.iterdir():    # nobody is left to remove them
            shutil.rmtree(path)

    def test_everything_is_removed_when_it_is_interrupted(self) -> None:
        self.folder.chmod(0o755)
        self.temp.chmod(0o755)
        self.make_slow()
        child = self.start_slow()
        child.send_signal(signal.SIGTERM)
        self.assertEqual(143, child.wait(30))
        self.assert_clean()
        self.assertEqual([], processes_with(f'{self.temp}/backproof-'))

    def test_a_setting_for_another_server_leads_nowhere_else(self) -> None:
        self.backup(self.new_db())
        done = self.run_it('verify', '--level', 'L2', '--format', 'json', PGHOST='db.invalid',
                           PGUSER='nobody', PGDATABASE='none', PGSSLMODE='verify-full',
                           PGGSSENCMODE='require', PGOPTIONS='-c work_mem=none').json
        self.assertEqual('L2', done['level'])



class Sealed(ProvingTest):
    def setUp(self) -> None:
        super().setUp()
        self.key = self.folder / 'key.txt'
        self.run_it('keygen', '--output', str(self.key))
        recipient = next(line.split()[-1] for line in self.key.read_text().splitlines()
                         if 'age1' in line)
        self.backup(self.new_db(), '--recipient', recipient)

    def test_it_is_proved_with_the_identity(self) -> None:
        done = self.run_it('verify', '--level', 'L4', '--format', 'json', '--identity',
                           str(self.key)).json
        self.assertEqual(('L4', True), (done['level'], done['verified']))
        self.assertEqual('L4', self.recorded()['level'])

    def test_without_it_what_lies_there_is_checked(self) -> None:
        done = self.run_it('verify', '--level', 'L0', '--format', 'json').json
        self.assertEqual('L0', done['level'])
        self.assertIn('was not opened', done['notes'][0])
        self.assert_fails(2, '--identity FILE names the key', 'verify')

    def test_what_was_tampered_with_is_named(self) -> None:
        def edit(archive) -> None:
            path = next(archive.path.glob('sealed/**/*.age'))
            data = bytearray(path.read_bytes())
            data[-1] ^= 1
            path.write_bytes(data)
        self.change(edit)
        for words in ([], ['--identity', str(self.key)]):
            level = 'L3' if words else 'L0'
            result = self.run_it('verify', '--level', level, *words, status=8)
            self.assertIn("the checksum of 'sealed/", result.err)


if __name__ == '__main__':
    unittest.main()
