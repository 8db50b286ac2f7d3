"""Everything the fake GitHub knows, and the ways a test sets it up and moves it.

Nothing here speaks HTTP. Every method that reads or changes state is called with `lock` held
by the HTTP side, or takes it itself when a test calls it.
"""
from __future__ import annotations

import random
import threading

from fake_github_model import (FIRST_RUN_ID, PREFIX_KINDS, Clock, Companion, Plan, Repo, Run, Token,
                               Trigger, Workflow, fake_sha, parse_time)


class State:
    """Everything the server knows. Ids are dealt out in order, so a test can be repeated."""

    def __init__(self, clock: str = 'real', now: str | float | None = None,
                 advance_per_request: float = 0, run_details: bool = True,
                 api_versions: tuple[str, ...] = ('2022-11-28', '2026-03-10'),
                 retired_versions: tuple[str, ...] = (), max_inputs: int = 25,
                 concurrency_api: bool = True, list_order: str = 'newest', seed: int = 1,
                 skew: float = 0) -> None:
        if list_order not in ('newest', 'shuffled'):
            raise ValueError(f"list_order must be 'newest' or 'shuffled', not {list_order!r}")
        self.lock = threading.RLock()
        self.clock = Clock(clock, parse_time(now), skew)
        self.advance_per_request = advance_per_request
        self.run_details = run_details
        self.api_versions = list(api_versions)
        self.retired_versions = list(retired_versions)
        self.max_inputs = max_inputs
        self.concurrency_api = concurrency_api
        self.list_order, self.seed = list_order, seed
        self.plan = Plan()
        self.plans: dict[tuple[str, str, str], Plan] = {}
        self.repos: dict[str, Repo] = {}
        self.moved: dict[str, str] = {}         # old full name -> new full name
        self.runs: list[Run] = []
        self.companions: list[Companion] = []
        self.tokens: dict[str, Token] = {}
        self.anonymous = Token('', 'anonymous', 'anonymous', 0, limit=60)
        self.on_dispatch = lambda run: None     # set by the part that runs commands
        self.on_cancel = lambda run: None

    # Setting up

    def add_repo(self, full_name: str, branches: list[str] | dict[str, str] | tuple = ('main',),
                 default_branch: str = 'main', tags: list[str] | tuple = (), private: bool = True,
                 archived: bool = False, disabled: bool = False, actions_enabled: bool = True,
                 moved_from: list[str] | tuple = ()) -> Repo:
        owner, name = full_name.split('/')
        heads = dict(branches) if isinstance(branches, dict) else {
            branch: fake_sha(full_name, branch) for branch in branches}
        with self.lock:
            repo = Repo(1296269 + len(self.repos), owner, name, default_branch, heads,
                        {tag: fake_sha(full_name, 'tags', tag) for tag in tags}, private, archived,
                        disabled, actions_enabled, self.clock.now())
            self.repos[full_name.lower()] = repo
            self.moved.update({old.lower(): full_name for old in moved_from})
        return repo

    def add_workflow(self, repo: str, file: str = 'backup.yml', name: str | None = None,
                     state: str = 'active', inputs: dict | None = None, dispatch: bool = True,
                     run_name: str | None = None, file_text: str | None = None) -> Workflow:
        """`inputs` and `dispatch` hold for every branch; Workflow.on_branch() makes one differ."""
        with self.lock:
            target = self.repo(repo)
            workflow = Workflow(161335 + sum(len(r.workflows) for r in self.repos.values()),
                                f'.github/workflows/{file}', name or file.rsplit('.', 1)[0], state,
                                self.clock.now(), self.clock.now(), run_name,
                                Trigger(inputs or {}) if dispatch else None, file_text=file_text)
            target.workflows.append(workflow)
        return workflow

    def add_token(self, value: str, login: str = 'octocat', kind: str | None = None,
                  scopes: list[str] | tuple = ('repo', 'workflow'),
                  permissions: dict | None = None, expires_at: str | float | None = None,
                  revoked: bool = False, limit: int | None = None, used: int = 0,
                  sso: str | None = None, expiry_zone: str = 'UTC') -> Token:
        """permissions: {'owner/name' or '*': {'actions': 'write', ...}}. Without it a classic
        token gets what its scopes give, any other one read of metadata and write of actions.
        sso: 'required' when the organisation has not admitted it by single sign-on yet.
        expiry_zone: how the expiry is shown, 'UTC' or numeric like '+0200'."""
        if sso not in (None, 'required'):
            raise ValueError(f"sso must be None or 'required', not {sso!r}")
        if kind is None:
            kind = next((k for p, k in PREFIX_KINDS.items() if value.startswith(p)), 'classic')
        classic = kind in ('classic', 'oauth')
        if permissions is None and classic:
            full = {'metadata': 'read', 'contents': 'write', 'actions': 'write',
                    'administration': 'write', 'statuses': 'write'}
            permissions = {'*': full} if 'repo' in scopes else {}
        elif permissions is None:
            permissions = {'*': {'metadata': 'read', 'contents': 'read', 'actions': 'write'}}
        if limit is None:
            limit = 1000 if kind == 'installation' else 5000
        with self.lock:
            token = Token(value, login, kind, 583231 + len(self.tokens),
                          list(scopes) if classic else [], permissions, parse_time(expires_at),
                          expiry_zone, sso, revoked, limit=limit, used=used)
            if used:
                token.reset = int(self.clock.now()) + 3600
            self.tokens[value] = token
        return token

    def revoke(self, value: str, after: int = 0) -> None:
        """Let the token answer 401 once so many more requests with it were handled."""
        with self.lock:
            self.tokens[value].revoke_after = after

    def on_dispatch_also(self, repo: str, branch: str = '*', actor: str = 'hubot',
                         before: bool = True, times: int = 1, inputs: dict | None = None,
                         **plan) -> None:
        """Let somebody else dispatch the same workflow and branch in the very same second.

        The next `times` accepted dispatches of `branch` each get a companion: another run by
        `actor`, with a lower id (before) or a higher one, the same created_at, and `inputs` or
        the defaults. It follows the plan of its branch, with the changes of `plan`.
        """
        with self.lock:
            self.companions.append(Companion(self.repo(repo).full_name, branch, actor, before,
                                             times, inputs, plan))

    def set_plan(self, repo: str = '*', workflow: str = '*', branch: str = '*', **plan) -> None:
        """How runs will go (see Plan); the narrowest match wins, branch before workflow."""
        with self.lock:
            if (repo, workflow, branch) == ('*', '*', '*'):
                self.plan = self.plan.changed(**plan)
            else:
                base = self.plans.get((repo, workflow, branch), self.plan)
                self.plans[(repo, workflow, branch)] = base.changed(**plan)

    def plan_for(self, repo: str, file: str, branch: str) -> Plan:
        for key in ((repo, file, branch), (repo, '*', branch), ('*', file, branch),
                    ('*', '*', branch), (repo, file, '*'), ('*', file, '*'), (repo, '*', '*')):
            if key in self.plans:
                return self.plans[key]
        return self.plan

    # Looking up

    def repo(self, full_name: str) -> Repo:
        return self.repos[full_name.lower()]

    def repo_by_id(self, number: int) -> Repo | None:
        return next((repo for repo in self.repos.values() if repo.id == number), None)

    def run(self, run_id: int) -> Run | None:
        return next((run for run in self.runs if run.id == run_id), None)

    # Runs

    def add_run(self, repo: str, workflow: str = 'backup.yml', branch: str = 'main',
                event: str = 'workflow_dispatch', actor: str = 'octocat',
                created_at: str | float | None = None, inputs: dict | None = None,
                **plan) -> Run:
        """Make a run, as a dispatch would or (event='push' ...) as somebody else did."""
        with self.lock:
            target = self.repo(repo)
            found = target.workflow(workflow)
            if found is None:
                raise KeyError(f'no workflow {workflow!r} in {repo}')
            inputs = inputs or {}
            title = found.name if found.run_name is None else found.run_name
            for key, value in inputs.items():
                title = title.replace('${{ inputs.%s }}' % key, str(value))
            found.runs_made += 1
            moment = parse_time(created_at)
            run = Run(FIRST_RUN_ID + len(self.runs), target, found, found.runs_made, branch,
                      target.branches.get(branch) or target.tags.get(branch)
                      or fake_sha(repo, branch),
                      event, actor, title, inputs, self.clock.now() if moment is None else moment,
                      self.plan_for(target.full_name, found.file, branch).changed(**plan))
            self.runs.append(run)
        return run

    def dispatched(self, repo: Repo, workflow: Workflow, branch: str, actor: str,
                   inputs: dict) -> Run:
        """The run of an accepted dispatch, and those of companions before and after it."""
        moment = self.clock.now()
        met = [c for c in self.companions if c.repo == repo.full_name and c.branch in ('*', branch)]

        def make(companions: list[Companion]) -> None:
            trigger = workflow.trigger_for(branch)
            rules = trigger.inputs if trigger is not None else {}
            defaults = {name: rule['default'] for name, rule in rules.items() if 'default' in rule}
            for other in companions:
                self.add_run(repo.full_name, workflow.file, branch, actor=other.actor,
                             created_at=moment, inputs=other.inputs or defaults, **other.plan)
                other.times -= 1

        make([other for other in met if other.before])
        run = self.add_run(repo.full_name, workflow.file, branch, actor=actor, created_at=moment,
                           inputs=inputs)
        make([other for other in met if not other.before])
        self.companions = [other for other in self.companions if other.times > 0]
        return run

    def in_list_order(self, runs: list[Run]) -> list[Run]:
        """Newest first, or shuffled: each run has a place of its own that no other request changes,
        so that pages still fit together."""
        if self.list_order == 'shuffled':
            return sorted(runs, key=lambda run: random.Random(f'{self.seed}/{run.id}').random())
        return sorted(runs, key=lambda run: (run.created_at, run.id), reverse=True)

    def end_run(self, run: Run, conclusion: str) -> bool:
        """End a run now, whatever its plan says; False when it had already ended."""
        with self.lock:
            run.settle(self.clock.now())
            if run.ended_at is not None:
                return False
            run.end(self.clock.now(), conclusion)
            return True

    def cancel(self, run: Run, force: bool = True) -> bool:
        """False when it had already ended. Without force, Plan.ignores_cancel has its way."""
        with self.lock:
            run.settle(self.clock.now())
            if run.ended_at is None and run.plan.ignores_cancel and not force:
                return True
            if not self.end_run(run, 'cancelled'):
                return False
        self.on_cancel(run)
        return True

    def see(self, run: Run) -> None:
        """A request looked at the run: let it grow older without anybody having to wait."""
        run.seen += self.advance_per_request

    def load(self, data: dict) -> None:
        """Set up from the JSON form; see the module text of fake_github for an example."""
        for plan in data.get('plans', []):
            self.set_plan(**plan)
        for name, options in data.get('repositories', {}).items():
            options = dict(options)
            workflows, runs = options.pop('workflows', []), options.pop('runs', [])
            self.add_repo(name, **options)
            for workflow in workflows:
                workflow = dict(workflow)
                per_branch = workflow.pop('on_branch', {})
                made = self.add_workflow(name, **workflow)
                for branch, trigger in per_branch.items():
                    made.on_branch(branch, **trigger)
            for run in runs:
                self.add_run(name, **run)
        for value, options in data.get('tokens', {}).items():
            self.add_token(value, **options)
