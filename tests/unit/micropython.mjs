// Runs Python functions on MicroPython, with web/pixelmirror and tests/unit as the modules there.
//
//     node micropython.mjs INTERPRETER ROOT [IMAGE] < '[["tests.unit.test_check", "test_..."], ...]'
//
// With IMAGE, the tracker is what is in that ROMFS image, as in a page, and not web/pixelmirror.
// Prints one JSON object for each function, in order: {"value"} or {"error": traceback}. The
// interpreter is started as PyScript starts it, so the stack is as small as in a page.

import { readdirSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [interpreter, root, image] = process.argv.slice(2);
const { loadMicroPython } = await import(pathToFileURL(interpreter));

const printed = [];
const python = await loadMicroPython({
  romfs: image && new Uint8Array(readFileSync(image)),
  stdout: (line) => printed.push(line),
  stderr: (line) => printed.push(line),
});

const copy = (from, to) => {
  python.FS.mkdir(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [`${from}/${entry.name}`, `${to}/${entry.name}`];
    if (entry.isDirectory() && entry.name !== "__pycache__") copy(source, target);
    else if (entry.name.endsWith(".py")) python.FS.writeFile(target, readFileSync(source));
  }
};
python.FS.mkdir("/repo");
python.FS.mkdir("/repo/tests");
if (!image) copy(`${root}/web/pixelmirror`, "/repo/pixelmirror");
copy(`${root}/tests/unit`, "/repo/tests/unit");

python.runPython(`
import io, json, sys

sys.path.insert(0, "/repo")

def run(module, name):
    try:
        __import__(module)
        return json.dumps({"value": getattr(sys.modules[module], name)()})
    except BaseException as error:
        text = io.StringIO()
        sys.print_exception(error, text)
        return json.dumps({"error": text.getvalue()})
`);
const run = python.globals.get("run");

const answers = JSON.parse(readFileSync(0, "utf8")).map(([module, name]) => {
  printed.length = 0;
  let answer;
  try {
    answer = JSON.parse(run(module, name));
  } catch (error) {
    answer = { error: `a JavaScript exception went through the interpreter: ${error}` };
  }
  if (answer.error) answer.error += printed.join("\n");
  return answer;
});
process.stdout.write(JSON.stringify(answers));
