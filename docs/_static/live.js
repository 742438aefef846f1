// Live cells: a reader edits the Python blocks of a page and runs them in a worker, in one interpreter for the page.
// Of Python nothing is loaded before a button is pressed. Without JavaScript the page is as it was.
(() => {
  "use strict";
  const told = JSON.parse(document.getElementById("live-cells").textContent);
  const here = new URL(".", document.currentScript.src);
  const near = (name) => new URL(`${name}?v=${told.version}`, here).href;
  const PATIENCE = 300, LONGER = 4000; // ms for which Stop waits before it ends the worker; longer where it will be heard
  const LOST = `Python could not be loaded from ${new URL(told.pyodide, here).host}`;

  let worker = null; // none before the first run, and after Stop had to end it
  let running = null; // {cell: whose output comes in, asked: the cell that the reader ran, end: called with how it ended}
  let stopping = false; // Stop was pressed: no further block is run

  const make = (tag, name, text = "") => Object.assign(document.createElement(tag), { className: name, textContent: text });
  const plain = (fragment) => { // its text: a browser may break an edited line by an element
    for (const br of fragment.querySelectorAll("br")) br.replaceWith("\n");
    return fragment.textContent;
  };
  const code = (c) => plain(c.pre.cloneNode(true));
  const cells = [...document.querySelectorAll(".highlight-python.live")].map(cell);

  function cell(block, n) {
    const pre = block.querySelector("pre"), bar = make("div", "live-bar"), out = make("div", "live-output");
    const panel = n === told.blocks.length - 1 && document.querySelector(".live-panel"); // where a page has one
    const [run, stop, reset, check] = ["Edit and run", "Stop", "Reset", "Check"].map((text) => make("button", "", text));
    const state = make("span", "live-state");
    const [file, line] = told.blocks[n], last = line + pre.textContent.trimEnd().split("\n").length;
    const where = line + 1 === last ? `line ${last}` : `lines ${line + 1} to ${last}`;
    const name = make("span", "live-name", line ? `${file}, ${where}` : file);
    const me = { n, name, pre, bar, out, run, stop, reset, check, state, first: pre.innerHTML, text: pre.textContent, ran: null, printed: [] };
    state.setAttribute("role", "status");
    run.title = "Runs in your browser; loads Python first, about 10 MB";
    stop.hidden = reset.hidden = true;
    for (let e = block.nextElementSibling; e?.classList.contains("printed"); e = e.nextElementSibling) me.printed.push(e);
    run.onclick = () => {
      if (!pre.isContentEditable && !panel) setTimeout(() => pre.focus({ preventScroll: true }));
      for (const c of panel ? cells : [me]) edit(c);
      runTo(me);
    };
    stop.onclick = () => halt();
    check.title = "Runs the tests of these exercises in your browser; loads Python and pytest first, about 12 MB";
    check.hidden = !told.tests || !told.blocks[n][2];
    check.onclick = () => { edit(me); runTo(me, true); };
    reset.onclick = () => {
      for (const c of panel ? cells : [me]) {
        c.pre.innerHTML = c.first;
        clear(c, true);
        c.reset.hidden = true;
      }
      followCode();
    };
    pre.addEventListener("keydown", (event) => key(event, me));
    pre.addEventListener("input", () => { reset.hidden = false; me.edited = true; followCode(); });
    pre.addEventListener("blur", () => { if (me.edited) colour(me); });
    name.title = "What messages call this block";
    bar.append(run, stop, reset, check, state, ...(panel ? [] : [name]));
    bar.hidden = block.classList.contains("hidden") && !panel;
    if (panel) {
      panel.hidden = false;
      panel.append(bar, out);
      run.textContent = me.label = panel.dataset.label;
    } else block.after(bar, out);
    return me;
  }

  function edit(me) {
    if (me.pre.isContentEditable) return;
    try {
      me.pre.contentEditable = "plaintext-only";
    } catch { // older browsers
      me.pre.contentEditable = "true";
    }
    me.pre.spellcheck = false;
    me.pre.setAttribute("role", "textbox");
    me.pre.setAttribute("aria-multiline", "true");
    me.pre.setAttribute("aria-label", "Python, which you may edit. Control and Enter runs it, Escape leaves it");
    me.pre.title = "Ctrl+Enter runs it";
    me.run.textContent = me.label || "Run";
  }

  // The colours of the page's own highlighting, for what was edited: its classes of comments, strings, numbers, keywords.
  const WORDS = "and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|" +
    "lambda|nonlocal|not|or|pass|raise|return|try|while|with|yield|None|True|False";
  const STRING = String.raw`(?:\b[bfrBFR]{1,2})?(?:"""[^]*?"""|'''[^]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')`;
  const TOKENS = new RegExp(String.raw`(?<c1>#.*)|(?<s2>${STRING})|(?<mi>\b\d[\w.]*)|(?<k>\b(?:${WORDS})\b)|\w+|[^]`, "g");
  function colour(me) {
    me.edited = false;
    const text = code(me);
    me.pre.textContent = "";
    for (const { 0: token, groups } of text.matchAll(TOKENS)) {
      const kind = Object.keys(groups).find((name) => groups[name] !== undefined);
      me.pre.append(kind ? make("span", kind, token) : token);
    }
    me.pre.normalize();
  }

  function key(event, me) {
    event.stopPropagation(); // the site's own keys: / would go to the search
    if (!me.pre.isContentEditable) return;
    let typed = null;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); runTo(me); return; }
    if (event.key === "Escape") me.run.focus();
    if (event.key === "Tab" && !event.shiftKey) typed = "    ";
    if (event.key === "Enter") { // as far in as the line before, and further after a colon
      const before = getSelection().getRangeAt(0).cloneRange();
      before.setStart(me.pre, 0);
      const line = plain(before.cloneContents()).split("\n").pop();
      typed = "\n" + line.match(/^ */)[0] + (line.trimEnd().endsWith(":") ? "    " : "");
    }
    if (typed === null) return;
    event.preventDefault();
    document.execCommand("insertText", false, typed);
  }

  // ---- running

  async function runTo(asked, check = false) { // or its tests alone
    if (running) return;
    const above = check ? [] : cells.filter((c) => c.n < asked.n && c.ran !== code(c));
    for (const c of cells) c.run.disabled = c.check.disabled = true;
    asked.stop.hidden = stopping = false;
    for (const c of [...above, asked]) {
      asked.state.textContent = c === asked ? "running" : `running ${c.name.textContent} first`;
      const end = await new Promise((end) => { running = { cell: c, asked, end }; execute(c, check); });
      asked.state.textContent = end === "ok" ? "" : end;
      if (end !== "ok" && !(end === "error" && c !== asked && c.ran === c.text)) { // the page may show an error
        if (c !== asked && end === "error") asked.state.textContent = `not run: ${c.name.textContent} ended in an error`;
        break;
      }
      if (stopping && c !== asked) {
        asked.state.textContent = "stopped";
        break;
      }
    }
    running = null;
    asked.stop.hidden = true;
    for (const c of cells) c.run.disabled = c.check.disabled = false;
  }

  function execute(c, check) {
    const text = code(c), [file, line, chapter] = told.blocks[c.n];
    clear(c, false);
    c.reset.hidden = false;
    if (!worker) start();
    if (check) {
      worker?.postMessage({ check: { code: text, chapter, tests: near(told.tests) } });
      return;
    }
    c.ran = text;
    worker?.postMessage({ run: { code: text, file, line, number: c.n + 1 } });
  }

  function start() {
    const packages = [near(told.packages[0]), told.packages[1]];
    try {
      worker = new Worker(near("live_worker.js"), { type: "module" });
    } catch (error) { // the page is opened as a file
      finish(`${LOST}: only a page that comes from a web server may do that.`);
      return;
    }
    worker.onerror = (event) => { event.preventDefault(); lose(`${LOST}: ${event.message || "no worker"}.`); };
    worker.onmessage = ({ data }) => hear(data);
    const pyodide = new URL(told.pyodide, here).href;
    worker.postMessage({ start: { pyodide, packages, graphviz: told.graphviz && near(told.graphviz) } });
  }

  function hear({ kind, value, more }) {
    if (kind === "lost") lose(`${LOST} (${value}). Only running the blocks needs it.`);
    if (kind === "crashed") lose(`Python has crashed (${value}); the next run starts it again`);
    if (kind === "page") document.getElementById(more)?.replaceChildren(player(value));
    if (!running) return;
    const { cell, asked } = running;
    if (kind === "loading") asked.state.textContent = value;
    if (kind === "text" || kind === "error") {
      if (cell.out.lastChild?.className !== kind) cell.out.append(make("pre", kind));
      cell.out.lastChild.append(value);
      if (/──|\S {2,}\S.*\n.*\S {2,}\S/.test(value)) cell.out.lastChild.style.whiteSpace = "pre"; // a table: its rows stay whole
    }
    if (kind === "picture") cell.out.append(picture(value, more));
    if (kind === "frame") {
      if (cell.out.lastChild?.className !== "frame") cell.out.append(make("div", "frame"));
      cell.out.lastChild.innerHTML = value;
    }
    if (kind === "done") finish(value);
  }

  function finish(how) {
    clearTimeout(finish.timer);
    if (running && !["ok", "error"].includes(how) && !running.cell.out.hasChildNodes()) clear(running.cell, true);
    running?.end(how);
  }

  function lose(how) { // the worker, and with it what the blocks have computed
    worker?.terminate();
    worker = null;
    for (const c of cells) c.ran = null;
    for (const figure of document.querySelectorAll(".live-output figure[id]")) { // no longer known to Python
      figure.removeAttribute("id");
      figure.querySelector("button")?.remove();
    }
    finish(how);
  }

  function halt() {
    stopping = true;
    worker?.postMessage({ stop: true }); // heard between two pictures of a block that yields them
    const gone = "stopped: what was computed is gone, and the next run starts from the first block";
    const heard = running?.cell.out.querySelector(".frame");
    clearTimeout(finish.timer); // pressed again
    finish.timer = setTimeout(() => lose(gone), heard ? LONGER : PATIENCE);
  }

  // ---- what is shown

  function clear(c, printed) { // printed: what the page itself shows comes back
    c.out.textContent = "";
    for (const e of c.printed) e.hidden = !printed;
  }

  function picture(svg, n) {
    const figure = make("figure", "picture");
    if (n === undefined) { // of the block's own making: it may use the colours of the page
      figure.innerHTML = svg;
      return figure;
    }
    const image = make("img", ""), walk = make("button", "", "Step through it");
    image.src = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
    image.onload = () => URL.revokeObjectURL(image.src);
    image.alt = "The drawing of this block";
    const id = (figure.id = `live-picture-${n}`);
    walk.onclick = () => { walk.disabled = true; walk.textContent = "drawing it"; worker?.postMessage({ page: { n, id } }); };
    figure.append(image, walk);
    return figure;
  }

  function player(html) {
    return Object.assign(make("iframe", "player"), { srcdoc: html, title: "A drawing to step through" });
  }

  // ---- what is set beside the code: it is written into the code, and told to a block that runs

  const controls = [...document.querySelectorAll("[data-live]")].map((control) => {
    const line = new RegExp(`^${control.dataset.live} = (.*)`, "m");
    return { control, line, home: cells.find((c) => line.test(c.text)) };
  });
  for (const { control, line, home } of controls) {
    const name = control.dataset.live;
    control.onchange = () => {
      home.pre.textContent = code(home).replace(line, `${name} = ${control.value}`);
      home.reset.hidden = false;
      if (running) home.ran = code(home);
      worker?.postMessage({ set: [name, control.value] });
    };
  }
  function followCode() {
    for (const { control, line, home } of controls) control.value = code(home).match(line)?.[1];
  }
})();
