"""The endpoints of the fake GitHub for workflow runs."""
from __future__ import annotations

from fake_github_call import DOCS, Answer, Call, Refusal, not_found
from fake_github_endpoints import Endpoints
from fake_github_model import Repo, Run, Workflow
from fake_github_query import filters, paged

RUN_DOCS = f'{DOCS}/actions/workflow-runs'
SEARCH_LIMIT = 1000                 # "up to 1,000 results for each search"
ENDED = 'Cannot cancel a workflow run that is completed.'


class RunEndpoints(Endpoints):
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
        render = self.render(call)
        return paged(call, 'workflow_runs', self.state.in_list_order(found),
                     lambda run: self._seen(run, render.run(run)), SEARCH_LIMIT if wanted else None)

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
        return Answer(200, self._seen(run, self.render(call).run(run)))

    def list_jobs(self, call: Call, repo: Repo) -> Answer:
        run = self._find_run(call, repo)
        jobs = self.render(call).jobs(run)
        self.state.see(run)
        return paged(call, 'jobs', jobs, lambda job: job)

    def list_groups(self, call: Call, repo: Repo) -> Answer:
        """Why a run is pending. A server that is too old for it does not know the path."""
        if not self.state.concurrency_api:
            raise not_found()
        groups = self.render(call).concurrency_groups(self._find_run(call, repo))
        return paged(call, 'concurrency_groups', groups, lambda group: group)

    def list_pending_deployments(self, call: Call, repo: Repo) -> Answer:
        return Answer(200, self.render(call).pending_deployments(self._find_run(call, repo)))

    def cancel_run(self, call: Call, repo: Repo) -> Answer:
        if not self.state.cancel(self._find_run(call, repo), force=False):
            raise Refusal(409, ENDED, f'{RUN_DOCS}#cancel-a-workflow-run')
        return Answer(202, {})

    def force_cancel_run(self, call: Call, repo: Repo) -> Answer:
        if not self.state.cancel(self._find_run(call, repo), force=True):
            # wording not verified: that of an ordinary cancel
            raise Refusal(409, ENDED, f'{RUN_DOCS}#force-cancel-a-workflow-run')
        return Answer(202, {})


def find_workflow(call: Call, repo: Repo) -> Workflow:
    workflow = repo.workflow(call.match['workflow_id'])
    if workflow is None:
        raise not_found()
    return workflow
