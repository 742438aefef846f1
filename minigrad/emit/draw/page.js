"use strict";
// The picture is Graphviz's. This moves it, folds modules by laying a cover over them, searches, and tells
// about the box under the pointer.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const find = (id) => document.getElementById(id);
  const make = (name, parent, attributes = {}, text = "") => {
    const space = name === "button" || name === "b" ? "http://www.w3.org/1999/xhtml" : "http://www.w3.org/2000/svg";
    const element = document.createElementNS(space, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.textContent = text;
    parent.append(element);
    return element;
  };
  const folded = new Set();
  const panel = find("panel"), search = find("search"), found = find("found");
  let view = null, hits = [], at = -1;

  // ---------------------------------------------------------------- views

  const views = [...document.querySelectorAll(".view")].map((root) => {
    const svg = root.querySelector("svg");
    const parts = new Map();
    for (const g of root.querySelectorAll("g.node, g.edge, g.cluster")) parts.set(g.dataset.id, g);
    const box = svg.viewBox.baseVal;
    const whole = [box.x, box.y, box.width, box.height];
    svg.removeAttribute("width");
    svg.removeAttribute("height");
    const v = { name: root.dataset.view, root, svg, parts, whole, now: [...whole], top: svg.querySelector("g.graph") };
    v.covers = make("g", v.top);
    v.button = make("button", find("views"), { type: "button" }, v.name);
    v.button.addEventListener("click", () => show(v));
    listen(v);
    return v;
  });

  function show(v) {
    view = v;
    for (const other of views) {
      other.root.classList.toggle("shown", other === v);
      other.button.setAttribute("aria-pressed", other === v);
    }
    cover();
    lookFor(search.value);
  }

  // ---------------------------------------------------------------- moving

  function place(v, x, y, width, height) {
    v.now = [x, y, width, height];
    v.svg.setAttribute("viewBox", v.now.join(" "));
  }

  function scale(v) { // units of the picture per pixel of the screen
    const shown = v.svg.getBoundingClientRect();
    return Math.max(v.now[2] / (shown.width || 1), v.now[3] / (shown.height || 1));
  }

  function zoom(v, factor, clientX, clientY) {
    const shown = v.svg.getBoundingClientRect(), [x, y, width, height] = v.now, unit = scale(v);
    const px = x + width / 2 + (clientX - shown.left - shown.width / 2) * unit;
    const py = y + height / 2 + (clientY - shown.top - shown.height / 2) * unit;
    if (width * factor < 20 || width * factor > 50 * v.whole[2]) return;
    place(v, px - (px - x) * factor, py - (py - y) * factor, width * factor, height * factor);
  }

  function listen(v) {
    let from = null, moved = false;
    v.svg.addEventListener("wheel", (event) => {
      event.preventDefault();
      zoom(v, Math.exp(Math.max(-60, Math.min(60, event.deltaY)) / 200), event.clientX, event.clientY);
    }, { passive: false });
    v.svg.addEventListener("pointerdown", (event) => { from = [event.clientX, event.clientY, ...v.now]; moved = false; });
    window.addEventListener("pointermove", (event) => {
      if (from === null) return;
      const dx = event.clientX - from[0], dy = event.clientY - from[1], unit = scale(v);
      if (Math.abs(dx) + Math.abs(dy) > 4) { moved = true; v.svg.classList.add("moving"); }
      if (moved) place(v, from[2] - dx * unit, from[3] - dy * unit, from[4], from[5]);
    });
    window.addEventListener("pointerup", () => { from = null; v.svg.classList.remove("moving"); });
    v.svg.addEventListener("click", (event) => {
      const cluster = event.target.closest(".cover, .cluster");
      if (!moved && cluster !== null && cluster.dataset.id in data.clusters) toggle(cluster.dataset.id);
    });
    v.svg.addEventListener("mouseover", (event) => {
      const g = event.target.closest(".node, .cluster, .cover");
      tell(g === null ? null : g.dataset.id);
    });
    v.svg.addEventListener("mouseleave", () => tell(null));
  }

  // ---------------------------------------------------------------- what is under the pointer

  function tell(id) {
    for (const [key, [source, target]] of Object.entries(data.edges)) {
      const g = view.parts.get(key);
      if (g !== undefined) g.classList.toggle("near", id !== null && (source === id || target === id));
    }
    panel.textContent = "";
    if (id === null) return;
    if (id in data.boxes) {
      const [first, ...rest] = data.boxes[id].tip.split("\n");
      make("b", panel, {}, first);
      panel.append(rest.join("\n"));
    } else if (id in data.clusters) {
      make("b", panel, {}, data.clusters[id].label);
      panel.append(`${contents(id).length} boxes; click to ${folded.has(id) ? "unfold" : "fold"}`);
    }
  }

  // ---------------------------------------------------------------- folding

  const parent = (id) => { // the frame around a box or a frame, "" for none
    const up = id in data.boxes ? data.boxes[id].cluster : data.clusters[id].parent;
    return up ? `c${up}` : "";
  };
  const around = (id) => { const all = []; for (let c = parent(id); c; c = parent(c)) all.push(c); return all; };
  const contents = (c) => Object.keys(data.boxes).filter((b) => around(b).includes(c));
  const outermost = (id) => around(id).filter((c) => folded.has(c)).pop() || "";

  function toggle(c) {
    if (!folded.delete(c)) folded.add(c);
    cover();
    tell(null);
  }

  function cover() {
    view.covers.textContent = "";
    for (const [id, g] of view.parts) {
      if (id in data.boxes || id in data.clusters) g.classList.toggle("hidden", outermost(id) !== "");
      else if (id in data.edges) {
        const [a, b] = data.edges[id].map(outermost);
        g.classList.toggle("hidden", a !== "" && a === b);
      }
    }
    for (const c of folded) {
      const g = view.parts.get(c);
      if (g === undefined || outermost(c) !== "") continue;
      const outline = g.querySelector("path, polygon").getBBox();
      const box = make("g", view.covers, { class: "cover" });
      box.dataset.id = c;
      const { x, y, width, height } = outline;
      make("rect", box, { x, y, width, height, rx: 9 });
      const inside = contents(c).filter((b) => view.parts.has(b));
      const middle = { x: x + width / 2, y: y + height / 2 };
      make("text", box, { ...middle, class: "name" }, data.clusters[c].label);
      make("text", box, { ...middle, dy: 15 }, `${inside.length} boxes`);
    }
  }

  // ---------------------------------------------------------------- search

  // The shortest name with the text in it comes first, then what only tells of it.
  const rank = (b, text) => (b.title.toLowerCase().includes(text) ? b.title.length : 1e9);

  function lookFor(words) {
    for (const [, g] of view.parts) g.classList.remove("hit", "current");
    const text = words.trim().toLowerCase();
    hits = text === "" ? [] : Object.entries(data.boxes)
      .filter(([id, b]) => view.parts.has(id) && (b.title + "\n" + b.tip).toLowerCase().includes(text))
      .sort(([, a], [, b]) => rank(a, text) - rank(b, text))
      .map(([id]) => id);
    at = -1;
    view.root.classList.toggle("searching", hits.length > 0);
    found.textContent = text === "" ? "" : `${hits.length} found`;
    for (const id of hits) view.parts.get(id).classList.add("hit");
    if (hits.length) next();
  }

  function next() {
    if (!hits.length) return;
    if (at >= 0) view.parts.get(hits[at]).classList.remove("current");
    at = (at + 1) % hits.length;
    const id = hits[at], g = view.parts.get(id);
    for (const c of around(id)) folded.delete(c);
    cover();
    g.classList.add("current");
    found.textContent = `${at + 1} of ${hits.length}`;
    const box = g.getBBox(), shift = view.top.getCTM(), svg = view.svg.getCTM();
    if (shift !== null && svg !== null) { // from the picture's own coordinates to the view's
      const m = svg.inverse().multiply(shift), [, , width, height] = view.now;
      const x = (box.x + box.width / 2) * m.a + m.e, y = (box.y + box.height / 2) * m.d + m.f;
      place(view, x - width / 2, y - height / 2, width, height);
    }
    tell(id);
  }

  search.addEventListener("input", () => lookFor(search.value));
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") next();
    if (event.key === "Escape") { search.value = ""; lookFor(""); }
  });
  find("fit").addEventListener("click", () => place(view, ...view.whole));
  find("fold").addEventListener("click", () => { Object.keys(data.clusters).forEach((c) => folded.add(c)); cover(); });
  find("unfold").addEventListener("click", () => { folded.clear(); cover(); });
  find("notes").textContent = data.notes.join(" ");
  if (!Object.keys(data.clusters).length) find("fold").hidden = find("unfold").hidden = true;
  show(views[0]);
  document.body.dataset.ready = "yes";
})();
