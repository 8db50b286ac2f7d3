"""restore.sh, which every archive carries: for a person who has psql and nothing else."""
from __future__ import annotations

import hashlib
import re
import shutil
import signal
import subprocess
import time
import unittest
from pathlib import Path

from harness import PROGRAM, ROOT, SCHEMAS, Cluster, ProgramTest, clean_env, sample_cluster, \
    unwind_on_sigterm
from test_backup_restore import canonical

SUMS = ('sha256sum', 'shasum', 'openssl')
TOOLS = ('cat', 'comm', 'dirname', 'find', 'grep', 'mktemp', 'rm', 'sed', 'sleep', 'sort', 'tr',
         'xargs')
ORDERS = 'shop/tables/orders/data.sql'
cluster: Cluster
archives: Path
serial = 0


def setUpModule() -> None:
    global cluster, archives
    unwind_on_sigterm()
    cluster = sample_cluster()
    unittest.addModuleCleanup(cluster.__exit__, None, None, None)
    archives = cluster.folder / 'archives'
    for name in ('shop', 'odd'):
        cluster.create_db(name, SCHEMAS / f'{name}.sql')
        env = clean_env(DATABASE_URL=cluster.url(name), GIT_CONFIG_COUNT='1',
                        GIT_CONFIG_KEY_0='safe.directory', GIT_CONFIG_VALUE_0='*')
        for words in (['git', 'init', '-q', '--bare', archives / f'{name}.git'],
                      [PROGRAM, 'backup', '--quiet', '--backup-repo', archives / f'{name}.git'],
                      ['git', 'clone', '-q', '-b', 'main', archives / f'{name}.git',
                       archives / name]):
            subprocess.run(words, check=True, env=env, stdout=subprocess.DEVNULL)


class Bed(ProgramTest):
    """Each test has an empty database, a copy of the shop's archive, and a folder of programs."""

    def setUp(self) -> None:
        super().setUp()
        self.fresh()

    def fresh(self) -> None:
        global serial
        serial += 1
        self.db = f'new{serial}'
        cluster.create_db(self.db)
        self.addCleanup(cluster.psql, 'postgres', f'drop database {self.db} with (force)')
        self.bin = self.folder / f'bin{serial}'
        self.bin.mkdir()
        self.path = f'{self.bin}:/usr/local/bin:/usr/bin:/bin'
        self.archive = self.folder / 'archive'
        self.take('shop')

    def take(self, name: str, to: Path | None = None) -> None:
        self.archive = to or self.archive
        shutil.rmtree(self.archive, ignore_errors=True)
        shutil.copytree(archives / name / 'backups' / 'current', self.archive)

    def begin(self, *shell: str, cwd: Path | None = None, **env: str) -> subprocess.Popen:
        full = clean_env(**{'TARGET_DATABASE_URL': cluster.url(self.db), 'PATH': self.path,
                            'TMPDIR': str(self.temp), **env})
        full = {name: value for name, value in full.items() if value}
        child = subprocess.Popen([*shell, self.archive / 'restore.sh'], text=True, env=full,
                                 cwd=cwd or self.folder, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(child.kill)
        return child

    def end(self, child: subprocess.Popen, status: int, *words: str) -> str:
        out, err = child.communicate(timeout=60)
        self.assertEqual(status, child.returncode, out + err)
        for word in words:
            self.assertIn(word, out + err)
        self.assert_clean()
        return out + err

    def restores(self, *shell: str, source: str = 'shop', **env) -> str:
        said = self.end(self.begin(*shell, **env), 0)
        self.assertEqual(canonical(cluster.pg_dump(source)), canonical(cluster.pg_dump(self.db)))
        return said

    def fails(self, status: int, *words: str, **env) -> str:
        before = cluster.pg_dump(self.db)
        said = self.end(self.begin(**env), status, *words)
        self.assertEqual(before, cluster.pg_dump(self.db), 'the target was changed')
        return said

    def stub(self, name: str, text: str) -> None:
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text('#!/bin/sh\n' + text)
        path.chmod(0o755)

    def only(self, *names: str) -> None:
        """From now on there are no programs but these and what every system has."""
        for name in ('sh', 'psql', *TOOLS, *names):
            (self.bin / name).symlink_to(shutil.which(name) or self.skipTest(f'no {name} here'))
        self.path = str(self.bin)

    def rewrite(self, path: str, text: str) -> None:
        """As if the program had written this file."""
        (self.archive / path).write_text(text)
        self.seal(path)

    def seal(self, path: str) -> None:
        manifest = self.archive / 'manifest.json'
        data = (self.archive / path).read_bytes()
        line = (f'{{"bytes": {len(data)}, "path": "{path}", '
                f'"sha256": "{hashlib.sha256(data).hexdigest()}"}}')
        text, count = re.subn(r'\{"bytes": \d+, "path": "' + re.escape(path) + '".*?}', line,
                              manifest.read_text())
        self.assertEqual(1, count)
        manifest.write_text(text)


class Checksums(Bed):
    def test_an_archive_carries_the_script_of_this_source(self) -> None:
        for name in ('restore.sh', 'RESTORE.md'):
            self.assertEqual((ROOT / 'src' / 'archive' / name).read_text(),
                             (self.archive / name).read_text(), 'build the program first')

    def test_a_sha256sum_without_long_options_is_enough(self) -> None:
        self.stub('sha256sum', 'case $* in *--*) echo unrecognized option >&2; exit 1 ;; esac\n'
                               'exec /usr/bin/sha256sum "$@"\n')
        self.restores()

    def test_each_program_for_sha256_proves_the_archive(self) -> None:
        for name in SUMS:
            with self.subTest(name):
                self.fresh()
                self.only(name)
                self.restores()

    def test_each_program_for_sha256_finds_the_file_that_is_wrong(self) -> None:
        for name in SUMS:
            with self.subTest(name):
                self.fresh()
                self.only(name)
                data = self.archive / ORDERS
                data.write_text(data.read_text().replace('paid', 'sent', 1))
                said = self.fails(8, f'{ORDERS}: FAILED, its checksum is wrong')
                self.assertEqual(1, said.count('FAILED'))

    def test_without_such_a_program_the_archive_is_not_called_damaged(self) -> None:
        self.only()
        said = self.fails(2, 'no program for SHA-256 here; hint: install coreutils')
        self.assertNotIn('damaged', said)

    def test_a_program_that_does_not_work_is_not_used(self) -> None:
        self.stub('sha256sum', 'exit 1\n')
        self.restores()

    def test_a_missing_file_is_named(self) -> None:
        (self.archive / ORDERS).unlink()
        self.fails(8, f'{ORDERS}: FAILED, it is missing')

    def test_a_file_that_does_not_belong_there_is_named_and_not_used(self) -> None:
        (self.archive / 'database' / 'large-objects').mkdir()
        (self.archive / 'database' / 'large-objects' / 'more.sql').write_text('SELECT 1 / 0;\n')
        self.assertIn('database/large-objects/more.sql is not part of', self.restores())

    def test_a_manifest_that_is_cut_off(self) -> None:
        manifest = self.archive / 'manifest.json'
        manifest.write_text(manifest.read_text()[:4000])
        self.fails(8, 'manifest.json is damaged')

    def test_a_file_of_a_table_without_a_checksum(self) -> None:
        (self.archive / 'other.sql').write_text('SELECT 1;\n')
        manifest = self.archive / 'manifest.json'
        manifest.write_text(manifest.read_text().replace(f'["{ORDERS}"]', '["other.sql"]'))
        self.fails(8, 'manifest.json is damaged')


class Restrict(Bed):
    def setUp(self) -> None:
        super().setUp()
        if not re.search(r'^\\restrict ', (self.archive / 'database' / 'pre-data.sql').read_text(),
                         re.MULTILINE):
            self.skipTest('this pg_dump writes no restrict')

    def test_a_psql_that_does_not_know_it(self) -> None:
        self.stub('psql', f'''
case $1 in
--help=*) echo '  \\q  quit psql'; exit ;;
esac
for word; do
    case $word in
    --file=*) script=${{word#*=}} ;;
    --set=work=*) work=${{word#*=work=}} ;;
    --set=archive=*) archive=${{word#*=archive=}} ;;
    esac
done
[ -z "$archive" ] || cd "$archive"
[ "$script" = - ] || exec {shutil.which('psql')} "$@"
cat >"$work/told"
if sed -n 's/^.i //p' "$work/told" | sed "s,:work,$work," | xargs grep -l '^.restrict ' >&2; then
    echo 'invalid command \\restrict' >&2
    exit 3
fi
exec {shutil.which('psql')} "$@" <"$work/told"
''')
        self.restores()

    def test_a_psql_that_knows_it_gets_the_files_as_they_are(self) -> None:
        if 'restrict' not in subprocess.run(['psql', '--help=commands'], text=True, check=True,
                                            capture_output=True).stdout:
            self.skipTest('this psql does not know it')
        self.rewrite('database/sequences.sql', '\\echo free\n')
        self.rewrite('database/post-data.sql', '\\restrict k\n\\echo bound\n\\unrestrict k\n')
        said = self.fails(1, 'free')
        self.assertNotIn('bound\n', said)


class Target(Bed):
    def test_whatever_somebody_made_is_refused(self) -> None:
        for sql, name in (('create table public.precious (a int)', 'table public.precious'),
                          ('create view v as select 1', 'view public.v'),
                          ('create function f() returns int language sql as $$ select 1 $$',
                           'function public.f()'),
                          ("create type mood as enum ('bad')", 'type public.mood'),
                          ('create schema empty', 'schema empty'),
                          ('create extension hstore', 'extension hstore'),
                          ('select lo_create(7)', 'large object 7')):
            with self.subTest(name):
                self.fresh()
                cluster.psql(self.db, sql)
                self.fails(2, f'database {self.db} at 127.0.0.1 port {cluster.port} is not empty, '
                              f'it holds 1 objects ({name})', 'hint: ')

    def test_of_many_objects_some_are_named(self) -> None:
        cluster.psql(self.db, ''.join(f'create table t{i} (a int);' for i in range(100, 200)))
        said = self.fails(2, 'it holds 100 objects (table public.t100, table public.t101, ')
        self.assertNotIn('t105', said)

    def test_a_role_without_rights_may_look(self) -> None:
        cluster.psql(self.db, "create role weak login password 'weak'; create schema mine")
        self.addCleanup(cluster.psql, 'postgres', 'drop role weak')
        self.fails(2, 'schema mine',
                   TARGET_DATABASE_URL=cluster.url(self.db, 'weak', password='weak'))

    def test_no_address_at_all_is_not_the_users_own_database(self) -> None:
        env = {**cluster.env(self.db), 'TARGET_DATABASE_URL': '', 'PGDATABASE': ''}
        self.fails(2, 'which database? hint: TARGET_DATABASE_URL=', **env)

    def test_psqls_own_variables_name_the_target(self) -> None:
        env = {**cluster.env(self.db), 'TARGET_DATABASE_URL': ''}
        self.restores(**env)
        self.fails(2, f'database {self.db} at 127.0.0.1', **env)

    def test_an_older_server(self) -> None:
        manifest = self.archive / 'manifest.json'
        manifest.write_text(re.sub('("server_version_num": )[0-9]+', r'\g<1>990001',
                                   manifest.read_text()))
        self.fails(1, f'database {self.db} at 127.0.0.1', 'older than the archive',
                   'hint: restore into PostgreSQL 99 or newer', 'use psql 99 or newer')

    def test_a_database_that_is_read_only_by_default(self) -> None:
        cluster.psql('postgres', f'alter database {self.db} set default_transaction_read_only = on')
        self.end(self.begin(), 0)

    def test_the_end_tells_what_was_restored(self) -> None:
        self.assertIn(f'done, 8 tables and 1760 rows are in database {self.db} at 127.0.0.1',
                      self.restores())


class Addresses(Bed):
    def watch(self) -> None:
        """psql's arguments go to a file."""
        self.stub('psql', f'printf "%s\\n" "$@" >>{self.folder}/arguments\n'
                          f'exec {shutil.which("psql")} "$@"\n')

    def arguments(self) -> str:
        path = self.folder / 'arguments'
        return path.read_text() if path.exists() else ''

    def test_the_password_of_an_address_is_in_no_argument(self) -> None:
        self.watch()
        self.restores()
        self.assertIn(f'{self.db}\n', self.arguments())
        for secret in ('s3cret', 'pass\n', '%26'):
            self.assertNotIn(secret, self.arguments())

    def test_an_at_behind_the_host_is_no_login(self) -> None:
        self.restores(PGPASSWORD=cluster.password, TARGET_DATABASE_URL=cluster.url(
            self.db, with_password=False) + '?application_name=a:b@c')

    def test_a_unix_socket_as_an_address(self) -> None:
        socket = cluster.folder / 'socket'
        self.restores(PGPASSWORD=cluster.password, TARGET_DATABASE_URL=(
            f'postgresql:///{self.db}?host={socket}&port={cluster.port}&user=postgres'
            '&application_name=a:b@c'))
        self.assertIn(f'database {self.db} at {socket} port', self.fails(
            2, PGPASSWORD=cluster.password, TARGET_DATABASE_URL=(
                f'host={socket} port={cluster.port} user=postgres dbname={self.db}')))

    def test_keys_and_values_instead_of_an_address(self) -> None:
        self.restores(PGPASSWORD=cluster.password, TARGET_DATABASE_URL=(
            f"host=127.0.0.1 port={cluster.port} user='postgres' dbname={self.db}"))

    def test_a_password_elsewhere_in_the_address_is_refused(self) -> None:
        self.watch()
        for address in (f'postgresql://127.0.0.1/{self.db}?password=s3cret',
                        f'postgresql://127.0.0.1/{self.db}?user=a&password=s3cret',
                        f'dbname={self.db} password=s3cret', "password = 's3cret' dbname=a"):
            with self.subTest(address):
                self.fails(2, 'put the password into PGPASSWORD', TARGET_DATABASE_URL=address)
        self.fails(2, 'write %40', TARGET_DATABASE_URL='postgresql://u:s3@cret@127.0.0.1/a')
        self.assertEqual('', self.arguments())

    def test_a_file_that_the_address_names_is_looked_for_where_the_caller_is(self) -> None:
        words = f'127.0.0.1:{cluster.port}:*:postgres:{cluster.password}\n'
        (self.folder / 'words').write_text(words)
        (self.folder / 'words').chmod(0o600)
        self.restores(TARGET_DATABASE_URL=cluster.url(self.db, with_password=False)
                      + '?passfile=words')


class Ends(Bed):
    NEVER = 'SELECT pg_sleep(600);\n'

    def wait_for(self, condition) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def at_commit(self, sql: str) -> None:
        """The COMMIT itself runs this."""
        self.rewrite('database/refresh.sql', f'''
CREATE FUNCTION public.last() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN {sql}; RETURN NULL; END $$;
CREATE TABLE public.last (a int);
CREATE CONSTRAINT TRIGGER last AFTER INSERT ON public.last DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION public.last();
INSERT INTO public.last VALUES (1);
''')

    def sessions(self) -> list[str]:
        return [one['query'] for one in cluster.sessions() if one['datname'] == self.db]

    def test_a_signal_ends_the_statement_on_the_server_too(self) -> None:
        self.rewrite('database/sequences.sql', self.NEVER)
        shells = [['dash'], ['bash'], *([['busybox', 'sh']] if shutil.which('busybox') else [])]
        for shell, number, status in (*((shell, signal.SIGTERM, 143) for shell in shells),
                                      (['sh'], signal.SIGINT, 130), (['sh'], signal.SIGHUP, 129)):
            with self.subTest(shell=shell, signal=number):
                child = self.begin(*shell)
                self.wait_for(lambda: any('pg_sleep' in one for one in self.sessions()))
                child.send_signal(number)
                self.end(child, status, 'restore.sh: stopped, nothing has changed')
                self.wait_for(lambda: self.sessions() == [])
                self.assertNotIn('CREATE', cluster.pg_dump(self.db))

    def test_a_signal_ends_a_psql_that_is_still_connecting(self) -> None:
        self.stub('psql', f'case $1 in --file* | --no*) ;; *) exit ;; esac\n'
                          f'echo $$ >{self.folder}/pid\nexec sleep 600\n')
        child = self.begin()
        self.wait_for(lambda: (self.folder / 'pid').exists()
                      and (self.folder / 'pid').read_text().endswith('\n'))
        child.terminate()
        self.end(child, 143, 'restore.sh: stopped, nothing has changed')
        self.assertFalse(Path('/proc', (self.folder / 'pid').read_text().strip()).exists())

    def test_a_statement_that_fails(self) -> None:
        self.rewrite('database/sequences.sql', 'SELECT 1 / 0;\n')
        self.fails(1, 'division by zero', 'restore.sh: failed, nothing has changed')

    def test_a_server_that_is_not_there(self) -> None:
        self.end(self.begin(TARGET_DATABASE_URL='postgresql://u@127.0.0.1:1/x'), 1, 'refused',
                 'restore.sh: failed, nothing has changed')

    def test_a_connection_lost_before_the_commit(self) -> None:
        self.rewrite('database/sequences.sql', 'SELECT pg_terminate_backend(pg_backend_pid());\n')
        self.fails(1, 'restore.sh: failed, nothing has changed')

    def test_a_commit_that_the_server_refuses(self) -> None:
        self.at_commit("RAISE 'not today'")
        self.fails(1, 'not today', 'restore.sh: failed, nothing has changed')

    def test_a_connection_lost_during_the_commit_is_told_honestly(self) -> None:
        self.at_commit('PERFORM pg_terminate_backend(pg_backend_pid())')
        said = self.end(self.begin(), 1, 'failed during COMMIT', f'database {self.db} at 127.0.0.1',
                        'holds the whole archive now, or it is as it was', 'hint: run this again')
        self.assertNotIn('nothing has changed', said)


class Places(Bed):
    def test_a_folder_with_blanks_and_quotes_from_elsewhere(self) -> None:
        self.take('odd', self.folder / 'it\'s "my" $HOME \\n backup')
        elsewhere = self.folder / 'else where'
        elsewhere.mkdir()
        self.restores(source='odd', cwd=elsewhere)

    def test_in_the_folder_itself_which_may_be_read_only(self) -> None:
        for path in (self.archive, *self.archive.rglob('*')):
            path.chmod(0o555)
        self.addCleanup(subprocess.run, ['chmod', '-R', 'u+w', self.archive], check=True)
        before = sorted(self.archive.rglob('*'))
        self.restores(cwd=self.archive)
        self.assertEqual(before, sorted(self.archive.rglob('*')))

    def test_without_tmpdir(self) -> None:
        self.restores(TMPDIR='')

    def test_with_each_shell(self) -> None:
        for shell in ('dash', 'bash'):
            with self.subTest(shell):
                self.fresh()
                self.take('odd')
                self.restores(shell, source='odd')

    def test_with_busybox_alone(self) -> None:
        busybox = shutil.which('busybox') or self.skipTest('busybox is not installed')
        for name in ('sh', 'sha256sum', *TOOLS):
            (self.bin / name).symlink_to(busybox)
        (self.bin / 'psql').symlink_to(shutil.which('psql'))
        self.path = str(self.bin)
        self.take('odd')
        self.restores(str(self.bin / 'sh'), source='odd')

    def test_another_encoding_of_the_caller_changes_no_character(self) -> None:
        self.take('odd')
        self.restores(source='odd', PGCLIENTENCODING='LATIN1',
                      TARGET_DATABASE_URL=cluster.url(self.db, client_encoding='LATIN1'))

    def test_by_hand_as_restore_md_says_for_each_sample(self) -> None:
        for name in ('shop', 'odd'):
            self.fresh()
            self.take(name)
            self.restore_by_hand(name)

    def restore_by_hand(self, name: str) -> None:
        text = (self.archive / 'RESTORE.md').read_text()
        commands = re.search(r'\n    export .*new_database\n', text, re.DOTALL)[0]
        done = subprocess.run(['sh', '-ec', commands.replace('new_database', self.db)], text=True,
                              capture_output=True, check=False, cwd=self.archive,
                              env=clean_env(**cluster.env(self.db)))
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(canonical(cluster.pg_dump(name)), canonical(cluster.pg_dump(self.db)))

    def test_a_view_over_rows_that_a_policy_hides_is_filled(self) -> None:
        source = f'hidden{serial}'
        cluster.create_db(source)
        self.addCleanup(cluster.psql, 'postgres', f'drop database {source} with (force)')
        cluster.psql(source, """create role seer; create table t (id int primary key);
            insert into t values (1), (2); alter table t enable row level security;
            create policy low on t using (id < 2); grant select on t to seer;
            create materialized view seen as select * from t;
            alter materialized view seen owner to seer;
            refresh materialized view seen""")
        repo = self.folder / f'{source}.git'
        env = clean_env(DATABASE_URL=cluster.url(source), GIT_CONFIG_COUNT='1',
                        GIT_CONFIG_KEY_0='safe.directory', GIT_CONFIG_VALUE_0='*')
        for words in (['git', 'init', '-q', '--bare', repo],
                      [PROGRAM, 'backup', '--quiet', '--backup-repo', repo],
                      ['git', 'clone', '-q', '-b', 'main', repo, archives / source]):
            subprocess.run(words, check=True, env=env, stdout=subprocess.DEVNULL)
        self.take(source)
        self.restores(source=source)
        self.assertEqual('1', cluster.psql(self.db, 'select count(*) from seen'))
        self.fresh()
        self.take(source)
        self.restore_by_hand(source)

    def test_a_table_of_hundreds_of_files(self) -> None:
        head, *rows = (self.archive / ORDERS).read_text().splitlines(True)[:-1]
        (self.archive / ORDERS).unlink()
        folder = self.archive / 'shop' / 'tables' / 'orders' / 'data'
        folder.mkdir()
        manifest = (self.archive / 'manifest.json').read_text()
        files, lines = [], []
        for number, row in enumerate(rows, 1):
            path = folder / f'{number:05}.sql'
            path.write_text(head + row + '\\.\n')
            files.append(str(path.relative_to(self.archive)))
            lines.append(f'    {{"bytes": 0, "path": "{files[-1]}", "sha256": "0"}},\n')
        self.assertGreater(len(files), 250)
        manifest = re.sub(rf' *{{"bytes": \d+, "path": "{ORDERS}".*\n', ''.join(lines), manifest)
        manifest = manifest.replace(f'["{ORDERS}"]', '["' + '", "'.join(files) + '"]')
        total = manifest.count('"path": ')
        (self.archive / 'manifest.json').write_text(
            re.sub(r'^    "files": \d+', f'    "files": {total}', manifest, flags=re.MULTILINE))
        for path in files:
            self.seal(path)
        self.restores()


if __name__ == '__main__':
    unittest.main()
