"""Turns the fake's state into the JSON bodies of GitHub's REST API.

Every field that GitHub's OpenAPI description requires is there; contract.py checks that.
"""
from __future__ import annotations

import base64
import hashlib
from urllib.parse import quote

from fake_github_model import Repo, Run, Status, Token, Workflow, fake_sha, iso
from fake_github_state import State

# Path templates of a repository's *_url fields, as GitHub prints them.
REPO_URLS = {
    'archive_url': '/{archive_format}{/ref}', 'assignees_url': '/assignees{/user}',
    'blobs_url': '/git/blobs{/sha}', 'branches_url': '/branches{/branch}',
    'collaborators_url': '/collaborators{/collaborator}', 'comments_url': '/comments{/number}',
    'commits_url': '/commits{/sha}', 'compare_url': '/compare/{base}...{head}',
    'contents_url': '/contents/{+path}', 'contributors_url': '/contributors',
    'deployments_url': '/deployments', 'downloads_url': '/downloads', 'events_url': '/events',
    'forks_url': '/forks', 'git_commits_url': '/git/commits{/sha}',
    'git_refs_url': '/git/refs{/sha}', 'git_tags_url': '/git/tags{/sha}', 'hooks_url': '/hooks',
    'issue_comment_url': '/issues/comments{/number}', 'issue_events_url': '/issues/events{/number}',
    'issues_url': '/issues{/number}', 'keys_url': '/keys{/key_id}', 'labels_url': '/labels{/name}',
    'languages_url': '/languages', 'merges_url': '/merges',
    'milestones_url': '/milestones{/number}',
    'notifications_url': '/notifications{?since,all,participating}',
    'pulls_url': '/pulls{/number}', 'releases_url': '/releases{/id}',
    'stargazers_url': '/stargazers', 'statuses_url': '/statuses/{sha}',
    'subscribers_url': '/subscribers',
    'subscription_url': '/subscription', 'tags_url': '/tags', 'teams_url': '/teams',
    'trees_url': '/git/trees{/sha}',
}
USER_URLS = {
    'followers_url': '/followers', 'following_url': '/following{/other_user}',
    'gists_url': '/gists{/gist_id}', 'starred_url': '/starred{/owner}{/repo}',
    'subscriptions_url': '/subscriptions', 'organizations_url': '/orgs', 'repos_url': '/repos',
    'events_url': '/events{/privacy}', 'received_events_url': '/received_events',
}
JOB_CONCLUSIONS = {'startup_failure': 'failure', 'stale': 'cancelled'}   # a job knows neither


def node_id(kind: str, number: int) -> str:
    return base64.b64encode(f'{kind}{number}'.encode()).decode()


class Render:
    """Bodies for one request: `api` and `web` are the addresses the client used."""

    def __init__(self, state: State, api: str, web: str, now: float) -> None:
        self.state, self.api, self.web, self.now = state, api, web, now

    def user(self, login: str, number: int = 583231, kind: str = 'User') -> dict:
        url = f'{self.api}/users/{login}'
        return {'login': login, 'id': number, 'node_id': node_id('04:User', number),
                'avatar_url': f'{self.web}/avatars/{login}.png', 'gravatar_id': '', 'url': url,
                'html_url': f'{self.web}/{login}', 'type': kind, 'user_view_type': 'public',
                'site_admin': False, **{key: url + path for key, path in USER_URLS.items()}}

    def own_user(self, token: Token) -> dict:
        created = iso(self.now)
        return {**self.user(token.login, token.user_id), 'user_view_type': 'private',
                'name': token.login, 'company': None, 'blog': '', 'location': None, 'email': None,
                'hireable': None, 'bio': None, 'twitter_username': None, 'public_repos': 1,
                'public_gists': 0, 'followers': 0, 'following': 0, 'created_at': created,
                'updated_at': created, 'private_gists': 0, 'total_private_repos': 1,
                'owned_private_repos': 1, 'disk_usage': 0, 'collaborators': 0,
                'two_factor_authentication': True}

    def minimal_repo(self, repo: Repo) -> dict:
        url = f'{self.api}/repos/{repo.full_name}'
        return {'id': repo.id, 'node_id': node_id('010:Repository', repo.id), 'name': repo.name,
                'full_name': repo.full_name, 'private': repo.private,
                'owner': self.user(repo.owner, 9919, 'Organization'),
                'html_url': f'{self.web}/{repo.full_name}', 'description': None, 'fork': False,
                'url': url, **{key: url + path for key, path in REPO_URLS.items()}}

    def repo(self, repo: Repo, token: Token) -> dict:
        created, web = iso(repo.created_at), f'{self.web}/{repo.full_name}'
        push = token.level(repo, 'contents') >= 2
        admin = token.level(repo, 'administration') >= 2
        return {**self.minimal_repo(repo), 'clone_url': f'{web}.git', 'svn_url': web,
                'git_url': f'git://github.com/{repo.full_name}.git',
                'ssh_url': f'git@github.com:{repo.full_name}.git', 'mirror_url': None,
                'default_branch': repo.default_branch, 'visibility':
                'private' if repo.private else 'public', 'archived': repo.archived,
                'disabled': repo.disabled, 'homepage': None, 'language': None, 'license': None,
                'forks': 0, 'forks_count': 0, 'open_issues': 0, 'open_issues_count': 0,
                'stargazers_count': 0, 'watchers': 0, 'watchers_count': 0, 'network_count': 0,
                'subscribers_count': 0, 'size': 1, 'has_issues': True, 'has_projects': False,
                'has_wiki': False, 'has_pages': False, 'has_discussions': False,
                'pushed_at': created, 'created_at': created, 'updated_at': created,
                'permissions': {'admin': admin, 'maintain': admin, 'push': push, 'triage': push,
                                'pull': True}}

    def branch(self, repo: Repo, name: str) -> dict:
        sha, api = repo.branches[name], f'{self.api}/repos/{repo.full_name}'
        person = {'name': 'octocat', 'email': 'octocat@users.noreply.github.com',
                  'date': iso(repo.created_at)}
        tree = fake_sha(sha, 'tree')
        commit = {
            'sha': sha, 'node_id': node_id('06:Commit', repo.id), 'url': f'{api}/commits/{sha}',
            'html_url': f'{self.web}/{repo.full_name}/commit/{sha}',
            'comments_url': f'{api}/commits/{sha}/comments',
            'author': self.user('octocat'), 'committer': self.user('octocat'), 'parents': [],
            'commit': {'url': f'{api}/git/commits/{sha}', 'author': person, 'committer': person,
                       'message': 'head', 'comment_count': 0,
                       'tree': {'sha': tree, 'url': f'{api}/git/trees/{tree}'},
                       'verification': {'verified': False, 'reason': 'unsigned', 'payload': None,
                                        'signature': None, 'verified_at': None}}}
        return {'name': name, 'commit': commit, 'protected': False,
                'protection': {'enabled': False},
                'protection_url': f'{api}/branches/{name}/protection',
                '_links': {'self': f'{api}/branches/{name}',
                           'html': f'{self.web}/{repo.full_name}/tree/{name}'}}

    def git_ref(self, repo: Repo, name: str) -> dict:
        sha, api = repo.branches[name], f'{self.api}/repos/{repo.full_name}'
        return {'ref': f'refs/heads/{name}', 'node_id': node_id('03:Ref', repo.id),
                'url': f'{api}/git/refs/heads/{name}',
                'object': {'type': 'commit', 'sha': sha, 'url': f'{api}/git/commits/{sha}'}}

    def workflow(self, repo: Repo, workflow: Workflow) -> dict:
        web = f'{self.web}/{repo.full_name}'
        return {'id': workflow.id, 'node_id': node_id('08:Workflow', workflow.id),
                'name': workflow.name, 'path': workflow.path, 'state': workflow.state,
                'created_at': iso(workflow.created_at), 'updated_at': iso(workflow.updated_at),
                'url': f'{self.api}/repos/{repo.full_name}/actions/workflows/{workflow.id}',
                'html_url': f'{web}/blob/{repo.default_branch}/{workflow.path}',
                'badge_url': f'{web}/workflows/{workflow.name}/badge.svg'}

    def run(self, run: Run) -> dict:
        run.settle(self.now)
        repo = self.minimal_repo(run.repo)
        url = f'{repo["url"]}/actions/runs/{run.id}'
        person = {'name': run.actor, 'email': f'{run.actor}@users.noreply.github.com'}
        return {
            'id': run.id, 'node_id': node_id('011:WorkflowRun', run.id), 'name': run.workflow.name,
            'head_branch': run.branch, 'head_sha': run.sha, 'path': run.workflow.path,
            'display_title': run.title, 'run_number': run.number, 'run_attempt': 1,
            'event': run.event, 'status': run.status, 'conclusion': run.conclusion,
            'workflow_id': run.workflow.id, 'check_suite_id': run.id + 1000,
            'url': url, 'html_url': f'{repo["html_url"]}/actions/runs/{run.id}',
            'pull_requests': [], 'created_at': iso(run.created_at),
            'updated_at': iso(run.updated_at), 'run_started_at': iso(run.created_at),
            'actor': self.user(run.actor), 'triggering_actor': self.user(run.actor),
            'jobs_url': f'{url}/jobs', 'logs_url': f'{url}/logs', 'cancel_url': f'{url}/cancel',
            'check_suite_url': f'{repo["url"]}/check-suites/{run.id + 1000}',
            'artifacts_url': f'{url}/artifacts', 'rerun_url': f'{url}/rerun',
            'previous_attempt_url': None, 'referenced_workflows': [],
            'workflow_url': f'{repo["url"]}/actions/workflows/{run.workflow.id}',
            'head_commit': {'id': run.sha, 'tree_id': fake_sha(run.sha, 'tree'), 'message': 'head',
                            'timestamp': iso(run.repo.created_at), 'author': person,
                            'committer': person},
            'repository': repo, 'head_repository': repo}

    def jobs(self, run: Run) -> list[dict]:
        """The jobs of the plan; none when the run ended before a job was made. When a run with
        several jobs fails, the last of them is the one that failed."""
        run.settle(self.now)
        if run.status == 'completed' and run.started_at is None and (
                run.conclusion == 'startup_failure'):
            return []
        last = len(run.plan.jobs) - 1
        return [self._job(run, index, name, as_run=run.conclusion != 'failure' or index == last)
                for index, name in enumerate(run.plan.jobs)]

    def _job(self, run: Run, index: int, name: str, as_run: bool) -> dict:
        """as_run: it ended as the run did; otherwise it succeeded."""
        started = run.started_at is not None
        conclusion = run.conclusion and (
            JOB_CONCLUSIONS.get(run.conclusion, run.conclusion) if as_run else 'success')
        api, job = f'{self.api}/repos/{run.repo.full_name}', run.id * 100 + index
        return {
            'id': job, 'run_id': run.id, 'run_url': f'{api}/actions/runs/{run.id}',
            'run_attempt': 1, 'node_id': node_id('012:CheckRun', job), 'head_sha': run.sha,
            'url': f'{api}/actions/jobs/{job}', 'check_run_url': f'{api}/check-runs/{job}',
            'html_url': f'{self.web}/{run.repo.full_name}/actions/runs/{run.id}/job/{job}',
            'status': run.status, 'conclusion': conclusion, 'created_at': iso(run.created_at),
            'started_at': iso(run.started_at or run.created_at),
            'completed_at': iso(run.ended_at) if run.ended_at is not None else None,
            'name': name, 'steps': steps(run, conclusion) if started else [],
            'labels': run.plan.labels, 'runner_id': 1 if started else None,
            'runner_name': 'GitHub Actions 1' if started else None,
            'runner_group_id': 0 if started else None,
            'runner_group_name': 'GitHub Actions' if started else None,
            'workflow_name': run.workflow.name, 'head_branch': run.branch}

    def concurrency_groups(self, run: Run) -> list[dict]:
        """The group of the run's plan, with the run in it until it has ended."""
        run.settle(self.now)
        if run.plan.group is None:
            return []
        repo = f'{self.api}/repos/{run.repo.full_name}'
        group = f'{repo}/actions/concurrency_groups/{quote(run.plan.group, safe="")}'
        pending = run.status == 'pending'
        member = {
            'run_id': run.id, 'run_name': run.title, 'run_url': f'{repo}/actions/runs/{run.id}',
            'run_html_url': f'{self.web}/{run.repo.full_name}/actions/runs/{run.id}',
            'status': 'pending' if pending else 'in_progress',
            'position': run.plan.ahead if pending else 0,
            'position_url': f'{group}?ahead_of_run={run.id}'}
        return [{'group_name': run.plan.group, 'group_url': group,
                 'group_members': [] if run.status == 'completed' else [member]}]

    def pending_deployments(self, run: Run) -> list[dict]:
        run.settle(self.now)
        name = run.plan.environment
        if name is None or run.status != 'waiting':
            return []
        path, number = quote(name, safe=''), 161088068
        web = f'{self.web}/{run.repo.full_name}'
        return [{
            'environment': {
                'id': number, 'node_id': node_id('011:Environment', number), 'name': name,
                'url': f'{self.api}/repos/{run.repo.full_name}/environments/{path}',
                'html_url': f'{web}/deployments/activity_log?environments_filter={path}'},
            'wait_timer': 0, 'wait_timer_started_at': None, 'current_user_can_approve': False,
            'reviewers': [{'type': 'User', 'reviewer': self.user('octocat')}]}]

    def file(self, repo: Repo, path: str, ref: str, text: str) -> dict:
        data = text.encode()
        sha = hashlib.sha1(b'blob %d\0' % len(data) + data).hexdigest()    # as Git names it
        plain = base64.b64encode(data).decode()
        lines = [plain[i:i + 60] + '\n' for i in range(0, len(plain), 60)]
        api, web = f'{self.api}/repos/{repo.full_name}', f'{self.web}/{repo.full_name}'
        urls = {'self': f'{api}/contents/{quote(path)}?ref={quote(ref, safe="")}',
                'git': f'{api}/git/blobs/{sha}', 'html': f'{web}/blob/{quote(ref)}/{quote(path)}'}
        return {'name': path.rsplit('/', 1)[-1], 'path': path, 'sha': sha, 'size': len(data),
                'url': urls['self'], 'html_url': urls['html'], 'git_url': urls['git'],
                'download_url': f'{web}/raw/{quote(ref)}/{quote(path)}', 'type': 'file',
                'content': ''.join(lines), 'encoding': 'base64', '_links': urls}

    def status(self, repo: Repo, status: Status) -> dict:
        creator, moment = self.user(status.creator), iso(status.created_at)
        return {'url': f'{self.api}/repos/{repo.full_name}/statuses/{status.sha}',
                'avatar_url': creator['avatar_url'], 'id': status.id,
                'node_id': node_id('013:StatusContext', status.id), 'state': status.state,
                'description': status.description, 'target_url': status.target_url,
                'context': status.context, 'created_at': moment, 'updated_at': moment,
                'creator': creator}

    def rate_limit(self, token: Token, with_rate: bool) -> dict:
        token.refresh(self.now)
        core = {'limit': token.limit, 'used': token.used, 'reset': int(token.reset),
                'remaining': token.limit - token.used}
        search = {'limit': 30, 'used': 0, 'remaining': 30, 'reset': int(self.now) + 60}
        body = {'resources': {'core': core, 'search': search}}
        return {**body, 'rate': core} if with_rate else body


def steps(run: Run, conclusion: str | None) -> list[dict]:
    """The steps of a job that has started: the one in the middle ends as the job does."""
    started, ended = iso(run.started_at or 0), None
    if run.ended_at is not None:
        ended = iso(run.ended_at)
    first = {'name': 'Set up job', 'status': 'completed', 'conclusion': 'success', 'number': 1,
             'started_at': started, 'completed_at': started}
    status = 'in_progress' if ended is None else 'completed'
    work = {'name': run.plan.step, 'status': status, 'conclusion': conclusion, 'number': 2,
            'started_at': started, 'completed_at': ended}
    if ended is None:
        return [first, work]
    return [first, work, {'name': 'Complete job', 'status': 'completed', 'conclusion': 'success',
                          'number': 3, 'started_at': ended, 'completed_at': ended}]
