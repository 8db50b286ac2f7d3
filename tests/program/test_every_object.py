"""backup -> restore keeps everything that a database has: all that PostgreSQL can create."""
from __future__ import annotations

import difflib
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from every_object import load_every_object, server_with_extension
from harness import PROGRAM, Cluster, ProgramTest, clean_env, unwind_on_sigterm

# Every kind of entry that pg_dump writes for a database, but SECURITY LABEL (see 01_schemas.sql).
KINDS = '''
ACCESS METHOD; ACL; AGGREGATE; BLOB; BLOBS; CAST; CHECK CONSTRAINT; COLLATION; COMMENT;
CONSTRAINT; CONVERSION; DEFAULT; DEFAULT ACL; DOMAIN;
EVENT TRIGGER; EXTENSION; FK CONSTRAINT; FOREIGN DATA WRAPPER; FOREIGN TABLE; FUNCTION; INDEX;
INDEX ATTACH; MATERIALIZED VIEW; MATERIALIZED VIEW DATA; OPERATOR; OPERATOR CLASS;
OPERATOR FAMILY; POLICY; PROCEDURAL LANGUAGE; PROCEDURE; PUBLICATION; PUBLICATION TABLE;
PUBLICATION TABLES IN SCHEMA; ROW SECURITY; RULE; SCHEMA; SEQUENCE; SEQUENCE OWNED BY;
SEQUENCE SET; SERVER; SHELL TYPE; STATISTICS; SUBSCRIPTION; TABLE; TABLE ATTACH;
TABLE DATA; TEXT SEARCH CONFIGURATION; TEXT SEARCH DICTIONARY; TEXT SEARCH PARSER;
TEXT SEARCH TEMPLATE; TRANSFORM; TRIGGER; TYPE; USER MAPPING; VIEW
'''
SAFE = {'GIT_CONFIG_COUNT': '1', 'GIT_CONFIG_KEY_0': 'safe.directory', 'GIT_CONFIG_VALUE_0': '*'}
programs: Path
source: Cluster
archive: Path


def setUpModule() -> None:
    global programs, source, archive
    unwind_on_sigterm()
    folder = tempfile.TemporaryDirectory(prefix='bp-every-')
    unittest.addModuleCleanup(folder.cleanup)
    programs = server_with_extension(Path(folder.name))
    source = new_cluster(unittest.addModuleCleanup)
    load_every_object(source, 'every')
    archive = back_up(source, 'every', Path(folder.name))


def new_cluster(cleanup) -> Cluster:
    # Publications warn without it.
    cluster = Cluster(bin_dir=programs, settings={'wal_level': 'logical'})
    cluster.__enter__()
    cleanup(cluster.__exit__, None, None, None)
    return cluster


def back_up(cluster: Cluster, db: str, folder: Path) -> Path:
    """The folder of the archive, as a person without backproof would get it."""
    env = clean_env(DATABASE_URL=cluster.url(db), **SAFE)
    for words in (['git', 'init', '-q', '--bare', folder / f'{db}.git'],
                  [PROGRAM, 'backup', '--quiet', '--backup-repo', folder / f'{db}.git'],
                  ['git', 'clone', '-q', '-b', 'main', folder / f'{db}.git', folder / db]):
        subprocess.run(words, check=True, env=env, stdout=subprocess.DEVNULL)
    return folder / db / 'backups' / 'current'


def run(cluster: Cluster, program: str, *words: str, text: bytes = b'') -> bytes:
    done = subprocess.run([cluster.bin / program, *words], input=text, capture_output=True,
                          check=False,
                          env=clean_env(**cluster.env()))
    if done.returncode != 0:
        raise RuntimeError(f'{program}: {done.stderr.decode(errors="replace")}')
    return done.stdout


def dump(cluster: Cluster, db: str = 'every') -> bytes:
    """What pg_dump writes, but for the key of \\restrict and the places of rows in heaps."""
    text = run(cluster, 'pg_dump', '--create', db)
    text = re.sub(rb'^(\\(?:un)?restrict) \S+$', rb'\1', text, flags=re.MULTILINE)
    text = re.sub(rb'(?:^ALTER ROLE .* IN DATABASE .*\n)+',
                  lambda m: b''.join(sorted(m[0].splitlines(True))), text, flags=re.MULTILINE)
    return re.sub(rb'(^COPY .*? FROM stdin;\n)(.*?)(^\\\.\n)',
                  lambda m: m[1] + b''.join(sorted(m[2].splitlines(True))) + m[3], text,
                  flags=re.MULTILINE | re.DOTALL)


def digests(cluster: Cluster, db: str = 'every') -> list[str]:
    """Each table's rows and each sequence's state, as one line."""
    utf8 = "set client_encoding = 'UTF8';"
    names = cluster.psql(db, utf8 + r"""
        select format('%s%I.%I', relkind, nspname, relname) from pg_class c join pg_namespace n
        on n.oid = relnamespace where relkind in ('r', 'm', 'S') and relispopulated
        and nspname !~ '^pg_|^information_schema$' order by 1""")
    sql = ''.join(f"""select {quote(name)}, count(*), md5(string_agg({row}::text, '' order by
        {row}::text collate "C")) from only {name} t;""" for row, name in split_names(names))
    return cluster.psql(db, utf8 + sql).split('\n')


def quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def split_names(lines: str) -> list[tuple[str, str]]:
    """What to read of each relation, and its name, which may hold line ends between its quotes."""
    return [('row(last_value, is_called)' if kind == 'S' else 'row(t.*)', name)
            for kind, name in re.findall(r'([rmS])((?:[^"\n]|"[^"]*")+)', lines)]


def roles(cluster: Cluster) -> str:
    """What roles are, whom they belong to, what is set for them, and no password."""
    return cluster.psql('every', r"""
        select rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin,
         rolreplication, rolconnlimit, rolvaliduntil at time zone 'UTC', rolbypassrls,
         shobj_description(oid, 'pg_authid')
         from pg_roles where rolname ~ '^every' and rolname <> 'every_unrelated' order by 1;
        select m.roleid::regrole, m.member::regrole, m.admin_option from pg_auth_members m
         where m.member::regrole::text ~ 'every' 
         order by m.roleid::regrole::text, m.member::regrole::text;
        select setrole::regrole, datname, setconfig from pg_db_role_setting s
         left join pg_database d on d.oid = setdatabase
         order by setrole::regrole::text, datname""")


class EveryObject(ProgramTest):
    maxDiff = None

    def restored(self) -> Cluster:
        """A cluster that had nothing of it, not even the roles, and now has the archive."""
        cluster = new_cluster(self.addCleanup)
        cluster.create_db('every')
        self.run_it('restore', 'latest', '--backup-repo', str(archive.parents[2] / 'every.git'),
                    BACKPROOF_TARGET_URL=cluster.url('every'), **SAFE)
        return cluster

    def restored_by_script(self) -> Cluster:
        cluster = new_cluster(self.addCleanup)
        cluster.create_db('every')
        done = subprocess.run([archive / 'restore.sh'], text=True, capture_output=True,
                              env=clean_env(TARGET_DATABASE_URL=cluster.url('every')))
        self.assertEqual(0, done.returncode, done.stderr)
        return cluster

    def assert_same_dump(self, one: bytes, other: bytes) -> None:
        lines = [text.decode(errors='replace').split('\n') for text in (one, other)]
        changes = [line[:300] for line in difflib.unified_diff(*lines, 'before', 'after', '', '')]
        self.assertEqual('', '\n'.join(changes))
        self.assertEqual(one, other)

    def assert_same(self, cluster: Cluster) -> None:
        self.assert_same_dump(dump(source), dump(cluster))
        self.assertEqual(digests(source), digests(cluster))
        self.assertEqual(roles(source), roles(cluster))

    def test_the_source_has_every_kind_of_object(self) -> None:
        run(source, 'pg_dump', '-Fc', '-f', str(self.folder / 'dump'), 'every')
        listed = run(source, 'pg_restore', '-l', str(self.folder / 'dump')).decode()
        rest = {kind.strip() for kind in KINDS.split(';')}
        found = set()
        for line in re.findall(r'^\d+; \d+ \d+ (.*)', listed, re.MULTILINE):
            fits = [kind for kind in rest if line.startswith(kind + ' ')]
            self.assertTrue(fits, f'no such kind in this test: {line}')
            found.add(max(fits, key=len))
        self.assertEqual(set(), rest - found)

    def test_a_restored_database_is_the_same(self) -> None:
        self.assert_same(self.restored())

    def test_restore_sh_gives_the_same(self) -> None:
        self.assert_same(self.restored_by_script())

    def test_it_equals_what_pg_dump_itself_achieves(self) -> None:
        piped = new_cluster(self.addCleanup)
        run(piped, 'psql', '-Xq', '-o', '/dev/null', text=run(source, 'pg_dumpall', '-r').replace(
            b'CREATE ROLE postgres;', b''))
        run(piped, 'psql', '-Xq', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1',
            text=run(source, 'pg_dump', '--create', 'every'))
        self.assert_same_dump(dump(piped), dump(self.restored()))

    def test_its_next_backup_has_the_same_files(self) -> None:
        again = back_up(self.restored(), 'every', self.folder)
        self.assertEqual(sorted(files(archive)), sorted(files(again)))
        for name, text in files(archive).items():
            with self.subTest(name):
                self.assert_same_dump(text, files(again)[name])

    def test_passwords_of_roles_are_not_in_the_archive(self) -> None:
        hashed = source.psql('every', "select rolpassword from pg_authid "
                                      "where rolname = 'every_reader'").encode()
        for path in archive.rglob('*'):
            if path.is_file():
                self.assertNotIn(hashed, path.read_bytes())
        self.assertEqual('t', self.restored().psql('every', """select rolpassword is null
            from pg_authid where rolname = 'every_reader'"""))


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob('*')
            if path.is_file() and path.name != 'manifest.json'}


if __name__ == '__main__':
    unittest.main()
