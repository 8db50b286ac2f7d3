// The language service imports its JSON files without saying that they are JSON, which Node.js 20
// refuses: says it for them.
import {register} from "node:module";

const source = `
export async function load(url, context, next) {
  if (!url.endsWith(".json"))
    return next(url, context);
  return next(url, {...context, importAttributes: {type: "json"},
                    importAssertions: {type: "json"}});
}`;
register("data:text/javascript," + encodeURIComponent(source));
