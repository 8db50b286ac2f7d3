"""The endpoints of the fake GitHub for repositories: branches, files, commit statuses."""
from __future__ import annotations

import re

from fake_github_call import DOCS, Answer, Call, Refusal, error
from fake_github_endpoints import Endpoints, json_object
from fake_github_model import Repo, Status
from fake_github_yaml import workflow_text

CONTENTS_DOCS = f'{DOCS}/repos/contents#get-repository-content'
STATUS_DOCS = f'{DOCS}/commits/statuses#create-a-commit-status'
STATUS_STATES = ('error', 'failure', 'pending', 'success')
STATUS_LIMIT = 1000                 # for one sha and context
DESCRIPTION_LIMIT = 140


class RepoEndpoints(Endpoints):
    def get_repo(self, call: Call, repo: Repo) -> Answer:
        assert call.token is not None
        return Answer(200, self.render(call).repo(repo, call.token))

    def get_branch(self, call: Call, repo: Repo) -> Answer:
        if call.match['branch'] not in repo.branches:
            raise Refusal(404, 'Branch not found', f'{DOCS}/branches/branches#get-a-branch')
        return Answer(200, self.render(call).branch(repo, call.match['branch']))

    def get_ref(self, call: Call, repo: Repo) -> Answer:
        kind, _, name = call.match['ref'].partition('/')
        if kind != 'heads' or name not in repo.branches:
            raise Refusal(404, 'Not Found', f'{DOCS}/git/refs#get-a-reference')
        return Answer(200, self.render(call).git_ref(repo, name))

    def get_permissions(self, call: Call, repo: Repo) -> Answer:
        body = {'enabled': repo.actions_enabled}
        if repo.actions_enabled:
            body.update(allowed_actions='all', sha_pinning_required=False)
        return Answer(200, body)

    # Files: the workflow files, no others

    def get_contents(self, call: Call, repo: Repo) -> Answer:
        ref, path = call.query.get('ref') or repo.default_branch, call.match['path']
        name = ref_name(repo, ref)
        if name is None:
            raise Refusal(404, f'No commit found for the ref {ref}', CONTENTS_DOCS)
        workflow = next((w for w in repo.workflows if w.path == path), None)
        if workflow is None or name in workflow.missing:
            raise Refusal(404, 'Not Found', CONTENTS_DOCS)
        plan = self.state.plan_for(repo.full_name, workflow.file, name)
        text = workflow_text(workflow, name, plan)
        if re.search(r'application/vnd\.github(\.v3)?\.raw\b', call.headers.get('accept', '')):
            return Answer(200, text, {
                'Content-Type': 'application/vnd.github.raw+json; charset=utf-8',
                'X-GitHub-Media-Type': 'github.v3; param=raw; format=json'})    # not verified
        return Answer(200, self.render(call).file(repo, path, ref, text))

    # Commit statuses

    def create_status(self, call: Call, repo: Repo) -> Answer:
        assert call.token is not None
        body, sha = json_object(call, STATUS_DOCS), call.match['sha']
        if not re.fullmatch('[0-9a-f]{40}', sha):
            return invalid('sha', 'sha must be a 40 character SHA1')
        known = {*repo.branches.values(), *repo.tags.values(),
                 *(run.sha for run in self.state.runs if run.repo is repo)}
        if sha not in known:
            raise Refusal(422, f'No commit found for SHA: {sha}', STATUS_DOCS)
        for name in ('context', 'description', 'target_url'):       # wording not verified
            if not isinstance(body.get(name), (str, type(None))):
                raise Refusal(422, f"Invalid request.\n\nFor 'properties/{name}', "
                              f'{body[name]!r} is not a string.', STATUS_DOCS)
        if body.get('state') not in STATUS_STATES:
            return invalid('state', 'state is not included in the list')
        if len(body.get('description') or '') > DESCRIPTION_LIMIT:
            return invalid('description', 'description is too long (maximum is '
                           f'{DESCRIPTION_LIMIT} characters)')
        context = body.get('context') or 'default'
        if sum((old.sha, old.context.lower()) == (sha, context.lower())
               for old in repo.statuses) >= STATUS_LIMIT:
            return invalid_because('Validation failed: This SHA and context has reached the '
                                   'maximum number of statuses.')
        status = Status(len(repo.statuses) + 1, sha, body['state'], context,
                        body.get('description'), body.get('target_url'), call.token.login,
                        self.state.clock.now())
        repo.statuses.append(status)
        rendered = self.render(call).status(repo, status)
        return Answer(201, rendered, {'Location': rendered['url']})


def ref_name(repo: Repo, ref: str) -> str | None:
    """The branch or tag that a ref means; a commit stands for the branch it is the head of."""
    name = re.sub('^(refs/)?(heads|tags)/', '', ref)
    heads = {**repo.tags, **repo.branches}
    if ref in heads or name in heads:
        return ref if ref in heads else name
    return next((head for head, sha in heads.items() if sha == ref), None)


def invalid_because(errors: object) -> Answer:
    answer = error(422, 'Validation Failed', STATUS_DOCS)
    assert isinstance(answer.body, dict)
    answer.body['errors'] = errors
    return answer


def invalid(field: str, message: str) -> Answer:
    return invalid_because([{'resource': 'Status', 'code': 'custom', 'field': field,
                             'message': message}])
