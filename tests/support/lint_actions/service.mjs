// Asks GitHub's own language service about workflows and actions; prints file:line: message.
//
//     node --import ./json_hook.mjs service.mjs TOOLS FILE...
//
// Exit status 1 when it found anything, warnings too.
import {readFileSync} from "node:fs";
import {createRequire} from "node:module";
import {join, resolve} from "node:path";
import {pathToFileURL} from "node:url";

const [tools, ...files] = process.argv.slice(2);
const load = path => import(pathToFileURL(join(tools, "node_modules", path)).href);
const {validate} = await load("@actions/languageservice/dist/index.js");
const {TextDocument} = createRequire(join(tools, "package.json"))(
  "vscode-languageserver-textdocument");

let found = 0;
for (const file of files) {
  const document = TextDocument.create(
    pathToFileURL(resolve(file)).href, "yaml", 1, readFileSync(file, "utf8"));
  for (const {range, message} of await validate(document, {})) {
    console.log(`${file}:${range.start.line + 1}: ${message.replaceAll("\n", " ")}`);
    found++;
  }
}
process.exit(found > 0 ? 1 : 0);
