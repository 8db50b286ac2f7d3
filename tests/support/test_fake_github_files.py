"""Self-tests of the fake GitHub: workflow files and commit statuses."""
from __future__ import annotations

import base64
import unittest

from asking import DISPATCH, REPO, ROOT, FakeTest
from processes import unwind_on_sigterm

FILE = f'{ROOT}/contents/.github/workflows/backup.yml'
RAW = 'application/vnd.github.raw+json'
FULL_TEXT = '''name: Nightly
run-name: Backup ${{ inputs.mark }}
on:
  workflow_dispatch:
    inputs:
      mark:
        description: "shown: in the title"
        required: true
        type: string
      level:
        default: full
        type: choice
        options:
          - full
          - "on"
      dry:
        default: false
        type: boolean
concurrency:
  group: backup-main
jobs:
  backup:
    runs-on:
      - self-hosted
      - disk
    environment: production
    steps:
      - name: Run backup
        run: make backup
  test-it:
    name: test it
    runs-on:
      - self-hosted
      - disk
    environment: production
    steps:
      - name: Run backup
        run: make backup
'''


def setUpModule() -> None:
    unwind_on_sigterm()


class Files(FakeTest):
    def raw(self, ref: str, file: str = 'backup.yml') -> str:
        answer = self.ask('GET', f'{FILE.replace("backup.yml", file)}?ref={ref}', Accept=RAW)
        self.assertEqual((200, f'{RAW}; charset=utf-8'),
                         (answer.status, answer.headers['Content-Type']))
        return answer.text

    def test_the_text_follows_the_state(self) -> None:
        self.fake.add_workflow(REPO, 'full.yml', 'Nightly', run_name='Backup ${{ inputs.mark }}',
                               inputs={'mark': {'required': True,
                                                'description': 'shown: in the title'},
                                       'level': {'default': 'full', 'options': ['full', 'on']},
                                       'dry': {'type': 'boolean', 'default': False}})
        self.fake.set_plan(branch='main', group='backup-main', labels=['self-hosted', 'disk'],
                           environment='production', jobs=['backup', 'test it'])
        self.assertEqual(FULL_TEXT, self.raw('main', 'full.yml'))
        self.fake.add_workflow(REPO, 'plain.yml')
        self.assertIn('on:\n  workflow_dispatch:\njobs:\n', self.raw('release/1', 'plain.yml'))
        self.assertIn('on: [push]\n', self.raw('old'))

    def test_a_ref_is_a_branch_a_tag_or_a_head_and_may_be_left_out(self) -> None:
        self.fake.repo(REPO).workflow('backup.yml').on_branch('release/1', text='name: mine\n')
        sha = self.fake.repo(REPO).branches['release/1']
        for ref in ('release/1', 'release%2F1', 'refs/heads/release/1', sha):
            self.assertEqual('name: mine\n', self.raw(ref))
        for ref in ('main', 'v1', ''):
            self.assertIn('name: Backup\n', self.raw(ref))

    def test_the_usual_form_is_base64(self) -> None:
        text = 'name: ü\n' + '# long\n' * 20
        self.fake.repo(REPO).workflow('backup.yml').file_text = text
        body = self.ask('GET', f'{FILE}?ref=release/1').json
        self.assertEqual(text, base64.b64decode(body['content']).decode())
        self.assertTrue(all(len(line) <= 60 for line in body['content'].split('\n')))
        self.assertEqual(('file', 'base64', '.github/workflows/backup.yml', len(text.encode())),
                         (body['type'], body['encoding'], body['path'], body['size']))
        encoded = self.ask('GET', f'{ROOT}/contents/.github%2Fworkflows%2Fbackup.yml')
        self.assertEqual(body['sha'], encoded.json['sha'])

    def test_git_would_name_the_blob_alike(self) -> None:
        self.fake.repo(REPO).workflow('backup.yml').file_text = 'hello\n'
        self.assertEqual('ce013625030ba8dba906f756967f9e9ca394464a',
                         self.ask('GET', FILE).json['sha'])

    def test_what_is_not_there(self) -> None:
        workflow = self.fake.repo(REPO).workflow('backup.yml')
        workflow.on_branch('release/1', missing=True)
        self.refused(404, 'No commit found for the ref none', self.ask('GET', f'{FILE}?ref=none'))
        self.refused(404, 'Not Found', self.ask('GET', f'{FILE}?ref=release/1'))
        self.refused(404, 'Not Found', self.ask('GET', f'{ROOT}/contents/README.md'))
        self.assertEqual(422, self.ask('POST', DISPATCH, {'ref': 'release/1'}).status)
        self.fake.add_token('github_pat_a', permissions={'*': {'metadata': 'read'}})
        answer = self.ask('GET', FILE, token='github_pat_a')
        self.refused(403, 'Resource not accessible by personal access token', answer)
        self.assertEqual('contents=read', answer.headers['X-Accepted-GitHub-Permissions'])

    def test_a_text_of_its_own_leaves_the_trigger_alone(self) -> None:
        workflow = self.fake.repo(REPO).workflow('backup.yml')
        workflow.on_branch('release/1', text='broken: [')
        answer = self.ask('POST', DISPATCH, {'ref': 'release/1', 'inputs': {'mark': 'x'}})
        self.assertEqual(204, answer.status)
        workflow.on_branch('release/1', text='on: push\n', dispatch=False)
        self.assertEqual(422, self.ask('POST', DISPATCH, {'ref': 'release/1'}).status)


class Statuses(FakeTest):
    def setUp(self) -> None:
        super().setUp()
        self.sha = self.fake.repo(REPO).branches['main']
        self.path = f'{ROOT}/statuses/{self.sha}'

    def test_a_status_is_kept(self) -> None:
        body = {'state': 'success', 'context': 'backup', 'description': 'started',
                'target_url': 'https://example.com/1'}
        answer = self.ask('POST', self.path, body)
        self.assertEqual((201, f'{self.fake.url}{self.path}', {**answer.json, **body}),
                         (answer.status, answer.headers['Location'], answer.json))
        self.assertEqual(201, self.ask('POST', self.path, {'state': 'pending'}).status)
        self.assertEqual([(self.sha, 'success', 'backup', 'started', 'https://example.com/1'),
                          (self.sha, 'pending', 'default', None, None)],
                         [(s.sha, s.state, s.context, s.description, s.target_url)
                          for s in self.fake.repo(REPO).statuses])

    def test_what_is_refused(self) -> None:
        unknown = '0' * 40
        self.refused(422, f'No commit found for SHA: {unknown}',
                     self.ask('POST', f'{ROOT}/statuses/{unknown}', {'state': 'success'}))
        for field, message, path, body in (
                ('state', 'state is not included in the list', self.path, {'state': 'cancelled'}),
                ('state', 'state is not included in the list', self.path, {}),
                ('sha', 'sha must be a 40 character SHA1', f'{ROOT}/statuses/main',
                 {'state': 'success'}),
                ('description', 'description is too long (maximum is 140 characters)', self.path,
                 {'state': 'success', 'description': 'ü' * 141})):
            with self.subTest(message=message):
                answer = self.ask('POST', path, body)
                self.refused(422, 'Validation Failed', answer)
                self.assertEqual([{'resource': 'Status', 'code': 'custom', 'field': field,
                                   'message': message}], answer.json['errors'])
        self.assertEqual(400, self.ask('POST', self.path, '{').status)
        self.assertEqual(422, self.ask('POST', self.path, {'state': 'error', 'context': 1}).status)
        self.assertEqual([], self.fake.repo(REPO).statuses)
        longest = {'state': 'success', 'description': 'ü' * 140}
        self.assertEqual(201, self.ask('POST', self.path, longest).status)

    def test_a_thousand_are_enough(self) -> None:
        self.assertEqual(201, self.ask('POST', self.path, {'state': 'error'}).status)
        self.fake.repo(REPO).statuses *= 1000
        answer = self.ask('POST', self.path, {'state': 'error', 'context': 'DEFAULT'})
        self.refused(422, 'Validation Failed', answer)
        self.assertIn('maximum number of statuses', answer.json['errors'])
        other = {'state': 'error', 'context': 'other'}
        self.assertEqual(201, self.ask('POST', self.path, other).status)

    def test_the_permission(self) -> None:
        self.fake.add_token('ghs_job')
        answer = self.ask('POST', self.path, {'state': 'success'}, token='ghs_job')
        self.refused(403, 'Resource not accessible by integration', answer)
        self.assertEqual('statuses=write', answer.headers['X-Accepted-GitHub-Permissions'])
        self.fake.add_token('ghs_may', permissions={'*': {'metadata': 'read',
                                                          'statuses': 'write'}})
        answer = self.ask('POST', self.path, {'state': 'success'}, token='ghs_may')
        self.assertEqual(201, answer.status)


if __name__ == '__main__':
    unittest.main()
