"""backproof dispatch against a fake GitHub: the good path, what is dispatched, bad input."""
from __future__ import annotations

import json
import subprocess
import unittest

from harness import clean_env, unwind_on_sigterm
from dispatching import BRANCHES, DISPATCHES, LOOKS, OTHER, REPO, TOKEN, DispatchTest
from contract import ContractProxy


def setUpModule() -> None:
    unwind_on_sigterm()


class GoodPath(DispatchTest):
    def test_branches_are_started_and_named_in_a_table(self) -> None:
        result = self.dispatch('main', 'dev')
        rows = [line.split() for line in result.out.splitlines()]
        self.assertEqual(['BRANCH', 'RESULT', 'ATTEMPTS', 'RUN', 'URL', 'REASON'], rows[0])
        ids = {run.branch: str(run.id) for run in self.fake.runs}
        self.assertEqual([[branch, 'started', '1', ids[branch],
                           f'{self.fake.url}/{REPO}/actions/runs/{ids[branch]}', 'in_progress']
                          for branch in ('main', 'dev')], rows[1:])
        self.assertEqual(2, len(self.fake.runs))

    def test_json_tells_the_same(self) -> None:
        answer = self.answer('main', 'dev', 'gone')
        self.assertEqual((2, 1, 'partial'),
                         (answer['succeeded'], answer['failed'], answer['conclusion']))
        self.assertEqual(len(self.fake.calls()), answer['requests'])
        main, dev, gone = answer['results']
        runs = {run.branch: run.id for run in self.fake.runs}
        for result in main, dev:
            self.assertEqual(
                (REPO, 'backup.yml', 'started', 1, runs[result['branch']], 'in_progress', None,
                 self.fake.repo(REPO).branches[result['branch']], False, []),
                tuple(result[key] for key in (
                    'repository', 'workflow', 'result', 'attempts', 'run_id', 'status',
                    'conclusion', 'commit', 'cancelled', 'failed_jobs')))
        self.assertEqual(('gone', 'failed', 0, None, f"no branch 'gone' in '{REPO}'"),
                         tuple(gone[key] for key in ('branch', 'result', 'attempts', 'run_id',
                                                     'reason')))

    def test_the_good_path_takes_few_requests(self) -> None:
        self.dispatch(*BRANCHES, BACKPROOF_POLL_INTERVAL='500ms')
        self.assertLessEqual(len(self.fake.calls()), 4 + 4 * len(BRANCHES))
        self.assert_runs(**{branch: 1 for branch in BRANCHES})

    def test_one_look_serves_all_branches_that_wait(self) -> None:
        self.fake.set_plan(start_after=None)
        child = self.begin('main', 'dev', BACKPROOF_POLL_INTERVAL='100ms')
        self.fake.wait_for('POST', DISPATCHES, 2)
        first = len(self.fake.calls('GET', LOOKS))
        self.fake.wait_for('GET', LOOKS, first + 3)
        with self.fake.lock:
            for run in self.fake.runs:
                run.plan.start_after = 0
        self.finish(child, 0)
        self.assertEqual([], self.fake.calls('GET', r'/actions/runs/\d+$'))

    def test_inputs_reach_the_run(self) -> None:
        self.dispatch('main', more=('--inputs', '{"level": "fast"}'))
        self.assertEqual({'level': 'fast'}, self.sent()[0].body['inputs'])

    def test_a_dry_run_sends_nothing(self) -> None:
        result = self.dispatch('main', 'gone', more=('--dry-run',))
        self.assertEqual({'GET'}, {call.method for call in self.fake.calls()})
        self.assertIn('dry-run', result.out)
        self.assertIn("no branch 'gone'", result.out)

    def test_the_token_is_trimmed(self) -> None:
        self.dispatch('main', WORKFLOW_TRIGGER_TOKEN=f'  {TOKEN}\n')
        self.assert_runs(main=1)

    def test_one_failure_is_a_warning_unless_all_are_required(self) -> None:
        result = self.dispatch('gone', 'main')
        self.assertIn(f"warning: branch 'gone' failed: no branch 'gone' in '{REPO}'",
                      result.err)
        self.dispatch('gone', 'dev', status=4, more=('--require', 'all'))
        self.assert_runs(main=1, dev=1)

    def test_failures_for_one_reason_are_told_as_one_error(self) -> None:
        self.assert_fails(4, f"no branch 'gone' in '{REPO}'", *self.words(('gone',), ()))

    def test_failures_for_several_reasons_are_counted(self) -> None:
        self.fake.repo(REPO).workflow('backup.yml').on_branch('dev', dispatch=False)
        result = self.assert_fails(1, '2 of 2 branches failed: gone, dev',
                                   *self.words(('gone', 'dev'), ()))
        for words in ("branch 'gone' failed: no branch", "branch 'dev' failed: "
                      "'backup.yml' on branch 'dev' has no workflow_dispatch trigger"):
            self.assertIn(f'warning: {words}', result.err)


class Targets(DispatchTest):
    def setUp(self) -> None:
        super().setUp()
        self.add_repo(self.fake, OTHER)
        self.fake.add_workflow(OTHER, 'nightly.yaml')

    def started(self) -> set[tuple[str, str, str]]:
        return {(run.repo.full_name, run.branch, run.workflow.file) for run in self.fake.runs}

    def test_a_branch_of_another_repository_and_workflow(self) -> None:
        answer = self.answer('main', more=('--target', f'{OTHER}@dev', '--target',
                                           f'{OTHER}@release/1.x:nightly.yaml'))
        wanted = [(REPO, 'main', 'backup.yml'), (OTHER, 'dev', 'backup.yml'),
                  (OTHER, 'release/1.x', 'nightly.yaml')]
        self.assertEqual(wanted, [(one['repository'], one['branch'], one['workflow'])
                                  for one in answer['results']])
        self.assertEqual(set(wanted), self.started())

    def test_the_table_tells_repositories_and_workflows_apart(self) -> None:
        out = self.dispatch('main', more=('--target', f'{OTHER}@main:nightly.yaml')).out
        self.assertIn(f'\n{REPO}@main:backup.yml ', out)
        self.assertIn(f'\n{OTHER}@main:nightly.yaml ', out)

    def test_targets_need_no_repository(self) -> None:
        self.run_it('dispatch', '--target', f'{OTHER}@main')
        self.assertEqual({(OTHER, 'main', 'backup.yml')}, self.started())

    def test_lists_in_the_environment(self) -> None:
        self.dispatch(BACKPROOF_BRANCH=json.dumps(['main', 'release/1.x']),
                      BACKPROOF_TARGET=f'{OTHER}@dev\n')
        self.assertEqual({(REPO, 'main', 'backup.yml'), (REPO, 'release/1.x', 'backup.yml'),
                          (OTHER, 'dev', 'backup.yml')}, self.started())
        looked = self.run_it('check', '--repo', REPO, '--format', 'json',
                             BACKPROOF_BRANCH='main\nrelease/1.x\n',
                             BACKPROOF_TARGET=json.dumps([f'{OTHER}@dev', f'{OTHER}@main'])).json
        self.assertEqual({f'{REPO}@main', f'{REPO}@release/1.x', f'{OTHER}@dev', f'{OTHER}@main'},
                         {one['about'] for one in looked['findings'] if '@' in one['about']})

    def test_a_repository_that_fails_leaves_the_other_alone(self) -> None:
        self.fake.repo(OTHER).archived = True
        answer = self.answer('main', more=('--target', f'{OTHER}@main'))
        self.assertEqual(['started', 'failed'], [one['result'] for one in answer['results']])
        self.assertIn('is archived', answer['results'][1]['reason'])

    def test_what_is_no_target(self) -> None:
        for target, words in (('main', 'is no target'), (f'{OTHER}@', 'name of a branch is empty'),
                              ('shop@main', 'is no repository'),
                              (f'{OTHER}@main:', "'' is no workflow")):
            with self.subTest(target):
                self.assert_fails(2, words, 'dispatch', '--target', target)
        self.assertEqual([], self.fake.calls())


class Skipping(DispatchTest):
    def test_a_branch_whose_run_is_active_is_left_out(self) -> None:
        active = self.fake.add_run(REPO, event='push', start_after=None)
        self.fake.add_run(REPO, branch='dev', finish_after=0)
        main, dev = self.answer('main', 'dev', more=('--skip-if-active',))['results']
        self.assertEqual(('already-running', active.id, 'queued', 0,
                          f'run {active.id} is queued: not dispatched'),
                         tuple(main[key] for key in ('result', 'run_id', 'status', 'attempts',
                                                     'reason')))
        self.assertEqual(('started', 1), (dev['result'], dev['attempts']))
        self.assertEqual(['dev'], [call.body['ref'] for call in self.sent()])

    def test_nothing_to_start_is_a_success(self) -> None:
        self.fake.add_run(REPO)
        self.assertEqual(('success', 1, 0), tuple(
            self.answer('main', more=('--skip-if-active',))[key]
            for key in ('conclusion', 'succeeded', 'failed')))
        self.assertEqual([], self.sent())

    def test_a_branch_with_a_recent_run_is_left_out(self) -> None:
        hour = self.fake.clock.now() - 3600
        recent = self.fake.add_run(REPO, created_at=hour, finish_after=60)
        for branch, conclusion in (('dev', 'failure'), ('release/1.x', 'success')):
            self.fake.add_run(REPO, branch=branch, conclusion=conclusion, finish_after=60,
                              created_at=hour - (0 if branch == 'dev' else 7200))
        answer = self.answer(*BRANCHES, more=('--min-interval', '2h'))
        self.assertEqual(['recent', 'started', 'started'],
                         [one['result'] for one in answer['results']])
        self.assertEqual((recent.id, 'success'), tuple(
            answer['results'][0][key] for key in ('run_id', 'conclusion')))
        self.assertIn('younger than --min-interval', answer['results'][0]['reason'])
        self.assertEqual({'dev', 'release/1.x'}, {call.body['ref'] for call in self.sent()})


class BadInput(DispatchTest):
    def refused(self, status: int, words: str, *args: str, **env: str) -> None:
        """Before anything is sent to be changed."""
        self.assert_fails(status, words, *(args or self.words(('main',), ())), **env)
        self.assertEqual([], [call for call in self.fake.calls() if call.method != 'GET'])

    def test_no_token(self) -> None:
        self.refused(3, 'there is no trigger token; hint: set WORKFLOW_TRIGGER_TOKEN',
                     WORKFLOW_TRIGGER_TOKEN='', GITHUB_TOKEN='')

    def test_a_token_that_is_not_valid(self) -> None:
        self.refused(3, 'the token is not valid (HTTP 401 "Bad credentials"',
                     WORKFLOW_TRIGGER_TOKEN='ghp_' + 'x' * 36)

    def test_a_token_with_a_blank_in_it(self) -> None:
        self.refused(3, 'the token is malformed', WORKFLOW_TRIGGER_TOKEN='ghp_abc def')

    def test_a_token_without_the_permission(self) -> None:
        self.fake.add_token('github_pat_weak', permissions={REPO: {
            'actions': 'read', 'metadata': 'read', 'contents': 'read'}})
        self.fails('hint: give it actions=write', status=3,
                   WORKFLOW_TRIGGER_TOKEN='github_pat_weak')
        self.assertEqual([], self.fake.runs)

    def test_a_repository_that_is_not_there(self) -> None:
        self.refused(4, "no repository 'octo-org/none', or the token may not see it", 'dispatch',
                     '--repo', 'octo-org/none', '--branch', 'main')

    def test_a_repository_that_is_no_name(self) -> None:
        self.refused(2, 'hint: write it owner/name', 'dispatch', '--repo', 'shop', '--branch',
                     'main')

    def test_a_workflow_that_is_not_there(self) -> None:
        self.refused(4, "no workflow 'none.yml'", *self.words(('main',), ('--workflow',
                                                                          'none.yml')))

    def test_inputs_that_are_no_object(self) -> None:
        for text, words in (('[1]', 'is no JSON object'), ('"x"', 'is no JSON object'),
                            ('level=full', 'is not JSON'), ('{"a": 1', 'is not JSON')):
            with self.subTest(text):
                self.refused(2, f'--inputs {words}', *self.words(('main',), ('--inputs', text)))

    def test_no_branch(self) -> None:
        self.refused(2, 'no branch is given', 'dispatch', '--repo', REPO)

    def test_the_same_branch_twice(self) -> None:
        self.refused(2, "branch 'main' of 'octo-org/shop' is given twice",
                     *self.words(('main', 'main'), ()))

    def test_an_unencrypted_address_elsewhere(self) -> None:
        self.refused(2, 'would send the token unencrypted',
                     GITHUB_API_URL='http://127.attacker.example')


class Contract(DispatchTest):
    """GitHub's own description of its API stands between the program and the fake."""

    def test_every_kind_of_request_is_as_described(self) -> None:
        plan, workflow = self.fake.set_plan, self.fake.repo(REPO).workflow('backup.yml')
        self.fake.advance_per_request = 10
        workflow.state = 'disabled_inactivity'
        with ContractProxy(self.fake) as proxy:
            def run(*words: str, status: int = 0) -> None:
                self.run_it(*words, status=status, GITHUB_API_URL=proxy.url)

            plan(branch='main', appear_after=10, finish_after=40)
            run(*self.words(('main',), ('--enable-inactive', '--commit-status', '--until',
                                        'finished', '--inputs', '{"level": "fast"}',
                                        '--marker-input', 'mark')))
            plan(branch='main', before_start='pending', start_after=30, group='prod')
            plan(branch='dev', before_start='waiting', start_after=30, environment='production')
            run(*self.words(('main', 'dev'), ()))
            plan(branch='dev', finish_after=20, conclusion='failure', failed_step='Upload')
            run(*self.words(('dev',), ('--until', 'finished')), status=1)
            plan(branch='main', start_after=None, finish_after=None)
            run(*self.words(('main',), ('--start-timeout', '100ms', '--cancel-on-timeout')),
                status=6)
            run('check', '--repo', REPO, '--branch', 'release/1.x')
            proxy.assert_clean(at_least=40)
        asked = ' '.join(f'{call.method} {call.target}' for call in self.fake.calls())
        for part in ('PUT', '/permissions', '/contents/', '/branches/', 'POST', '/statuses/',
                     '/jobs?', '/concurrency_groups', '/pending_deployments', '/cancel'):
            self.assertIn(part, asked)
        self.assertTrue(self.fake.calls('GET', r'/actions/runs/\d+$'))
        self.assertEqual({'main', 'dev'}, {run.branch for run in self.fake.runs})

    def test_a_server_without_run_details(self) -> None:
        self.fake.run_details = False
        with ContractProxy(self.fake) as proxy:
            self.dispatch('main', GITHUB_API_URL=proxy.url)
            proxy.assert_clean(at_least=9)
        self.assertTrue(self.fake.calls('GET', '^/user$'))
        self.assert_runs(main=1)


class GitHubsOwnClient(DispatchTest):
    options = {'tls': True}

    def test_gh_lists_the_runs(self) -> None:
        host = f'localhost:{self.fake.port}'
        answer = self.answer('main', 'dev', more=('--ca-file', str(self.fake.ca_file)),
                             GITHUB_API_URL=f'https://{host}/api/v3')
        home = str(self.folder)
        done = subprocess.run(
            ['gh', 'run', 'list', '-R', f'{host}/{REPO}', '--workflow', 'backup.yml', '--json',
             'databaseId,headBranch,status,event'], text=True, capture_output=True, timeout=30,
            check=False, env=clean_env(
                HOME=home, GH_CONFIG_DIR=home, GH_HOST=host, GH_ENTERPRISE_TOKEN=TOKEN,
                SSL_CERT_FILE=str(self.fake.ca_file), SSL_CERT_DIR=home, NO_COLOR='1',
                GH_NO_UPDATE_NOTIFIER='1'))
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(
            {(one['run_id'], one['branch'], 'in_progress', 'workflow_dispatch')
             for one in answer['results']},
            {(run['databaseId'], run['headBranch'], run['status'], run['event'])
             for run in json.loads(done.stdout)})


if __name__ == '__main__':
    unittest.main()
