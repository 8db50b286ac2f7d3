"""Sealed backups: nobody reads them without a key, and with it they are the same database."""
from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import unittest
from pathlib import Path

from backing_up import TOKEN, BackupTest, canonical
from harness import ROOT, SCHEMAS, Cluster, clean_env, sample_cluster, unwind_on_sigterm
from git_server import GitServer

GIT = {'GIT_CONFIG_COUNT': '1', 'GIT_CONFIG_KEY_0': 'safe.directory', 'GIT_CONFIG_VALUE_0': '*'}
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
    for name in ('shop', 'odd'):
        cluster.create_db(name, SCHEMAS / f'{name}.sql')


class Bed(BackupTest):
    """Each test has a backup repository and the keys of two people."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.cluster, cls.server = cluster, server

    def setUp(self) -> None:
        super().setUp()
        self.keys = self.folder / 'keys'
        self.keys.mkdir(exist_ok=True)
        self.mine, self.recipient = self.new_identity('mine')
        self.other, self.second = self.new_identity('other')
        self.env['DATABASE_URL'] = cluster.url('shop', 'postgres')

    def new_identity(self, name: str) -> tuple[Path, str]:
        """With age's own program."""
        path = self.keys / f'{name}{BackupTest.serial}.txt'
        subprocess.run(['age-keygen', '-o', path], check=True, capture_output=True)
        return path, re.search('age1[0-9a-z]+', path.read_text())[0]

    def back_up(self, *args: str, **env: str):
        return self.run_it('backup', '--recipient', self.recipient, *args, **env)

    def clone(self, name: str = 'clone') -> Path:
        folder = self.folder / f'{name}{BackupTest.serial}'
        subprocess.run(['git', 'clone', '-q', '-b', 'main', server.path(self.repo), folder],
                       check=True, env=clean_env(**GIT))
        return folder

    def push(self, folder: Path) -> None:
        for words in (['add', '-A'], ['-c', 'user.name=t', '-c', 'user.email=t@t', 'commit', '-qm',
                                      'change'], ['push', '-q']):
            subprocess.run(['git', *words], cwd=folder, check=True, env=clean_env(**GIT))

    def target(self, db: str) -> dict[str, str]:
        return {'BACKPROOF_TARGET_URL': cluster.url(db, 'postgres')}

    def restore(self, *args: str, identity: Path | None = None, source: str = 'shop') -> None:
        db = self.new_db()
        self.run_it('restore', 'latest', '--identity', str(identity or self.mine), *args,
                    **self.target(db))
        self.assertEqual(canonical(cluster.pg_dump(source)), canonical(cluster.pg_dump(db)))

    def restore_sh(self, folder: Path, db: str, status: int = 0, **env: str) -> str:
        done = subprocess.run([folder / 'restore.sh'], text=True, capture_output=True, check=False,
                              env=clean_env(TARGET_DATABASE_URL=cluster.url(db, 'postgres'),
                                            TMPDIR=str(self.temp), **env))
        self.assertEqual(status, done.returncode, done.stdout + done.stderr)
        self.assert_clean()
        return done.stdout + done.stderr

    def sealed_files(self, folder: Path) -> dict[str, bytes]:
        current = folder / 'backups' / 'current'
        return {str(path.relative_to(current)): path.read_bytes()
                for path in (current / 'sealed').rglob('*') if path.is_file()}


class Secrecy(Bed):
    def test_nothing_in_the_branch_tells_names_or_rows(self) -> None:
        self.back_up()
        folder = self.clone()
        names = cluster.psql('shop', "select distinct x from (select nspname as x from pg_namespace"
                             " where nspname !~ '^pg_|^information_schema|^public$' union all"
                             " select attname::text from pg_attribute a join pg_class c on"
                             " c.oid = attrelid and c.relkind = 'r' and c.oid >= 16384"
                             " where attnum > 0 union all select relname from pg_class"
                             " where relkind in ('r', 'v') and oid >= 16384) y").split()
        self.assertGreater(len(names), 10)
        own = (ROOT / 'src' / 'archive' / 'RESTORE.md').read_text() + \
            (ROOT / 'src' / 'archive' / 'restore.sh').read_text()
        texts = [str(path) + path.read_bytes().decode('latin1')
                 for path in (folder / 'backups' / 'current').rglob('*') if path.is_file()
                 and path.name not in ('RESTORE.md', 'restore.sh')]
        texts += [server.git(self.repo, 'log', '--format=%B', 'main')]
        text = '\n'.join(texts)
        manifest = (folder / 'backups/current/manifest.json').read_text()
        for name in names:
            if len(name) > 5 and name not in own:
                self.assertNotIn(name, text)
        self.assertNotIn('shop', manifest)
        self.assertEqual([], json.loads(manifest)['tables'])
        self.assertEqual('', json.loads(manifest)['database']['name'])
        self.assertNotIn('Rows:', texts[-1])

    def test_a_sealed_archive_may_lie_where_everybody_can_read_it(self) -> None:
        with GitServer(user='x-access-token', password=TOKEN, public=True) as public:
            public.create('seen')
            repo = {'BACKPROOF_BACKUP_REPO': public.url('seen')}
            self.run_it('backup', status=2, **repo)
            self.back_up(**repo)

    def test_readable_ones_refuse_what_only_sealed_ones_have(self) -> None:
        result = self.run_it('backup', '--role-passwords', status=2)
        self.assertIn('--recipient', result.err)
        result = self.run_it('backup', status=2, BACKPROOF_CHUNK_KEY='ab' * 32)
        self.assertIn('--recipient', result.err)


class Restores(Bed):
    def test_by_each_of_the_recipients_for_each_sample(self) -> None:
        for name in ('shop', 'odd'):
            self.use_new_repo()
            self.env['DATABASE_URL'] = cluster.url(name, 'postgres')
            recipients = self.keys / 'recipients.txt'
            recipients.write_text(f'# mine\n{self.recipient}\n\n# the safe\n{self.second}\n')
            self.run_it('backup', '--recipient', str(recipients))
            self.restore(identity=self.mine, source=name)
            self.restore(identity=self.other, source=name)

    def test_by_the_script_for_each_sample(self) -> None:
        for name in ('shop', 'odd'):
            self.use_new_repo()
            self.env['DATABASE_URL'] = cluster.url(name, 'postgres')
            self.back_up()
            db = self.new_db()
            self.restore_sh(self.clone(name) / 'backups' / 'current', db,
                            AGE_IDENTITY_FILE=str(self.mine))
            self.assertEqual(canonical(cluster.pg_dump(name)), canonical(cluster.pg_dump(db)))

    def test_by_the_script_with_a_psql_that_does_not_know_restrict(self) -> None:
        self.back_up()
        db = self.new_db()
        stand_in = self.folder / 'bin' / 'psql'
        stand_in.parent.mkdir()
        stand_in.write_text(f"""#!/bin/sh
case $1 in
--help=*) echo '  \\q  quit psql'; exit ;;
--version) exec {shutil.which('psql')} "$@" ;;
esac
sed 's/^.restrict .*/SELECT invalid_command;/' | {shutil.which('psql')} "$@"
""")
        stand_in.chmod(0o755)
        self.restore_sh(self.clone() / 'backups' / 'current', db,
                        AGE_IDENTITY_FILE=str(self.mine),
                        PATH=f'{stand_in.parent}:/usr/local/bin:/usr/bin:/bin')
        self.assertEqual(canonical(cluster.pg_dump('shop')), canonical(cluster.pg_dump(db)))

    def test_by_hand_as_restore_md_says_for_each_sample(self) -> None:
        for name in ('shop', 'odd'):
            self.use_new_repo()
            self.restore_by_hand(name)

    def restore_by_hand(self, name: str) -> None:
        self.env['DATABASE_URL'] = cluster.url(name, 'postgres')
        self.back_up()
        db = self.new_db()
        folder = self.clone(name) / 'backups' / 'current'
        text = (folder / 'RESTORE.md').read_text()
        opened = re.search(r'\n    opened=.*?cd "\$opened"\n', text, re.DOTALL)[0]
        loaded = re.search(r'\n    export .*new_database\n', text, re.DOTALL)[0]
        done = subprocess.run(
            ['sh', '-ec', opened + loaded.replace('new_database', db)], text=True, check=False,
            capture_output=True, cwd=folder,
            env=clean_env(AGE_IDENTITY_FILE=str(self.mine), TMPDIR=str(self.folder),
                          **cluster.env(db)))
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(canonical(cluster.pg_dump(name)), canonical(cluster.pg_dump(db)))

    def test_without_the_right_key_nothing_is_touched(self) -> None:
        self.back_up()
        db = self.new_db('create table mine (a int)')
        before = cluster.pg_dump(db)
        result = self.run_it('restore', 'latest', status=2, **self.target(db))
        self.assertRegex(result.err, 'sealed.*--identity')
        result = self.run_it('restore', 'latest', '--identity', str(self.other), '--clean', '--yes',
                             status=3, **self.target(db))
        self.assertNotIn('AGE-SECRET', result.err)
        folder = self.clone() / 'backups' / 'current'
        self.restore_sh(folder, db, 2)
        self.restore_sh(folder, db, 1, AGE_IDENTITY_FILE=str(self.other))
        self.assertEqual(before, cluster.pg_dump(db))

    def test_passwords_of_roles_come_back_only_when_they_were_asked_for(self) -> None:
        role = f'keeper{BackupTest.serial}'
        source = self.new_db(f"create role {role} login password 'first one'; create table t (a int);"
                             f"insert into t values (1); alter table t owner to {role}")
        self.env['DATABASE_URL'] = cluster.url(source, 'postgres')
        stored = f"select rolpassword from pg_authid where rolname = '{role}'"
        before = cluster.psql('postgres', stored)
        for args, expected in ((['--role-passwords'], before), ([], '')):
            self.back_up(*args)
            cluster.psql('postgres', f'drop database {source}; drop role {role}')
            db = self.new_db()
            self.run_it('restore', 'latest', '--identity', str(self.mine), **self.target(db))
            self.assertEqual(expected, cluster.psql('postgres', stored))
            cluster.psql('postgres', f'alter database {db} rename to {source}')
        cluster.psql('postgres', f'drop database {source}; drop role {role}')


class Increments(Bed):
    KEY = {'BACKPROOF_CHUNK_KEY': '0123456789abcdef' * 4}

    def test_what_has_not_changed_is_not_sealed_again(self) -> None:
        db = self.new_db("create table big (a int primary key, b text); insert into big select g,"
                         " md5(g::text) from generate_series(1, 200000) g; create table other (a"
                         " int primary key); insert into other values (1)")
        self.env['DATABASE_URL'] = cluster.url(db, 'postgres')
        self.back_up(**self.KEY)
        first = self.sealed_files(self.clone('first'))
        again = json.loads(self.back_up('--format', 'json', **self.KEY).out)
        second = self.sealed_files(self.clone('second'))
        self.assertEqual(first, second)
        self.assertLess(again['pushed_bytes'], 20000)
        cluster.psql(db, 'update other set a = 2')
        self.back_up(**self.KEY)
        third = self.sealed_files(self.clone('third'))
        self.assertEqual(1, len(set(third) - set(first)))
        self.assertEqual(1, len(set(first) - set(third)))
        self.restore(source=db)
        # Without the key, or for somebody else too, all of it is sealed anew.
        self.back_up('--recipient', self.second, **self.KEY)
        self.assertEqual(set(), set(third) & set(self.sealed_files(self.clone('fourth'))))
        self.restore(source=db, identity=self.other)
        self.back_up()
        self.assertEqual(set(), set(third) & set(self.sealed_files(self.clone('fifth'))))

    def test_contents_that_are_alike_share_a_file(self) -> None:
        db = self.new_db('create schema one; create schema two; create table one.t (a int);'
                         'insert into one.t values (1)')
        self.env['DATABASE_URL'] = cluster.url(db, 'postgres')
        self.back_up(**self.KEY)
        folder = self.clone()
        listed = json.loads((folder / 'backups/current/manifest.json').read_text())['files']
        self.assertEqual(sorted(one['path'] for one in listed if one['path'].startswith('sealed/')),
                         sorted(self.sealed_files(folder)))
        self.restore(source=db)


class Tampering(Bed):
    """Whoever can push can do all this; no byte of it gets into a database."""

    def setUp(self) -> None:
        super().setUp()
        self.back_up()
        self.folder_of_latest = self.clone('damage')
        self.latest = next((self.folder_of_latest / 'backups' / 'latest').iterdir())
        self.db = self.new_db()
        self.before = cluster.pg_dump(self.db)

    def largest(self) -> list[Path]:
        return sorted((path for path in (self.latest / 'sealed').rglob('*') if path.is_file()),
                      key=lambda path: path.stat().st_size)[-2:]

    def list_again(self) -> None:
        """The public manifest fits: there is no secret in it."""
        manifest = self.latest / 'manifest.json'
        data = json.loads(manifest.read_text())
        for one in data['files']:
            path = self.latest / one['path']
            if path.is_file():
                content = path.read_bytes()
                one.update(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        text = manifest.read_text()
        for one in data['files']:
            text = re.sub(r'\{"bytes": \d+, "path": "' + re.escape(one['path']) +
                          r'", "sha256": "\w+"\}', json.dumps(one, sort_keys=True), text)
        manifest.write_text(text)

    def caught(self, status: int = 8) -> str:
        self.push(self.folder_of_latest)
        result = self.run_it('restore', 'latest', '--identity', str(self.mine), status=status,
                             **self.target(self.db))
        self.restore_sh(self.latest, self.db, status, AGE_IDENTITY_FILE=str(self.mine))
        self.assertEqual(self.before, cluster.pg_dump(self.db))
        return result.err

    def test_a_changed_byte(self) -> None:
        path = self.largest()[-1]
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        self.assertIn(path.name, self.caught())
        self.list_again()
        self.assertIn(path.name, self.caught())

    def test_a_file_that_ends_early(self) -> None:
        path = self.largest()[-1]
        path.write_bytes(path.read_bytes()[:-30])
        self.list_again()
        self.assertIn(path.name, self.caught())

    def test_two_files_that_changed_places(self) -> None:
        one, other = self.largest()
        first, second = one.read_bytes(), other.read_bytes()
        one.write_bytes(second)
        other.write_bytes(first)
        self.list_again()
        self.caught()

    def test_a_file_that_is_missing(self) -> None:
        path = self.largest()[-1]
        path.unlink()
        self.assertIn(path.name, self.caught())

    def test_the_private_half_of_another_archive(self) -> None:
        self.back_up()
        newer = self.clone('newer')
        latest = next((newer / 'backups' / 'latest').iterdir())
        old = next((newer / 'backups' / 'archive').iterdir())
        name = 'manifest.private.json.zst.age'
        (latest / name).write_bytes((old / name).read_bytes())
        self.folder_of_latest, self.latest = newer, latest
        self.list_again()
        self.caught()

    def test_a_file_that_was_sealed_by_somebody_else(self) -> None:
        path = self.largest()[-1]
        planted = subprocess.run(f'echo "drop table users;" | zstd -q | age -r {self.recipient}',
                                 shell=True, check=True, capture_output=True).stdout
        path.write_bytes(planted)
        self.list_again()
        self.assertIn('checksum', self.caught())


class Signatures(Bed):
    def setUp(self) -> None:
        super().setUp()
        secret, public = self.keys / 'sign.key', self.keys / 'sign.pub'
        subprocess.run(['minisign', '-G', '-W', '-f', '-s', secret, '-p', public], check=True,
                       capture_output=True)
        self.sign = {'BACKPROOF_SIGN_KEY': secret.read_text()}
        self.trusted = public.read_text().splitlines()[1]

    def test_only_what_the_key_has_signed_is_restored(self) -> None:
        self.back_up(**self.sign)
        self.restore('--trusted-key', self.trusted)
        self.restore_sh(self.clone('good') / 'backups' / 'current', self.new_db(),
                        AGE_IDENTITY_FILE=str(self.mine), TRUSTED_KEY=self.trusted)
        # A stolen push token can push an archive that opens, and cannot sign it.
        self.run_it('backup', '--recipient', self.recipient)
        db = self.new_db()
        result = self.run_it('restore', 'latest', '--identity', str(self.mine), '--trusted-key',
                             self.trusted, status=8, **self.target(db))
        self.assertIn('not signed', result.err)
        self.restore_sh(self.clone('bad') / 'backups' / 'current', db, 8,
                        AGE_IDENTITY_FILE=str(self.mine), TRUSTED_KEY=self.trusted)

    def test_a_readable_archive_is_signed_too_and_a_change_of_its_manifest_shows(self) -> None:
        self.run_it('backup', **self.sign)
        db = self.new_db()
        folder = self.clone()
        latest = next((folder / 'backups' / 'latest').iterdir())
        manifest = latest / 'manifest.json'
        text = manifest.read_text()
        # A verification is noted later, by somebody else.
        manifest.write_text(text.replace('"verification": {}', '"verification": {\n    "at": '
                            '"2024-01-16T10:30:00Z",\n    "level": "L3",\n    "took_ms": 5\n  }'))
        self.push(folder)
        self.run_it('restore', 'latest', '--trusted-key', self.trusted, **self.target(db))
        self.restore_sh(latest, self.new_db(), TRUSTED_KEY=self.trusted)
        manifest.write_text(re.sub('"finished_at": "20', '"finished_at": "19', text))
        self.push(folder)
        self.run_it('restore', 'latest', '--trusted-key', self.trusted, '--clean', '--yes', status=8,
                    **self.target(db))
        self.restore_sh(latest, self.new_db(), 8, TRUSTED_KEY=self.trusted)


class Disaster(Bed):
    """docs/disaster-recovery.md, as it stands, on a machine that has only repository and key."""

    def follow(self, *recipients: str) -> None:
        self.run_it('backup', *recipients)
        db = f'recovered{BackupTest.serial}'
        self.addCleanup(cluster.psql, 'postgres', f'drop database if exists {db} with (force)')
        text = (ROOT / 'docs' / 'disaster-recovery.md').read_text()
        commands = '\n'.join(re.findall(r'^```sh\n(.*?)^```', text, re.DOTALL | re.MULTILINE))
        values = {'BACKUP_REPO': str(server.path(self.repo)), 'BACKUP_BRANCH': 'main',
                  'AGE_IDENTITY_FILE': str(self.mine)}
        for name, value in values.items():
            commands, count = re.subn(rf'^export {name}=.*$', f'export {name}={value}', commands,
                                      flags=re.MULTILINE)
            self.assertEqual(1, count)
        place = self.folder / f'machine{BackupTest.serial}'
        place.mkdir()
        env = clean_env(**{**cluster.env('postgres'), **GIT, 'HOME': str(place)})
        done = subprocess.run(['bash', '-eo', 'pipefail', '-c',
                               re.sub(r'\brecovered\b', db, commands)], text=True, cwd=place,
                              capture_output=True, check=False, env=env)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertEqual(canonical(cluster.pg_dump('shop')), canonical(cluster.pg_dump(db)))

    def test_of_a_sealed_archive(self) -> None:
        self.follow('--recipient', self.recipient)

    def test_of_a_readable_archive(self) -> None:
        self.follow()


if __name__ == '__main__':
    unittest.main()
