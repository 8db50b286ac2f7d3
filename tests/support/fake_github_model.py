"""The things the fake GitHub knows: repositories, workflows, runs, plans, tokens, the clock.

They hold no lock and know nothing of each other's ids; fake_github_state puts them together.
"""
from __future__ import annotations

import hashlib
import time
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta, timezone

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

    def __init__(self, mode: str = 'real', now: float | None = None, skew: float = 0) -> None:
        if mode not in ('real', 'manual'):
            raise ValueError(f"clock must be 'real' or 'manual', not {mode!r}")
        self.mode = mode
        self._manual = START if now is None else now
        self.skew = skew        # real mode: how far the server clock is ahead of this machine's

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
    group: str | None = None            # the concurrency group of the run
    ahead: int = 1                      # while pending: its place in the queue of that group
    environment: str | None = None      # while waiting: whose protection rules it waits for
    runner: bool = True                 # False: no runner takes its jobs, they stay queued
    labels: list[str] = field(default_factory=lambda: ['ubuntu-24.04'])
    jobs: list[str] = field(default_factory=lambda: ['backup'])
    failed_step: str | None = None      # when it ends with failure: the step that failed
    ignores_cancel: bool = False        # only a forced cancel ends it; any other is accepted

    @property
    def step(self) -> str:
        """The step of each job that does the work."""
        return self.failed_step or 'Run backup'

    def changed(self, **changes) -> 'Plan':
        return Plan(**{**asdict(self), **changes})


@dataclass
class Trigger:
    """The workflow_dispatch trigger in one branch's copy of a workflow file.

    inputs: name -> {'required': bool, 'default': str, 'options': [str]}, and for the text of the
    file also 'type' and 'description'
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
    file_text: str | None = None        # None: the text is made from what stands here
    texts: dict[str, str] = field(default_factory=dict)         # the same for one branch
    missing: set[str] = field(default_factory=set)              # branches without the file
    runs_made: int = 0

    @property
    def file(self) -> str:
        return self.path.rsplit('/', 1)[-1]

    def on_branch(self, branch: str, dispatch: bool | None = None, inputs: dict | None = None,
                  text: str | None = None, missing: bool = False) -> None:
        """Make the copy of the file on `branch` differ from the others.

        `text` changes only what a client reads there: what a dispatch checks is still the trigger,
        that of the other branches unless `dispatch` or `inputs` say otherwise.
        """
        if text is not None:
            self.texts[branch] = text
        if missing:
            self.missing.add(branch)
        if missing or dispatch is False:
            self.branches[branch] = None
        elif text is None or dispatch or inputs is not None:
            self.branches[branch] = Trigger(inputs or {})

    def trigger_for(self, branch: str) -> Trigger | None:
        return self.branches.get(branch, self.trigger)


@dataclass
class Status:
    """A commit status."""
    id: int
    sha: str
    state: str
    context: str
    description: str | None
    target_url: str | None
    creator: str
    created_at: float


@dataclass
class Companion:
    """A run that somebody else's dispatch makes in the same second as the next accepted one."""
    repo: str
    branch: str
    actor: str
    before: bool
    times: int
    inputs: dict | None
    plan: dict


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
    statuses: list[Status] = field(default_factory=list)

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
        finish = self.plan.finish_after
        if self.started_at is None and self.may_start(now):
            self.started_at = min(now, self.created_at + (self.plan.start_after or 0))
        if finish is not None and self.plan.runner and self.age(now) >= finish:
            self.end(min(now, self.created_at + finish), self.plan.conclusion)

    def may_start(self, now: float) -> bool:
        start = self.plan.start_after
        return self.plan.runner and start is not None and self.age(now) >= start

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
    expiry_zone: str = 'UTC'            # how the expiry is shown: 'UTC', or numeric like '+0200'
    sso: str | None = None              # 'required': not yet authorised for the organisation
    revoked: bool = False
    revoke_after: int | None = None     # revoked when so many more requests were handled
    limit: int = 5000
    used: int = 0
    reset: float = 0

    def level(self, repo: Repo, permission: str) -> int:
        granted = self.permissions.get(repo.full_name, self.permissions.get('*', {}))
        return LEVELS[granted.get(permission, 'none')]

    def admit(self, now: float) -> bool:
        """Whether it opens the door to one more request."""
        if self.revoke_after is not None and not self.revoked:
            self.revoked = self.revoke_after <= 0
            self.revoke_after -= 1
        return not self.revoked and (self.expires_at is None or self.expires_at > now)

    @property
    def expiry_text(self) -> str:
        """The expiry as GitHub's header has it; some answers carry a numeric zone."""
        assert self.expires_at is not None
        zone, name = timezone.utc, self.expiry_zone
        if name != 'UTC':
            minutes = int(name[1:3]) * 60 + int(name[3:5])
            zone = timezone(timedelta(minutes=-minutes if name[0] == '-' else minutes))
        moment = datetime.fromtimestamp(self.expires_at, zone)
        return f'{moment:%Y-%m-%d %H:%M:%S} {name}'

    def spend(self, now: float) -> bool:
        """Count one request against the hourly budget; False when it is used up."""
        self.refresh(now)
        if self.used >= self.limit:
            return False
        self.used += 1
        return True

    def refund(self) -> None:
        self.used = max(0, self.used - 1)

    def refresh(self, now: float) -> None:
        if now >= self.reset:
            self.used, self.reset = 0, int(now) + 3600
