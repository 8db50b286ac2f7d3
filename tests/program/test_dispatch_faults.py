"""backproof dispatch when the network or the server fails: never two runs for one branch."""
from __future__ import annotations

import signal
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from unittest import mock

from harness import unwind_on_sigterm
from dispatching import DISPATCHES, LOOKS, OTHER, REPO, DispatchTest
from fake_github import FakeGitHub
import fake_github_http

TOO_MANY = {'kind': 'rate_limit_secondary', 'status': 429, 'retry_after': 1}
FORBIDDEN = {'kind': 'rate_limit_secondary', 'retry_after': 1}
NONE_LEFT = {'kind': 'rate_limit_primary', 'until_reset': True, 'seconds': 1}
REQUESTS = {'reading': {'method': 'GET', 'path_regex': '/workflows/backup.yml$'},
            'dispatching': {'method': 'POST', 'path_regex': DISPATCHES},
            'looking': {'method': 'GET', 'path_regex': LOOKS}}


def setUpModule() -> None:
    unwind_on_sigterm()


class PerhapsAccepted(DispatchTest):
    """The server has started the run, and the program cannot know it: it must not send again."""

    def check(self, kind: str, **env: str) -> dict:
        self.fake.fault(kind, method='POST', path_regex=DISPATCHES)
        result = self.one(**env)
        self.assertEqual(('started', 1, self.fake.runs[0].id),
                         (result['result'], result['attempts'], result['run_id']))
        self.assert_runs(main=1)
        self.assertEqual(1, len(self.sent()))
        return result

    def test_an_error_after_it_accepted(self) -> None:
        self.check('error_after_accept')

    def test_a_reset_after_it_accepted(self) -> None:
        self.check('reset_after_accept')

    def test_no_answer_after_it_accepted(self) -> None:
        self.check('hang_after_accept', BACKPROOF_REQUEST_TIMEOUT='500ms')

    def test_half_an_answer(self) -> None:
        self.check('truncated')

    def test_an_answer_that_is_no_json(self) -> None:
        self.check('garbage')

    def test_the_run_shows_itself_only_after_a_while(self) -> None:
        self.fake.set_plan(appear_after=10)
        self.fake.advance_per_request = 2
        self.fake.fault('error_after_accept', method='POST', path_regex=DISPATCHES)
        self.assertEqual('started', self.one(BACKPROOF_SETTLE='20s')['result'])
        self.assert_runs(main=1)

    def test_a_list_that_is_too_long_proves_nothing(self) -> None:
        self.fake.run_details = False
        for _ in range(120):
            self.fake.on_dispatch_also(REPO, before=False)
        self.fake.fault('error_after_accept', method='POST', path_regex=DISPATCHES, after=1)
        self.fails('it is unknown whether a run was started', status=1)
        self.assertEqual((121, 1), (len(self.fake.runs), sum(
            run.actor == 'octocat' for run in self.fake.runs)))

    def test_looks_that_fail_prove_nothing(self) -> None:
        self.fake.fault('error_after_accept', method='POST', path_regex=DISPATCHES)
        self.fake.fault('status', method='GET', path_regex=LOOKS, status=502, times=None)
        result = self.fails('it is unknown whether a run was started, and looking failed', status=5)
        self.assertIn("look at the repository's Actions page before dispatching again",
                      result['hint'])
        self.assertEqual(1, len(self.sent()))

    def test_clocks_within_the_server_may_differ(self) -> None:
        """The one who answers is some seconds ahead of the one who makes the run."""
        def ahead(handler, _=None) -> str:
            return formatdate(self.fake.clock.now() + 3, usegmt=True)

        with mock.patch.object(fake_github_http.Handler, 'date_time_string', ahead):
            self.check('error_after_accept')

    def test_out_of_time_while_it_is_unknown(self) -> None:
        self.fake.fault('hang_after_accept', method='POST', path_regex=DISPATCHES)
        result = self.fails('not proved within --timeout; a run may have been started', status=6,
                            BACKPROOF_TIMEOUT='1500ms')
        self.assertEqual(('timed-out', 1), (result['result'], result['attempts']))
        self.assert_runs(main=1)

    def sent_twice(self, *more: str) -> str:
        """The first run shows itself only when the second was started; what it says then."""
        self.fake.set_plan(appear_after=1000)
        self.fake.fault('error_after_accept', method='POST', path_regex=DISPATCHES)
        # The list alone shall tell.
        self.fake.fault('status', status=404, path_regex=r'/runs/\d+$', times=None)
        child = self.begin('main', more=more, BACKPROOF_SETTLE='100ms')
        self.fake.wait_for('POST', DISPATCHES, 2)
        self.fake.wait_for('GET', r'/runs/\d+$')
        with self.fake.lock:
            for run in self.fake.runs:
                run.plan.appear_after = 0
        answer, err = self.finish(child, 0)
        self.assertEqual(self.fake.runs[1].id, answer['results'][0]['run_id'])
        return err

    def test_a_run_that_appears_after_it_was_sent_again_is_named(self) -> None:
        self.assertIn(f'run {19_000_000_001} was started as well, perhaps by a request that '
                      'seemed lost', self.sent_twice())
        self.assertEqual([None, None], [run.conclusion for run in self.fake.runs])

    def test_one_that_bears_our_mark_is_cancelled(self) -> None:
        self.assertIn(f'run {19_000_000_001} was started as well, surely by a request that '
                      'seemed lost, and is cancelled', self.sent_twice('--marker-input', 'mark'))
        self.assertEqual(['cancelled', None], [run.conclusion for run in self.fake.runs])


class NotProcessed(DispatchTest):
    def test_it_is_looked_for_and_then_sent_again(self) -> None:
        for kind, options in (('status', {'status': 502}), ('reset_before', {})):
            with self.subTest(kind):
                self.fake.runs.clear()
                before = len(self.fake.calls())
                self.fake.fault(kind, method='POST', path_regex=DISPATCHES, **options)
                result = self.one()
                self.assertEqual(('started', 2), (result['result'], result['attempts']))
                self.assert_runs(main=1)
                calls = self.fake.calls()[before:]
                first, second = [i for i, call in enumerate(calls)
                                 if call.path.endswith('/dispatches')]
                looks = [call for call in calls[first:second] if call.path.endswith('/runs')]
                self.assertTrue(looks, 'sent again without a look')

    def test_after_all_retries_the_status_says_outage(self) -> None:
        self.fake.fault('status', status=503, method='POST', path_regex=DISPATCHES, times=None)
        result = self.fails('gave up after 3 attempts: the server has a problem (HTTP 503',
                            status=5, more=('--retries', '2'), BACKPROOF_SETTLE='50ms')
        self.assertEqual(('failed', 3, 3), (result['result'], result['attempts'],
                                            len(self.sent())))
        self.assertEqual([], self.fake.runs)

    def test_no_server_at_all_says_outage(self) -> None:
        self.fake.stop()
        self.fails(f'repository \'{REPO}\'', status=5)

    def test_reading_is_tried_again(self) -> None:
        for path in (f'/repos/{REPO}$', '/permissions', '/branches/', '/contents/',
                     '/backup.yml$', '/runs'):
            self.fake.fault('status', status=502, method='GET', path_regex=path)
        self.fake.fault('reset_before', method='GET', path_regex='/branches/')
        self.fake.fault('garbage', method='GET', path_regex=LOOKS)
        self.assertEqual(1, self.one()['attempts'])
        self.assert_runs(main=1)

    def test_a_failed_look_is_repeated(self) -> None:
        for kind in ('status', 'garbage', 'truncated', 'reset_before'):
            self.fake.fault(kind, method='GET', path_regex=LOOKS)
        self.assertEqual('started', self.one()['result'])
        self.assertGreaterEqual(len(self.fake.calls('GET', LOOKS)), 5)

    def test_a_run_that_the_list_does_not_show_is_looked_at_alone(self) -> None:
        self.fake.fault('status', status=200, method='GET', path_regex=LOOKS, times=None,
                        body={'total_count': 0, 'workflow_runs': []})
        self.assertEqual('started', self.one()['result'])
        self.assertTrue(self.fake.calls('GET', f'/actions/runs/{self.fake.runs[0].id}$'))

    def test_a_run_of_another_branch_is_no_proof(self) -> None:
        other = self.fake.add_run(REPO, branch='dev')
        self.fake.fault('status', status=200, method='POST', path_regex=DISPATCHES, body={
            'workflow_run_id': other.id, 'run_url': 'x', 'html_url': 'http://127.0.0.1/x'})
        self.fails(f'the server named run {other.id}, but that is a workflow_dispatch run of '
                   "branch 'dev'", status=1)


class NoHoldUp(DispatchTest):
    """What one waits for is answered only when the test is over."""

    def test_a_branch_whose_request_hangs_leaves_the_other_alone(self) -> None:
        self.fake.fault('hang', method='POST', path_regex=DISPATCHES)
        child = self.begin('main', 'dev', more=('--detach',), BACKPROOF_REQUEST_TIMEOUT='10m',
                           BACKPROOF_TIMEOUT='10m')
        first, second = self.fake.wait_for('POST', DISPATCHES, 2)
        self.fake.wait_for('GET', LOOKS)
        self.assertEqual((None, 200), (first.status, second.status))
        self.assert_runs(**{second.body['ref']: 1})
        answer, _ = self.finish(child, 143, signal.SIGTERM)
        hung = next(one for one in answer['results'] if one['branch'] == first.body['ref'])
        self.assertEqual('stopped', hung['result'])
        self.assertIn('a run may have been started', hung['reason'])

    def test_a_repository_that_hangs_leaves_the_other_alone(self) -> None:
        self.add_repo(self.fake, OTHER)
        self.fake.fault('hang', method='GET', path_regex=f'/repos/{REPO}$')
        child = self.begin('main', more=('--target', f'{OTHER}@main'),
                           BACKPROOF_REQUEST_TIMEOUT='10m', BACKPROOF_TIMEOUT='10m')
        self.fake.wait_for('GET', LOOKS)
        self.assertEqual([OTHER], [run.repo.full_name for run in self.fake.runs])
        answer, _ = self.finish(child, 143, signal.SIGTERM)
        self.assertIn('nothing was started', answer['results'][0]['reason'])
        self.assertEqual([None], [call.status for call in self.fake.calls('GET', f'{REPO}$')])

    def test_a_look_that_hangs_is_given_up(self) -> None:
        self.fake.fault('hang', method='GET', path_regex=LOOKS)
        self.assertEqual('started', self.one(BACKPROOF_REQUEST_TIMEOUT='500ms')['result'])


class RateLimits(DispatchTest):
    def test_a_limit_is_waited_for(self) -> None:
        cases = [('dispatching', TOO_MANY), ('looking', FORBIDDEN), ('reading', NONE_LEFT),
                 ('dispatching', NONE_LEFT), ('looking', NONE_LEFT)]

        def play(case: tuple[str, dict]) -> tuple[FakeGitHub, int]:
            fake = self.serve()
            fake.fault(**case[1], **REQUESTS[case[0]])
            child = self.begin('main', GITHUB_API_URL=fake.url)
            child.communicate(timeout=50)
            return fake, child.returncode

        with ThreadPoolExecutor(len(cases)) as pool:
            for case, (fake, status) in zip(cases, pool.map(play, cases)):
                with self.subTest(case):
                    refused = [call for call in fake.calls() if call.fault]
                    self.assertEqual((0, 1, 1), (status, len(fake.runs), len(refused)),
                                     'asked again before the limit was over?')

    def test_a_limit_beyond_the_timeout_fails_at_once_and_says_until_when(self) -> None:
        for what, where in REQUESTS.items():
            for kind, options in (('rate_limit_secondary', {'retry_after': 3600}),
                                  ('rate_limit_secondary', {}),
                                  ('rate_limit_primary', {'seconds': 3600})):
                with self.subTest(what=what, kind=kind, options=options):
                    self.fake.faults.waiting.clear()
                    before = len(self.fake.calls())
                    self.fake.fault(kind, times=None, **where, **options)
                    day = time.strftime('%Y-%m-%dT', time.gmtime())
                    result = self.fails('which is after --timeout', status=5)
                    self.assertRegex(result['reason'], 'the rate limit is reached and lasts until '
                                     r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ')
                    if 'T23' not in time.strftime('T%H', time.gmtime()):
                        self.assertIn(f'until {day}', result['reason'])
                    refused = [call for call in self.fake.calls()[before:] if call.fault]
                    self.assertEqual(1, len(refused))

    def test_it_fails_at_once_with_a_commit_status_to_set_too(self) -> None:
        self.fake.fault('rate_limit_secondary', method='POST', path_regex=DISPATCHES, times=None,
                        retry_after=3600)
        self.fails('which is after --timeout', status=5, more=('--commit-status',),
                   BACKPROOF_TIMEOUT='30m')

    def test_branches_wait_together(self) -> None:
        self.fake.fault('rate_limit_secondary', method='POST', path_regex=DISPATCHES,
                        retry_after=2)
        self.answer('main', 'dev')
        self.assertEqual(3, len(self.sent()))
        self.assert_runs(main=1, dev=1)

    def test_an_unchanged_list_is_asked_for_with_its_tag(self) -> None:
        self.fake.set_plan(start_after=None)
        child = self.begin('main')
        self.fake.wait_for('GET', LOOKS, 4)
        with self.fake.lock:
            self.fake.runs[0].plan.start_after = 0
        answer, _ = self.finish(child, 0)
        self.assertEqual('started', answer['results'][0]['result'])
        looks = self.fake.calls('GET', LOOKS)
        self.assertEqual([200, 304, 304], [look.status for look in looks[:3]])
        self.assertNotIn('if-none-match', looks[0].headers)
        self.assertTrue(all('if-none-match' in look.headers for look in looks[1:]))
        self.assertEqual(200, looks[-1].status)


if __name__ == '__main__':
    unittest.main()
