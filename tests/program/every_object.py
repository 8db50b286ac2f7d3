"""The database of tests/data/schemas/every_object, on a server that has an extension of our own."""
from __future__ import annotations

import shutil
from pathlib import Path

from harness import SCHEMAS, Cluster, find_bin

# Of its rows some are the extension's and some the user's, as PostGIS has them in spatial_ref_sys.
EXTENSION = {
    'bp_every.control': "comment = 'has configuration tables'\ndefault_version = '1.0'\n"
                        "relocatable = false\n",
    'bp_every--1.0.sql': """
CREATE TABLE bp_settings (name text PRIMARY KEY, value text);
INSERT INTO bp_settings VALUES ('builtin', 'the extension''s');
SELECT pg_catalog.pg_extension_config_dump('bp_settings', 'WHERE name <> ''builtin''');
CREATE TABLE bp_list (id serial PRIMARY KEY, what text);
SELECT pg_catalog.pg_extension_config_dump('bp_list', '');
SELECT pg_catalog.pg_extension_config_dump('bp_list_id_seq', '');
CREATE TABLE bp_own (id int);
INSERT INTO bp_own VALUES (1);
""",
}


def link_all(source: Path, to: Path) -> None:
    to.mkdir(parents=True)
    for path in source.iterdir():
        (to / path.name).symlink_to(path)


def server_with_extension(folder: Path) -> Path:
    """The programs of a server that finds the extension: it looks for its files relative to where
    it is itself, so a copy of the program and links to everything else make a server of our own."""
    real = find_bin()
    shared = Path('/usr/share/postgresql') / real.parent.name
    folder.chmod(0o755)
    programs = folder / 'usr/lib/postgresql' / real.parent.name / 'bin'
    link_all(real, programs)
    for name in ('postgres', 'initdb', 'pg_ctl'):
        (programs / name).unlink()
        shutil.copy(real / name, programs / name)
    (programs.parent / 'lib').symlink_to(real.parent / 'lib')
    link_all(shared, folder / 'usr/share/postgresql' / real.parent.name)
    extensions = folder / 'usr/share/postgresql' / real.parent.name / 'extension'
    extensions.unlink()
    link_all(shared / 'extension', extensions)
    for name, text in EXTENSION.items():
        (extensions / name).write_text(text)
    return programs


def load_every_object(cluster: Cluster, db: str) -> None:
    cluster.create_db(db)
    words = ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-v', f'bp_host={cluster.host}',
             '-v', f'bp_port={cluster.port}', '-v', f'bp_password={cluster.password}']
    for path in sorted((SCHEMAS / 'every_object').glob('*.sql')):
        words += ['-f', str(path)]
    cluster.run('psql', *words, db=db)
