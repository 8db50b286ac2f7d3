"""The fake GitHub tests itself: a fake that is wrong makes every test that uses it wrong."""
from __future__ import annotations

import http.client
import json
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

from asking import (DISPATCH, REPO, ROOT, RUNS, TOKEN, FakeTest, ask, example, wait_until,
                    wait_until_gone)
from processes import clean_env, end, spawn, unwind_on_sigterm

HERE = Path(__file__).resolve().parent


def setUpModule() -> None:
    unwind_on_sigterm()


class Dispatching(FakeTest):
    def test_a_dispatch_makes_exactly_one_run(self) -> None:
        answer = self.ask('POST', DISPATCH, {'ref': 'main'})
        self.assertEqual((204, ''), (answer.status, answer.text))
        self.assertEqual(1, len(self.fake.runs_of(REPO)))
        listed = self.ask('GET', f'{RUNS}?event=workflow_dispatch').json
        self.assertEqual(1, listed['total_count'])
        run = listed['workflow_runs'][0]
        self.assertEqual(('main', 'queued', None, 'Backup -'), (
            run['head_branch'], run['status'], run['conclusion'], run['display_title']))
        self.assertGreater(run['id'], 2**32)

    def test_it_names_the_run_when_asked(self) -> None:
        answer = self.ask('POST', DISPATCH, {'ref': 'refs/heads/release/1',
                                             'inputs': {'mark': 'm1'}, 'return_run_details': True})
        self.assertEqual(200, answer.status)
        run = self.ask('GET', f"{ROOT}/actions/runs/{answer.json['workflow_run_id']}").json
        self.assertEqual(('release/1', 'Backup m1', answer.json['run_url']),
                         (run['head_branch'], run['display_title'], run['url']))
        self.assertEqual(self.fake.repo(REPO).branches['release/1'], run['head_sha'])

    def test_an_old_server_does_not_know_run_details(self) -> None:
        fake = self.enter(example(run_details=False))
        answer = ask(fake.url, 'POST', DISPATCH, {'ref': 'main', 'return_run_details': True})
        self.assertEqual(422, answer.status)
        self.assertIn('"return_run_details" is not a permitted key.', answer.json['message'])
        self.assertEqual([], fake.runs)
        self.assertEqual(204, ask(fake.url, 'POST', DISPATCH, {'ref': 'main'}).status)

    def test_the_new_version_always_answers_200(self) -> None:
        new = {'X_GitHub_Api_Version': '2026-03-10'}
        answer = self.ask('POST', DISPATCH, {'ref': 'main'}, **new)
        self.assertEqual((200, '2026-03-10'),
                         (answer.status, answer.headers['X-GitHub-Api-Version-Selected']))
        both = self.ask('POST', DISPATCH, {'ref': 'main', 'return_run_details': True}, **new)
        self.assertEqual(422, both.status)
        self.assertNotIn('rate', self.ask('GET', '/rate_limit', **new).json)
        unknown = self.ask('GET', '/rate_limit', X_GitHub_Api_Version='2001-01-01')
        self.assertEqual(400, unknown.status)
        self.fake.retired_versions.append('2022-11-28')
        self.assertEqual(410, self.ask('GET', '/rate_limit').status)

    def test_refusals_have_the_literal_messages(self) -> None:
        cases = [
            ({'ref': 'none'}, 422, 'No ref found for: none'),
            ({'ref': self.fake.repo(REPO).branches['main']}, 422, 'No ref found for: '
             + self.fake.repo(REPO).branches['main']),
            ({'ref': 'old'}, 422, "Workflow does not have 'workflow_dispatch' trigger"),
            ({'ref': 'main', 'inputs': {'x': 1}}, 422, 'Unexpected inputs provided: ["x"]'),
            ({'ref': 'main', 'inputs': {'level': 'no'}}, 422,
             "Provided value 'no' for input 'level' not in the list of allowed values"),
            ({}, 422, 'Invalid request.\n\n"ref" wasn\'t supplied.'),
            ('{', 400, 'Problems parsing JSON'), ([], 400, 'Body should be a JSON object'),
        ]
        for body, status, message in cases:
            with self.subTest(message=message):
                self.refused(status, message, self.ask('POST', DISPATCH, body))
        self.fake.add_workflow(REPO, 'needs.yml', inputs={'why': {'required': True}})
        self.refused(422, "Required input 'why' not provided",
                     self.ask('POST', DISPATCH.replace('backup', 'needs'), {'ref': 'main'}))
        self.refused(404, 'Not Found', self.ask('POST', DISPATCH.replace('backup', 'no'),
                                                {'ref': 'main'}))
        self.fake.repo(REPO).workflows[0].state = 'disabled_inactivity'
        self.refused(422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow",
                     self.ask('POST', DISPATCH, {'ref': 'main'}))
        self.assertEqual(204, self.ask('PUT', f'{ROOT}/actions/workflows/backup.yml/enable').status)
        self.assertEqual(204, self.ask('POST', DISPATCH, {'ref': 'v1'}).status)
        self.fake.repo(REPO).archived = True
        self.refused(403, 'Repository was archived so is read-only.',
                     self.ask('POST', DISPATCH, {'ref': 'main'}))
        self.assertEqual(1, len(self.fake.runs))


class Tokens(FakeTest):
    def test_what_a_token_may_not_do(self) -> None:
        self.fake.add_token('ghs_read', permissions={REPO: {'metadata': 'read', 'actions': 'read'}})
        self.fake.add_token('github_pat_read', permissions={REPO: {'metadata': 'read'}})
        self.fake.add_token('github_pat_other', permissions={})
        self.fake.add_token('ghp_noscope', scopes=['gist'])
        self.fake.add_token('ghp_revoked', revoked=True)
        for token, kind in (('ghs_read', 'integration'),
                            ('github_pat_read', 'personal access token')):
            answer = self.ask('POST', DISPATCH, {'ref': 'main'}, token=token)
            self.refused(403, f'Resource not accessible by {kind}', answer)
            self.assertEqual('actions=write', answer.headers['X-Accepted-GitHub-Permissions'])
        for token in ('github_pat_other', 'ghp_noscope', None):
            self.refused(404, 'Not Found', self.ask('GET', ROOT, token=token))
        for token in ('ghp_revoked', 'ghp_unknown'):
            self.refused(401, 'Bad credentials', self.ask('GET', ROOT, token=token))
        self.assertEqual(403, self.ask('GET', '/user', token='ghs_read').status)
        self.assertEqual('octocat', self.ask('GET', '/user').json['login'])
        self.assertEqual([], self.fake.runs)

    def test_scopes_and_expiry_are_shown_until_it_expires(self) -> None:
        self.fake.add_token('ghp_short', expires_at=self.fake.clock.now() + 60)
        headers = self.ask('GET', ROOT, token='ghp_short').headers
        self.assertEqual('repo, workflow', headers['X-OAuth-Scopes'])
        self.assertEqual('2026-11-21 10:01:00 UTC',
                         headers['github-authentication-token-expiration'])
        self.assertEqual('Sat, 21 Nov 2026 10:00:00 GMT', headers['Date'])
        self.fake.advance(60)
        self.assertEqual(401, self.ask('GET', ROOT, token='ghp_short').status)

    def test_a_program_without_a_name_is_turned_away(self) -> None:
        answer = self.ask('GET', ROOT, User_Agent='')
        self.assertEqual(403, answer.status)
        self.assertIn('User-Agent', answer.text)

    def test_the_budget_ends_and_comes_back(self) -> None:
        self.fake.add_token('ghp_small', limit=2)
        for left in ('1', '0'):
            answer = self.ask('GET', ROOT, token='ghp_small')
            self.assertEqual((200, left), (answer.status, answer.headers['x-ratelimit-remaining']))
        again = self.ask('GET', ROOT, token='ghp_small', If_None_Match=answer.headers['ETag'])
        self.assertEqual(403, again.status)
        self.assertIn('API rate limit exceeded', again.json['message'])
        self.assertEqual(0, self.ask('GET', '/rate_limit', token='ghp_small')
                         .json['resources']['core']['remaining'])
        self.fake.advance(int(again.headers['x-ratelimit-reset']) - self.fake.clock.now())
        self.assertEqual(200, self.ask('GET', ROOT, token='ghp_small').status)

    def test_an_unchanged_answer_is_free(self) -> None:
        tag = self.ask('GET', ROOT).headers['ETag']
        answer = self.ask('GET', ROOT, If_None_Match=tag)
        self.assertEqual((304, ''), (answer.status, answer.text))
        self.assertEqual(1, self.fake.tokens[TOKEN].used)


class Runs(FakeTest):
    def test_a_run_follows_its_plan(self) -> None:
        self.fake.set_plan(branch='main', appear_after=2, before_start='pending', start_after=5,
                           finish_after=9, conclusion='failure')
        run = self.fake.add_run(REPO)
        path, seen = f'{ROOT}/actions/runs/{run.id}', []
        for _ in range(6):
            answer = self.ask('GET', path)
            seen.append(answer.json.get('status') if answer.status == 200 else answer.status)
            self.fake.advance(2)
        self.assertEqual([404, 'pending', 'pending', 'in_progress', 'in_progress', 'completed'],
                         [int(s) if s == '404' else s for s in seen])
        ended = self.ask('GET', path).json
        self.assertEqual(('failure', '2026-11-21T10:00:09Z'),
                         (ended['conclusion'], ended['updated_at']))
        job = self.ask('GET', f'{path}/jobs').json['jobs'][0]
        self.assertEqual(('failure', '2026-11-21T10:00:05Z', 'GitHub Actions 1'),
                         (job['conclusion'], job['started_at'], job['runner_name']))

    def test_requests_can_make_time_pass(self) -> None:
        fake = self.enter(example(clock='real', advance_per_request=10))
        fake.set_plan(appear_after=10, start_after=20, finish_after=40)
        fake.add_run(REPO)
        seen = [[run['status'] for run in ask(fake.url, 'GET', RUNS).json['workflow_runs']]
                for _ in range(5)]
        self.assertEqual([[], ['queued'], ['in_progress'], ['in_progress'], ['completed']], seen)

    def test_a_run_can_end_before_any_job(self) -> None:
        run = self.fake.add_run(REPO, start_after=None, finish_after=1,
                                conclusion='startup_failure')
        self.fake.advance(1)
        body = self.ask('GET', f'{ROOT}/actions/runs/{run.id}').json
        self.assertEqual(('completed', 'startup_failure'), (body['status'], body['conclusion']))
        jobs = self.ask('GET', f'{ROOT}/actions/runs/{run.id}/jobs').json
        self.assertEqual(0, jobs['total_count'])

    def test_cancel(self) -> None:
        path = f'{ROOT}/actions/runs/{self.fake.add_run(REPO).id}'
        self.assertEqual(202, self.ask('POST', f'{path}/cancel').status)
        self.assertEqual('cancelled', self.ask('GET', path).json['conclusion'])
        self.refused(409, 'Cannot cancel a workflow run that is completed.',
                     self.ask('POST', f'{path}/cancel'))

    def test_filters(self) -> None:
        self.fake.set_plan(finish_after=90)
        for branch, event, actor in (('main', 'push', 'octocat'), ('main', 'schedule', 'hubot'),
                                     ('release/1', 'workflow_dispatch', 'octocat')):
            self.fake.add_run(REPO, branch=branch, event=event, actor=actor)
            self.fake.advance(60)
        cases = {
            '': 3, 'branch=main': 2, 'branch=release%2F1': 1, 'event=push': 1, 'actor=hubot': 1,
            'status=completed': 2, 'status=success': 2, 'status=in_progress': 1,
            'branch=main&event=push': 1, 'created=2026-11-21': 3, 'created=%3E2026-11-21': 0,
            'created=%3E%3D2026-11-21T10:01:00Z': 2, 'created=%3C2026-11-21T10:01:00Z': 1,
            'created=2026-11-21T10:01:00Z..2026-11-21T10:01:30Z': 1,
            'created=*..2026-11-21T11:01:00%2B01:00': 2, 'created=2026-11-21T10:02:00Z..*': 1,
            'head_sha=' + self.fake.repo(REPO).branches['main']: 2,
        }
        for query, count in cases.items():
            with self.subTest(query=query):
                for path in (RUNS, f'{ROOT}/actions/runs'):
                    self.assertEqual(count, self.ask('GET', f'{path}?{query}').json['total_count'])
        self.assertEqual(422, self.ask('GET', f'{RUNS}?status=bogus').status)

    def test_pages_are_linked(self) -> None:
        for _ in range(5):
            self.fake.add_run(REPO)
        first = self.ask('GET', f'{RUNS}?per_page=2&branch=main')
        self.assertEqual(5, first.json['total_count'])
        target = first.headers['Link'].split('>; rel="next"')[0].removeprefix('<')
        self.assertIn('page=3', first.headers['Link'])
        second = self.ask('GET', target.removeprefix(self.fake.url))
        ids = [run['id'] for run in first.json['workflow_runs'] + second.json['workflow_runs']]
        self.assertEqual(sorted((run.id for run in self.fake.runs), reverse=True)[:4], ids)
        self.assertNotIn('rel="next"', self.ask('GET', f'{RUNS}?per_page=2&page=3').headers['Link'])


class Places(FakeTest):
    def test_branches_with_slashes_in_every_spelling(self) -> None:
        sha = self.fake.repo(REPO).branches['release/1']
        for path in ('branches/release%2F1', 'branches/release/1'):
            self.assertEqual(sha, self.ask('GET', f'{ROOT}/{path}').json['commit']['sha'])
        for path in ('heads/release%2F1', 'heads/release/1'):
            self.assertEqual(sha, self.ask('GET', f'{ROOT}/git/ref/{path}').json['object']['sha'])
        self.refused(404, 'Branch not found', self.ask('GET', f'{ROOT}/branches/none'))

    def test_the_enterprise_prefix(self) -> None:
        body = self.ask('GET', '/api/v3' + ROOT).json
        self.assertEqual(self.fake.url + '/api/v3' + ROOT, body['url'])
        self.assertEqual(f'{self.fake.url}/{REPO}', body['html_url'])

    def test_a_moved_repository_redirects(self) -> None:
        self.fake.add_repo('octo-org/new', moved_from=['octo-org/before'])
        answer = self.ask('GET', '/repos/octo-org/before/branches/main')
        self.assertEqual(301, answer.status)
        location = answer.headers['Location'].removeprefix(self.fake.url)
        self.assertEqual('main', self.ask('GET', location).json['name'])

    def test_what_needs_more_than_a_workflow_token(self) -> None:
        self.fake.add_token('ghs_job', login='github-actions[bot]')
        path = f'{ROOT}/actions/permissions'
        self.assertEqual(403, self.ask('GET', path, token='ghs_job').status)
        self.assertTrue(self.ask('GET', path).json['enabled'])
        self.assertEqual(['2022-11-28', '2026-03-10'], self.ask('GET', '/versions').json)
        self.assertEqual(404, self.ask('GET', '/nowhere').status)


class Faults(FakeTest):
    def test_faults_that_keep_the_request_from_being_handled(self) -> None:
        self.fake.fault('status', method='POST', status=502, headers={'X-A': 'b'}, body='<html>')
        answer = self.ask('POST', DISPATCH, {'ref': 'main'})
        self.assertEqual((502, 'b', '<html>'), (answer.status, answer.headers['X-A'], answer.text))
        self.fake.fault('reset_before')
        self.assertRaises(ConnectionResetError, self.ask, 'POST', DISPATCH, {'ref': 'main'})
        self.fake.fault('rate_limit_primary', seconds=90)
        answer = self.ask('POST', DISPATCH, {'ref': 'main'})
        self.assertEqual((403, '0', str(int(self.fake.clock.now()) + 90)), (
            answer.status, answer.headers['x-ratelimit-remaining'],
            answer.headers['x-ratelimit-reset']))
        self.fake.fault('rate_limit_secondary', status=429, retry_after=7)
        answer = self.ask('POST', DISPATCH, {'ref': 'main'})
        self.assertEqual((429, '7'), (answer.status, answer.headers['retry-after']))
        self.assertIn('secondary rate limit', answer.json['message'])
        self.assertEqual([], self.fake.runs)

    def test_faults_after_the_request_was_handled(self) -> None:
        self.fake.fault('error_after_accept', method='POST')
        self.assertEqual(500, self.ask('POST', DISPATCH, {'ref': 'main'}).status)
        self.fake.fault('reset_after_accept', method='POST')
        self.assertRaises(ConnectionResetError, self.ask, 'POST', DISPATCH, {'ref': 'main'})
        self.assertEqual(2, len(self.fake.runs))
        self.fake.fault('garbage')
        answer = self.ask('GET', RUNS)
        self.assertRaises(ValueError, lambda: answer.json)
        self.fake.fault('truncated')
        self.assertRaises(http.client.IncompleteRead, self.ask, 'GET', RUNS)
        started = time.monotonic()
        self.fake.fault('slow', seconds=0.1)
        self.assertEqual(200, self.ask('GET', RUNS).status)
        self.assertGreaterEqual(time.monotonic() - started, 0.1)

    def test_which_requests_a_fault_meets(self) -> None:
        self.fake.fault('status', method='GET', path_regex='/runs.*branch=main', after=1, times=2)
        answers = [self.ask('GET', f'{RUNS}?branch=main').status for _ in range(4)]
        self.assertEqual([200, 503, 503, 200], answers)
        self.fake.fault('status', path_regex='/branches/', times=None)
        self.assertEqual([503, 503, 200], [self.ask('GET', ROOT + path).status for path in
                                           ('/branches/main', '/branches/main', '')])
        self.assertRaises(ValueError, self.fake.fault, 'nonsense')

    def test_hanging_ends_with_the_client_or_the_server(self) -> None:
        self.fake.fault('hang', times=2)
        self.assertRaises(socket.timeout, self.ask, 'GET', ROOT, timeout=0.1)
        ended = threading.Event()

        def hang() -> None:
            try:
                self.ask('GET', ROOT)
            except (OSError, http.client.HTTPException):
                ended.set()

        client = threading.Thread(target=hang)
        client.start()
        self.fake.wait_for('GET', ROOT, count=2)
        self.fake.stop()
        client.join(5)
        self.assertTrue(ended.is_set())


class RequestLog(FakeTest):
    def test_it_shows_whose_token_but_never_the_token(self) -> None:
        self.ask('POST', DISPATCH, {'ref': 'main'})
        self.ask('GET', f'{RUNS}?branch=main', token='ghp_unknown')
        posts = self.fake.calls('POST', '/dispatches$')
        self.assertEqual([({'ref': 'main'}, 'octocat', 204, None)],
                         [(call.body, call.login, call.status, call.fault) for call in posts])
        self.assertEqual('Bearer <octocat>', posts[0].headers['authorization'])
        self.assertEqual([401], [call.status for call in self.fake.calls('GET', 'branch=main')])
        self.assertNotIn('ghp_', json.dumps([vars(call) for call in self.fake.calls()]))
        with self.assertRaises(TimeoutError):
            self.fake.wait_for('DELETE', '', timeout=0.01)


class Commands(unittest.TestCase):
    def test_a_run_ends_as_its_command_does(self) -> None:
        script = ('import json, os, sys; print(os.environ["GITHUB_REF_NAME"], '
                  'json.loads(os.environ["FAKE_RUN_INPUTS"])["mark"]); '
                  'sys.exit(os.environ["GITHUB_REF_NAME"] != "main")')
        fake = example(clock='real', run_command=[sys.executable, '-c', script])
        fake.set_plan(start_after=0)
        with fake:
            for branch in ('main', 'release/1'):
                ask(fake.url, 'POST', DISPATCH, {'ref': branch, 'inputs': {'mark': 'x y'}})
            runs = wait_until(lambda: all(r['status'] == 'completed' for r in fake.run_summaries())
                              and fake.run_summaries(), 'the runs')
            self.assertEqual(['success', 'failure'], [run['conclusion'] for run in runs])
            self.assertEqual('main x y\n', fake.commands.log_file(runs[0]['id']).read_text())

    def test_stop_ends_what_commands_started(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            pid_file = Path(folder, 'pid')
            fake = example(clock='manual', run_command=[
                'sh', '-c', f'sleep 600 & echo $! > {pid_file}.part; mv {pid_file}.part {pid_file};'
                ' wait'])
            with fake:
                ask(fake.url, 'POST', DISPATCH, {'ref': 'main'})
                self.assertEqual('queued', fake.run_summaries()[0]['status'])
                fake.advance(5)
                wait_until(pid_file.exists, 'the command')
                self.assertEqual('in_progress', fake.run_summaries()[0]['status'])
            wait_until_gone(int(pid_file.read_text()))


class Program(unittest.TestCase):
    def test_the_program_form(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            state, port, log = (Path(folder, name) for name in ('state.json', 'port', 'log'))
            state.write_text(json.dumps({
                'clock': 'manual',
                'repositories': {REPO: {'branches': ['main'], 'workflows': [
                    {'file': 'backup.yml', 'on_branch': {'main': {'inputs': {'a': {}}}}}]}},
                'tokens': {TOKEN: {'login': 'octocat'}},
                'plans': [{'branch': 'main', 'start_after': 1}],
                'faults': [{'kind': 'status', 'status': 502, 'path_regex': '/dispatches'}]}))
            child = spawn([sys.executable, str(HERE / 'fake_github.py'), '--state', str(state),
                           '--port-file', str(port), '--log', str(log), '--run-command',
                           "sh -c 'exit 3'", '--run-logs', str(Path(folder, 'runs'))])
            try:
                wait_until(port.exists, 'the port file')
                url = f'http://127.0.0.1:{int(port.read_text())}'
                self.assertEqual(502, ask(url, 'POST', DISPATCH, {'ref': 'main'}).status)
                self.assertEqual(204, ask(url, 'POST', DISPATCH, {
                    'ref': 'main', 'inputs': {'a': 'b'}}).status)
                self.assertEqual(204, ask(url, 'POST', '/_fake/advance', {'seconds': 1}).status)
                run = wait_until(lambda: [run for run in ask(url, 'GET', '/_fake/runs').json
                                          if run['status'] == 'completed'], 'the run')[0]
                self.assertEqual('failure', run['conclusion'])
                self.assertEqual(204, ask(url, 'POST', '/_fake/fault', {'kind': 'garbage'}).status)
                self.assertEqual(400, ask(url, 'POST', '/_fake/fault', {'kind': 'x'}).status)
                calls = ask(url, 'GET', '/_fake/requests?method=POST&path=dispatches').json
                self.assertEqual([502, 204], [call['status'] for call in calls])
                child.send_signal(signal.SIGTERM)
                self.assertEqual(0, child.wait(10))
                self.assertFalse(port.exists())
                self.assertEqual(2, len(log.read_text().splitlines()))
            finally:
                end(child)

    @unittest.skipUnless(shutil.which('gh'), 'gh is not installed')
    def test_gh_works_with_the_fake(self) -> None:
        """GitHub's own client reads what the fake writes."""
        with tempfile.TemporaryDirectory() as home, example(tls=True) as fake:
            host = f'localhost:{fake.port}'
            env = clean_env(HOME=home, GH_CONFIG_DIR=home, GH_HOST=host, GH_ENTERPRISE_TOKEN=TOKEN,
                            SSL_CERT_FILE=str(fake.ca_file), SSL_CERT_DIR=home, NO_COLOR='1',
                            GH_NO_UPDATE_NOTIFIER='1')

            def gh(*arguments: str) -> str:
                done = subprocess.run(['gh', *arguments, '-R', f'{host}/{REPO}'], text=True,
                                      env=env, capture_output=True, timeout=20, check=False)
                self.assertEqual(0, done.returncode, done.stderr)
                return done.stdout

            fake.set_plan(conclusion='failure', failed_step='Upload')
            gh('workflow', 'run', 'backup.yml', '--ref', 'release/1', '-f', 'mark=hello')
            listed = json.loads(gh('run', 'list', '--json', 'databaseId,headBranch,status,event'))
            self.assertEqual([{'databaseId': fake.runs[0].id, 'headBranch': 'release/1',
                               'status': 'queued', 'event': 'workflow_dispatch'}], listed)
            self.assertIn('Backup', gh('workflow', 'list'))
            self.assertIn('[push]', gh('workflow', 'view', 'backup.yml', '--yaml', '--ref', 'old'))
            fake.advance(60)
            viewed = json.loads(gh('run', 'view', str(fake.runs[0].id), '--json',
                                   'status,conclusion,jobs'))
            self.assertEqual(('completed', 'failure'), (viewed['status'], viewed['conclusion']))
            self.assertEqual([('backup', 'failure', ['Upload'])], [
                (job['name'], job['conclusion'],
                 [step['name'] for step in job['steps'] if step['conclusion'] == 'failure'])
                for job in viewed['jobs']])

    def test_https_needs_the_certificate(self) -> None:
        with example(tls=True) as fake:
            good = ssl.create_default_context(cafile=str(fake.ca_file))
            connection = http.client.HTTPSConnection('127.0.0.1', fake.port, context=good,
                                                     timeout=5)
            connection.request('GET', '/versions', headers={'User-Agent': 'test'})
            self.assertEqual(200, connection.getresponse().status)
            connection.close()
            connection = http.client.HTTPSConnection(
                '127.0.0.1', fake.port, context=ssl.create_default_context(), timeout=5)
            self.assertRaises(ssl.SSLCertVerificationError, connection.request, 'GET', '/')


if __name__ == '__main__':
    unittest.main()
