"""action.yml: its steps are run here as a runner would, with GitHub's own expression engine."""
from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import unittest

from harness import PROGRAM, ROOT, Cluster, ProgramTest, clean_env, unwind_on_sigterm
from dispatching import CANCELS, DISPATCHES, FAST, REPO, TOKEN, DispatchTest
from run_action import ActionRun, Ran

HOSTILE = ('quo"te\'s', 'a\nb', '${{ secrets.X }}', '; touch pwned', '$(touch pwned)',
           '`touch pwned`', '##[error]pwned', '::set-output name=conclusion::pwned', '-x', '*',
           '\n::error::pwned\n::add-mask::a', '%0A::error::pwned', '\\', '${PATH}', 'ö☃')
OF_BACKUP = {'id', 'commit', 'path', 'rows', 'verified'}
OUTPUTS = {'results', 'succeeded', 'failed', 'run-ids', 'conclusion'} | OF_BACKUP


def setUpModule() -> None:
    unwind_on_sigterm()


def blocks(kind: str) -> str:
    found = re.search(rf'^ *# {kind}: begin [^\n]*\n(.*?)^ *# {kind}: end$',
                      (ROOT / 'action.yml').read_text(), re.MULTILINE | re.DOTALL)
    return found[1] if found else ''


class TheFile(ProgramTest):
    def test_its_inputs_and_environment_are_those_of_the_options(self) -> None:
        for kind in ('inputs', 'env'):
            self.assertEqual(self.run_it('render', f'action-{kind}').out, blocks(kind),
                             'run: scripts/lint-actions --render build/dev/backproof')


class ActionTest(DispatchTest):
    """The action in a folder of its own, and stand-ins for programs, which note their calls."""

    def setUp(self) -> None:
        super().setUp()
        self.folder.chmod(0o755)
        self.action, self.bin = self.folder / 'action', self.folder / 'bin'
        self.bin.mkdir()
        self.action.mkdir()
        for name in ('action.yml', 'CMakeLists.txt', 'CMakePresets.json'):
            shutil.copy(ROOT / name, self.action)
        (self.action / 'scripts').mkdir()
        for name in ('install', 'packages'):
            shutil.copy(ROOT / 'scripts' / name, self.action / 'scripts')
        for name in ('cmake', 'src', '.github/workflows'):      # enough to have a checksum
            shutil.copytree(ROOT / 'cmake', self.action / name)
        self.calls_file = self.folder / 'calls'
        self.calls_file.touch()
        self.calls_file.chmod(0o666)
        self.tool_cache = self.folder / 'cache'
        self.tool_cache.mkdir()
        self.tool_cache.chmod(0o777)
        self.job = {**{name: value for name, value in clean_env().items() if not
                       name.startswith(('GITHUB_', 'RUNNER_', 'WORKFLOW_TRIGGER_TOKEN', 'GH_'))},
                    **FAST, 'PATH': f'{self.bin}:{os.environ["PATH"]}',
                    'GITHUB_ACTIONS': 'true', 'GITHUB_API_URL': self.fake.url,
                    'GITHUB_REPOSITORY': REPO, 'RUNNER_TEMP': str(self.temp),
                    'RUNNER_TOOL_CACHE': str(self.tool_cache), 'TMPDIR': str(self.temp)}
        self.runs = 0

    def stub(self, name: str, body: str = 'exit 0') -> None:
        """A program that notes how it is called, then does this."""
        path = self.bin / name
        path.write_text(f'#!/bin/bash\nprintf "%s\\n" "{name} $*" >>"{self.calls_file}"\n{body}\n')
        path.chmod(0o755)

    def stub_build(self) -> None:
        """Instead of building, what was built for the tests is taken."""
        for name in ('ninja', 'gcc', 'pkg-config'):
            self.stub(name)
        self.stub('cmake', f'[[ $1 != --build ]] || ln -s "{PROGRAM}" "$2/backproof"; '
                           f'[[ $1 != --preset ]] || mkdir "$4"')

    def calls(self, name: str) -> list[str]:
        return [line for line in self.calls_file.read_text().splitlines()
                if line.split()[0] == name]

    def fill_cache(self) -> None:
        """As the first run on a machine does."""
        self.stub_build()
        self.install(BACKPROOF_INSTALL='source')
        self.calls_file.write_text('')

    def install(self, *words: str, status: int = 0, **env: str) -> subprocess.CompletedProcess:
        done = subprocess.run([str(self.action / 'scripts' / 'install'), *words],
                              env={**self.job, **env}, cwd=self.folder, text=True, timeout=120,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
        self.assertEqual(status, done.returncode, done.stdout + done.stderr)
        self.assert_clean()
        return done

    def begin_action(self, inputs: dict[str, str], github: dict[str, str] | None = None,
                     **env: str) -> ActionRun:
        self.runs += 1
        run = ActionRun(self.action, self.folder / f'run{self.runs}', inputs,
                        {**self.job, **env}, github)
        self.addCleanup(run.kill)
        return run

    def use(self, inputs: dict[str, str], status: int | str = 0, **env: str) -> Ran:
        ran = self.begin_action(inputs, **env).finish()
        self.assertEqual(status, ran.status, str(ran))
        self.assert_clean()
        return ran


class WithTheProgram(ActionTest):
    def setUp(self) -> None:
        super().setUp()
        self.fill_cache()

    def test_the_default_is_a_dispatch_and_its_outputs_are_the_actions(self) -> None:
        ran = self.use({'branch': 'main\ndev', 'token': TOKEN})
        self.assertEqual(['Install backproof', 'Run backproof'], [s.name for s in ran.steps])
        self.assert_runs(main=1, dev=1)
        self.assertEqual(OUTPUTS, set(ran.outputs))
        self.assertEqual(('2', '0', 'success'), tuple(
            ran.outputs[name] for name in ('succeeded', 'failed', 'conclusion')))
        ids = {run.branch: str(run.id) for run in self.fake.runs}
        self.assertEqual(f'{ids["main"]},{ids["dev"]}', ran.outputs['run-ids'])
        self.assertEqual(['main', 'dev'],
                         [one['branch'] for one in json.loads(ran.outputs['results'])])
        self.assertIn('| main |', ran.steps[1].summary)

    def test_an_empty_input_counts_as_not_given(self) -> None:
        names = re.findall(r"^  '?([a-z-]+)'?:$", blocks('inputs'), re.MULTILINE)
        self.assertGreater(len(names), 30)
        self.use({**dict.fromkeys(names, ''), 'mode': '', 'install': '', 'archive': '',
                  'package-sha256': '', 'postgres-version': '', 'branch': '["main"]'},
                 WORKFLOW_TRIGGER_TOKEN=TOKEN)
        self.assert_runs(main=1)

    def test_variables_of_the_job_count_and_inputs_go_first(self) -> None:
        self.use({}, BACKPROOF_BRANCH='dev', GITHUB_TOKEN=TOKEN)
        self.use({'branch': 'main', 'dry-run': 'false'}, BACKPROOF_BRANCH='dev',
                 BACKPROOF_DRY_RUN='true', GITHUB_TOKEN=TOKEN)
        self.assert_runs(dev=1, main=1)

    def test_the_exit_status_is_the_programs_and_outputs_are_there(self) -> None:
        ran = self.use({'branch': 'gone', 'token': TOKEN}, status=4)
        self.assertEqual(('0', '1', 'failure', ''), tuple(
            ran.outputs[name] for name in ('succeeded', 'failed', 'conclusion', 'run-ids')))
        self.assertRegex(ran.log, "(?m)^::error .*no branch 'gone'")

    def test_check_sends_nothing(self) -> None:
        ran = self.use({'mode': 'check', 'branch': 'main', 'token': TOKEN})
        self.assertIn('ok       octo-org/shop@main', ran.log)
        self.assertEqual({'GET'}, {call.method for call in self.fake.calls()})

    def test_what_a_mode_needs_is_told(self) -> None:
        for mode in ('backup', 'list', 'prune'):
            self.assertIn(f'{mode} needs --backup-repo', self.use({'mode': mode}, status=2).log)

    def test_a_cancelled_job_cancels_its_runs(self) -> None:
        self.fake.set_plan(start_after=None)
        run = self.begin_action({'branch': 'main\ndev', 'token': TOKEN})
        self.fake.wait_for('POST', DISPATCHES, 2)
        run.cancel()
        ran = run.finish()
        self.assertEqual(130, ran.status, str(ran))
        self.assertEqual(2, len(self.fake.calls('POST', CANCELS)))
        self.assertEqual('stopped', ran.outputs['conclusion'])

    def test_no_value_becomes_a_command(self) -> None:
        names = ('branch', 'workflow', 'inputs', 'target', 'repo', 'timeout', 'until')
        for number, value in enumerate(HOSTILE):
            name = names[number % len(names)]
            with self.subTest(name, value=value):
                ran = self.begin_action({'branch': 'main', 'dry-run': 'true', 'token': TOKEN,
                                         name: value}).finish()
                self.assertIn(ran.status, range(8), str(ran))
                self.assert_harmless(ran)
        self.assertEqual([], self.fake.runs)

    def assert_harmless(self, ran: Ran) -> None:
        self.assertEqual([], [str(path) for path in self.folder.rglob('pwned')])
        self.assertLessEqual(set(ran.steps[-1].outputs), OUTPUTS)
        for line in ran.log.splitlines():
            self.assertNotIn('##[', line)
            self.assertNotRegex(line, r'^\s*::(set-output|add-mask)')
            self.assertNotRegex(line, r'^\s*::error::pwned')

    def test_the_steps_around_the_program_are_fast(self) -> None:
        """Shown, not judged: a command that ends at once, with the program in the tool cache."""
        times = sorted(sum(step.ms for step in self.use({'mode': 'list'}, status=2).steps)
                       for _ in range(5))
        print(f'the action itself takes {times[2]} ms', end=' ... ', flush=True)


class WithADatabase(ActionTest):
    def setUp(self) -> None:
        super().setUp()
        self.fill_cache()
        cluster = Cluster()
        cluster.__enter__()
        self.addCleanup(cluster.__exit__, None, None, None)
        cluster.create_db('shop')
        cluster.psql('shop', 'create table t as select g from generate_series(1, 7) g')
        self.backups = self.folder / 'backups.git'
        subprocess.run(['git', 'init', '-q', '--bare', '-b', 'main', str(self.backups)], check=True)
        self.given = {'mode': 'backup', 'database-url': cluster.url('shop', 'postgres'),
                      'backup-repo': str(self.backups), 'backup-branch': 'main'}

    def git(self, *words: str) -> str:
        return subprocess.run(['git', '-C', str(self.backups), *words], text=True, check=True,
                              capture_output=True).stdout.strip()

    def test_a_backup_tells_what_it_made(self) -> None:
        made = self.use(self.given).outputs
        self.assertEqual(('7', self.git('rev-parse', 'main')), (made['rows'], made['commit']))
        self.assertEqual(f'backups/latest/latest_{made["id"]}', made['path'])
        self.assertIn('manifest.json', self.git('ls-tree', '--name-only',
                                                f'{made["commit"]}:{made["path"]}'))
        dry = self.use({**self.given, 'dry-run': 'true'}).outputs
        self.assertEqual(('7', ''), (dry['rows'], dry['commit']))
        failed = self.use({**self.given, 'database-url': 'postgresql://127.0.0.1:1/none',
                           'connect-retries': '0'}, status=5).outputs
        self.assertEqual(('',) * len(OF_BACKUP), tuple(failed[name] for name in sorted(OF_BACKUP)))

    def test_old_archives_are_removed_behind_a_backup_and_in_a_job_of_their_own(self) -> None:
        ids = [self.use(self.given).outputs['id'] for _ in range(3)]
        made = self.use({**self.given, 'prune': 'true', 'keep-last': '3'}).outputs
        self.assertEqual(made['commit'], self.git('rev-parse', 'main^'))
        self.assertNotIn(ids[0], self.archives())
        self.use({'mode': 'prune', 'keep-last': '2', 'squash': 'true', 'backup-branch': 'main',
                  'backup-repo': str(self.backups)})
        self.assertEqual('2', self.git('rev-list', '--count', 'main'))
        self.assertEqual([ids[2], made['id']], self.archives())
        self.use({'mode': 'prune', 'squash': 'true', 'backup-repo': str(self.backups)}, status=2)

    def archives(self) -> list[str]:
        names = self.git('ls-tree', '-d', '--name-only', 'main:backups/archive').splitlines()
        found = [re.sub(r'--octo-org-shop--\w+--\w+', '', name) for name in names]
        latest = self.git('ls-tree', '-d', '--name-only', 'main:backups/latest')
        return [*sorted(found), latest.removeprefix('latest_')]


class WithStandIns(ActionTest):
    """The program is one that notes its words and its environment."""

    def setUp(self) -> None:
        super().setUp()
        version = self.run_it('version').out.strip()
        self.stub('backproof', f'[[ $1 != version ]] || {{ env -0 >"{self.folder}/install-env"; '
                               f'echo "{version}"; exit 0; }}\n'
                               f'printf "%s\\0" "$@" >"{self.folder}/words"\n'
                               f'env -0 >"{self.folder}/env"')

    def words(self) -> list[str]:
        return (self.folder / 'words').read_text().split('\0')[:-1]

    def env_of(self, name: str) -> dict[str, str]:
        pairs = (self.folder / name).read_text().split('\0')[:-1]
        return dict(pair.split('=', 1) for pair in pairs)

    def test_each_mode_is_a_command(self) -> None:
        for mode in ('dispatch', 'check', 'backup', 'list', 'prune', 'drill'):
            self.use({'mode': mode, 'archive': 'ignored'})
            self.assertEqual([mode], self.words())
        self.use({'mode': 'restore', 'archive': 'latest'})
        self.assertEqual(['restore', '--', 'latest'], self.words())
        self.use({'mode': 'verify'})
        self.assertEqual(['verify', '--', 'latest'], self.words())
        self.use({'mode': 'verify', 'archive': '2024-01-15'})
        self.assertEqual(['verify', '--', '2024-01-15'], self.words())

    def test_an_unknown_mode_is_refused_and_not_repeated(self) -> None:
        for mode in ('init', 'render', 'dispatch ', *HOSTILE[:9]):
            with self.subTest(mode):
                ran = self.use({'mode': mode}, status=2)
                self.assertIn("::error title=backproof::'mode' is none of dispatch, check, backup, "
                              "verify, drill, list, restore, prune\n", ran.log)
                self.assertNotIn('pwned', ran.log)
        self.assertFalse((self.folder / 'words').exists())
        self.assertEqual([], list(self.folder.rglob('pwned')))

    def test_every_input_reaches_the_program_byte_for_byte(self) -> None:
        wanted = dict(re.findall(r'^ *(BACKPROOF_\w+): \$\{\{ inputs\.([a-z-]+) ', blocks('env'),
                                 re.MULTILINE))
        self.assertGreater(len(wanted), 30)
        for value in HOSTILE:
            with self.subTest(value):
                self.use({**dict.fromkeys(wanted.values(), value), 'mode': 'restore',
                          'archive': value})
                self.assertEqual(['restore', '--', value], self.words())
                env = self.env_of('env')
                self.assertEqual(dict.fromkeys(wanted, value),
                                 {name: env.get(name) for name in wanted})
        self.assertEqual([], list(self.folder.rglob('pwned')))

    def test_secrets_stay_away_from_the_installation(self) -> None:
        self.use({'token': 'tr-secret', 'backup-token': 'b-secret', 'database-url': 'd-secret',
                  'to': 't-secret'})
        seen = (self.folder / 'install-env').read_text()
        self.assertNotRegex(seen, '(tr|b|d|t)-secret')
        self.assertEqual('d-secret', self.env_of('env')['BACKPROOF_DATABASE_URL'])

    def test_the_client_of_postgresql_is_a_step_of_its_own(self) -> None:
        self.stub('pg_dump', 'echo "pg_dump (PostgreSQL) 99.1"')
        ran = self.use({'mode': 'backup', 'postgres-version': '18'})
        self.assertEqual(3, len(ran.steps))
        self.assertIn('pg_dump of PostgreSQL 99 is there', ran.log)
        ran = self.use({'postgres-version': '12; touch pwned'}, status=2)
        self.assertIn('postgres-version is none of', ran.log)
        self.assertNotIn('pwned', ran.log)
        self.assertEqual([], list(self.folder.rglob('pwned')))


if __name__ == '__main__':
    unittest.main()
