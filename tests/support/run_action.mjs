// Runs a composite action's steps as a runner does: GitHub's own expression engine, a bash for each
// step, files for outputs and summary, and SIGINT to the step's process alone when it is cancelled.
//
//     node run_action.mjs TOOLS REQUEST RESULT
//
// TOOLS holds node_modules. REQUEST is a file with {"action": folder, "inputs": {}, "env": {},
// "github": {}, "folder": where files are put}; "env" is the caller's. RESULT gets {"steps":
// [{name, status, ms, log, outputs, summary}], "outputs": {}, "status": of the step that failed}.
//
// With "workflow": {"file", "inputs": {}, "secrets": {}, "environments": {name: secrets}} the
// inputs are those that the action's step in this file gives; RESULT then has the run's "title",
// and the outputs of its "job".
import {spawn} from "node:child_process";
import {readFileSync, writeFileSync, existsSync} from "node:fs";
import {createRequire} from "node:module";
import {join} from "node:path";
import {pathToFileURL} from "node:url";

const [tools, requestFile, resultFile] = process.argv.slice(2);
const modules = createRequire(join(tools, "package.json"));
const engine = await import(
  pathToFileURL(join(tools, "node_modules/@actions/expressions/dist/index.js")).href);
const {parse} = modules("yaml");
const {data} = engine;

function toData(value) {
  if (value !== null && typeof value === "object")
    return new data.Dictionary(
      ...Object.entries(value).map(([key, one]) => ({key, value: toData(one)})));
  if (typeof value === "boolean")
    return new data.BooleanData(value);
  return new data.StringData(String(value ?? ""));
}

function evaluate(text, contexts) {
  const {tokens} = new engine.Lexer(text).lex();
  const tree = new engine.Parser(tokens, Object.keys(contexts), []).parse();
  return new engine.Evaluator(tree, toData(contexts)).evaluate();
}

const fill = (text, contexts) => String(text).replace(/\$\{\{([\s\S]*?)\}\}/g,
  (_, expression) => evaluate(expression, contexts).coerceString());

function isTrue(condition, contexts) {
  const inner = String(condition).replace(/^\s*\$\{\{([\s\S]*)\}\}\s*$/, "$1");
  return !["", "false", "0", "null"].includes(evaluate(inner, contexts).coerceString());
}

function readOutputs(file) {
  const outputs = {};
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
  for (let i = 0; i < lines.length; i++) {
    const [, name, sign, rest] = /^(.*?)(=|<<)(.*)$/.exec(lines[i]) ?? [];
    if (sign === "=")
      outputs[name] = rest;
    else if (sign === "<<") {
      const end = lines.indexOf(rest, i + 1);
      outputs[name] = lines.slice(i + 1, end).join("\n");
      i = end;
    } else if (lines[i] !== "")
      throw new Error(`GITHUB_OUTPUT has a line that a runner refuses: ${lines[i]}`);
  }
  return outputs;
}

const fillAll = (texts, contexts) => Object.fromEntries(
  Object.entries(texts ?? {}).map(([name, text]) => [name, fill(text, contexts)]));

// A workflow's job, up to the step that uses the action.
function startJob({file, inputs, secrets, environments}, github) {
  const workflow = parse(readFileSync(file, "utf8"));
  const contexts = {github, secrets, env: {}, steps: {}, inputs: {}};
  if (github.event_name === "workflow_dispatch") {
    for (const [name, one] of Object.entries(workflow.on.workflow_dispatch.inputs ?? {}))
      contexts.inputs[name] = inputs[name] ?? one.default;
  }
  const title = fill(workflow["run-name"] ?? workflow.name, contexts);
  const found = Object.values(workflow.jobs).flatMap(job => job.steps
    .filter(step => /^backproof\/backproof@v\d+$/.test(step.uses)).map(step => ({job, step})));
  if (found.length !== 1)
    throw new Error(`${file} uses the action ${found.length} times`);
  const [{job, step}] = found;
  contexts.secrets = {...secrets, ...environments[fill(job.environment ?? "", contexts)]};
  contexts.env = fillAll(job.env, contexts);
  return {title, job, step, contexts};
}

const request = JSON.parse(readFileSync(requestFile, "utf8"));
const action = parse(readFileSync(join(request.action, "action.yml"), "utf8"));
const started = request.workflow ? startJob(request.workflow, request.github) : null;
if (started) {
  request.inputs = fillAll(started.step.with, started.contexts);
  Object.assign(request.env, started.contexts.env);
  for (const name of Object.keys(request.inputs))
    if (!(name in action.inputs))
      throw new Error(`${request.workflow.file}: the action has no input ${name}`);
}
const inputs = {};
for (const [name, input] of Object.entries(action.inputs ?? {}))
  inputs[name] = request.inputs[name] ?? fill(input.default ?? "", {github: request.github});
const contexts = {inputs, github: request.github, env: request.env, steps: {}};
const result = {steps: [], outputs: {}, status: 0, title: started?.title ?? "", job: {}};

let current = null;
process.on("SIGINT", () => current?.kill("SIGINT"));

async function run(step, number) {
  const files = Object.fromEntries(["OUTPUT", "STEP_SUMMARY", "ENV", "PATH"].map(
    name => [`GITHUB_${name}`, join(request.folder, `${number}-${name.toLowerCase()}`)]));
  Object.values(files).forEach(file => writeFileSync(file, ""));
  const env = {...request.env, GITHUB_ACTION_PATH: request.action, ...files};
  for (const [name, value] of Object.entries(step.env ?? {}))
    env[name] = fill(value, contexts);
  if (step.shell !== "bash" || /\$\{\{/.test(step.run))
    throw new Error(`step ${number} is nothing that this can run`);
  const script = join(request.folder, `${number}.sh`);
  writeFileSync(script, step.run);
  const started = performance.now();
  const one = {name: step.name ?? "", log: ""};
  current = spawn("bash", ["--noprofile", "--norc", "-e", "-o", "pipefail", script],
    {env, cwd: request.folder, stdio: ["ignore", "pipe", "pipe"]});
  for (const stream of [current.stdout, current.stderr])
    stream.setEncoding("utf8").on("data", text => one.log += text);
  one.status = await new Promise((done, refuse) => {
    current.on("error", refuse);
    current.on("close", (code, signal) => done(code ?? signal));
  });
  current = null;
  one.ms = Math.round(performance.now() - started);
  one.outputs = readOutputs(files.GITHUB_OUTPUT);
  one.summary = readFileSync(files.GITHUB_STEP_SUMMARY, "utf8");
  return one;
}

for (const [number, step] of action.runs.steps.entries()) {
  if (result.status !== 0 || !isTrue(step.if ?? "true", contexts))
    continue;
  const one = await run(step, number);
  result.steps.push(one);
  result.status = one.status;
  if (step.id)
    contexts.steps[step.id] = {outputs: one.outputs};
}
for (const [name, output] of Object.entries(action.outputs ?? {}))
  result.outputs[name] = fill(output.value, contexts);
if (started?.step.id)
  result.job = fillAll(started.job.outputs, {
    ...started.contexts, steps: {[started.step.id]: {outputs: result.outputs}}});
writeFileSync(resultFile, JSON.stringify(result));
