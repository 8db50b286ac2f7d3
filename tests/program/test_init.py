"""backproof init: the files it writes are YAML, a dispatch takes them, and nothing is lost."""
from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import unittest
from pathlib import Path

import yaml

from harness import PROGRAM, ROOT, ProgramTest, Result, clean_env, unwind_on_sigterm
from dispatching import REPO, DispatchTest

BACKUP, SCHEDULED = '.github/workflows/backup.yml', '.github/workflows/scheduled-backup.yml'
NEW = 'octo-org/new'
NAMES = ('WORKFLOW_TRIGGER_TOKEN', 'BACKUP_TOKEN', 'DATABASE_URL')


def setUpModule() -> None:
    unwind_on_sigterm()


def git(folder: Path, *words: str) -> None:
    subprocess.run(['git', *words], cwd=folder, check=True, capture_output=True)


MINE = 'age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg'
YOURS = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'


def triggers(workflow: dict) -> dict:
    """YAML 1.1 takes the key 'on' for true."""
    return workflow[True]


class InitTest(ProgramTest):
    def setUp(self) -> None:
        super().setUp()
        git(self.folder, 'init', '-q', '-b', 'main')
        git(self.folder, 'remote', 'add', 'origin', 'git@github.com:myorg/myapp.git')

    def init(self, *more: str, **options) -> Result:
        return self.run_it('init', '--backup-repo', 'myorg/vault', *more, **options)

    def read(self, name: str) -> dict:
        return yaml.safe_load((self.folder / name).read_text())

    def written(self) -> list[str]:
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob('*')
                      if path.is_file() and '.git/' not in str(path))


class Files(InitTest):
    def test_they_are_yaml_with_the_answers_in_place(self) -> None:
        self.init('--branch', 'main', '--branch', 'dev', '--schedule', '5 3 * * 1-5')
        self.assertEqual([BACKUP, SCHEDULED], self.written())
        scheduled, backup = self.read(SCHEDULED), self.read(BACKUP)
        self.assertEqual([{'cron': '5 3 * * 1-5'}], triggers(scheduled)['schedule'])
        job = scheduled['jobs']['dispatch']
        self.assertEqual(['main', 'dev'], json.loads(job['env']['BRANCHES']))
        self.assertEqual('backup.yml', job['steps'][0]['with']['workflow'])
        step = backup['jobs']['backup']['steps'][0]
        self.assertEqual('https://github.com/myorg/vault', step['with']['backup-repo'])

    def test_each_job_is_on_limited_and_without_rights(self) -> None:
        self.init()
        for name in (BACKUP, SCHEDULED):
            workflow = self.read(name)
            self.assertEqual({}, workflow['permissions'])
            self.assertFalse(workflow['concurrency']['cancel-in-progress'])
            for job in workflow['jobs'].values():
                self.assertNotIn('if', job)
                self.assertIsInstance(job['timeout-minutes'], int)

    def test_the_committed_templates_are_off_in_a_repository_without_the_variable(self) -> None:
        for name in (BACKUP, SCHEDULED):
            workflow = yaml.safe_load((ROOT / name).read_text())
            for job in workflow['jobs'].values():
                self.assertEqual("vars.BACKPROOF_ENABLED == 'true'", job['if'])

    def test_they_give_the_action_inputs_that_it_has(self) -> None:
        action = yaml.safe_load((ROOT / 'action.yml').read_text())
        self.init()
        for name in (BACKUP, SCHEDULED):
            text = (self.folder / name).read_text()
            for job in yaml.safe_load(text)['jobs'].values():
                step = job['steps'][0]
                self.assertEqual('backproof/backproof@v1', step['uses'])
                self.assertLessEqual(set(step['with']), set(action['inputs']))
                for output in job.get('outputs', {}):
                    self.assertIn(output, action['outputs'])

    def test_hostile_names_stay_what_they_are(self) -> None:
        names = ["o'brien", 'a"b', '#x', "'];evil", 'größe', '{x}', '$(id)', '&a', '!b', '%c',
                 'x]']
        self.init(*(word for name in names for word in ('--branch', name)))
        job = self.read(SCHEDULED)['jobs']['dispatch']
        self.assertEqual(names, json.loads(job['env']['BRANCHES']))

    def test_what_could_leave_its_place_is_refused(self) -> None:
        for words in (('--branch', '${{ secrets.BACKUP_TOKEN }}'), ('--branch', 'a${{x}}'),
                      ('--branch', 'a\x1bb'), ('--branch', 'a b'), ('--repo', 'o/n\nx: y'),
                      ('--schedule', "1 2 * * *'\nx: y"), ('--workflow', '../../x.yml'),
                      ('--backup-repo', 'https://h/o/n ${{ x }}'),
                      ('--backup-repo', 'https://u:hunter22@h/o/n')):
            result = self.init(*words, status=2)
            self.assertEqual(1, len(result.err.splitlines()), str(result))
            self.assertNotIn('hunter22', result.err)
            self.assertEqual([], self.written(), words)

    def test_another_file_name_is_used_in_both(self) -> None:
        self.init('--workflow', 'nightly.yml')
        self.assertEqual(['.github/workflows/nightly.yml', SCHEDULED], self.written())
        step = self.read(SCHEDULED)['jobs']['dispatch']['steps'][0]
        self.assertEqual('nightly.yml', step['with']['workflow'])

    def test_from_a_folder_below_they_go_to_the_top(self) -> None:
        below = self.folder / 'a' / 'b'
        below.mkdir(parents=True)
        subprocess.run([PROGRAM, 'init', '--backup-repo', 'o/n'], cwd=below, check=True,
                       env=clean_env(), stdin=subprocess.DEVNULL, capture_output=True)
        self.assertEqual([BACKUP, SCHEDULED], self.written())


class Sealed(InitTest):
    def test_recipients_and_the_chunk_key_are_in_the_backup_workflow(self) -> None:
        said = self.init('--recipient', MINE, '--recipient', YOURS).out
        step = self.read(BACKUP)['jobs']['backup']['steps'][0]
        self.assertEqual([MINE, YOURS], json.loads(step['with']['recipient']))
        self.assertEqual('${{ secrets.BACKUP_CHUNK_KEY }}', step['with']['chunk-key'])
        self.assertIn('gh secret set BACKUP_CHUNK_KEY -R myorg/myapp', said)
        self.assertNotIn('# init:', (self.folder / BACKUP).read_text())

    def test_readable_ones_have_nothing_of_it(self) -> None:
        said = self.init().out
        self.assertNotIn('CHUNK', said + (self.folder / BACKUP).read_text())
        self.assertNotIn('ealed', (self.folder / BACKUP).read_text())

    def test_a_secret_key_is_refused_and_not_shown(self) -> None:
        for wrong in ('AGE-SECRET-KEY-1' + 'Q' * 58, 'age1wrong', 'keys.txt'):
            result = self.init('--recipient', wrong, status=2)
            self.assertNotIn('QQQQ', result.err)
            self.assertEqual([], self.written())


class Nothing(InitTest):
    """What must not be written, or not be replaced."""

    def test_print_shows_two_documents_and_writes_nothing(self) -> None:
        for word in ('--print', '--dry-run'):
            first, second = yaml.safe_load_all(self.init(word).out)
            self.assertEqual('Backup', first['name'])
            self.assertEqual('Scheduled backup', second['name'])
            self.assertEqual([], self.written())

    def test_a_file_that_is_there_stays_as_it_is(self) -> None:
        path = self.folder / SCHEDULED
        path.parent.mkdir(parents=True)
        path.write_text('mine\n')
        self.assert_fails(2, f'there is already {SCHEDULED}, nothing was written', 'init',
                          '--backup-repo', 'o/n')
        self.assertEqual([SCHEDULED], self.written())
        self.assertEqual('mine\n', path.read_text())
        self.assertIn(f'replaced {SCHEDULED}', self.init('--force').out)
        self.assertEqual('Scheduled backup', self.read(SCHEDULED)['name'])
        self.assertEqual([BACKUP, SCHEDULED], self.written(), 'something was left behind')

    def test_outside_a_repository_it_says_so(self) -> None:
        subprocess.run(['rm', '-rf', str(self.folder / '.git')], check=True)
        self.assert_fails(2, 'this folder is in no Git repository', 'init', '--repo', 'o/n',
                          '--backup-repo', 'o/n-backups')
        self.assertEqual([], self.written())

    def test_json_is_one_object_with_all_that_text_says(self) -> None:
        answer = self.init('--format', 'json', '--print').json
        self.assertEqual({'repository', 'files', 'secrets'}, set(answer))
        self.assertEqual([BACKUP, SCHEDULED], [one['path'] for one in answer['files']])
        self.assertEqual(list(NAMES), [one['name'] for one in answer['secrets']])


class Person(InitTest):
    def talk(self, *answers: str) -> tuple[int, str]:
        """At a terminal: one answer for each question that ends with a colon and a blank."""
        master, slave = pty.openpty()
        child = subprocess.Popen([PROGRAM, 'init'], cwd=self.folder, stdin=slave, stdout=slave,
                                 stderr=slave, start_new_session=True,
                                 env={**clean_env(), 'TMPDIR': str(self.temp)})
        os.close(slave)
        self.addCleanup(os.close, master)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        said, left = '', list(answers)
        while select.select([master], [], [], 20)[0]:
            try:
                said += os.read(master, 4096).decode()
            except OSError:     # the other end is closed
                break
            if said.endswith(': ') and left:
                os.write(master, f'{left.pop(0)}\n'.encode())
        self.assertEqual([], left, said)
        return child.wait(timeout=20), said

    def test_is_asked_for_all_that_is_missing(self) -> None:
        status, said = self.talk('', 'main, dev', '', 'other/vault', '')
        self.assertEqual(0, status, said)
        for words in ('owner/name [myorg/myapp]: ', 'branches to back up [main]: ',
                      'schedule in UTC [16 8 * * *]: ', '[myorg/myapp-backups]: '):
            self.assertIn(words, said)
        step = self.read(BACKUP)['jobs']['backup']['steps'][0]
        self.assertEqual('https://github.com/other/vault', step['with']['backup-repo'])
        self.assertNotIn('recipient', step['with'])

    def test_can_name_who_opens_the_backups(self) -> None:
        status, said = self.talk('', '', '', '', 'age1wrong', f'{MINE}, {YOURS}')
        self.assertEqual(0, status, said)
        step = self.read(BACKUP)['jobs']['backup']['steps'][0]
        self.assertEqual([MINE, YOURS], json.loads(step['with']['recipient']))
        self.assertIn('gh secret set BACKUP_CHUNK_KEY', said)

    def test_who_leaves_has_changed_nothing(self) -> None:
        status, said = self.talk('', '\x04')
        self.assertEqual(2, status, said)
        self.assertIn('the questions were not answered', said)
        self.assertEqual([], self.written())

    def test_who_interrupts_ends_it_at_once(self) -> None:
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        child = subprocess.Popen([PROGRAM, 'init'], cwd=self.folder, stdin=slave,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 env={**clean_env(), 'TMPDIR': str(self.temp)})
        os.close(slave)
        self.assertTrue(child.stderr.read(10))
        child.terminate()
        child.communicate(timeout=20)
        self.assertEqual(143, child.returncode)
        self.assertEqual([], self.written())


class Works(DispatchTest):
    """What is written is what `check` and `dispatch` want."""

    def setUp(self) -> None:
        super().setUp()
        git(self.folder, 'init', '-q', '-b', 'main')
        self.fake.add_repo(NEW, branches=['main'])

    def test_a_dispatch_starts_the_written_workflow(self) -> None:
        self.run_it('init', '--repo', NEW, '--branch', 'main', '--backup-repo', 'o/vault')
        text = (self.folder / BACKUP).read_text()
        file = yaml.safe_load(text)
        inputs = {name: {key: rule[key] for key in ('default', 'options') if key in rule}
                  for name, rule in triggers(file)['workflow_dispatch']['inputs'].items()}
        self.fake.add_workflow(NEW, 'backup.yml', file['name'], inputs=inputs,
                               run_name=file['run-name']).file_text = text
        given = yaml.safe_load((self.folder / SCHEDULED).read_text())
        step = given['jobs']['dispatch']['steps'][0]['with']
        self.assertIn('\'{"event":"schedule"}\'', step['inputs'])
        more = ('--marker-input', step['marker-input'], '--inputs', '{"event":"schedule"}')
        self.run_it('dispatch', '--repo', NEW, '--branch', 'main', *more)
        self.assertEqual(1, len(self.fake.calls('POST', rf'.*/{NEW}/.*/dispatches')))

    def test_it_ends_with_a_check_of_what_is_there(self) -> None:
        result = self.run_it('init', '--repo', REPO, '--branch', 'main', '--backup-repo', 'o/vault')
        self.assertIn('main: the branch exists', result.out)

    def test_a_workflow_that_is_not_pushed_yet_is_a_warning(self) -> None:
        result = self.run_it('init', '--repo', NEW, '--branch', 'main',
                             '--backup-repo', 'o/vault')
        self.assertIn('warning: not ready yet: a dispatch would fail: no workflow', result.err)
        self.assertIn('next: when the files are pushed, backproof check --repo ' + NEW,
                      result.out)


if __name__ == '__main__':
    unittest.main()
