"""Signed archives against somebody who may push, but has no key that signs."""
from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import test_sealed
from backing_up import canonical
from harness import ROOT, clean_env
from test_sealed import Bed, setUpModule  # noqa: F401 (unittest calls it)


class Planted(Bed):
    def setUp(self) -> None:
        super().setUp()
        key = self.keys / f'sign{Bed.serial}'
        self.run_it('keygen', 'signing', '--output', str(key))
        self.sign = {'BACKPROOF_SIGN_KEY': str(key)}
        self.trusted = key.with_name(f'{key.name}.pub').read_text().splitlines()[-1]
        self.env['DATABASE_URL'] = test_sealed.cluster.url(
            self.new_db("create table log (line text); insert into log values ('é');"),
            'postgres')

    def latest(self, folder: Path) -> Path:
        return next((folder / 'backups' / 'latest').iterdir())

    def new_latin_db(self) -> str:
        db = self.new_db()
        test_sealed.cluster.psql('postgres', f'drop database {db}; create database {db} template'
                                 " template0 encoding 'LATIN1' locale 'C'")
        return db

    def assert_restored(self, db: str) -> None:
        self.assertEqual('1|t', test_sealed.cluster.psql(
            db, "select count(*), bool_and(line = chr(233)) from log").strip().replace('\t', '|'))

    def test_what_stands_beside_a_verification_is_not_restored(self) -> None:
        self.run_it('backup', **self.sign)
        folder = self.clone()
        manifest = self.latest(folder) / 'manifest.json'
        text = manifest.read_text()
        tables = re.search(r'^ *\{"bytes": \d+, "files": \[.*$', text, re.MULTILINE)[0]
        more = f'{tables}\n  "sealed": true,\n    "encoding": "SQL_ASCII"\n'
        endings = {'in a verification that ends': text.replace(
            '"verification": {}', f'"verification": {{\n    }}, "tables": [\n{tables}], "x": {{\n  "sealed": true,\n    "encoding": "SQL_ASCII"\n  }}'),
            'in one that never ends': f'{text}  "verification": {{\n{more}'}
        for name, changed in endings.items():
            with self.subTest(name):
                manifest.write_text(changed)
                db = self.new_latin_db()
                self.restore_sh(manifest.parent, db, TRUSTED_KEY=self.trusted)
                self.assert_restored(db)
        manifest.write_text(endings['in a verification that ends'])
        self.push(folder)
        db = self.new_latin_db()
        self.run_it('restore', 'latest', '--trusted-key', self.trusted, **self.target(db))
        self.assert_restored(db)

    def test_a_run_that_signs_takes_nothing_over_that_somebody_else_has_put_there(self) -> None:
        env = {**self.sign, 'BACKPROOF_CHUNK_KEY': 'ab' * 32}
        self.back_up(**env)
        before = self.sealed_files(self.clone('before'))
        self.back_up(**env)
        folder = self.clone()
        # What the key itself has signed is kept.
        self.assertEqual(before, self.sealed_files(folder))
        current = folder / 'backups' / 'current'
        for path in (current / 'sealed').rglob('*.age'):
            content = b'it opens no more'
            manifest = current / 'manifest.json'
            name = re.escape(str(path.relative_to(current)))
            text, count = re.subn(
                rf'"bytes": \d+, "path": "{name}", "sha256": "\w+"',
                f'"bytes": {len(content)}, "path": "{path.relative_to(current)}", '
                f'"sha256": "{hashlib.sha256(content).hexdigest()}"', manifest.read_text())
            self.assertEqual(1, count)
            manifest.write_text(text)
            path.write_bytes(content)
        latest = self.latest(folder)
        shutil.rmtree(latest)
        shutil.copytree(current, latest)
        self.push(folder)
        self.back_up(**env)
        self.run_it('restore', 'latest', '--identity', str(self.mine), '--trusted-key',
                    self.trusted, **self.target(self.new_db()))

    def test_an_old_archive_under_a_new_name_is_refused(self) -> None:
        self.run_it('backup', **self.sign)
        folder = self.clone()
        latest = self.latest(folder)
        latest.rename(latest.with_name('latest_2099-01-15T14-30-45Z'))
        self.push(folder)
        result = self.run_it('restore', 'latest', '--trusted-key', self.trusted, status=8,
                             **self.target(self.new_db()))
        self.assertIn('latest_2099'[7:], result.err)


class ByHand(Bed):
    """docs/sealing.md, as it stands."""

    def run_blocks(self, blocks: list[str], where: Path, home: Path, db: str) -> list[str]:
        env = clean_env(**test_sealed.cluster.env('postgres'), HOME=str(home))
        outs = []
        for block in blocks:
            done = subprocess.run(['bash', '-euo', 'pipefail', '-c',
                                   re.sub(r'\brecovered\b', db, block)], text=True, cwd=where,
                                  capture_output=True, check=False, env=env)
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)
            outs.append(done.stdout)
        return outs

    def test_every_command_of_the_section_works(self) -> None:
        page = (ROOT / 'docs' / 'sealing.md').read_text()
        section = page.split('\n## By hand\n')[1].split('\n## ')[0]
        blocks = re.findall(r'^```sh\n(.*?)^```', section, re.DOTALL | re.MULTILINE)
        home = self.folder / f'home{Bed.serial}'
        home.mkdir()
        db = self.new_db()
        self.run_blocks(blocks[:1], home, home, db)
        public = re.search('age1[0-9a-z]+', (home / 'backup-key.txt').read_text())[0]
        self.run_it('backup', '--recipient', public,
                    BACKPROOF_SIGN_KEY=(home / 'sign-key').read_text())
        current = self.clone() / 'backups' / 'current'
        looked, proved, restored = self.run_blocks(blocks[1:], current, home, db)
        self.assertIn('"path": "roles.sql"', looked)
        self.assertIn('restore.sh: OK', proved)
        self.assertIn('done, ', restored)
        cluster = test_sealed.cluster
        self.assertEqual(canonical(cluster.pg_dump('shop')), canonical(cluster.pg_dump(db)))
        # Another script in its place shows before it runs.
        (current / 'restore.sh').write_text('echo planted\n')
        with self.assertRaisesRegex(AssertionError, 'restore.sh: FAILED'):
            self.run_blocks(blocks[2:3], current, home, db)
