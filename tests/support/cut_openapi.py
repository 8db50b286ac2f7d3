#!/usr/bin/python3
"""Cut the paths the fake GitHub serves out of GitHub's OpenAPI description.

    npm install @octokit/openapi@23.0.2
    cut_openapi.py node_modules/@octokit/openapi/generated/api.github.com.json OUT.json

The result is committed as tests/data/github-openapi.json; the full file has 13 MB.
Where the description is stricter than the API it describes, the excerpt follows the API: each
such change is a function of its own below.
"""
from __future__ import annotations

import json
import sys

# path -> the methods that are used
PATHS = {
    '/rate_limit': ['get'],
    '/user': ['get'],
    '/versions': ['get'],
    '/repos/{owner}/{repo}': ['get'],
    '/repos/{owner}/{repo}/branches/{branch}': ['get'],
    '/repos/{owner}/{repo}/git/ref/{ref}': ['get'],
    '/repos/{owner}/{repo}/contents/{path}': ['get'],
    '/repos/{owner}/{repo}/statuses/{sha}': ['post'],
    '/repos/{owner}/{repo}/actions/permissions': ['get'],
    '/repos/{owner}/{repo}/actions/workflows': ['get'],
    '/repos/{owner}/{repo}/actions/workflows/{workflow_id}': ['get'],
    '/repos/{owner}/{repo}/actions/workflows/{workflow_id}/enable': ['put'],
    '/repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches': ['post'],
    '/repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs': ['get'],
    '/repos/{owner}/{repo}/actions/runs': ['get'],
    '/repos/{owner}/{repo}/actions/runs/{run_id}': ['get'],
    '/repos/{owner}/{repo}/actions/runs/{run_id}/jobs': ['get'],
    '/repos/{owner}/{repo}/actions/runs/{run_id}/concurrency_groups': ['get'],
    '/repos/{owner}/{repo}/actions/runs/{run_id}/pending_deployments': ['get'],
    '/repos/{owner}/{repo}/actions/runs/{run_id}/cancel': ['post'],
    '/repos/{owner}/{repo}/actions/runs/{run_id}/force-cancel': ['post'],
}
# Prose and examples are most of the file and nothing is checked against them.
NOISE = ('description', 'example', 'examples', 'summary', 'externalDocs', 'tags', 'x-github',
         'x-github-breaking-changes', 'title', 'deprecated', 'x-octokit', 'x-multi-segment')


def strip(node: object, inside_properties: bool = False) -> object:
    """Without the noise; a *property* that is called description stays."""
    if isinstance(node, list):
        return [strip(item) for item in node]
    if not isinstance(node, dict):
        return node
    result = {}
    for key, value in node.items():
        if key in NOISE and not inside_properties:
            continue
        result[key] = strip(value, inside_properties=key == 'properties' and not inside_properties)
    return result


def references(node: object) -> set[str]:
    if isinstance(node, list):
        return set().union(*map(references, node)) if node else set()
    if not isinstance(node, dict):
        return set()
    found = {node['$ref']} if isinstance(node.get('$ref'), str) else set()
    return found.union(*map(references, node.values()))


def with_components(full: dict, paths: dict) -> dict:
    """The components that the paths need, and the ones that those need."""
    components: dict[str, dict] = {}
    todo, done = references(paths), set()
    while todo:
        reference = todo.pop()
        done.add(reference)
        _, _, kind, name = reference.split('/')
        part = strip(full['components'][kind][name])
        components.setdefault(kind, {})[name] = part
        todo |= references(part) - done
    return {kind: dict(sorted(parts.items())) for kind, parts in sorted(components.items())}


def add_required_descriptions(document: dict) -> None:
    """OpenAPI demands a description of each answer, which strip() has taken."""
    answers = list(document['components'].get('responses', {}).values())
    for operations in document['paths'].values():
        for operation in operations.values():
            answers += [answer for answer in operation['responses'].values()
                        if '$ref' not in answer]
    for answer in answers:
        answer['description'] = ''


def allow_created_ranges(document: dict) -> None:
    """`created` is described as one date-time; GitHub's documentation of the same parameter, and
    GitHub itself, take the date search syntax: >=X, A..B and so on."""
    document['components']['parameters']['created']['schema'] = {
        'type': 'string',
        'pattern': r'^(?:(?:>=|<=|>|<)?[0-9][0-9T:Z.+-]*|(?:[0-9][0-9T:Z+-]*|\*)'
                   r'\.\.(?:[0-9][0-9T:Z+-]*|\*))$'}


def allow_slashes(document: dict, path: str, depths: range) -> None:
    """The last parameter of some paths spans several segments (x-multi-segment), which plain
    OpenAPI cannot say: one more path for each further segment."""
    operation = document['paths'][path]['get']
    identifier, name = operation['operationId'], path.rpartition('{')[2].rstrip('}')
    for depth in depths:
        path += f'/{{{name}_{depth}}}'
        operation = json.loads(json.dumps(operation))
        operation['operationId'] = f'{identifier}-{depth}'
        operation['parameters'].append({'name': f'{name}_{depth}', 'in': 'path', 'required': True,
                                        'schema': {'type': 'string'}})
        document['paths'][path] = {'get': operation}


def cut(full: dict) -> dict:
    paths = {path: {method: strip(full['paths'][path][method]) for method in methods}
             for path, methods in PATHS.items()}
    info = full['info']
    document = {
        'openapi': full['openapi'],
        'info': {'title': info['title'], 'version': info['version'], 'license': info['license']},
        'paths': paths, 'components': with_components(full, paths)}
    add_required_descriptions(document)
    allow_created_ranges(document)
    allow_slashes(document, '/repos/{owner}/{repo}/git/ref/{ref}', range(2, 5))
    allow_slashes(document, '/repos/{owner}/{repo}/contents/{path}', range(2, 4))
    return document


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print('usage: cut_openapi.py FULL.json OUT.json', file=sys.stderr)
        return 2
    with open(arguments[0], encoding='utf-8') as source:
        document = cut(json.load(source))
    with open(arguments[1], 'w', encoding='utf-8') as target:
        json.dump(document, target, indent=1, ensure_ascii=False)
        target.write('\n')
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
