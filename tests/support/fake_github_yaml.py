"""The text of a workflow file, made from what the fake GitHub knows about the workflow."""
from __future__ import annotations

import json
import re

from fake_github_model import Plan, Workflow

# What needs no quotes, and what would be no text without them.
PLAIN = re.compile(r'[A-Za-z_/$](?:[\w./${}+@ -]*[\w./}])?', re.ASCII)
NOT_TEXT = ('true', 'false', 'yes', 'no', 'on', 'off', 'null', 'y', 'n')


def workflow_text(workflow: Workflow, branch: str, plan: Plan) -> str:
    """The file on a branch: as given, or made from its trigger there and the plan of its runs."""
    given = workflow.texts.get(branch, workflow.file_text)
    if given is not None:
        return given
    lines = [f'name: {scalar(workflow.name)}']
    if workflow.run_name is not None:
        lines.append(f'run-name: {scalar(workflow.run_name)}')
    lines += trigger_lines(workflow, branch)
    if plan.group is not None:
        lines += ['concurrency:', f'  group: {scalar(plan.group)}']
    lines.append('jobs:')
    for job in plan.jobs:
        lines += job_lines(job, plan)
    return '\n'.join(lines) + '\n'


def trigger_lines(workflow: Workflow, branch: str) -> list[str]:
    trigger = workflow.trigger_for(branch)
    if trigger is None:
        return ['on: [push]']
    lines = ['on:', '  workflow_dispatch:']
    if trigger.inputs:
        lines.append('    inputs:')
    for name, rule in trigger.inputs.items():
        lines.append(f'      {scalar(name)}:')
        shown = {'type': 'choice' if 'options' in rule else 'string', **rule}
        for key in ('description', 'required', 'default', 'type'):
            if key in shown:
                lines.append(f'        {key}: {scalar(shown[key])}')
        if 'options' in rule:
            lines += ['        options:', *(f'          - {scalar(o)}' for o in rule['options'])]
    return lines


def job_lines(job: str, plan: Plan) -> list[str]:
    name = re.sub('[^A-Za-z0-9_-]', '-', job)
    lines = [f'  {scalar(name)}:']
    if name != job:
        lines.append(f'    name: {scalar(job)}')
    if len(plan.labels) == 1:
        lines.append(f'    runs-on: {scalar(plan.labels[0])}')
    else:
        lines += ['    runs-on:', *(f'      - {scalar(label)}' for label in plan.labels)]
    if plan.environment is not None:
        lines.append(f'    environment: {scalar(plan.environment)}')
    return lines + ['    steps:', f'      - name: {scalar(plan.step)}', '        run: make backup']


def scalar(value: object) -> str:
    """A value in YAML. Double quotes hold what JSON's hold."""
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    text = str(value)
    if PLAIN.fullmatch(text) and text.lower() not in NOT_TEXT:
        return text
    return json.dumps(text, ensure_ascii=False)
