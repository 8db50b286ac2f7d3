"""The endpoints of the fake GitHub: one request in, one answer out, no sockets.

Messages are the literal ones users have seen; where the wording is not known from an
observation a comment says so.
"""
from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from urllib.parse import unquote, urlencode

from fake_github_call import DOCS, Answer, Call, Refusal, not_found, rate_headers
from fake_github_query import filters, paged
from fake_github_render import Render
from fake_github_state import Repo, Run, State, Token, Workflow

DISPATCH_DOCS = f'{DOCS}/actions/workflows#create-a-workflow-dispatch-event'
NEW_VERSION = '2026-03-10'
SEARCH_LIMIT = 1000                 # "up to 1,000 results for each search"
NO_USER_AGENT = ('\r\nRequest forbidden by administrative rules. Please make sure your request has '
                 'a User-Agent header.\r\n')


class Api:
    def __init__(self, state: State) -> None:
        self.state = state

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
        expired = token is not None and token.expires_at is not None and (
            token.expires_at <= self.state.clock.now())
        if scheme.lower() not in ('bearer', 'token') or token is None or token.revoked or expired:
            raise Refusal(401, 'Bad credentials')
        return token

    def _spend(self, call: Call) -> None:
        token = call.token
        assert token is not None
        if call.path == '/rate_limit' or token.spend(self.state.clock.now()):
            return
        raise Refusal(403, rate_message(token), f'{DOCS}/using-the-rest-api/rate-limits-for-the-'
                      'rest-api')

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
        if token.expires_at is not None:
            headers['github-authentication-token-expiration'] = expiry_text(token.expires_at)
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
        public = not repo.private and level == 1 and permission != 'administration'
        if not public and token.level(repo, permission) < level:
            if token is self.state.anonymous:
                raise Refusal(401, 'Requires authentication')
            raise permission_refusal(token, permission, level)
        if level > 1 and repo.archived:
            raise Refusal(403, 'Repository was archived so is read-only.')
        if repo.disabled:
            raise Refusal(403, 'Repository access blocked')
        return repo

    def _render(self, call: Call) -> Render:
        return Render(self.state, call.api, call.web, self.state.clock.now())

    # Endpoints that name no repository

    def rate_limit(self, call: Call) -> Answer:
        assert call.token is not None
        body = self._render(call).rate_limit(call.token, call.version != NEW_VERSION)
        return Answer(200, body)

    def user(self, call: Call) -> Answer:
        token = call.token
        assert token is not None
        if token is self.state.anonymous:
            raise Refusal(401, 'Requires authentication')
        if token.kind == 'installation':
            raise Refusal(403, 'Resource not accessible by integration')
        return Answer(200, self._render(call).own_user(token))

    def versions(self, call: Call) -> Answer:
        return Answer(200, list(self.state.api_versions))

    # Repositories and branches

    def get_repo(self, call: Call, repo: Repo) -> Answer:
        assert call.token is not None
        return Answer(200, self._render(call).repo(repo, call.token))

    def get_branch(self, call: Call, repo: Repo) -> Answer:
        if call.match['branch'] not in repo.branches:
            raise Refusal(404, 'Branch not found', f'{DOCS}/branches/branches#get-a-branch')
        return Answer(200, self._render(call).branch(repo, call.match['branch']))

    def get_ref(self, call: Call, repo: Repo) -> Answer:
        kind, _, name = call.match['ref'].partition('/')
        if kind != 'heads' or name not in repo.branches:
            raise Refusal(404, 'Not Found', f'{DOCS}/git/refs#get-a-reference')
        return Answer(200, self._render(call).git_ref(repo, name))

    def get_permissions(self, call: Call, repo: Repo) -> Answer:
        body = {'enabled': repo.actions_enabled}
        if repo.actions_enabled:
            body.update(allowed_actions='all', sha_pinning_required=False)
        return Answer(200, body)

    # Workflows

    def list_workflows(self, call: Call, repo: Repo) -> Answer:
        render = self._render(call)
        return paged(call, 'workflows', repo.workflows, lambda w: render.workflow(repo, w))

    def get_workflow(self, call: Call, repo: Repo) -> Answer:
        return Answer(200, self._render(call).workflow(repo, find_workflow(call, repo)))

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
        run = self.state.add_run(repo.full_name, workflow.file, branch, actor=call.token.login,
                                 inputs=inputs)
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

        try:
            body = json.loads(call.body)
        except ValueError:
            raise Refusal(400, 'Problems parsing JSON', DISPATCH_DOCS) from None
        if not isinstance(body, dict):
            raise Refusal(400, 'Body should be a JSON object', DISPATCH_DOCS)
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

    # Runs

    def list_runs(self, call: Call, repo: Repo) -> Answer:
        now, query = self.state.clock.now(), call.query
        wanted = filters(query)
        runs = [run for run in self.state.runs if run.repo is repo]
        if 'workflow_id' in call.match:
            workflow = find_workflow(call, repo)
            runs = [run for run in runs if run.workflow is workflow]
        found = []
        for run in runs:
            run.settle(now)
            shown = run.visible(now)
            if all(test(run) for test in wanted):
                if shown:
                    found.append(run)
                else:
                    self.state.see(run)     # the request would have seen it: let it grow older
        found.sort(key=lambda run: (run.created_at, run.id), reverse=True)
        render = self._render(call)
        return paged(call, 'workflow_runs', found, lambda run: self._seen(run, render.run(run)),
                     SEARCH_LIMIT if wanted else None)

    def _seen(self, run: Run, body: dict) -> dict:
        self.state.see(run)
        return body

    def _find_run(self, call: Call, repo: Repo) -> Run:
        run = self.state.run(int(call.match['run_id']))
        if run is None or run.repo is not repo:
            raise not_found()
        if not run.visible(self.state.clock.now()):
            self.state.see(run)
            raise not_found()
        return run

    def get_run(self, call: Call, repo: Repo) -> Answer:
        run = self._find_run(call, repo)
        return Answer(200, self._seen(run, self._render(call).run(run)))

    def list_jobs(self, call: Call, repo: Repo) -> Answer:
        run = self._find_run(call, repo)
        jobs = self._render(call).jobs(run)
        self.state.see(run)
        return paged(call, 'jobs', jobs, lambda job: job)

    def cancel_run(self, call: Call, repo: Repo) -> Answer:
        if not self.state.cancel(self._find_run(call, repo)):
            raise Refusal(409, 'Cannot cancel a workflow run that is completed.')
        return Answer(202, {})


# Helpers that need no state

def repo_name(call: Call) -> str:
    return f"{call.match.get('owner')}/{call.match.get('repo')}"


def rate_message(token: Token) -> str:
    who = 'installation' if token.kind == 'installation' else 'user'
    return f'API rate limit exceeded for {who} ID {token.user_id}.'


def expiry_text(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, timezone.utc).strftime('%Y-%m-%d %H:%M:%S UTC')


def permission_refusal(token: Token, permission: str, level: int) -> Refusal:
    if token.kind in ('classic', 'oauth'):      # these have scopes, not permissions
        return Refusal(403, 'Must have admin rights to Repository.')
    kind = 'personal access token' if token.kind == 'fine-grained' else 'integration'
    return Refusal(403, f'Resource not accessible by {kind}', X_Accepted_GitHub_Permissions=(
        f"{permission}={'write' if level > 1 else 'read'}"))


def find_workflow(call: Call, repo: Repo) -> Workflow:
    workflow = repo.workflow(call.match['workflow_id'])
    if workflow is None:
        raise not_found()
    return workflow


def checked_inputs(workflow: Workflow, branch: str, inputs: dict) -> dict:
    """The inputs with the defaults filled in, checked against the file on that branch."""
    trigger = workflow.trigger_for(branch)
    if trigger is None:
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
    route('GET', 'REPO/actions/permissions', 'get_permissions', 'administration'),
    route('GET', 'REPO/actions/workflows', 'list_workflows', 'actions'),
    route('GET', 'REPO/actions/workflows/WF', 'get_workflow', 'actions'),
    route('PUT', 'REPO/actions/workflows/WF/enable', 'enable_workflow', 'actions', 2),
    route('POST', 'REPO/actions/workflows/WF/dispatches', 'dispatch', 'actions', 2),
    route('GET', 'REPO/actions/workflows/WF/runs', 'list_runs', 'actions'),
    route('GET', 'REPO/actions/runs', 'list_runs', 'actions'),
    route('GET', 'REPO/actions/runs/RUN', 'get_run', 'actions'),
    route('GET', 'REPO/actions/runs/RUN/jobs', 'list_jobs', 'actions'),
    route('POST', 'REPO/actions/runs/RUN/cancel', 'cancel_run', 'actions', 2),
]
