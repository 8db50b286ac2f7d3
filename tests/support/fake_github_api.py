"""The endpoints of the fake GitHub: one request in, one answer out, no sockets.

Messages are the literal ones users have seen; where the wording is not known from an
observation a comment says so.
"""
from __future__ import annotations

import hashlib
import json
import re
from urllib.parse import unquote, urlencode

from fake_github_call import DOCS, Answer, Call, Refusal, not_found, rate_headers
from fake_github_endpoints import json_object
from fake_github_model import Repo, Token, Workflow
from fake_github_query import paged
from fake_github_repos import RepoEndpoints
from fake_github_runs import RunEndpoints, find_workflow

DISPATCH_DOCS = f'{DOCS}/actions/workflows#create-a-workflow-dispatch-event'
NEW_VERSION = '2026-03-10'
SSO_DOCS = ('https://docs.github.com/articles/authenticating-to-a-github-organization-with-saml-'
            'single-sign-on/')
SSO_TOKENS = {'classic': 'Personal Access', 'oauth': 'OAuth'}
NO_USER_AGENT = ('\r\nRequest forbidden by administrative rules. Please make sure your request has '
                 'a User-Agent header.\r\n')


class Api(RepoEndpoints, RunEndpoints):
    def answer(self, call: Call) -> Answer:
        """The whole way of a request: client checks, token, budget, route, common headers."""
        state = self.state
        with state.lock:
            if not call.headers.get('user-agent'):
                return Answer(403, NO_USER_AGENT, {'Content-Type': 'text/html'})
            try:
                self._check_version(call)
                call.token = self._authenticate(call)
                self._spend(call)
                result = self._route(call)
            except Refusal as refusal:
                result = refusal.answer
            if call.method == 'GET' and result.status == 200:
                result = self._unless_known(call, result)
            result.headers = {**self._common_headers(call), **result.headers}
            return result

    # Checks before the endpoint

    def _check_version(self, call: Call) -> None:
        call.version = call.headers.get('x-github-api-version') or self.state.api_versions[0]
        if call.version in self.state.retired_versions:
            raise Refusal(410, 'API version no longer supported')
        if call.version not in self.state.api_versions:     # wording not verified
            raise Refusal(400, f'Invalid API version: {call.version}')

    def _authenticate(self, call: Call) -> Token:
        header = call.headers.get('authorization')
        if header is None:
            return self.state.anonymous
        scheme, _, value = header.partition(' ')
        token = self.state.tokens.get(value.strip())
        if scheme.lower() not in ('bearer', 'token') or token is None or (
                not token.admit(self.state.clock.now())):
            raise Refusal(401, 'Bad credentials')
        return token

    def _spend(self, call: Call) -> None:
        token = call.token
        assert token is not None
        if call.path == '/rate_limit':
            return
        call.spent = token.spend(self.state.clock.now())
        if not call.spent:
            raise Refusal(403, rate_message(token), f'{DOCS}/using-the-rest-api/rate-limits-for-'
                          'the-rest-api')

    def _unless_known(self, call: Call, answer: Answer) -> Answer:
        """The answer with its tag; 304, free for whoever has a token, when the client has it."""
        tag = '"%s"' % hashlib.sha256(answer.encoded()).hexdigest()[:32]
        answer.headers['ETag'] = f'W/{tag}'
        known = call.headers.get('if-none-match', '').split(',')
        if tag not in [item.strip().removeprefix('W/') for item in known]:
            return answer
        if call.spent and call.token is not None and call.token is not self.state.anonymous:
            call.token.refund()
        answer.headers.pop('Content-Type', None)
        return Answer(304, None, answer.headers)

    def _common_headers(self, call: Call) -> dict[str, str]:
        headers = {'X-GitHub-Media-Type': 'github.v3; format=json'}
        if call.version in self.state.api_versions:
            headers['X-GitHub-Api-Version-Selected'] = call.version
        token = call.token
        if token is None:
            return headers
        token.refresh(self.state.clock.now())
        headers.update(rate_headers(token.limit, token.limit - token.used, int(token.reset)))
        if token.kind in ('classic', 'oauth'):
            headers['X-OAuth-Scopes'] = ', '.join(token.scopes)
            headers['X-Accepted-OAuth-Scopes'] = 'repo' if '/repos/' in call.path else ''
        elif call.accepted and token is not self.state.anonymous:
            headers['X-Accepted-GitHub-Permissions'] = call.accepted
        if token.expires_at is not None:
            headers['github-authentication-token-expiration'] = token.expiry_text
        return headers

    # Routing

    def _route(self, call: Call) -> Answer:
        for method, pattern, name, permission, level in ROUTES:
            match = pattern.fullmatch(call.path)
            if match is None or method != call.method:
                continue
            call.match = {k: unquote(v) for k, v in match.groupdict().items() if v is not None}
            if permission is None:
                return getattr(self, name)(call)
            call.accepted = f"{permission}={'write' if level > 1 else 'read'}"
            moved = self.state.moved.get(repo_name(call).lower())
            if moved is not None:
                return self._moved(call, moved)
            return getattr(self, name)(call, self._allowed_repo(call, permission, level))
        raise not_found()

    def _moved(self, call: Call, new_name: str) -> Answer:
        rest = call.path.split('/', 4)[4:]
        query = f'?{urlencode(call.query)}' if call.query else ''
        location = '/'.join([f'{call.api}/repositories/{self.state.repo(new_name).id}', *rest])
        status = 301 if call.method == 'GET' else 307
        text = 'Moved Permanently' if status == 301 else 'Temporary Redirect'
        return Answer(status, {'message': text, 'url': location + query,
                               'documentation_url': f'{DOCS}/guides/best-practices-for-using-the-'
                               'rest-api#follow-redirects'}, {'Location': location + query})

    def _allowed_repo(self, call: Call, permission: str, level: int) -> Repo:
        token = call.token
        assert token is not None
        if 'repo_id' in call.match:
            repo = self.state.repo_by_id(int(call.match['repo_id']))
        else:
            repo = self.state.repos.get(repo_name(call).lower())
        if repo is None or (repo.private and token.level(repo, 'metadata') < 1):
            raise not_found()
        if token.sso == 'required':
            raise sso_refusal(token, repo)
        public = not repo.private and level == 1 and permission != 'administration'
        if not public and token.level(repo, permission) < level:
            if token is self.state.anonymous:
                raise Refusal(401, 'Requires authentication')
            raise permission_refusal(token)
        if level > 1 and repo.archived:
            raise Refusal(403, 'Repository was archived so is read-only.')
        if repo.disabled:
            raise Refusal(403, 'Repository access blocked')
        return repo

    # Endpoints that name no repository

    def rate_limit(self, call: Call) -> Answer:
        assert call.token is not None
        body = self.render(call).rate_limit(call.token, call.version != NEW_VERSION)
        return Answer(200, body)

    def user(self, call: Call) -> Answer:
        token = call.token
        assert token is not None
        if token is self.state.anonymous:
            raise Refusal(401, 'Requires authentication')
        if token.kind == 'installation':
            raise Refusal(403, 'Resource not accessible by integration')
        return Answer(200, self.render(call).own_user(token))

    def versions(self, call: Call) -> Answer:
        return Answer(200, list(self.state.api_versions))

    # Workflows

    def list_workflows(self, call: Call, repo: Repo) -> Answer:
        render = self.render(call)
        return paged(call, 'workflows', repo.workflows, lambda w: render.workflow(repo, w))

    def get_workflow(self, call: Call, repo: Repo) -> Answer:
        return Answer(200, self.render(call).workflow(repo, find_workflow(call, repo)))

    def enable_workflow(self, call: Call, repo: Repo) -> Answer:
        workflow = find_workflow(call, repo)
        workflow.state, workflow.updated_at = 'active', self.state.clock.now()
        return Answer(204)

    def dispatch(self, call: Call, repo: Repo) -> Answer:
        assert call.token is not None
        workflow = find_workflow(call, repo)
        ref, inputs, details = self._dispatch_body(call)
        if not repo.actions_enabled:                        # wording not verified
            raise Refusal(422, 'Actions has been disabled for this repository.', DISPATCH_DOCS)
        if workflow.state != 'active':
            raise Refusal(422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow",
                          DISPATCH_DOCS)
        branch = re.sub('^refs/(heads|tags)/', '', ref)
        if branch not in repo.branches and branch not in repo.tags:
            raise Refusal(422, f'No ref found for: {ref}', DISPATCH_DOCS)
        inputs = checked_inputs(workflow, branch, inputs)
        run = self.state.dispatched(repo, workflow, branch, call.token.login, inputs)
        self.state.on_dispatch(run)
        if not details:
            return Answer(204)
        path = f'{repo.full_name}/actions/runs/{run.id}'
        return Answer(200, {'workflow_run_id': run.id, 'run_url': f'{call.api}/repos/{path}',
                            'html_url': f'{call.web}/{path}'})

    def _dispatch_body(self, call: Call) -> tuple[str, dict, bool]:
        """The ref, the inputs, and whether the answer shall name the run."""
        def refuse(problem: str) -> Refusal:
            return Refusal(422, f'Invalid request.\n\n{problem}', DISPATCH_DOCS)

        body = json_object(call, DISPATCH_DOCS)
        new = call.version >= NEW_VERSION
        allowed = {'ref', 'inputs'}
        if self.state.run_details and not new:
            allowed.add('return_run_details')
        for key in body:
            if key not in allowed:
                raise refuse(f'"{key}" is not a permitted key.')
        ref, inputs = body.get('ref'), body.get('inputs', {})
        details = body.get('return_run_details', False)
        if ref is None:
            raise refuse('"ref" wasn\'t supplied.')
        if not isinstance(ref, str):
            raise refuse(f"For 'properties/ref', {json.dumps(ref)} is not a string.")
        if not isinstance(inputs, dict):
            raise refuse(f"For 'properties/inputs', {json.dumps(inputs)} is not an object.")
        if len(inputs) > self.state.max_inputs:             # wording not verified
            raise refuse(f"For 'properties/inputs', more than {self.state.max_inputs} properties.")
        if not isinstance(details, bool):
            raise refuse(f"For 'properties/return_run_details', {json.dumps(details)} is not a "
                         'boolean.')
        return ref, inputs, details or (new and self.state.run_details)


# Helpers that need no state

def repo_name(call: Call) -> str:
    return f"{call.match.get('owner')}/{call.match.get('repo')}"


def rate_message(token: Token) -> str:
    who = 'installation' if token.kind == 'installation' else 'user'
    return f'API rate limit exceeded for {who} ID {token.user_id}.'


def sso_refusal(token: Token, repo: Repo) -> Refusal:
    kind = SSO_TOKENS.get(token.kind, 'Personal Access')
    result = Refusal(403, 'Resource protected by organization SAML enforcement. You must grant '
                     f'your {kind} token access to this organization.', SSO_DOCS)
    result.answer.headers['X-GitHub-SSO'] = (
        f'required; url=https://github.com/orgs/{repo.owner}/sso?authorization_request=AAAA')
    return result


def permission_refusal(token: Token) -> Refusal:
    """Which permission it wants stands in a header that every answer has; see Call.accepted."""
    if token.kind in ('classic', 'oauth'):      # these have scopes, not permissions
        return Refusal(403, 'Must have admin rights to Repository.')
    kind = 'personal access token' if token.kind == 'fine-grained' else 'integration'
    return Refusal(403, f'Resource not accessible by {kind}')


def checked_inputs(workflow: Workflow, branch: str, inputs: dict) -> dict:
    """The inputs with the defaults filled in, checked against the file on that branch."""
    trigger = workflow.trigger_for(branch)
    if trigger is None:         # not verified for a branch that lacks the file altogether
        raise Refusal(422, "Workflow does not have 'workflow_dispatch' trigger", DISPATCH_DOCS)
    unknown = [name for name in inputs if name not in trigger.inputs]
    if unknown:
        raise Refusal(422, f'Unexpected inputs provided: {json.dumps(unknown)}', DISPATCH_DOCS)
    result = dict(inputs)
    for name, rule in trigger.inputs.items():
        if name not in result and 'default' in rule:
            result[name] = rule['default']
        if rule.get('required') and result.get(name) in (None, ''):
            raise Refusal(422, f"Required input '{name}' not provided", DISPATCH_DOCS)
        if name in result and 'options' in rule and result[name] not in rule['options']:
            raise Refusal(422, f"Provided value '{result[name]}' for input '{name}' not in the "
                          'list of allowed values', DISPATCH_DOCS)
    return result


def route(method: str, path: str, name: str, permission: str | None = None, level: int = 1):
    repo = r'(?:/repos/(?P<owner>[^/]+)/(?P<repo>[^/]+)|/repositories/(?P<repo_id>\d+))'
    path = path.replace('REPO', repo).replace('WF', r'(?P<workflow_id>[^/]+)')
    return method, re.compile(path.replace('RUN', r'(?P<run_id>\d+)')), name, permission, level


ROUTES = [
    route('GET', '/rate_limit', 'rate_limit'),
    route('GET', '/user', 'user'),
    route('GET', '/versions', 'versions'),
    route('GET', 'REPO', 'get_repo', 'metadata'),
    route('GET', 'REPO/branches/(?P<branch>.+)', 'get_branch', 'contents'),
    route('GET', 'REPO/git/ref/(?P<ref>.+)', 'get_ref', 'contents'),
    route('GET', 'REPO/contents/(?P<path>.+)', 'get_contents', 'contents'),
    route('POST', 'REPO/statuses/(?P<sha>[^/]+)', 'create_status', 'statuses', 2),
    route('GET', 'REPO/actions/permissions', 'get_permissions', 'administration'),
    route('GET', 'REPO/actions/workflows', 'list_workflows', 'actions'),
    route('GET', 'REPO/actions/workflows/WF', 'get_workflow', 'actions'),
    route('PUT', 'REPO/actions/workflows/WF/enable', 'enable_workflow', 'actions', 2),
    route('POST', 'REPO/actions/workflows/WF/dispatches', 'dispatch', 'actions', 2),
    route('GET', 'REPO/actions/workflows/WF/runs', 'list_runs', 'actions'),
    route('GET', 'REPO/actions/runs', 'list_runs', 'actions'),
    route('GET', 'REPO/actions/runs/RUN', 'get_run', 'actions'),
    route('GET', 'REPO/actions/runs/RUN/jobs', 'list_jobs', 'actions'),
    route('GET', 'REPO/actions/runs/RUN/concurrency_groups', 'list_groups', 'actions'),
    route('GET', 'REPO/actions/runs/RUN/pending_deployments', 'list_pending_deployments',
          'actions'),
    route('POST', 'REPO/actions/runs/RUN/cancel', 'cancel_run', 'actions', 2),
    route('POST', 'REPO/actions/runs/RUN/force-cancel', 'force_cancel_run', 'actions', 2),
]
