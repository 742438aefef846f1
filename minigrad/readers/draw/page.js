"use strict";
// Every picture and its layouts, one for each state of folded modules that is likely to be asked for, are
// Graphviz's. This shows them; a state without a layout is made from the nearest one that has one. It moves the
// picture, searches, and tells about the box under the pointer.
const drawing = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const find = (id) => document.getElementById(id);
  const make = (name, parent, attributes = {}, text = "") => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.textContent = text;
    parent.append(element);
    return element;
  };
  const folded = new Set(); // names of modules: a module folds forward and backward at once
  const panel = find("panel"), search = find("search"), found = find("found");
  const drawn = []; // called when a view was laid out anew
  let view = null, hits = [], at = -1;

  // ---------------------------------------------------------------- geometry

  const pairs = (n) => { const all = []; for (let i = 0; i + 1 < n.length; i += 2) all.push([n[i], n[i + 1]]); return all; };
  const written = (points) => points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
  const holds = ([left, top, right, bottom], [x, y], by = 0) =>
    x >= left - by && x <= right + by && y >= top - by && y <= bottom + by;
  const middle = ([left, top, right, bottom]) => [(left + right) / 2, (top + bottom) / 2];
  const apart = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

  function outline(g) { // the rectangle around a drawn box
    const path = g.querySelector("path");
    if (path) return path.dataset.box.split(" ").map(Number);
    const told = [...g.querySelectorAll("polygon")].map((e) => e.getAttribute("points"));
    const points = pairs(told.join(" ").match(/-?\d+(\.\d+)?/g).map(Number));
    const x = points.map((p) => p[0]), y = points.map((p) => p[1]);
    return [Math.min(...x), Math.min(...y), Math.max(...x), Math.max(...y)];
  }

  const rounded = ([left, top, right, bottom], r = 8) =>
    `M${left + r},${top}H${right - r}q${r},0 ${r},${r}V${bottom - r}q0,${r} ${-r},${r}H${left + r}q${-r},0 ${-r},${-r}` +
    `V${top + r}q0,${-r} ${r},${-r}z`;

  function arrowhead(points, tip, open) { // at the end of a curve that is nearer to the tip
    const ends = [points[0], points[points.length - 1]];
    const base = apart(ends[0], tip) < apart(ends[1], tip) ? ends[0] : ends[1];
    const far = apart(base, tip) || 1, ux = (tip[0] - base[0]) / far, uy = (tip[1] - base[1]) / far;
    const [x, y] = [tip[0] - 6 * ux, tip[1] - 6 * uy], notch = [tip[0] - 3 * ux, tip[1] - 3 * uy];
    return written([tip, [x - 2.3 * uy, y + 2.3 * ux], ...(open ? [notch] : []), [x + 2.3 * uy, y - 2.3 * ux], tip]);
  }

  function sampled(p) { // points along a curve made of cubic pieces
    const all = [p[0]];
    for (let i = 0; i + 3 < p.length; i += 3) {
      for (let k = 1; k <= 12; k++) {
        const t = k / 12, s = 1 - t, w = [s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t];
        all.push([0, 1].map((j) => w[0] * p[i][j] + w[1] * p[i + 1][j] + w[2] * p[i + 2][j] + w[3] * p[i + 3][j]));
      }
    }
    return all;
  }

  // ---------------------------------------------------------------- views

  const numbers = (text) => (text ? text.split(" ").map(Number) : []);
  const entries = (text, read) => Object.fromEntries(text.split(";").filter(Boolean).map((entry) => {
    const end = entry.indexOf(" ");
    return [entry.slice(0, end), read(entry.slice(end + 1))];
  }));
  for (const { layouts } of data.views) for (const layout of layouts) {
    for (const kind of ["nodes", "frames"]) layout[kind] = entries(layout[kind], numbers);
    layout.edges = entries(layout.edges, (text) => {
      const [curve, tip = [], label = []] = text.split("/").map(numbers);
      for (let i = 2; i < curve.length; i++) curve[i] += curve[i - 2]; // each stands as a step from the one before
      return [pairs(curve), tip.length ? tip : null, ...label];
    });
  }

  for (const { boxes } of data.graphs) for (const box of Object.values(boxes)) {
    box.cluster ??= 0;
    const lines = box.tip.map((n) => data.lines[n]);
    box.tip = (lines[0] ? "" : box.title) + lines.join("\n"); // a tip that begins with the title has an empty line in its place
  }

  const views = data.views.map((told) => {
    const root = document.querySelector(`.view[data-view="${told.name}"]`);
    const svg = root.querySelector("svg"), { clusters, edges, boxes, notes, places } = data.graphs[told.graph];
    svg.removeAttribute("width");
    svg.removeAttribute("height");
    const v = { name: told.name, layouts: told.layouts, clusters, boxes, ends: edges, notes, places, root, svg,
      top: svg.querySelector("g.graph"), nodes: new Map(), edges: new Map(), frames: new Map(), home: new Map(),
      size: [0, 0, 1, 1], now: [0, 0, 1, 1], fitted: true, whole: false };
    for (const g of v.top.querySelectorAll("g.node, g.edge, g.cluster")) {
      const kind = g.classList.contains("node") ? "nodes" : g.classList.contains("edge") ? "edges" : "frames";
      v[kind].set(g.dataset.id, g);
      if (kind !== "nodes") continue;
      const text = g.querySelector("text");
      const box = outline(g), at = ["x", "y"].map((k) => +text.getAttribute(k));
      v.home.set(g.dataset.id, { at, box });
      g.querySelector("path")?.setAttribute("d", rounded(box));
      g.querySelectorAll("text").forEach((line, k) => { // those below the first are evenly spaced
        if (line.hasAttribute("x")) return;
        line.setAttribute("x", at[0]);
        line.setAttribute("y", (at[1] + v.top.dataset.leading * k).toFixed(1));
      });
      if (g.dataset.id.startsWith("f")) g.classList.add("closed");
    }
    v.button = make("button", find("views"), { type: "button" }, v.name);
    v.button.addEventListener("click", () => show(v));
    listen(v);
    return v;
  });
  for (const [name, why] of Object.entries(data.refused)) {
    make("button", find("views"), { type: "button", disabled: "", title: why }, name);
  }

  function show(v) {
    view = v;
    for (const other of views) {
      other.root.classList.toggle("shown", other === v);
      other.button.setAttribute("aria-pressed", other === v);
    }
    find("notes").textContent = [...v.notes, ...new Set(Object.values(data.refused)), data.unplayed].join(" ").trim();
    find("fold").hidden = find("unfold").hidden = !v.frames.size;
    arrange();
    open(v);
    lookFor(search.value);
  }

  // ---------------------------------------------------------------- folding

  const around = (v, id) => { // the frames around a box or a frame that this view has, from inside out
    const all = [];
    let up = id in v.boxes ? v.boxes[id].cluster : v.clusters[id.replace("f", "c")].parent;
    for (; up; up = v.clusters[`c${up}`].parent) if (v.frames.has(`c${up}`)) all.push(`c${up}`);
    return all;
  };
  const closes = (v, c) => folded.has(v.clusters[c].key) && v.nodes.has(c.replace("c", "f"));
  const outermost = (v, id) => around(v, id).filter((c) => closes(v, c)).pop() || "";
  const contents = (v, c) => [...v.nodes.keys()].filter((b) => b in v.boxes && around(v, b).includes(c));

  function toggle(c) {
    const key = view.clusters[c].key, closed = c.replace("c", "f");
    const before = folded.has(key) ? closed : c;
    const was = spot(before);
    if (!folded.delete(key)) folded.add(key);
    arrange();
    const after = spot(folded.has(key) ? closed : c);
    if (!view.fitted && was && after) { // what was clicked stays where it is on the screen
      place(view, view.now[0] + after[0] - was[0], view.now[1] + after[1] - was[1], view.now[2], view.now[3]);
    }
    tell(null);
  }

  function spot(id) { // the middle of a box or frame that is shown
    const [, , shiftX, shiftY] = view.model.size;
    const box = id in view.model.frames ? view.model.frames[id]
      : id in view.model.nodes ? boxAt(view, view.model, id) : null;
    return box === null ? null : [middle(box)[0] + shiftX, middle(box)[1] + shiftY];
  }

  const boxAt = (v, model, id) => { // where a box stands in a layout
    const home = v.home.get(id), [x, y] = model.nodes[id];
    const dx = x - home.at[0], dy = y - home.at[1];
    return [home.box[0] + dx, home.box[1] + dy, home.box[2] + dx, home.box[3] + dy];
  };

  function arrange() {
    const v = view;
    const wanted = [...v.frames.keys()].filter((c) => closes(v, c) && outermost(v, c) === "");
    const covered = (c) => wanted.includes(c) || around(v, c).some((up) => wanted.includes(up));
    let best = v.layouts[0];
    for (const layout of v.layouts) {
      if (!layout.folded.every(covered)) continue;
      const score = (l) => l.folded.filter((c) => wanted.includes(c)).length * 1000 - l.folded.length;
      if (score(layout) > score(best)) best = layout;
    }
    const rest = wanted.filter((c) => !best.folded.includes(c));
    v.root.classList.toggle("folded", wanted.length > 0);
    v.root.dataset.made = rest.length ? "here" : "by Graphviz";
    draw(v, rest.length ? closed(v, best, rest) : best);
  }

  function draw(v, model) {
    v.model = model;
    for (const [id, g] of v.nodes) {
      g.classList.toggle("hidden", !(id in model.nodes));
      if (!(id in model.nodes)) continue;
      const [x, y] = v.home.get(id).at, [toX, toY] = model.nodes[id];
      g.setAttribute("transform", `translate(${(toX - x).toFixed(1)} ${(toY - y).toFixed(1)})`);
    }
    for (const [id, g] of v.edges) {
      g.classList.toggle("hidden", !(id in model.edges));
      if (!(id in model.edges)) continue;
      const [points, tip, ...label] = model.edges[id], arrow = g.querySelector("polygon");
      g.querySelector("path").setAttribute("d", `M${written(points.slice(0, 1))}${points.straight ? "L" : "C"}${written(points.slice(1))}`);
      if (arrow && tip) arrow.setAttribute("points", arrowhead(points, tip, g.classList.contains("saved")));
      put(g, label);
    }
    for (const [id, g] of v.frames) {
      g.classList.toggle("hidden", !(id in model.frames));
      if (!(id in model.frames)) continue;
      g.querySelector("path").setAttribute("d", rounded(model.frames[id]));
      put(g, model.frames[id].slice(4));
    }
    const [width, height, x, y] = model.size;
    v.top.setAttribute("transform", `translate(${x} ${y})`);
    v.size = data.player ? [-24, 0, width + 48, height + 12] : [0, 0, width, height]; // room for what the player writes at boxes
    if (v.fitted) fit(v);
    for (const tell of drawn) tell(v);
  }

  function put(g, label) {
    const texts = g.querySelectorAll("text");
    if (!texts.length) return;
    const by = ["x", "y"].map((k, i) => label[i] - texts[0].getAttribute(k));
    for (const text of texts) { // a name may have several lines
      text.classList.toggle("hidden", !label.length);
      if (label.length) ["x", "y"].forEach((k, i) => text.setAttribute(k, (+text.getAttribute(k) + by[i]).toFixed(1)));
    }
  }

  // A layout with more frames closed. Each becomes a box in the middle of its place, curves are cut where they enter
  // it and lead to the box; then rows and columns that are empty now are taken out.
  function closed(v, base, frames) {
    const model = { nodes: {}, edges: {}, frames: {}, size: base.size };
    const within = (id) => around(v, id).find((c) => frames.includes(c)) || "";
    const places = new Map(frames.map((c) => [c, base.frames[c]]));
    const boxes = new Map();
    for (const c of frames) {
      const id = c.replace("c", "f"), home = v.home.get(id), centre = middle(places.get(c)), own = middle(home.box);
      model.nodes[id] = [home.at[0] + centre[0] - own[0], home.at[1] + centre[1] - own[1]];
      boxes.set(c, boxAt(v, model, id));
    }
    for (const id in base.nodes) if (within(id) === "") model.nodes[id] = base.nodes[id];
    for (const c in base.frames) if (!frames.includes(c) && within(c) === "") model.frames[c] = base.frames[c];
    for (const id in base.edges) {
      const ends = v.ends[id].map(within);
      if (ends[0] === "" && ends[1] === "") model.edges[id] = base.edges[id];
      else if (ends[0] !== ends[1]) model.edges[id] = cut(base.edges[id], ends);
    }
    function cut([curve, tip, ...label], inside) {
      let points = sampled(curve);
      for (const turn of [0, 1]) { // the beginning, then the end
        if (turn) points.reverse();
        const c = inside.find((x) => x !== "" && holds(places.get(x), points[0], 2));
        if (c !== undefined) {
          const pointed = tip !== null && apart(tip, points[0]) < 12;
          const out = points.findIndex((p) => !holds(places.get(c), p));
          points = out < 0 ? points.slice(-1) : points.slice(out);
          const border = edgeOf(boxes.get(c), points[0]), far = apart(border, points[0]) || 1;
          if (pointed) tip = border;
          points.unshift(pointed ? border.map((n, k) => n + 6 * (points[0][k] - n) / far) : border);
        }
        if (turn) points.reverse();
      }
      points.straight = true;
      return [points, tip, ...([...places.values()].some((p) => label.length && holds(p, label)) ? [] : label)];
    }
    return squeezed(v, model, frames.map((c) => [places.get(c), boxes.get(c)]));
  }

  function edgeOf(box, towards) { // where the line from the middle of a box leaves it
    const [x, y] = middle(box), dx = towards[0] - x, dy = towards[1] - y;
    const part = Math.min(dx ? (box[2] - x) / Math.abs(dx) : 1, dy ? (box[3] - y) / Math.abs(dy) : 1, 1);
    return [x + dx * part, y + dy * part];
  }

  function squeezed(v, model, places) {
    const [fx, fy] = [0, 1].map((axis) => {
      const taken = Object.keys(model.nodes).map((id) => boxAt(v, model, id)).map((b) => [b[axis], b[axis + 2]]);
      for (const [c, b] of Object.entries(model.frames)) {
        const title = axis ? 6 + 12 * v.frames.get(c).querySelectorAll("text").length : 16 + v.clusters[c].width;
        taken.push([b[axis], b[axis] + title], [b[axis + 2] - 8, b[axis + 2]]);
      }
      if (axis) for (const [, , , y] of Object.values(model.edges)) if (y !== undefined) taken.push([y - 10, y + 4]);
      return without(taken, places.map((pair) => pair.map((b) => [b[axis], b[axis + 2]])), axis ? 26 : 16);
    });
    const [width, height, x, y] = model.size, out = { nodes: {}, edges: {}, frames: {} };
    out.size = [fx(width - x) - fx(-x), fy(height - y) - fy(-y), -fx(-x), -fy(-y)];
    for (const id in model.nodes) {
      const [cx, cy] = middle(boxAt(v, model, id)), [tx, ty] = model.nodes[id];
      out.nodes[id] = [tx + fx(cx) - cx, ty + fy(cy) - cy];
    }
    for (const c in model.frames) {
      const [left, top, right, bottom, tx, ty] = model.frames[c];
      out.frames[c] = [fx(left), fy(top), fx(right), fy(bottom), tx + fx(left) - left, fy(ty)];
    }
    for (const e in model.edges) {
      const [points, tip, ...label] = model.edges[e], there = points.map(([px, py]) => [fx(px), fy(py)]);
      there.straight = points.straight;
      out.edges[e] = [there, tip && [fx(tip[0]), fy(tip[1])], ...(label.length ? [fx(label[0]), fy(label[1])] : [])];
    }
    return out;
  }

  // A map of coordinates that narrows the gaps between what is taken, where a place has become free, and widens the
  // places that are too narrow for their box.
  function without(taken, places, most) {
    taken.sort((a, b) => a[0] - b[0]);
    const cuts = []; // from, to, how much of that goes
    for (const [[low, high], box] of places) {
      const more = box[1] - box[0] - (high - low);
      if (more > 0) cuts.push([low, high, -more]);
    }
    let end = -Infinity;
    for (const [low, high] of taken) {
      if (low - end > most && places.some(([p]) => p[0] < low && p[1] > end) && end !== -Infinity) cuts.push([end, low, low - end - most]);
      end = Math.max(end, high);
    }
    return (n) => cuts.reduce((sum, [low, high, gone]) => sum - gone * Math.max(0, Math.min(1, (n - low) / (high - low))), n);
  }

  // ---------------------------------------------------------------- moving

  function place(v, x, y, width, height) {
    v.now = [x, y, width, height];
    v.svg.setAttribute("viewBox", v.now.join(" "));
  }

  function fit(v) {
    v.fitted = true;
    place(v, ...v.size);
  }

  function open(v) { // on a narrow screen a picture that would be too small to read begins at its first step, or at its first box
    const { width, height } = v.svg.getBoundingClientRect(), at = [v.places.steps?.[0], ...Object.keys(v.model.nodes)];
    if (v.opened || !width || width > 600 || scale(v) < 1.5) return;
    v.opened = true;
    v.fitted = false;
    const [x, y] = spot(at.map((id) => (id && outermost(v, id).replace("c", "f")) || id).find((id) => id in v.model.nodes));
    const within = (k, middle, wide) => // as much of the picture as there is room for
      Math.max(v.size[k], Math.min(middle - wide / 2, v.size[k] + v.size[k + 2] - wide));
    place(v, within(0, x, width), within(1, y, height), width, height);
  }

  function scale(v) { // units of the picture per pixel of the screen
    const shown = v.svg.getBoundingClientRect();
    return Math.max(v.now[2] / (shown.width || 1), v.now[3] / (shown.height || 1));
  }

  function zoom(v, factor, clientX, clientY) {
    const shown = v.svg.getBoundingClientRect(), [x, y, width, height] = v.now, unit = scale(v);
    const px = x + width / 2 + (clientX - shown.left - shown.width / 2) * unit;
    const py = y + height / 2 + (clientY - shown.top - shown.height / 2) * unit;
    if (width * factor < 20 || width * factor > 50 * v.size[2]) return;
    v.fitted = v.whole = false;
    place(v, px - (px - x) * factor, py - (py - y) * factor, width * factor, height * factor);
  }

  function listen(v) {
    let from = null, dragged = false;
    const fingers = new Map(); // where each is, while it touches
    v.svg.addEventListener("wheel", (event) => {
      // In a frame of another page the wheel scrolls that page, until the frame was clicked.
      if (window !== window.parent && !document.hasFocus() && !event.ctrlKey) return;
      event.preventDefault();
      zoom(v, Math.exp(Math.max(-60, Math.min(60, event.deltaY)) / 200), event.clientX, event.clientY);
    }, { passive: false });
    // One finger moves the page up and down, where the picture stands in another page; two fingers are for the picture.
    v.svg.addEventListener("touchmove", (event) => { if (event.touches.length > 1) event.preventDefault(); }, { passive: false });
    v.svg.addEventListener("pointerdown", (event) => {
      fingers.set(event.pointerId, event);
      from = [event.clientX, event.clientY, ...v.now];
      dragged = fingers.size > 1;
    });
    window.addEventListener("pointermove", (event) => {
      if (from === null) return;
      if (fingers.size > 1) { // one moves to or from the other
        const was = fingers.get(event.pointerId), other = [...fingers.values()].find((f) => f.pointerId !== event.pointerId);
        if (!was) return;
        const far = (f) => apart([f.clientX, f.clientY], [other.clientX, other.clientY]) || 1;
        const between = (k) => (event[k] + other[k]) / 2, moved = (k) => ((event[k] - was[k]) / 2) * scale(v);
        place(v, v.now[0] - moved("clientX"), v.now[1] - moved("clientY"), v.now[2], v.now[3]);
        zoom(v, far(was) / far(event), between("clientX"), between("clientY"));
        fingers.set(event.pointerId, event);
        return;
      }
      const dx = event.clientX - from[0], dy = event.clientY - from[1], unit = scale(v);
      if (Math.abs(dx) + Math.abs(dy) > 4) { dragged = true; v.fitted = false; v.svg.classList.add("moving"); }
      if (dragged) place(v, from[2] - dx * unit, from[3] - dy * unit, from[4], from[5]);
    });
    for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, (event) => {
      fingers.delete(event.pointerId);
      if (end === "pointercancel" && from) place(v, ...from.slice(2)); // the page moves in place of the picture
      from = null;
      v.svg.classList.remove("moving");
    });
    v.svg.addEventListener("click", (event) => {
      const g = event.target.closest(".closed, .cluster");
      const c = g === null ? "" : g.dataset.id.replace("f", "c");
      if (!dragged && c in v.clusters && v.nodes.has(c.replace("c", "f"))) toggle(c);
    });
    v.svg.addEventListener("mouseover", (event) => {
      const g = event.target.closest(".node, .cluster");
      tell(g === null ? null : g.dataset.id);
    });
    v.svg.addEventListener("mouseleave", () => tell(null));
  }

  // ---------------------------------------------------------------- what is under the pointer

  function tell(id) {
    const c = id === null || id in view.boxes ? null : id.replace("f", "c");
    const touches = (end) => end === id || (c !== null && id !== c && outermost(view, end) === c);
    for (const [key, ends] of Object.entries(view.ends)) {
      const g = view.edges.get(key);
      if (g !== undefined) g.classList.toggle("near", id !== null && ends.some(touches));
    }
    panel.textContent = "";
    if (id === null) return;
    if (id in view.boxes) {
      const [first, ...rest] = view.boxes[id].tip.split("\n");
      make("b", panel, {}, first);
      panel.append(rest.join("\n"));
    } else if (c in view.clusters) {
      make("b", panel, {}, view.clusters[c].label);
      panel.append(`${view.clusters[c].tip}; click to ${id === c ? "fold" : "unfold"}`);
      if (id === c) return;
      const names = contents(view, c).map((b) => view.boxes[b].title);
      panel.append("\n" + names.slice(0, 12).join("\n") + (names.length > 12 ? "\n…" : ""));
    }
  }

  // ---------------------------------------------------------------- search

  // The shortest name with the text in it comes first, then what only tells of it.
  const rank = (b, text) => (b.title.toLowerCase().includes(text) ? b.title.length : 1e9);

  function lookFor(words) {
    for (const g of view.nodes.values()) g.classList.remove("hit", "current");
    const text = words.trim().toLowerCase();
    hits = text === "" ? [] : Object.entries(view.boxes)
      .filter(([id, b]) => view.nodes.has(id) && (b.title + "\n" + b.tip).toLowerCase().includes(text))
      .sort(([, a], [, b]) => rank(a, text) - rank(b, text))
      .map(([id]) => id);
    at = -1;
    view.root.classList.toggle("searching", hits.length > 0);
    found.textContent = text === "" ? "" : `${hits.length} found`;
    for (const id of hits) view.nodes.get(id).classList.add("hit");
    if (hits.length) next();
    else tell(null);
  }

  function next() {
    if (!hits.length) return;
    if (at >= 0) view.nodes.get(hits[at]).classList.remove("current");
    at = (at + 1) % hits.length;
    const id = hits[at];
    for (const c of around(view, id)) folded.delete(view.clusters[c].key);
    arrange();
    view.nodes.get(id).classList.add("current");
    found.textContent = `${at + 1} of ${hits.length}`;
    const [x, y] = spot(id), [, , width, height] = view.now;
    view.fitted = false;
    place(view, x - width / 2, y - height / 2, width, height);
    tell(id);
  }

  search.addEventListener("input", () => lookFor(search.value));
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") next();
    if (event.key === "Escape") { search.value = ""; lookFor(""); }
  });
  find("fit").addEventListener("click", () => { fit(view); view.whole = true; });
  find("fold").addEventListener("click", () => {
    for (const graph of data.graphs) for (const c of Object.values(graph.clusters)) folded.add(c.key);
    arrange();
    fit(view);
  });
  find("unfold").addEventListener("click", () => { folded.clear(); arrange(); fit(view); });
  document.body.classList.toggle("framed", window !== window.parent);
  find("player").hidden = !data.player;
  show(views[0]);
  document.body.dataset.ready = "yes";
  return { data, find, make, views, show, drawn, outermost, boxAt, middle, sampled, place, fit, now: () => view };
})();

