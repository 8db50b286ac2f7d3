"""Sealing, signatures and keys with age, zstd and minisign on the other side, both ways."""
from __future__ import annotations

import os
import re
import shutil
import subprocess
import unittest
from pathlib import Path

from harness import PROGRAM, ProgramTest, clean_env

CHUNK = 64 << 10
NEEDED = ('age', 'age-keygen', 'zstd', 'minisign')


def call(*words: str | Path, data: bytes | None = None, check: bool = True):
    return subprocess.run(words, input=data, capture_output=True, check=check)


@unittest.skipIf(any(shutil.which(name) is None for name in NEEDED), f'one of {NEEDED} is missing')
class Bed(ProgramTest):
    def setUp(self) -> None:
        super().setUp()
        self.key, self.recipient = self.new_key('mine')
        self.serial = 0

    def new_key(self, name: str) -> tuple[Path, str]:
        path = self.folder / f'{name}.txt'
        return path, self.run_it('keygen', '--output', str(path)).out.strip()

    def new_file(self, content: bytes = b'') -> Path:
        self.serial += 1
        path = self.folder / f'file{self.serial}'
        path.write_bytes(content)
        return path

    def new_path(self) -> Path:
        path = self.new_file()
        path.unlink()
        return path

    def seal(self, content: bytes, *recipients: str) -> Path:
        sealed = self.new_path()
        words = [word for one in recipients or (self.recipient,) for word in ('--recipient', one)]
        self.run_it('seal', *words, str(self.new_file(content)), str(sealed))
        return sealed

    def unseal(self, sealed: Path, key: Path | None = None) -> bytes:
        opened = self.new_path()
        self.run_it('unseal', '--identity', str(key or self.key), str(sealed), str(opened))
        return opened.read_bytes()

    def by_hand(self, sealed: Path, key: Path | None = None) -> bytes:
        text = call('age', '-d', '-i', key or self.key, sealed).stdout
        return call('zstd', '-dcq', data=text).stdout


class Files(Bed):
    # As they are, whatever their size: what is sealed is zstd's text, so these cannot be compressed.
    SIZES = (0, 1, CHUNK - 100, CHUNK - 20, CHUNK - 13, CHUNK, CHUNK + 1, 2 * CHUNK, 5 * CHUNK + 7)

    def test_what_we_seal_age_and_zstd_open(self) -> None:
        for size in self.SIZES:
            content = os.urandom(size)
            self.assertEqual(content, self.by_hand(self.seal(content)), f'{size} bytes')

    def test_what_age_and_zstd_seal_we_open(self) -> None:
        for size in self.SIZES:
            content = os.urandom(size)
            for level in ('-1', '-19'):
                packed = call('zstd', '-cq', level, data=content).stdout
                sealed = self.new_file(call('age', '-r', self.recipient, data=packed).stdout)
                self.assertEqual(content, self.unseal(sealed), f'{size} bytes, {level}')

    def test_every_end_near_a_whole_chunk(self) -> None:
        """age alone decides here how long the payload is: 64 KiB, and a little less or more."""
        raw = os.urandom(2 * CHUNK)
        for size in range(CHUNK - 20, CHUNK + 4):
            packed = call('zstd', '-cq', data=raw[:size]).stdout
            sealed = self.new_file(call('age', '-r', self.recipient, data=packed).stdout)
            self.assertEqual(raw[:size], self.unseal(sealed), f'{len(packed)} bytes')

    def test_several_recipients_and_a_file_of_them(self) -> None:
        other, second = self.new_key('other')
        names = self.new_file(f'# ops\n{self.recipient}\n\n{second}\n'.encode())
        for recipients in ((self.recipient, second), (str(names),)):
            sealed = self.seal(b'rows', *recipients)
            for key in (self.key, other):
                self.assertEqual(b'rows', self.unseal(sealed, key))
                self.assertEqual(b'rows', self.by_hand(sealed, key))
        packed = call('zstd', '-cq', data=b'rows').stdout
        sealed = self.new_file(call('age', '-R', names, data=packed).stdout)
        self.assertEqual(b'rows', self.unseal(sealed, other))

    def test_a_large_stream_goes_through_both(self) -> None:
        """200 MB from a pipe into a pipe."""
        script = ('set -e -o pipefail; head -c 200000000 /dev/zero | "$0" seal --recipient "$1" | '
                  'age -d -i "$2" | zstd -dq | wc -c; '
                  'head -c 200000000 /dev/zero | zstd -cq | age -r "$1" | '
                  '"$0" unseal --identity "$2" - - | wc -c')
        done = subprocess.run(['bash', '-c', script, PROGRAM, self.recipient, self.key], text=True,
                              capture_output=True, check=True, env=clean_env())
        self.assertEqual(['200000000'] * 2, done.stdout.split())

    def test_a_file_is_made_whole_or_not_at_all(self) -> None:
        sealed = self.seal(os.urandom(3 * CHUNK))
        bad = bytearray(sealed.read_bytes())
        bad[-1] ^= 1
        path, out = self.new_file(bytes(bad)), self.new_path()
        before = sorted(self.folder.iterdir())
        self.assert_fails(8, 'it was tampered with', 'unseal', '--identity', str(self.key),
                          str(path), str(out))
        self.assertEqual(before, sorted(self.folder.iterdir()))
        self.assert_fails(2, 'is there already', 'unseal', '--identity', str(self.key),
                          str(sealed), str(path))
        self.assertEqual(bytes(bad), path.read_bytes())

    def test_a_stream_gets_a_true_beginning_and_an_error(self) -> None:
        content = os.urandom(10 * CHUNK)
        sealed = self.seal(content).read_bytes()
        for bad in (sealed[:-1], sealed[:5 * CHUNK], sealed + b'x',
                    sealed[:7 * CHUNK] + b'!' + sealed[7 * CHUNK + 1:]):
            done = call(PROGRAM, 'unseal', '--identity', self.key, data=bad, check=False)
            self.assertEqual(8, done.returncode, done.stderr)
            self.assertLess(len(done.stdout), len(content))
            self.assertTrue(content.startswith(done.stdout))

    def test_who_has_no_key_gets_nothing(self) -> None:
        other, _ = self.new_key('other')
        sealed = self.seal(b'rows')
        self.assertEqual('', self.assert_fails(3, 'the identity cannot open it', 'unseal',
                                               '--identity', str(other), str(sealed)).out)
        self.assert_fails(2, 'is a recipient, which opens nothing', 'unseal', '--identity',
                          str(self.new_file(self.recipient.encode())), str(sealed))


class Keys(Bed):
    def test_a_pair_is_one_to_age(self) -> None:
        public = call('age-keygen', '-y', self.key).stdout.decode().strip()
        self.assertEqual(self.recipient, public)
        made = self.folder / 'made.txt'
        call('age-keygen', '-o', made)
        recipient = re.search('age1[0-9a-z]+', made.read_text())[0]
        self.assertEqual(b'rows', self.unseal(self.seal(b'rows', recipient), made))

    def test_an_identity_in_the_environment_opens_and_is_never_shown(self) -> None:
        sealed, text = self.seal(b'rows'), self.key.read_text()
        secret = re.search('AGE-SECRET-KEY-1[0-9A-Z]+', text)[0]
        for value in (text, secret, str(self.key)):
            self.assertEqual('rows', self.run_it('unseal', str(sealed),
                                                 BACKPROOF_IDENTITY=value).out)
        for words in (['unseal', '--identity', secret], ['seal', '--recipient', secret],
                      ['seal', '--recipient', str(self.key)]):
            done = self.run_it(*words, str(sealed), status=2)
            self.assertNotIn(secret[15:], done.out + done.err)

    def test_minisign_accepts_a_new_pair(self) -> None:
        secret, text = self.folder / 'sign', self.new_file(b'{}\n')
        public = self.run_it('keygen', 'signing', '--output', str(secret)).out
        self.assertEqual(public, (self.folder / 'sign.pub').read_text())
        call('minisign', '-S', '-s', secret, '-m', text)
        call('minisign', '-V', '-P', public.splitlines()[1], '-m', text)
        self.assertEqual(0o600, secret.stat().st_mode & 0o777)


if __name__ == '__main__':
    unittest.main()
