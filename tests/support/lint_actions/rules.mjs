// What this project wants of its workflows and its action beyond what GitHub does; prints
// file:line: message.
//
//     node rules.mjs TOOLS FILE...
import {readFileSync} from "node:fs";
import {createRequire} from "node:module";
import {join} from "node:path";

const [tools, ...files] = process.argv.slice(2);
const {LineCounter, isScalar, parseDocument, visit} = createRequire(join(tools, "package.json"))(
  "yaml");

// A tag can be moved, a commit cannot; the comment tells people which version it is. Our own action
// is named by its version: a commit cannot name itself.
const trusted = /^\.\/|^docker:\/\/.*@sha256:[0-9a-f]{64}$|^backproof\/backproof@v\d+$/;

function checkUses({value, comment}) {
  if (trusted.test(value))
    return null;
  if (!/@[0-9a-f]{40}$/.test(value))
    return `'uses: ${value}' is not pinned: write the commit's 40 digits`;
  return /^ v\d/.test(comment ?? "") ? null : `'uses: ${value}' wants its version: '# v1.2.3'`;
}

const noExpression = what => ({value}) => String(value).includes("${{")
  ? `an expression in ${what}` : null;

const rules = {
  uses: checkUses,
  // Its value would become part of a script.
  run: noExpression("a script: hand it over by 'env'"),
  // A runner evaluates it there too, and fails.
  description: noExpression("a description"),
};

let found = 0;
for (const file of files) {
  const lines = new LineCounter();
  const document = parseDocument(readFileSync(file, "utf8"), {lineCounter: lines});
  const complaints = document.errors.map(one => [one.pos[0], one.message.split("\n")[0]]);
  visit(document, {
    Pair(_, {key, value}) {
      const message = isScalar(value) && rules[key?.value]?.(value);
      if (message)
        complaints.push([value.range[0], message]);
    },
  });
  for (const [position, message] of complaints)
    console.log(`${file}:${lines.linePos(position).line}: ${message}`);
  found += complaints.length;
}
process.exit(found > 0 ? 1 : 0);
