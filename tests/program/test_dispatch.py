"""backproof dispatch and check against a fake GitHub that keeps state."""
from __future__ import annotations

import json
import signal

from harness import ProgramTest, unwind_on_sigterm
from contract import ContractProxy
from fake_github import FakeGitHub

REPO = 'octo-org/shop'
TOKEN = 'github_pat_11AAAAAAA0secretsecretsecret'
FAST = {'BACKPROOF_RETRY_DELAY': '20ms', 'BACKPROOF_POLL_INTERVAL': '20ms',
        'BACKPROOF_SETTLE': '200ms', 'BACKPROOF_APPEAR_TIMEOUT': '3s'}
DISPATCHES = r'/dispatches'


def setUpModule() -> None:
    unwind_on_sigterm()


class DispatchTest(ProgramTest):
    run_details = True

    def setUp(self) -> None:
        super().setUp()
        self.fake = FakeGitHub(run_details=self.run_details)
        self.fake.start()
        self.addCleanup(self.fake.stop)
        self.fake.add_repo(REPO, branches=['main', 'dev', 'release/1.x'])
        self.fake.add_workflow(REPO, 'backup.yml', inputs={'level': {'options': ['full', 'fast']}})
        self.fake.add_token(TOKEN, permissions={REPO: {'actions': 'write', 'contents': 'read',
                                                       'metadata': 'read'}})
        self.env = {**FAST, 'GITHUB_API_URL': self.fake.url, 'WORKFLOW_TRIGGER_TOKEN': TOKEN}

    def dispatch(self, *branches: str, status: int | None = 0, more: tuple[str, ...] = (), **env):
        words = [word for branch in branches for word in ('--branch', branch)]
        return self.run_it('dispatch', '--repo', REPO, '--workflow', 'backup.yml', *words, *more,
                           status=status, **env)

    def sent(self) -> list:
        return self.fake.calls('POST', DISPATCHES)


class GoodPath(DispatchTest):
    def test_two_branches_are_started_and_named_in_a_table(self) -> None:
        result = self.dispatch('main', 'dev')
        rows = [line.split() for line in result.out.splitlines()]
        self.assertEqual(['BRANCH', 'RESULT', 'ATTEMPTS', 'RUN', 'URL', 'REASON'], rows[0])
        ids = [str(run.id) for run in self.fake.runs]
        self.assertEqual([['main', 'started', '1', ids[0]], ['dev', 'started', '1', ids[1]]],
                         [row[:4] for row in rows[1:]])
        self.assertIn(f'/{REPO}/actions/runs/{ids[0]}', rows[1][4])

    def test_json_has_the_documented_shape(self) -> None:
        answer = self.dispatch('main', more=('--format', 'json')).json
        self.assertEqual({'results', 'succeeded', 'failed'}, set(answer))
        self.assertEqual((1, 0), (answer['succeeded'], answer['failed']))
        self.assertEqual({'repository', 'branch', 'workflow', 'result', 'attempts', 'run_id',
                          'url', 'reason'}, set(answer['results'][0]))
        self.assertEqual(self.fake.runs[0].id, answer['results'][0]['run_id'])

    def test_inputs_reach_the_run(self) -> None:
        self.dispatch('main', more=('--inputs', '{"level": "fast"}'))
        self.assertEqual({'level': 'fast'}, self.sent()[0].body['inputs'])

    def test_branches_come_from_the_environment_line_by_line(self) -> None:
        self.dispatch(BACKPROOF_BRANCH='main\nrelease/1.x\n')
        self.assertEqual(['main', 'release/1.x'], [call.body['ref'] for call in self.sent()])

    def test_a_dry_run_sends_nothing(self) -> None:
        result = self.dispatch('main', 'gone', more=('--dry-run',))
        self.assertEqual([], self.sent())
        self.assertIn('dry-run', result.out)
        self.assertIn("no branch 'gone'", result.out)

    def test_the_good_path_takes_few_requests(self) -> None:
        self.dispatch('main', 'dev')
        self.assertLessEqual(len(self.fake.calls()), 4 + 4 * 2)

    def test_check_says_ok_and_changes_nothing(self) -> None:
        self.assertIn('ok', self.run_it('check', '--repo', REPO, '--branch', 'main').out)
        self.assertEqual({'GET'}, {call.method for call in self.fake.calls()})

    def test_the_token_is_trimmed(self) -> None:
        self.dispatch('main', WORKFLOW_TRIGGER_TOKEN=f'  {TOKEN}\n')
        self.assertEqual(1, len(self.fake.runs))

    def test_every_request_and_answer_follows_githubs_own_description(self) -> None:
        with ContractProxy(self.fake) as proxy:
            self.dispatch('main', 'dev', 'release/1.x', GITHUB_API_URL=proxy.url)
            self.run_it('check', '--repo', REPO, '--branch', 'release/1.x',
                        GITHUB_API_URL=proxy.url)
            proxy.assert_clean(at_least=8)
        self.assertEqual(3, len(self.fake.runs))


class OldServer(DispatchTest):
    run_details = False

    def test_the_run_is_found_when_the_server_tells_no_id(self) -> None:
        self.fake.add_run(REPO, 'backup.yml', 'main')
        answer = self.dispatch('main', 'dev', more=('--format', 'json')).json
        self.assertEqual([run.id for run in self.fake.runs[1:]],
                         [one['run_id'] for one in answer['results']])
        self.assertEqual(3, len(self.fake.runs))


class Faults(DispatchTest):
    def test_one_branch_that_fails_does_not_stop_the_other(self) -> None:
        result = self.dispatch('gone', 'main')
        self.assertIn("warning: branch 'gone' was not started: no branch 'gone'", result.err)
        self.assertEqual(['main'], [run.branch for run in self.fake.runs])

    def test_require_all_makes_one_failure_fatal(self) -> None:
        self.dispatch('gone', 'main', status=4, more=('--require', 'all'))

    def test_a_server_that_is_down_for_a_moment_gets_it_again(self) -> None:
        self.fake.fault('rate_limit_secondary', method='POST', path_regex=DISPATCHES, times=2,
                        retry_after=0)
        answer = self.dispatch('main', more=('--format', 'json')).json
        self.assertEqual(3, answer['results'][0]['attempts'])
        self.assertEqual(1, len(self.fake.runs))

    def test_an_error_after_the_server_accepted_starts_no_second_run(self) -> None:
        for kind in ('error_after_accept', 'reset_after_accept', 'truncated', 'garbage'):
            with self.subTest(kind):
                before = len(self.fake.runs)
                self.fake.fault(kind, method='POST', path_regex=DISPATCHES)
                self.dispatch('main')
                self.assertEqual(before + 1, len(self.fake.runs))

    def test_a_reset_before_the_server_acted_is_sent_again_after_a_look(self) -> None:
        self.fake.fault('reset_before', method='POST', path_regex=DISPATCHES)
        self.dispatch('main')
        self.assertEqual(1, len(self.fake.runs))
        self.assertTrue(self.fake.calls('GET', '/runs\\?.*branch=main'))

    def test_after_all_retries_the_status_says_outage(self) -> None:
        self.fake.fault('status', status=503, method='POST', path_regex=DISPATCHES, times=None)
        result = self.dispatch('main', 'dev', status=5)
        self.assertEqual(8, len(self.sent()))
        self.assertIn('gave up after 4 attempts', result.out)

    def test_no_server_at_all_says_outage(self) -> None:
        self.fake.stop()
        self.dispatch('main', status=5)

    def test_a_rate_limit_beyond_the_deadline_fails_at_once(self) -> None:
        self.fake.fault('rate_limit_secondary', method='POST', path_regex=DISPATCHES, times=None,
                        retry_after=3600)
        self.assertIn('after --timeout', self.dispatch('main', status=5).out)

    def test_a_run_that_stays_pending_is_a_timeout(self) -> None:
        self.fake.set_plan(before_start='pending', start_after=None)
        result = self.dispatch('main', status=6, BACKPROOF_APPEAR_TIMEOUT='300ms')
        self.assertIn("still 'pending'", result.out)

    def test_a_signal_ends_it_with_a_report(self) -> None:
        self.fake.fault('status', status=503, method='POST', path_regex=DISPATCHES, times=None)
        child = self.start('dispatch', '--repo', REPO, '--branch', 'main',
                           BACKPROOF_RETRY_DELAY='1h', BACKPROOF_SETTLE='1h',
                           BACKPROOF_TIMEOUT='5h')
        self.fake.wait_for('POST', DISPATCHES)
        child.send_signal(signal.SIGTERM)
        out, err = child.communicate(timeout=20)
        self.assertEqual(128 + signal.SIGTERM, child.returncode, err)
        self.assertIn('stopped', out)


class BadInput(DispatchTest):
    def fails(self, status: int, words: str, *args: str, **env: str) -> None:
        base = ('dispatch', '--repo', REPO, '--branch', 'main')
        result = self.assert_fails(status, words, *(args or base), **env)
        self.assertEqual('', result.out)
        self.assertEqual([], self.sent())

    def test_no_token(self) -> None:
        self.fails(3, 'there is no trigger token; hint: set WORKFLOW_TRIGGER_TOKEN',
                   WORKFLOW_TRIGGER_TOKEN='')

    def test_a_token_that_is_not_valid(self) -> None:
        self.fails(3, 'the token is not valid (HTTP 401 "Bad credentials"',
                   WORKFLOW_TRIGGER_TOKEN='ghp_' + 'x' * 36)

    def test_a_token_with_a_blank_in_it(self) -> None:
        self.fails(3, 'the token is malformed', WORKFLOW_TRIGGER_TOKEN='ghp_abc def')

    def test_a_token_without_the_permission(self) -> None:
        self.fake.add_token('github_pat_weak', permissions={REPO: {'actions': 'read',
                                                                   'metadata': 'read'}})
        result = self.dispatch('main', status=3, WORKFLOW_TRIGGER_TOKEN='github_pat_weak')
        self.assertIn('hint: give it actions=write', result.out)
        self.assertEqual([], self.fake.runs)

    def test_a_repository_that_is_not_there(self) -> None:
        self.fails(4, "no repository 'octo-org/none'", 'dispatch', '--repo', 'octo-org/none',
                   '--branch', 'main')

    def test_a_repository_that_is_no_name(self) -> None:
        self.fails(2, "hint: write it owner/name", 'dispatch', '--repo', 'shop', '--branch', 'main')

    def test_a_workflow_that_is_not_there(self) -> None:
        self.fails(4, "no workflow 'none.yml'", 'dispatch', '--repo', REPO, '--branch', 'main',
                   '--workflow', 'none.yml')

    def test_a_branch_that_is_not_there(self) -> None:
        self.assertIn("no branch 'none'", self.dispatch('none', status=4).out)

    def test_a_workflow_without_the_trigger(self) -> None:
        self.fake.add_workflow(REPO, 'push.yml', dispatch=False)
        result = self.run_it('dispatch', '--repo', REPO, '--branch', 'main', '--workflow',
                             'push.yml', status=1)
        self.assertIn("hint: add 'workflow_dispatch:' under 'on:'", result.out)

    def test_a_disabled_workflow(self) -> None:
        self.fake.add_workflow(REPO, 'off.yml', state='disabled_inactivity')
        self.fails(1, 'is disabled_inactivity; hint: gh workflow enable off.yml', 'dispatch',
                   '--repo', REPO, '--branch', 'main', '--workflow', 'off.yml')

    def test_inputs_that_are_no_object(self) -> None:
        for text in ('[1]', 'level=full', '{"a": 1', '"x"'):
            with self.subTest(text):
                self.fails(2, '--inputs is no', 'dispatch', '--repo', REPO, '--branch', 'main',
                           '--inputs', text) if text in ('[1]', '"x"') else \
                    self.fails(2, '--inputs is not JSON', 'dispatch', '--repo', REPO, '--branch',
                               'main', '--inputs', text)

    def test_inputs_that_the_workflow_does_not_take(self) -> None:
        result = self.dispatch('main', status=1, more=('--inputs', json.dumps({'odd': 'x'})))
        self.assertIn('Unexpected inputs', result.out)

    def test_no_branch(self) -> None:
        self.fails(2, 'no branch is given', 'dispatch', '--repo', REPO)

    def test_the_same_branch_twice(self) -> None:
        self.fails(2, "branch 'main' is given twice", 'dispatch', '--repo', REPO, '--branch',
                   'main', '--branch', 'main')

    def test_an_unencrypted_address_elsewhere(self) -> None:
        self.fails(2, 'would send the token unencrypted',
                   GITHUB_API_URL='http://127.attacker.example')


class Secrets(DispatchTest):
    def test_the_token_is_never_printed(self) -> None:
        self.fake.fault('status', status=500, times=None, method='POST', path_regex=DISPATCHES,
                        body=json.dumps({'message': f'your token is {TOKEN}'}))
        result = self.dispatch('main', status=5, more=('--verbose',))
        self.assertNotIn(TOKEN, result.out + result.err)
        self.assertIn('***', result.out)

    def test_words_of_a_server_are_no_workflow_commands(self) -> None:
        self.fake.fault('status', status=422, method='POST', path_regex=DISPATCHES,
                        body=json.dumps({'message': 'x\n::error::injected\n##[error]injected'}))
        result = self.dispatch('main', status=1, GITHUB_ACTIONS='true')
        for line in (result.out + result.err).splitlines():
            self.assertFalse(line.lstrip().startswith('::') and 'title=backproof' not in line, line)
            self.assertNotIn('##[', line)


if __name__ == '__main__':
    import unittest
    unittest.main()
