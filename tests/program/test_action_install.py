"""scripts/install: what is there is used, a package is proved, else the sources are built."""
from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import unittest
from pathlib import Path

from harness import PROGRAM, unwind_on_sigterm
from test_action import ActionTest

COMMIT = 'a1b2c3d4' * 5
OURS = {'BACKPROOF_ACTION_REPOSITORY': 'backproof/backproof', 'BACKPROOF_ACTION_REF': 'v1',
        'GH_TOKEN': 'ghs_x'}


def setUpModule() -> None:
    unwind_on_sigterm()


class InstallTest(ActionTest):
    def setUp(self) -> None:
        super().setUp()
        self.version = self.run_it('version').out.split()[1]
        self.output = self.folder / 'output'
        self.output.touch()
        self.output.chmod(0o666)
        self.job['GITHUB_OUTPUT'] = str(self.output)
        del self.job['GITHUB_ACTIONS']          # errors are plain lines then

    def told(self) -> str:
        """The path that the next step gets."""
        return self.output.read_text().splitlines()[-1].removeprefix('program=')

    def assert_works(self, path: str) -> None:
        self.assertEqual(f'backproof {self.version}\n',
                         subprocess.check_output([path, 'version'], text=True))


class Finding(InstallTest):
    def test_the_second_run_costs_nothing(self) -> None:
        self.stub_build()
        first = self.install().stdout.strip()
        self.assertTrue(first.startswith(f'{self.tool_cache}/backproof/{self.version}-'), first)
        self.assertEqual(first, self.told())
        self.assert_works(first)
        self.assertEqual(2, len(self.calls('cmake')))
        for name in ('curl', 'apt-get', 'gh'):
            self.stub(name)
        self.assertEqual(first, self.install(**OURS).stdout.strip())
        self.assertEqual(2, len(self.calls('cmake')))
        self.assertEqual([], [*self.calls('curl'), *self.calls('apt-get'), *self.calls('gh')])

    def test_other_sources_have_another_place(self) -> None:
        self.stub_build()
        first = self.install().stdout
        with open(self.action / 'CMakeLists.txt', 'a', encoding='utf-8') as file:
            file.write('# changed\n')
        self.assertNotEqual(first, self.install().stdout)
        self.assertEqual(4, len(self.calls('cmake')))

    def test_a_program_that_does_not_start_here_is_made_again(self) -> None:
        self.fill_cache()
        with open(self.told(), 'w', encoding='utf-8') as file:
            file.write('#!/bin/sh\nexit 127\n')
        self.install()
        self.assert_works(self.told())

    def test_a_program_in_the_path_counts_when_it_is_of_this_version(self) -> None:
        self.stub_build()
        self.stub('backproof', f'echo backproof {self.version}')
        self.assertEqual(f'{self.bin}/backproof', self.install().stdout.strip())
        self.stub('backproof', 'echo backproof 0.0.1')
        self.assertIn(str(self.tool_cache), self.install().stdout)

    def test_skip_installs_nothing(self) -> None:
        self.stub_build()
        refused = self.install(status=2, BACKPROOF_INSTALL='skip')
        self.assertIn("'install' is 'skip', and no backproof is in PATH", refused.stderr)
        self.stub('backproof', 'echo backproof 0.0.1')
        self.install(BACKPROOF_INSTALL='skip')
        self.assertEqual(f'{self.bin}/backproof', self.told())
        self.assertEqual([], self.calls('cmake'))

    def test_an_unknown_way_is_refused(self) -> None:
        refused = self.install(status=2, BACKPROOF_INSTALL='docker', GITHUB_ACTIONS='true')
        self.assertEqual("::error title=backproof::'install' is none of auto, package, source, "
                         "skip\n", refused.stdout)

    def test_without_root_missing_libraries_are_named(self) -> None:
        self.stub_build()
        self.stub('sudo', 'exit 1')
        self.stub('apt-get', 'exit 1')
        self.stub('cmake', "echo \"No package 'libgit2' found ##[error]x\"; exit 1")
        words = [str(self.action / 'scripts' / 'install')]
        if os.geteuid() == 0:
            words = ['setpriv', '--reuid=65534', '--clear-groups', *words]
            self.temp.chmod(0o777)
        done = subprocess.run(words, env=self.job, cwd=self.folder, text=True, timeout=60,
                              capture_output=True, check=False)
        self.assertEqual(1, done.returncode, done.stderr)
        self.assertIn("| No package 'libgit2' found ## [error]x", done.stderr)
        self.assertRegex(done.stderr, 'hint: building needs what Debian calls .*libgit2-dev')
        self.assertEqual([], self.calls('apt-get'))


class Packages(InstallTest):
    """A package of this system, where a mirror would have it."""

    def setUp(self) -> None:
        super().setUp()
        self.stub_build()
        tree = self.folder / 'tree'
        (tree / 'usr/bin').mkdir(parents=True)
        (tree / 'DEBIAN').mkdir()
        shutil.copy(PROGRAM, tree / 'usr/bin/backproof')
        arch = subprocess.check_output(['dpkg', '--print-architecture'], text=True).strip()
        (tree / 'DEBIAN/control').write_text(
            f'Package: backproof\nVersion: {self.version}\nArchitecture: {arch}\n'
            'Maintainer: x <x@example.org>\nDepends: git\nDescription: x\n')
        system = subprocess.check_output(
            ['bash', '-c', '. /etc/os-release; echo "$ID-$VERSION_ID"'], text=True).strip()
        mirror = self.folder / 'mirror'
        (mirror / f'v{self.version}').mkdir(parents=True)
        self.package = mirror / f'v{self.version}/backproof_{self.version}_{system}_{arch}.deb'
        subprocess.run(['dpkg-deb', '-Znone', '-b', str(tree), str(self.package)], check=True,
                       capture_output=True)
        self.sum = hashlib.sha256(self.package.read_bytes()).hexdigest()
        self.job['BACKPROOF_RELEASE_URL'] = f'file://{mirror}'

    def tamper(self) -> None:
        with open(self.package, 'ab') as file:
            file.write(b'\n')

    def test_a_package_whose_checksum_is_given(self) -> None:
        self.assert_works(self.install(BACKPROOF_PACKAGE_SHA256=self.sum).stdout.strip())
        self.assertEqual([], self.calls('cmake'))

    def test_a_changed_package_is_not_used(self) -> None:
        self.tamper()
        failed = self.install(status=1, BACKPROOF_PACKAGE_SHA256=self.sum,
                              BACKPROOF_INSTALL='package')
        self.assertIn('the package is not the one that package-sha256 names', failed.stderr)
        self.assertEqual(('', ''), (failed.stdout, self.output.read_text()))
        self.assert_works(self.install(BACKPROOF_PACKAGE_SHA256=self.sum).stdout.strip())
        self.assertEqual(2, len(self.calls('cmake')))       # built instead

    def test_what_is_no_checksum_is_refused(self) -> None:
        for text in ('abc', self.sum.upper(), self.sum + '\n', self.sum + ' x'):
            with self.subTest(text):
                self.assertIn('package-sha256 is no SHA-256', self.install(
                    status=2, BACKPROOF_PACKAGE_SHA256=text).stderr)

    def test_an_attestation_is_asked_for_what_the_caller_named(self) -> None:
        for ref, claim in (('v1', f'--source-ref refs/tags/v{self.version}'),
                           (COMMIT, f'--source-digest {COMMIT}')):
            with self.subTest(ref):
                shutil.rmtree(self.tool_cache / 'backproof', ignore_errors=True)
                self.calls_file.write_text('')
                self.stub('gh', 'echo "asked $GH_HOST" >>"' + str(self.calls_file) + '"')
                self.assert_works(self.install(**{**OURS, 'BACKPROOF_ACTION_REF': ref})
                                  .stdout.strip())
                self.assertRegex(
                    self.calls('gh')[-1], rf'^gh attestation verify \S+\.deb {claim} --repo '
                    r'backproof/backproof --signer-workflow '
                    r'backproof/backproof/.github/workflows/release.yml '
                    r'--deny-self-hosted-runners$')
                self.assertEqual('asked github.com', self.calls('asked')[-1])
                self.assertEqual([], self.calls('cmake'))

    def test_a_package_without_a_valid_attestation_is_not_used(self) -> None:
        self.stub('gh', '[[ $3 == --help ]] || { echo "no attestation ##[x]"; exit 1; }')
        failed = self.install(status=1, BACKPROOF_INSTALL='package', **OURS)
        self.assertIn('nothing proves where this package comes from', failed.stderr)
        self.assertIn('    | no attestation ## [x]', failed.stderr)
        self.install(**OURS)
        self.assertEqual(2, len(self.calls('cmake')))

    def test_nothing_is_downloaded_that_nothing_could_prove(self) -> None:
        self.stub('gh')
        self.stub('curl')
        for change in ({'BACKPROOF_ACTION_REF': 'main'}, {'GH_TOKEN': ''},
                       {'BACKPROOF_ACTION_REPOSITORY': ''}, {'BACKPROOF_ACTION_REF': ''},
                       {'BACKPROOF_ACTION_REPOSITORY': 'a/b --owner x'},
                       {'BACKPROOF_ACTION_REF': 'v1 x'}):
            with self.subTest(change):
                failed = self.install(status=1, BACKPROOF_INSTALL='package', **{**OURS, **change})
                self.assertIn('there is nothing to prove it with', failed.stderr)
        self.stub('gh', 'exit 1')       # one that knows no attestations
        self.install(status=1, BACKPROOF_INSTALL='package', **OURS)
        self.assertEqual([], self.calls('curl'))

    def test_a_package_that_holds_another_version_is_not_used(self) -> None:
        text = (self.action / 'CMakeLists.txt').read_text()
        (self.action / 'CMakeLists.txt').write_text(
            text.replace(f'VERSION {self.version}', 'VERSION 9.9.9'))
        renamed = self.package.parent.parent / 'v9.9.9' / self.package.name.replace(
            f'_{self.version}_', '_9.9.9_')
        renamed.parent.mkdir()
        self.package.rename(renamed)
        self.stub('apt-get')
        self.stub('sudo', '[[ $1 != -n ]] || shift; exec "$@"')
        failed = self.install(status=1, BACKPROOF_INSTALL='package',
                              BACKPROOF_PACKAGE_SHA256=self.sum)
        self.assertIn('holds another version, or does not run here', failed.stderr)
        self.assertTrue(any('satisfy -y --no-install-recommends git' in call
                            for call in self.calls('apt-get')), self.calls('apt-get'))

    def test_there_is_no_package_for_this_version(self) -> None:
        self.package.unlink()
        self.assertIn('there is no backproof_', self.install(
            BACKPROOF_PACKAGE_SHA256=self.sum).stderr)
        self.assertEqual(2, len(self.calls('cmake')))


class Postgres(InstallTest):
    """apt-get, and the script that adds PostgreSQL's own packages, are stand-ins here."""

    def setUp(self) -> None:
        super().setUp()
        for name in ('apt-get', 'sh', 'apt-cache'):
            self.stub(name)
        self.stub('sudo', '[[ $1 != -n ]] || shift; exec "$@"')
        self.newest = int(self.install_log().split('PostgreSQL ')[1].split()[0])

    def install_log(self) -> str:
        """Some pg_dump is there: the tests of backups need it."""
        log = self.install('postgres', '13').stderr
        self.assertRegex(log, r'pg_dump of PostgreSQL \d+ is there')
        self.assertEqual([], self.calls('apt-get'))
        return log

    def installed(self) -> list[str]:
        return [call.split()[-1] for call in self.calls('apt-get') if ' install ' in call]

    def test_a_version_of_the_distribution(self) -> None:
        if self.newest >= 18:
            self.skipTest('there is no newer pg_dump to ask for')
        self.assertIn('installed postgresql-client-18', self.install('postgres', '18').stderr)
        self.assertEqual(['postgresql-client-18'], self.installed())
        self.assertEqual([], self.calls('sh'))

    def test_a_version_that_only_postgresql_itself_has(self) -> None:
        if self.newest >= 18:
            self.skipTest('there is no newer pg_dump to ask for')
        self.stub('apt-cache', 'exit 100')
        self.install('postgres', '18')
        self.assertEqual(['ca-certificates', 'postgresql-client-18'], self.installed())
        self.assertEqual(['sh /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y'],
                         self.calls('sh'))
        self.stub('sh', 'exit 1')
        self.assertIn('apt.postgresql.org could not be added',
                      self.install('postgres', '18', status=1).stderr)

    def test_what_a_proof_needs_is_installed_without_a_running_server(self) -> None:
        found = sorted(int(path.parts[4]) for path in
                       Path('/usr/lib/postgresql').glob('*/bin/initdb'))
        if not found or found[-1] >= 18:
            self.skipTest('this needs a server that is older than 18')
        self.install('postgres', str(found[-1]), 'server')
        self.assertEqual([], self.installed())
        self.stub('mkdir')
        self.stub('tee', 'cat >>"$0.told"')
        self.install('postgres', '18', 'server')
        self.assertEqual(['postgresql-18'], self.installed()[-1:])
        self.assertEqual(['tee /etc/postgresql-common/createcluster.d/backproof.conf'],
                         self.calls('tee'))

    def test_auto_asks_the_server_and_shows_no_password(self) -> None:
        url = 'postgresql://u:p%40ss%5c%25@h.example:5432/db?sslmode=require'
        self.stub('psql', f'echo "password $PGPASSWORD" >>"{self.calls_file}"; echo 180001')
        self.install('postgres', 'auto', BACKPROOF_DATABASE_URL=url)
        self.assertEqual(['psql -XAtw -c show server_version_num -d '
                          'postgresql://u@h.example:5432/db?sslmode=require'], self.calls('psql'))
        self.assertEqual(['password p@ss\\%'], self.calls('password'))
        self.stub('psql', 'echo 130004')
        self.calls_file.write_text('')
        self.install('postgres', 'auto', DATABASE_URL=url)
        self.assertEqual([], self.installed())

    def test_a_server_that_does_not_answer(self) -> None:
        self.stub('psql', 'echo "no route ##[error]x" >&2; exit 2')
        failed = self.install('postgres', 'auto', status=5)
        self.assertIn('    | no route ## [error]x', failed.stderr)
        self.assertIn('the server does not tell its version', failed.stderr)
        for url in ('host=h password=x', 'postgresql://h/db?password=x', 'host=h PASSWORD=x',
                    'postgresql://u:hun/ter2@h/db', 'postgresql://u:hun@ter2@h/db',
                    'postgresql://u:12/34@h/db', 'postgres://u:a:b/c@h', 'postgresql://:p@x@h'):
            failed = self.install('postgres', 'auto', status=5, DATABASE_URL=url)
            self.assertIn('a password is taken only from a URL', failed.stderr)
            self.assertNotIn('ter2', failed.stderr)
        self.assertEqual(1, len(self.calls('psql')))

    def test_other_versions_are_refused(self) -> None:
        for text in ('', '12', '19', '15.2', 'latest', '15 --reinstall', '15\n'):
            with self.subTest(text):
                self.install('postgres', text, status=2)
        self.assertEqual([], self.installed())


if __name__ == '__main__':
    unittest.main()
