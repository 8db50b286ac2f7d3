"""The package: what is in it, what Debian's checker says, and a fresh system before and after it.
And what scripts/release makes of a commit, with a stand-in for GitHub's client.

Needs root for the fresh system, which debootstrap makes; it is kept in the tests' cache.
"""
from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tests' / 'support'))

from npm_tools import cache_folder  # noqa: E402
from processes import FOREIGN, clean_env, unwind_on_sigterm  # noqa: E402

EPOCH = '1700000000'
WANTED = ('usr/bin/backproof', 'usr/share/man/man1/backproof.1.gz',
          'usr/share/bash-completion/completions/backproof',
          'usr/share/zsh/vendor-completions/_backproof',
          'usr/share/fish/vendor_completions.d/backproof.fish',
          'usr/share/doc/backproof/copyright', 'usr/share/doc/backproof/changelog.gz',
          'usr/share/doc/backproof/README.md')
INSIDE = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': '/root', 'LC_ALL': 'C.UTF-8',
          'DEBIAN_FRONTEND': 'noninteractive'}


def run(*argv: str | Path, status: int = 0, **options) -> str:
    """What the command said on both streams."""
    options.setdefault('env', clean_env(SOURCE_DATE_EPOCH=EPOCH))
    done = subprocess.run([str(word) for word in argv], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **options)
    if done.returncode != status:
        raise AssertionError(f'{argv}: status {done.returncode}, wanted {status}\n{done.stdout}')
    return done.stdout


def os_release() -> dict[str, str]:
    release = platform.freedesktop_os_release()
    return {name: release.get(name, '') for name in ('ID', 'VERSION_ID', 'VERSION_CODENAME')}


def mirror_of(suite: str) -> tuple[str, str]:
    """Where this machine's apt has the main packages of the suite from, and with which parts."""
    lines = run('apt-get', 'indextargets', '--format', '$(REPO_URI) $(RELEASE) $(COMPONENT)',
                'Identifier: Packages').splitlines()
    places = [line.split() for line in lines]
    mirrors = [place[0] for place in places if place[1:] == [suite, 'main']]
    if not mirrors or not mirrors[0].startswith('http'):
        raise unittest.SkipTest(f'debootstrap cannot use the mirror of apt: {mirrors}')
    parts = {place[2] for place in places if place[:2] == [mirrors[0], suite]}
    return mirrors[0], ','.join(sorted(parts & {'main', 'universe'}))


def inside(folder: Path, *argv: str) -> str:
    proxies = {name: value for name, value in os.environ.items()
               if name in FOREIGN and name.lower().endswith('_proxy')}
    return run('chroot', folder, *argv, env={**INSIDE, **proxies})


def remove(folder: Path) -> None:
    # Not through what an interrupted debootstrap may have left mounted.
    run('rm', '-rf', '--one-file-system', folder)


def fresh_system(deb: Path, depends: str) -> Path:
    """A minimal system that has what the package depends on. The first time apt must find that."""
    suite = os_release()['VERSION_CODENAME']
    mirror, parts = mirror_of(suite)
    key = hashlib.sha256(f'{mirror} {parts} {depends}'.encode()).hexdigest()[:16]
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    folder, new = cache / f'system-{suite}-{key}', cache / f'system-{suite}.new'
    with open(cache / 'system.lock', 'w', encoding='utf-8') as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not folder.exists():
            for old in (*cache.glob('system-*-*'), new):
                remove(old)
            run('debootstrap', '--variant=minbase', f'--components={parts}', suite, new, mirror,
                env={**os.environ, 'LC_ALL': 'C.UTF-8'})
            shutil.copy(deb, new / 'backproof.deb')
            inside(new, 'apt-get', '-qq', 'update')
            inside(new, 'apt-get', '-qq', 'install', '-y', '--no-install-recommends',
                   '/backproof.deb')
            inside(new, 'apt-get', '-qq', 'purge', '-y', 'backproof')
            inside(new, 'apt-get', 'clean')
            (new / 'backproof.deb').unlink()
            new.rename(folder)
    return folder


def files_of(folder: Path) -> dict[str, str]:
    """Every path but apt's own memory with its mode, and its size where nobody keeps a diary."""
    found = {}
    for path in folder.rglob('*'):
        name, stat = path.relative_to(folder).as_posix(), path.lstat()
        if name.startswith('var/cache/apt/'):
            continue
        size = stat.st_size if path.is_file() and not name.startswith('var/') else ''
        found[name] = f'{stat.st_mode:o} {size}'
    return found


@unittest.skipIf(shutil.which('dpkg-deb') is None, 'only Debian and Ubuntu have such packages')
class PackageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(tempfile.mkdtemp(prefix='bp-package-'))
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        run(ROOT / 'scripts/package', cls.folder)
        [cls.deb] = cls.folder.glob('*.deb')
        cls.tree = cls.folder / 'tree'
        run('dpkg-deb', '-x', cls.deb, cls.tree)

    def field(self, name: str) -> str:
        return run('dpkg-deb', '-f', self.deb, name).strip()

    def test_its_name_tells_version_system_and_architecture(self) -> None:
        release = os_release()
        version = run(ROOT / 'scripts/release-notes', '--version').strip()
        self.assertEqual(self.deb.name,
                         f'backproof_{version}_{release["ID"]}-{release["VERSION_ID"]}_'
                         f'{run("dpkg", "--print-architecture").strip()}.deb')
        self.assertEqual(self.field('Version'), version)

    def test_it_names_what_it_needs(self) -> None:
        depends = self.field('Depends')
        for name in ('ca-certificates', 'git', 'libc6 ', 'libcurl4', 'libgit2-', 'libisal2',
                     'libpq5', 'libyaml-0-2'):
            self.assertIn(name, depends)
        self.assertEqual(self.field('Recommends'), 'postgresql-client')
        self.assertIn('backproof@users.noreply.github.com', self.field('Maintainer'))
        self.assertTrue(self.field('Homepage').startswith('https://'))

    def test_everything_is_where_debian_looks_for_it_and_nothing_else_is(self) -> None:
        self.assertEqual(sorted(WANTED), sorted(
            path.relative_to(self.tree).as_posix() for path in self.tree.rglob('*')
            if not path.is_dir()))
        for line in run('dpkg-deb', '-c', self.deb).splitlines():
            self.assertRegex(line, r'^(drwxr-xr-x|-rwxr-xr-x|-rw-r--r--) root/root ')
        page = run('gzip', '-dc', self.tree / WANTED[1])
        self.assertTrue(page.startswith(('.\\"', '.TH')), page[:80])

    def test_the_program_is_stripped_and_hardened(self) -> None:
        program = self.tree / WANTED[0]
        seen = run('readelf', '-W', '--file-header', '--program-headers', '--dynamic', '--dyn-syms',
                   '--sections', program)
        self.assertRegex(seen, r'Type: +DYN')
        for word in ('GNU_RELRO', 'BIND_NOW', '__stack_chk_fail', '_chk@'):
            self.assertIn(word, seen)
        for word in ('.symtab', '.debug_info'):
            self.assertNotIn(word, seen)
        self.assertNotIn(str(ROOT).encode(), program.read_bytes())

    def test_lintian_finds_nothing(self) -> None:
        run('lintian', '--profile', 'debian', '--allow-root', '--fail-on', 'error,warning',
            self.deb)

    def test_another_folder_and_umask_give_the_same_bytes(self) -> None:
        other = self.folder / 'elsewhere' / 'backproof'
        shutil.copytree(ROOT, other, symlinks=True,
                        ignore=shutil.ignore_patterns('build', '.git', 'node_modules'))
        run(other / 'scripts/package', other / 'out', umask=0o077)
        self.assertTrue((other / 'out' / self.deb.name).read_bytes() == self.deb.read_bytes())

    @unittest.skipUnless(os.geteuid() == 0,
                         'NOT TRIED ON A FRESH SYSTEM: debootstrap and chroot need root')
    def test_a_fresh_system_takes_it_and_is_the_same_after_its_removal(self) -> None:
        system = fresh_system(self.deb, self.field('Depends'))
        copy = Path(tempfile.mkdtemp(prefix='copy-', dir=system.parent)) / 'system'
        self.addCleanup(remove, copy.parent)
        run('cp', '-a', system, copy)
        shutil.copy(self.deb, copy / 'tmp/backproof.deb')
        before = files_of(copy)
        self.assertNotIn(WANTED[0], before)

        inside(copy, 'apt-get', '-qq', 'install', '-y', '--no-install-recommends',
               '/tmp/backproof.deb')
        self.assertEqual(inside(copy, 'backproof', 'version').strip(),
                         f'backproof {self.field("Version")}')
        self.assertIn('backup', inside(copy, 'backproof', '--help'))
        for name in WANTED:
            self.assertTrue((copy / name).stat().st_size > 0, name)
        inside(copy, 'bash', '-nc', f'. /{WANTED[2]}')

        inside(copy, 'apt-get', '-qq', 'purge', '-y', 'backproof')
        after = files_of(copy)
        self.assertEqual({}, {name: (before.get(name), after.get(name))
                              for name in {*before, *after} if before.get(name) != after.get(name)})


CMAKE = 'project(backproof VERSION {} LANGUAGES C\n)\n'
READY = '# Changes\n\n## 1.2.3 - 2026-01-31\n\n### Fixed\n- This\n  and that.\n\n' \
        '## 1.2.2 - 2025-12-01\n\n- Old.\n'
# Answers what the files beside it hold, and writes down what it was asked.
GH = """#!/bin/sh
cd "$(dirname "$0")"
echo "$*" | sed 's| /[^ ]*/| |g' >>calls
case "$*" in
'release view'*) [ -e draft ] && cat draft ;;
*matching-refs*) cat tags ;;
*commits/*) echo c0ffee ;;
*git/ref/tags/v1) [ -e major ] ;;
esac
"""


class ReleaseTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix='bp-release-'))
        self.addCleanup(shutil.rmtree, self.folder, True)
        (self.folder / 'scripts').mkdir()
        for name in ('release', 'release-notes'):
            shutil.copy(ROOT / 'scripts' / name, self.folder / 'scripts')
        self.write('CMakeLists.txt', CMAKE.format('1.2.3'))
        self.write('CHANGELOG.md', READY)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding='utf-8')
        return path

    def notes(self, *args: str, status: int = 0) -> str:
        return run(self.folder / 'scripts/release-notes', *args, status=status)

    def test_version_changelog_and_tag_must_agree(self) -> None:
        self.notes('--check', 'v1.2.3')
        for tag, version, changelog, why in (
                ('v1.2.4', '1.2.3', READY, 'the tag must be v1.2.3'),
                ('1.2.3', '1.2.3', READY, 'the tag must be v1.2.3'),
                ('v1.2.2', '1.2.2', READY, 'its newest heading is "## 1.2.3'),
                ('v1.2.3', '1.2.3', '## Unreleased\n\n- New.\n\n' + READY, 'must be "## 1.2.3 -'),
                ('v1.2.3', '1.2.3', READY.replace(' - 2026-01-31', ''), 'YEAR-MONTH-DAY'),
                ('v1.2.3', '1.2.3', READY.replace('2026-01-31', '2026-02-31'), 'out of range'),
                ('v1.2.3', '1.2.3', '## 1.2.3 - 2026-01-31\n', 'says nothing'),
                ('v1.2.3', '1.2.3', 'nothing\n', 'no heading')):
            with self.subTest(tag=tag, version=version, why=why):
                self.write('CMakeLists.txt', CMAKE.format(version))
                self.write('CHANGELOG.md', changelog)
                self.assertIn(why, self.notes('--check', tag, status=1))

    def test_notes_are_the_section_of_the_version(self) -> None:
        self.assertEqual(self.notes(), '### Fixed\n- This\n  and that.\n')
        self.write('CMakeLists.txt', CMAKE.format('1.2.2'))
        self.assertEqual(self.notes(), '- Old.\n')

    def test_debian_gets_a_changelog_of_its_own_form(self) -> None:
        path = self.folder / 'changelog'
        self.notes('--debian', str(path))
        self.assertEqual(path.read_text(encoding='utf-8'), (
            'backproof (1.2.3) unstable; urgency=medium\n\n  * Fixed:\n    - This and that.\n\n'
            ' -- The backproof authors <backproof@users.noreply.github.com>  '
            'Sat, 31 Jan 2026 00:00:00 +0000\n\n'
            'backproof (1.2.2) unstable; urgency=medium\n\n    - Old.\n\n'
            ' -- The backproof authors <backproof@users.noreply.github.com>  '
            'Mon, 01 Dec 2025 00:00:00 +0000\n'))
        if shutil.which('dpkg-parsechangelog'):
            self.assertEqual(run('dpkg-parsechangelog', '-l', path, '-S', 'Version'), '1.2.3\n')

    def test_the_source_archive_is_the_commit_and_the_same_twice(self) -> None:
        env = clean_env(GIT_AUTHOR_DATE=EPOCH, GIT_COMMITTER_DATE=EPOCH, HOME=str(self.folder))
        for words in (['init', '-q'], ['add', '.'],
                      ['-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-qm', 'a']):
            run('git', *words, cwd=self.folder, env=env)
        self.write('forgotten', 'not committed')
        archive = self.folder / 'build/release-files/backproof-1.2.3.tar.gz'
        seen = []
        for _ in range(2):
            run(self.folder / 'scripts/release', 'source', env=env)
            seen.append(archive.read_bytes())
        self.assertEqual(seen[0], seen[1])
        names = run('tar', '-tvzf', archive, env={**env, 'TZ': 'UTC'})
        self.assertIn('backproof-1.2.3/scripts/release', names)
        self.assertNotIn('forgotten', names)
        for line in names.splitlines():
            self.assertIn(' 2023-11-14 22:13 backproof-1.2.3/', line)

    def publish(self, tags: str, status: int = 0, sha: str = 'c0ffee', **state: str) -> list[str]:
        """What was asked of GitHub."""
        self.write('build/release-files/a.deb', 'package')
        run(self.folder / 'scripts/release', 'sums')
        self.write('bin/gh', GH).chmod(0o755)
        for name, text in {'tags': tags, 'calls': '', **state}.items():
            self.write(f'bin/{name}', text)
        run(self.folder / 'scripts/release', 'publish', 'v1.2.3', status=status,
            env=clean_env(PATH=f'{self.folder / "bin"}:{os.environ["PATH"]}',
                          GITHUB_REPOSITORY='a/b', GITHUB_SHA=sha))
        return (self.folder / 'bin/calls').read_text().splitlines()

    def test_a_release_has_all_files_and_then_the_major_tag_moves(self) -> None:
        calls = self.publish('refs/tags/v1.2.2\nrefs/tags/v1.2.3\n', major='')
        create = next(call for call in calls if call.startswith('release create'))
        self.assertIn('v1.2.3 --verify-tag', create)
        self.assertIn('SHA256SUMS', create)
        self.assertTrue(create.endswith('a.deb'), create)
        self.assertEqual(calls[-1], 'api --method PATCH repos/a/b/git/refs/tags/v1 -f sha=c0ffee '
                                    '-F force=true')
        self.assertLess(calls.index(create), len(calls) - 1)

    def test_the_first_of_a_major_version_makes_its_tag(self) -> None:
        self.assertEqual(self.publish('refs/tags/v1.2.3\n')[-1],
                         'api --method POST repos/a/b/git/refs -f ref=refs/tags/v1 -f sha=c0ffee')

    def test_a_correction_of_an_older_version_leaves_the_major_tag(self) -> None:
        calls = self.publish('refs/tags/v1.2.3\nrefs/tags/v1.10.0\nrefs/tags/v1.9.0\n', major='')
        self.assertFalse([call for call in calls if '--method' in call])

    def test_what_is_published_is_not_published_again_but_a_draft_is_begun_anew(self) -> None:
        done = self.publish('refs/tags/v1.2.3\n', draft='false')
        self.assertFalse([call for call in done if call.startswith('release create')])
        self.assertIn('--method', done[-1])
        again = self.publish('refs/tags/v1.2.3\n', draft='true')
        words = [call.split()[1] for call in again if call.startswith('release')]
        self.assertEqual(words, ['view', 'delete', 'create'])

    def test_a_tag_that_was_moved_meanwhile_is_not_published(self) -> None:
        calls = self.publish('refs/tags/v1.2.3\n', status=1, sha='0ther')
        self.assertFalse([call for call in calls if not call.startswith('api repos')], calls)

    def test_a_release_that_is_not_ready_asks_for_nothing(self) -> None:
        self.write('CHANGELOG.md', '## Unreleased\n\n' + READY)
        self.assertEqual(self.publish('', status=1), [])


if __name__ == '__main__':
    unwind_on_sigterm()
    unittest.main()
