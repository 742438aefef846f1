// The worker of the live cells: Python (Pyodide), NumPy, minigrad and Graphviz, away from the page, which stays alive.
const tell = (kind, value, more) => postMessage({ kind, value, more });
let python = null, ready = null, stopped = false;

// What Python does here. A block is compiled with the name of its file and its place in it, so that messages which name a
// line say what the page says; `blocks` tells in which block the code of a frame stands.
const RUNNER = `
import ast, io, linecache, re, sys, time, traceback, types
import live_page
from minigrad.readers.draw import engines
from pyodide.ffi import JsException

def lay_out(dot):
    if live_page.draw is None:
        raise RuntimeError("A drawing is not shown: this site was built without Graphviz. Its text, in .dot, needs none.")
    try:
        return live_page.draw(dot)
    except JsException as error:
        raise RuntimeError(error.message) from None

engines.elsewhere = lay_out

class Out(io.TextIOBase):
    """What is printed: sent some times in a second, and no more of it than a page can hold."""
    LIMIT = 100_000

    def __init__(self):
        self.parts, self.room, self.due = [], self.LIMIT, 0.0

    def write(self, text):
        if self.room > 0:
            self.parts.append(text[:self.room])
            self.room -= len(text)
            if self.room <= 0:
                self.parts.append(f"\\n... after {self.LIMIT:,} characters no more is shown\\n")
            if self.room <= 0 or text.endswith("\\n") and time.monotonic() > self.due:
                self.flush()
        return len(text)

    def flush(self):
        if self.parts:
            live_page.tell("text", "".join(self.parts))
            self.parts, self.due = [], time.monotonic() + 0.05

names = {"__name__": "__main__"}
blocks = {}  # of each code object, by its id: the object, and number, file, line before and lines of its block
drawings, frames = [], None

def keep(code, place):
    blocks[id(code)] = code, place
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            keep(inner, place)
    return code

def remember(file, line, lines):
    """The lines of a block, for readers of records; those of other blocks of the file stay."""
    known = linecache.cache.get(file, (0, None, [], file))[2]
    lines = known[:line] + lines[len(known[:line]):] + known[len(lines):]
    linecache.cache[file] = sum(map(len, lines)), None, lines, file

def run(code, file, line, number):
    """Runs a block. "more" if it ends in a generator, which step() then takes on; else "ok" or "error"."""
    global frames
    sys.stdout = sys.stderr = Out()
    text, before, place = "\\n" * line + code, dict(names), (number, file, line, code.splitlines())
    remember(file, line, text.splitlines(keepends=True))
    try:
        body, value = ast.parse(text, file).body, None
        last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
        exec(keep(compile(ast.Module(body, []), file, "exec"), place), names)
        if last:
            value = eval(keep(compile(ast.Expression(last.value), file, "eval"), place), names)
        sys.stdout.flush()
        for name, drawn in list(names.items()):
            if before.get(name) is not drawn and drawn is not value:
                show(drawn)
        frames = value if isinstance(value, types.GeneratorType) else None
        if frames is None and not show(value) and value is not None:
            print(repr(value))
    except BaseException as error:
        if isinstance(error, SyntaxError) and error.filename == file:
            error.filename, error.lineno, error.end_lineno = "this block", error.lineno - line, None
            error.msg = re.sub(r"(?<=on line )\\d+", lambda m: str(int(m[0]) - line), error.msg)
        return failed(error, number)
    sys.stdout.flush()
    return "ok" if frames is None else "more"

def step(number):
    try:
        frame = next(frames)
    except StopIteration:
        return "ok"
    except BaseException as error:
        return failed(error, number)
    finally:
        sys.stdout.flush()
    live_page.tell("frame", frame.svg() if hasattr(type(frame), "svg") else str(frame))
    return "more"

def show(value):
    """Whether a value is a picture, which then is shown."""
    if hasattr(type(value), "svg"):
        try:
            live_page.tell("picture", value.svg(), len(drawings))
            drawings.append(value)
        except RuntimeError as error:
            print(error)
    elif isinstance(value, str) and value.startswith("<svg"):
        live_page.tell("picture", value)
    else:
        return False
    return True

def page(n):
    """The page of a drawing, on which one walks around in it."""
    try:
        return drawings[n].html()
    except RuntimeError as error:
        return f"<p>{error}</p>"

def put(name, text):
    """What a control beside the code is set to."""
    names[name] = ast.literal_eval(text)

def check(chapter, code):
    """Grades exercises; each is told in a line where it is right, and else with the lines that matter."""
    sys.stdout = sys.stderr = Out()
    import grader
    tests = grader.grade(chapter, code)
    for name, wrong in tests.items():
        text = f"{name.removeprefix('test_')}: {wrong or 'right'}\\n"
        live_page.tell("error" if wrong else "text", text.replace(": ", ":\\n", 1) if "\\n" in wrong else text)
    live_page.tell("text", f"{list(tests.values()).count('')} of {len(tests)} right\\n")
    return "ok"

def failed(error, number):
    sys.stdout.flush()
    told = []
    for frame, at in traceback.walk_tb(error.__traceback__):
        if id(frame.f_code) in blocks:
            n, file, line, lines = blocks[id(frame.f_code)][1]
            text = lines[at - line - 1].strip() if at - line <= len(lines) else ""
            told.append(f"line {at - line} of this block: {text}\\n" if n == number else f"line {at} of {file}: {text}\\n")
    if len(told) > 6:
        told[3:-3] = ["...\\n"]
    live_page.tell("error", "".join(told) + "".join(traceback.format_exception_only(error)))
    return "error"
`;

async function start({ pyodide, packages: [address, size], graphviz }) {
  tell("loading", "loading Python and NumPy, about 10 MB");
  const { loadPyodide } = await import(pyodide + "pyodide.mjs");
  python = await loadPyodide({ indexURL: pyodide });
  await python.loadPackage("numpy", { messageCallback() {} });
  tell("loading", "loading minigrad");
  const answer = await fetch(address);
  const bytes = answer.ok ? await answer.arrayBuffer() : null;
  if (bytes?.byteLength !== size) throw new Error(`${address} is not what this page was built with; reload the page`);
  python.unpackArchive(bytes, "bztar", { extractDir: python.runPython("import site; site.getsitepackages()[0]") });
  python.registerJsModule("live_page", { tell, draw: graphviz ? drawer(graphviz) : null });
  python.runPython(RUNNER);
}

// Graphviz in WebAssembly, on the browser's own engine: a function from its language to SVG. Fetched for the first drawing.
function drawer(address) {
  let module = null;
  return (dot) => {
    if (!module) {
      const request = new XMLHttpRequest(); // at once, for Python waits; a worker may
      request.open("GET", address, false);
      request.responseType = "arraybuffer";
      request.send();
      if (request.status !== 200) throw new Error("Graphviz could not be fetched");
      module = new WebAssembly.Module(request.response);
    }
    let x = null;
    const view = () => new DataView(x.memory.buffer);
    const text = (at, end) => new TextDecoder().decode(new Uint8Array(x.memory.buffer).slice(at, end));
    const put = (string) => {
      const bytes = new TextEncoder().encode(string + "\0"), at = x.malloc(bytes.length);
      new Uint8Array(x.memory.buffer).set(bytes, at);
      return at;
    };
    const NO = 8; // EBADF: there are no files
    const system = {
      proc_exit(code) { throw new Error(`Graphviz ended with ${code}`); },
      fd_fdstat_get: () => 0,
      environ_sizes_get(count, size) { view().setUint32(count, 0, true); view().setUint32(size, 0, true); return 0; },
      clock_time_get(id, precision, at) { view().setBigUint64(at, 0n, true); return 0; },
      fd_write(fd, pieces, count, at) { // messages, which are dropped
        let size = 0;
        for (let i = 0; i < count; i++) size += view().getUint32(pieces + 8 * i + 4, true);
        view().setUint32(at, size, true);
        return 0;
      },
    };
    const imports = Object.fromEntries(WebAssembly.Module.imports(module).map((i) => [i.name, system[i.name] || (() => NO)]));
    x = new WebAssembly.Instance(module, { wasi_snapshot_preview1: imports }).exports; // a fresh one for each picture
    x._initialize?.();
    const length = x.malloc(4), at = x.graphviz_render(put(dot), put("svg"), put("dot"), length);
    if (at) return text(at, at + view().getUint32(length, true));
    const said = x.graphviz_last_error();
    throw new Error(`Graphviz could not draw this: ${text(said, said + 500).split("\0")[0]}`);
  };
}

async function run({ code, file, line, number }) {
  stopped = false;
  await python.loadPackagesFromImports(code, { messageCallback() {} }).catch(() => {}); // others of Pyodide's, SciPy say
  let how = python.globals.get("run")(code, file, line, number);
  while (how === "more") {
    await new Promise((next) => setTimeout(next)); // what the page says meanwhile is heard
    how = stopped ? "stopped" : python.globals.get("step")(number);
  }
  tell("done", how);
}

let tests = null; // fetched for the first check
async function check({ code, chapter, tests: address }) {
  if (!tests) {
    tell("loading", "loading pytest");
    const answer = await fetch(address);
    if (!answer.ok) {
      tell("done", `pytest could not be loaded: ${answer.status}`);
      return;
    }
    python.unpackArchive(await answer.arrayBuffer(), "zip", { extractDir: tests = "/tests" });
    python.runPython(`sys.path += ["${tests}", "${tests}/docs/exercises"]`);
  }
  tell("loading", "checking");
  tell("done", python.globals.get("check")(chapter, code));
}

onmessage = async ({ data }) => {
  if (data.stop) stopped = true;
  if (data.start) ready = start(data.start).catch((error) => tell("lost", error.message));
  await ready;
  if (data.run) run(data.run).catch((error) => tell("crashed", error.message));
  if (data.check) check(data.check).catch((error) => tell("crashed", error.message));
  if (data.set) python.globals.get("put")(...data.set);
  if (data.page) tell("page", python.globals.get("page")(data.page.n), data.page.id);
};
