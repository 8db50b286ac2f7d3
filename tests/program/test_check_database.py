"""backproof check of a database and of a backup repository: each thing that it can find, provoked
on real servers."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

from harness import (PROGRAM, SCHEMAS, Cluster, ProgramTest, Result, clean_env, sample_cluster,
                     unwind_on_sigterm)
from pgbouncer import PgBouncer
from processes import free_port

SUPPORT = Path(__file__).resolve().parents[1] / 'support'
SECRET = 's3cret/& pass'
cluster: Cluster
serial = 0


def setUpModule() -> None:
    global cluster
    unwind_on_sigterm()
    cluster = sample_cluster()
    unittest.addModuleCleanup(cluster.__exit__, None, None, None)
    cluster.create_db('shop', SCHEMAS / 'shop.sql')


class CheckTest(ProgramTest):
    """Each test may have a database and a role of its own."""

    def setUp(self) -> None:
        global serial
        super().setUp()
        serial += 1
        self.db, self.user = f'db{serial}', f'user{serial}'
        self.url = cluster.url('shop')

    def new_db(self, sql: str, user_options: str = 'login') -> None:
        cluster.create_role(self.user, SECRET, user_options)
        self.addCleanup(cluster.psql, 'postgres', f'drop role {self.user}')
        cluster.create_db(self.db)
        self.addCleanup(cluster.psql, 'postgres', f'drop database {self.db} with (force)')
        cluster.psql(self.db, sql.replace('USER', self.user))
        self.url = cluster.url(self.db)

    def as_user(self) -> None:
        self.url = cluster.url(self.db, self.user, password=SECRET)

    def check(self, *more: str, status: int = 0, **env: str) -> Result:
        result = self.run_it('check', *more, status=status, **{'DATABASE_URL': self.url, **env})
        for secret in (SECRET, 's3cret%2F', 'wr0ng'):
            self.assertNotIn(secret, result.out + result.err)
        return result

    def findings(self, *more: str, status: int = 0, **env: str) -> dict[str, list[dict]]:
        answer = self.check(*more, '--format', 'json', status=status, **env).json
        self.assertEqual(status == 0, answer['ok'])
        found: dict[str, list[dict]] = {}
        for one in answer['findings']:
            self.assertEqual({'about', 'level', 'what', 'fix'}, set(one))
            found.setdefault(one['about'], []).append(one)
        return found

    def assert_found(self, about: str, level: str, words: str, *more: str, **options) -> dict:
        found = self.findings(*more, **options)
        met = [one for one in found.get(about, []) if one['level'] == level
               and words in one['what']]
        self.assertEqual(1, len(met), found)
        return met[0]

    def assert_wrong(self, status: int, about: str, words: str, *more: str, **options) -> dict:
        """It is found, it is the error, and a backup fails as well."""
        met = self.assert_found(about, 'failure', words, *more, status=status, **options)
        error = self.check(*more, status=status, **options).err.splitlines()[-1]
        self.assertIn('error: a backup would fail: ', error)
        self.assertIn(words, error)
        repo = self.folder / 'backups.git'
        subprocess.run(['git', 'init', '-q', '--bare', repo], check=True, env=clean_env())
        self.run_it('backup', *more, '--dry-run', status=status, BACKPROOF_BACKUP_REPO=str(repo),
                    **{'DATABASE_URL': self.url, **options})
        return met


class Check(CheckTest):
    def test_all_is_well(self) -> None:
        result = self.check('--jobs', '2')
        version = cluster.psql('postgres', 'show server_version').split()[0]
        lines = result.out.splitlines()
        self.assertEqual(["ok       database: connected to 'shop' at 127.0.0.1:"
                          f"{cluster.port} as user 'postgres', not encrypted"], lines[:1])
        self.assertTrue(lines[1].startswith(f'ok       database: the server is PostgreSQL {version}'))
        self.assertTrue(lines[2].startswith('ok       pg_dump: version '))
        self.assertIn('ok       roles: they are backed up without passwords', lines)
        self.assertIn(', a backup takes 3', result.out)
        self.assertEqual({'ok'}, {line.split()[0] for line in lines})
        self.assertEqual('', result.err)

    def test_it_needs_something_to_look_at(self) -> None:
        result = self.assert_fails(2, 'nothing to check is named; hint: a dispatch is checked with '
                                   '--repo', 'check')
        for way in ('DATABASE_URL', '--backup-repo'):
            self.assertIn(way, result.err)

    def test_libpqs_variables_name_a_database(self) -> None:
        found = self.findings(DATABASE_URL='', **cluster.env('shop'))
        self.assertIn("connected to 'shop'", found['database'][0]['what'])

    def test_in_a_job_the_repository_alone_asks_for_no_dispatch(self) -> None:
        self.assertNotIn('token', self.findings(GITHUB_REPOSITORY='myorg/myapp'))
        self.assert_fails(3, 'there is no trigger token', 'check', '--repo', 'myorg/myapp',
                          DATABASE_URL=self.url)

    def test_it_takes_no_lock_on_a_table(self) -> None:
        self.new_db('create table t (); create sequence s')
        holder = subprocess.Popen([cluster.bin / 'psql', '-X', '-q', self.url],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        holder.stdin.write('begin; lock table t in access exclusive mode; select 1;\n')
        holder.stdin.flush()
        for _ in range(3):
            holder.stdout.readline()
        met = self.assert_found('locks', 'warning', 'table public.t is locked by process ')
        holder.communicate('rollback;\n')
        self.assertIn('user postgres, idle in transaction, for 00:00:', met['what'])
        self.assertIn('a backup waits 30 s for it (--lock-timeout)', met['fix'])
        self.assertNotIn('locks', self.findings())

    def test_it_writes_nothing(self) -> None:
        self.new_db('create table t (); create role never_made_here; drop role never_made_here')
        cluster.psql('postgres', f'alter database {self.db} set default_transaction_read_only = on')
        before = cluster.pg_dump(self.db)
        self.check()
        self.assertEqual(before, cluster.pg_dump(self.db))


class Rights(CheckTest):
    def test_tables_and_schemas(self) -> None:
        self.new_db('create schema "Odd one"; create table "Odd one".a (); create table b ();'
                    'create table c (); grant select on c to USER; revoke usage on schema "Odd one" '
                    'from public')
        self.as_user()
        met = self.assert_wrong(3, 'tables', f"user '{self.user}' may not read 2 of 3 tables: "
                                '"Odd one".a, public.b')
        grants = met['fix'].split('; or, ')
        self.assertEqual(f'GRANT USAGE ON SCHEMA "Odd one" TO {self.user}; GRANT SELECT ON TABLE '
                         f'"Odd one".a, public.b TO {self.user}', grants[0])
        self.assertIn(f'GRANT pg_read_all_data TO {self.user}', grants[1])
        cluster.psql(self.db, grants[0])
        self.findings()

    def test_many_tables(self) -> None:
        self.new_db(''.join(f'create table t{i} ();' for i in range(12)))
        self.as_user()
        met = self.assert_wrong(3, 'tables', 'may not read 12 of 12 tables: public.t0, public.t1, ')
        self.assertTrue(met['what'].endswith('public.t5, ...'), met)
        self.assertIn(f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO {self.user}', met['fix'])
        cluster.psql(self.db, met['fix'].split('; or, ')[0])
        self.findings()

    def test_sequences(self) -> None:
        self.new_db('create table t (id serial); grant select on t to USER')
        self.as_user()
        met = self.assert_wrong(3, 'sequences', 'may not read 1 of 1 sequences: public.t_id_seq')
        self.assertIn(f'GRANT SELECT ON SEQUENCE public.t_id_seq TO {self.user}', met['fix'])
        cluster.psql(self.db, met['fix'].split('; or, ')[0])
        self.findings()

    def test_large_objects(self) -> None:
        self.new_db("create table t (); grant select on t to USER; select lo_from_bytea(70001, 'a');"
                    "select lo_from_bytea(70002, 'b'); grant select on large object 70002 to USER;"
                    "select lo_from_bytea(70003, 'c'); grant select on large object 70003 to public")
        self.as_user()
        met = self.assert_wrong(3, 'large objects', 'may not read 1 of 3 large objects: 70001')
        cluster.psql(self.db, met['fix'].split(', or back up')[0])
        self.findings()

    def test_many_large_objects(self) -> None:
        self.new_db("create table t (); grant select on t to USER;"
                    "select lo_from_bytea(0, 'a') from generate_series(1, 20)")
        self.as_user()
        met = self.assert_found('large objects', 'failure', 'may not read 20 of 20 large objects',
                                status=3)
        cluster.psql(self.db, met['fix'].removeprefix('as their owner: ').split(', or back up')[0])
        self.findings()

    def test_row_security(self) -> None:
        self.new_db('create table t (a int); alter table t enable row level security;'
                    'create table u (); grant select on all tables in schema public to USER')
        self.as_user()
        met = self.assert_found('row-level security', 'failure',
                                f"it hides rows from user '{self.user}' in: public.t", status=3)
        self.assertNotIn('public.u', met['what'])
        cluster.psql(self.db, met['fix'].split(', or')[0])
        self.findings()

    def test_all_reasons_are_told_at_once(self) -> None:
        self.new_db('create table t (id serial); select lo_from_bytea(0, $$a$$)')
        self.as_user()
        result = self.check(status=3)
        self.assertEqual(3, result.out.count('\nfailure  '), result)
        self.assertIn('error: a backup would fail, for the 3 reasons above', result.err)

    def test_pg_authid_may_be_closed(self) -> None:
        self.new_db('create table t (); grant select on t to USER')
        self.as_user()
        self.assert_found('roles', 'ok', 'they are backed up without passwords; pg_authid is closed '
                          'to this user')

    def test_no_tables(self) -> None:
        self.new_db('select 1')
        self.assert_wrong(1, 'tables', f"the database '{self.db}' has no tables")


class Connecting(CheckTest):
    def test_a_wrong_password(self) -> None:
        self.url = cluster.url('shop', password='wr0ng-secret')
        self.assert_wrong(3, 'database', 'password authentication failed for user "postgres"')

    def test_a_server_that_is_not_there(self) -> None:
        self.url = self.url.replace(f':{cluster.port}/', f':{free_port()}/')
        self.assert_wrong(5, 'database', 'Connection refused')

    def test_a_password_on_the_command_line(self) -> None:
        result = self.assert_fails(2, 'the password in --database-url would show', 'check',
                                   '--database-url', self.url)
        self.assertEqual('', result.out)

    def test_poolers(self) -> None:
        with PgBouncer(cluster, 'session') as pooler:
            self.url = pooler.url('shop')
            self.assert_found('database', 'ok', 'through a pooler in session mode')
        with PgBouncer(cluster, 'transaction') as pooler:
            self.url = pooler.url('shop')
            met = self.assert_wrong(2, 'database', 'leads to a pooler in transaction mode')
            self.assertIn("the pooler's session mode", met['fix'])

    def test_tls(self) -> None:
        with Cluster(tls=True) as server:
            server.psql('postgres', 'create table t ()')
            self.url = server.url('postgres')
            self.assert_found('database', 'ok', "encrypted with TLSv1.3, the server's certificate "
                              'checked')
            self.url = self.url.replace('verify-full', 'require').replace('&sslrootcert', '&x')
            self.url = self.url.split('&x')[0]
            self.assert_found('database', 'ok', 'not checked (sslmode=verify-full would)')

    def in_network(self, address: str = '', socket: str = '') -> Result:
        """The check in a network of its own, where the server's socket has this address."""
        script = ['import subprocess, sys', f'sys.path.insert(0, {str(SUPPORT)!r})',
                  'from gate import Gate',
                  f"check = lambda: subprocess.run([{PROGRAM!r}, 'check', '--format', 'json'])"]
        if address:
            script += ["subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)",
                       f"subprocess.run(['ip', 'address', 'add', '{address}/32', 'dev', 'lo'], "
                       'check=True)',
                       f'with Gate({socket!r}, address={address!r}, port=5432):',
                       '    sys.exit(check().returncode)']
        script.append('sys.exit(check().returncode)')
        done = subprocess.run(
            ['unshare', '-n' if os.geteuid() == 0 else '-rn', sys.executable, '-c',
             '\n'.join(script)], text=True, capture_output=True, timeout=60, check=False,
            env=clean_env(DATABASE_URL=self.url, BACKPROOF_CONNECT_RETRIES='0',
                          TMPDIR=str(self.temp)), cwd=self.folder)
        if 'unshare: ' in done.stderr:
            self.skipTest(done.stderr)
        return Result(('check',), done.returncode, done.stdout, done.stderr)

    def test_a_password_that_travels_in_the_open(self) -> None:
        self.url = cluster.url('shop').replace(f'127.0.0.1:{cluster.port}', '10.9.9.9:5432')
        result = self.in_network('10.9.9.9',
                                 str(cluster.folder / 'socket' / f'.s.PGSQL.{cluster.port}'))
        self.assertEqual(0, result.status, result)
        met = [one for one in result.json['findings'] if one['level'] == 'warning']
        self.assertEqual(['password and rows travel to 10.9.9.9:5432 without encryption'],
                         [one['what'] for one in met], result)
        self.assertIn('sslmode=require', met[0]['fix'])

    def test_a_host_with_ipv6_only(self) -> None:
        self.url = 'postgresql://u:wr0ng@[2001:db8::1]:5432/x'
        result = self.in_network()
        self.assertEqual(5, result.status, result)
        met = result.json['findings'][0]
        self.assertIn('it has an IPv6 address only, and this machine has no way to IPv6',
                      met['what'])
        self.assertIn("its host's pooler in session mode", met['fix'])


class Server(CheckTest):
    def test_extensions_are_named_with_their_versions(self) -> None:
        self.new_db('create extension pg_trgm version "1.6"; create table t ()')
        self.assert_found('extensions', 'ok', 'the server of a restore must have pg_trgm 1.6')

    def test_an_extension_without_its_files(self) -> None:
        self.new_db("create extension pg_trgm; create table t ();"
                    "update pg_extension set extname = 'gone' where extname = 'pg_trgm'")
        self.assert_found('extensions', 'warning', 'in use, but not installed on this server: gone')

    def test_tables_of_extensions(self) -> None:
        self.new_db('create extension pg_trgm; create table t (); create table mine (a int);'
                    'insert into mine values (1); analyze mine;'
                    'alter extension pg_trgm add table mine')
        self.assert_found('extensions', 'warning', 'no rows are backed up of their own tables: '
                          'public.mine of pg_trgm')

    def test_a_collation_that_changed(self) -> None:
        self.new_db("create table t (); update pg_database set datcollversion = '1.0'"
                    ' where datname = current_database()')
        met = self.assert_found('collation', 'warning', 'with version 1.0 of its collation')
        self.assertIn(f'REINDEX DATABASE {self.db}', met['fix'])

    def test_few_connections_are_free(self) -> None:
        self.new_db('create table t (); grant select on t to USER;'
                    'alter role USER connection limit 3')
        self.as_user()
        self.assert_found('connections', 'ok', '3 are free, a backup takes 3', '--jobs', '2')
        self.assert_found('connections', 'warning', '3 are free for this user, and a backup takes 5',
                          '--jobs', '4')

    def test_a_prepared_transaction(self) -> None:
        with Cluster(settings={'max_prepared_transactions': '5'}) as server:
            server.psql('postgres', "create table t (a int); begin; insert into t values (1);"
                        "prepare transaction 'half done'")
            self.url = server.url('postgres')
            self.assert_found('prepared transactions', 'warning', "'half done' since ")

    def test_a_standby(self) -> None:
        with Cluster() as server:
            server.psql('postgres', 'create table t (); create unlogged table u ()')
            server.stop()
            (server.folder / 'data' / 'standby.signal').touch()
            server.start()
            self.url = server.url('postgres')
            self.assert_found('database', 'warning', 'it is a standby: unlogged tables (1) have no '
                              'rows there')


class Space(CheckTest):
    def test_a_small_temporary_folder(self) -> None:
        small = self.folder / 'small'
        small.mkdir()
        done = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', small],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.skipTest(done.stderr)
        self.addCleanup(subprocess.run, ['umount', small], check=True)
        met = self.assert_found('temporary folder', 'warning', 'has 64.0 KiB free, and the database '
                                'takes ', TMPDIR=str(small))
        self.assertIn('set TMPDIR', met['fix'])

    def test_one_that_is_not_there(self) -> None:
        self.assert_wrong(1, 'temporary folder', 'cannot be used: No such file',
                          TMPDIR='/nowhere/at/all')


class Programs(CheckTest):
    def test_no_pg_dump_that_fits(self) -> None:
        """In a place of its own, where no folder has one."""
        if os.geteuid() != 0:
            self.skipTest('only root may hide a folder')
        empty = self.folder / 'empty'
        empty.mkdir()
        script = f'mount --bind {empty} /usr/lib/postgresql && exec {PROGRAM} check --format json'
        done = subprocess.run(['unshare', '-m', 'sh', '-c', script], text=True, capture_output=True,
                              env=clean_env(DATABASE_URL=self.url, PATH='/usr/bin:/bin:/sbin',
                                            BACKPROOF_CONNECT_RETRIES='0'), check=False)
        result = Result(('check',), done.returncode, done.stdout, done.stderr)
        if shutil.which('pg_dump', path='/usr/bin') and not result.status:
            self.skipTest('pg_dump is in /usr/bin as well')
        self.assertEqual(1, result.status, result)
        met = [one for one in result.json['findings'] if one['about'] == 'pg_dump']
        self.assertIn('no pg_dump was found', met[0]['what'])
        self.assertIn('install postgresql-client-', met[0]['fix'])


class BackupRepository(CheckTest):
    def setUp(self) -> None:
        super().setUp()
        self.repo = self.folder / 'backups.git'
        subprocess.run(['git', 'init', '-q', '--bare', self.repo], check=True, env=clean_env())

    def test_it_is_looked_at_alone_or_with_the_database(self) -> None:
        for env in ({'DATABASE_URL': ''}, {}):
            self.assert_found('backup repository', 'ok', "the first backup makes its branch 'main'",
                              BACKPROOF_BACKUP_REPO=str(self.repo), **env)

    def test_a_branch_that_exists(self) -> None:
        self.run_it('backup', DATABASE_URL=self.url, BACKPROOF_BACKUP_REPO=str(self.repo))
        self.assert_found('backup repository', 'ok', "has the branch 'main'",
                          BACKPROOF_BACKUP_REPO=str(self.repo))

    def test_one_that_is_not_there(self) -> None:
        met = self.assert_found('backup repository', 'failure', 'cannot find the backup repository',
                                status=4, BACKPROOF_BACKUP_REPO='/nowhere/at/all')
        self.assertTrue(met['what'])


if __name__ == '__main__':
    unittest.main()
