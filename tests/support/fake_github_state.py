"""What the fake GitHub knows: repositories, workflows, runs, tokens and the server clock.

Nothing here speaks HTTP. Every method that reads or changes state is called with `lock` held
by the HTTP side, or takes it itself when a test calls it.
"""
from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone

START = datetime(2026, 11, 21, 10, 0, 0, tzinfo=timezone.utc).timestamp()
# Real run ids passed 2^32 years ago; a fake that starts at 1 would hide a 32-bit mistake.
FIRST_RUN_ID = 19_000_000_001
LEVELS = {'none': 0, 'read': 1, 'write': 2, 'admin': 3}
PREFIX_KINDS = {'ghp_': 'classic', 'github_pat_': 'fine-grained', 'gho_': 'oauth',
                'ghu_': 'user-to-server', 'ghs_': 'installation'}


def iso(epoch: float) -> str:
    return datetime.fromtimestamp(int(epoch), timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')


def parse_time(value: str | float | int | None) -> float | None:
    """Accepts epoch seconds or ISO 8601; no zone means UTC."""
    if value is None or isinstance(value, (int, float)):
        return value
    moment = datetime.fromisoformat(value.replace('Z', '+00:00'))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return moment.timestamp()


def fake_sha(*parts: str) -> str:
    return hashlib.sha1('/'.join(parts).encode()).hexdigest()


class Clock:
    """The server clock. A manual one moves only when a test moves it."""

    def __init__(self, mode: str = 'real', now: float | None = None) -> None:
        if mode not in ('real', 'manual'):
            raise ValueError(f"clock must be 'real' or 'manual', not {mode!r}")
        self.mode = mode
        self._manual = START if now is None else now
        self.skew = 0.0         # real mode: how far the server clock is ahead of this machine's

    def now(self) -> float:
        return self._manual if self.mode == 'manual' else time.time() + self.skew

    def advance(self, seconds: float) -> None:
        if self.mode == 'manual':
            self._manual += seconds
        else:
            self.skew += seconds


@dataclass
class Plan:
    """How a run will behave. All times are seconds of the run's age; None means never."""
    appear_after: float = 0             # until then lists omit the run and GET answers 404
    start_after: float | None = 5
    finish_after: float | None = 60
    conclusion: str = 'success'
    before_start: str = 'queued'        # or pending, waiting, requested

    def changed(self, **changes) -> 'Plan':
        return Plan(**{**asdict(self), **changes})


@dataclass
class Trigger:
    """The workflow_dispatch trigger in one branch's copy of a workflow file.

    inputs: name -> {'required': bool, 'default': str, 'options': [str]}
    """
    inputs: dict[str, dict] = field(default_factory=dict)


@dataclass
class Workflow:
    id: int
    path: str
    name: str
    state: str = 'active'
    created_at: float = START
    updated_at: float = START
    run_name: str | None = None         # may hold ${{ inputs.NAME }}, like run-name: in a file
    trigger: Trigger | None = field(default_factory=Trigger)
    branches: dict[str, Trigger | None] = field(default_factory=dict)
    runs_made: int = 0

    @property
    def file(self) -> str:
        return self.path.rsplit('/', 1)[-1]

    def on_branch(self, branch: str, dispatch: bool = True, inputs: dict | None = None) -> None:
        """Make the copy of the file on `branch` differ from the others."""
        self.branches[branch] = Trigger(inputs or {}) if dispatch else None

    def trigger_for(self, branch: str) -> Trigger | None:
        return self.branches.get(branch, self.trigger)


@dataclass
class Repo:
    id: int
    owner: str
    name: str
    default_branch: str = 'main'
    branches: dict[str, str] = field(default_factory=dict)      # name -> head sha
    tags: dict[str, str] = field(default_factory=dict)
    private: bool = True
    archived: bool = False
    disabled: bool = False
    actions_enabled: bool = True
    created_at: float = START
    workflows: list[Workflow] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        return f'{self.owner}/{self.name}'

    def workflow(self, id_or_file: str | int) -> Workflow | None:
        for workflow in self.workflows:
            if str(workflow.id) == str(id_or_file) or workflow.file == id_or_file:
                return workflow
        return None


@dataclass
class Run:
    id: int
    repo: Repo
    workflow: Workflow
    number: int
    branch: str
    sha: str
    event: str
    actor: str
    title: str
    inputs: dict
    created_at: float
    plan: Plan
    seen: float = 0                     # extra age that requests gave it
    driven: bool = False                # a command decides about start and end, not the plan
    started_at: float | None = None
    ended_at: float | None = None
    conclusion: str | None = None

    def age(self, now: float) -> float:
        return now - self.created_at + self.seen

    def visible(self, now: float) -> bool:
        return self.age(now) >= self.plan.appear_after

    def settle(self, now: float) -> None:
        """Let what is due happen. Times are kept once they are known, and never lie ahead."""
        if self.driven or self.ended_at is not None:
            return
        start, finish = self.plan.start_after, self.plan.finish_after
        if self.started_at is None and start is not None and self.age(now) >= start:
            self.started_at = min(now, self.created_at + start)
        if finish is not None and self.age(now) >= finish:
            self.end(min(now, self.created_at + finish), self.plan.conclusion)

    def end(self, moment: float, conclusion: str) -> None:
        self.ended_at, self.conclusion = moment, conclusion

    @property
    def status(self) -> str:
        if self.ended_at is not None:
            return 'completed'
        return 'in_progress' if self.started_at is not None else self.plan.before_start

    @property
    def updated_at(self) -> float:
        return self.ended_at or self.started_at or self.created_at


@dataclass
class Token:
    value: str
    login: str
    kind: str
    user_id: int
    scopes: list[str] = field(default_factory=list)
    permissions: dict[str, dict[str, str]] = field(default_factory=dict)   # repo or '*' -> levels
    expires_at: float | None = None
    revoked: bool = False
    limit: int = 5000
    used: int = 0
    reset: float = 0

    def level(self, repo: Repo, permission: str) -> int:
        granted = self.permissions.get(repo.full_name, self.permissions.get('*', {}))
        return LEVELS[granted.get(permission, 'none')]

    def spend(self, now: float) -> bool:
        """Count one request against the hourly budget; False when it is used up."""
        self.refresh(now)
        if self.used >= self.limit:
            return False
        self.used += 1
        return True

    def refresh(self, now: float) -> None:
        if now >= self.reset:
            self.used, self.reset = 0, int(now) + 3600


class State:
    """Everything the server knows. Ids are dealt out in order, so a test can be repeated."""

    def __init__(self, clock: str = 'real', now: str | float | None = None,
                 advance_per_request: float = 0, run_details: bool = True,
                 api_versions: tuple[str, ...] = ('2022-11-28', '2026-03-10'),
                 retired_versions: tuple[str, ...] = (), max_inputs: int = 25) -> None:
        self.lock = threading.RLock()
        self.clock = Clock(clock, parse_time(now))
        self.advance_per_request = advance_per_request
        self.run_details = run_details
        self.api_versions = list(api_versions)
        self.retired_versions = list(retired_versions)
        self.max_inputs = max_inputs
        self.plan = Plan()
        self.plans: dict[tuple[str, str, str], Plan] = {}
        self.repos: dict[str, Repo] = {}
        self.moved: dict[str, str] = {}         # old full name -> new full name
        self.runs: list[Run] = []
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
                     run_name: str | None = None) -> Workflow:
        """`inputs` and `dispatch` hold for every branch; Workflow.on_branch() makes one differ."""
        with self.lock:
            target = self.repo(repo)
            workflow = Workflow(161335 + sum(len(r.workflows) for r in self.repos.values()),
                                f'.github/workflows/{file}', name or file.rsplit('.', 1)[0], state,
                                self.clock.now(), self.clock.now(), run_name,
                                Trigger(inputs or {}) if dispatch else None)
            target.workflows.append(workflow)
        return workflow

    def add_token(self, value: str, login: str = 'octocat', kind: str | None = None,
                  scopes: list[str] | tuple = ('repo', 'workflow'),
                  permissions: dict | None = None, expires_at: str | float | None = None,
                  revoked: bool = False, limit: int | None = None, used: int = 0) -> Token:
        """permissions: {'owner/name' or '*': {'actions': 'write', ...}}. Without it a classic
        token gets what its scopes give, any other one read of metadata and write of actions."""
        if kind is None:
            kind = next((k for p, k in PREFIX_KINDS.items() if value.startswith(p)), 'classic')
        classic = kind in ('classic', 'oauth')
        if permissions is None and classic:
            full = {'metadata': 'read', 'contents': 'write', 'actions': 'write',
                    'administration': 'write'}
            permissions = {'*': full} if 'repo' in scopes else {}
        elif permissions is None:
            permissions = {'*': {'metadata': 'read', 'contents': 'read', 'actions': 'write'}}
        if limit is None:
            limit = 1000 if kind == 'installation' else 5000
        with self.lock:
            token = Token(value, login, kind, 583231 + len(self.tokens),
                          list(scopes) if classic else [], permissions, parse_time(expires_at),
                          revoked, limit, used)
            if used:
                token.reset = int(self.clock.now()) + 3600
            self.tokens[value] = token
        return token

    def set_plan(self, repo: str = '*', workflow: str = '*', branch: str = '*', **plan) -> None:
        """How runs will go (see Plan); the narrowest match wins, branch before workflow."""
        with self.lock:
            if (repo, workflow, branch) == ('*', '*', '*'):
                self.plan = self.plan.changed(**plan)
            else:
                base = self.plans.get((repo, workflow, branch), self.plan)
                self.plans[(repo, workflow, branch)] = base.changed(**plan)

    def _plan_for(self, repo: str, file: str, branch: str) -> Plan:
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
                      self._plan_for(target.full_name, found.file, branch).changed(**plan))
            self.runs.append(run)
        return run

    def end_run(self, run: Run, conclusion: str) -> bool:
        """End a run now, whatever its plan says; False when it had already ended."""
        with self.lock:
            run.settle(self.clock.now())
            if run.ended_at is not None:
                return False
            run.end(self.clock.now(), conclusion)
            return True

    def cancel(self, run: Run) -> bool:
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
