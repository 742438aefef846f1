// The player walks through the steps of the forward and the backward pass, which are data: what `explain` prints.
// Position 0 is the picture as it is; then come the steps of forward, then those of backward.
(() => {
  const { data, find, make, views, show, drawn, outermost, boxAt, middle, sampled, place, now } = drawing;
  const told = data.player, SVG = "http://www.w3.org/2000/svg";
  if (!told) return;
  const { steps, backward, leaves, amounts, results } = told, ahead = steps.length, last = ahead + backward.length;
  const card = find("card"), slider = find("slider");
  let at = 0, timer = null;
  const roots = new Set(results);

  const draw = (name, parent, attributes = {}, text = "") => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.textContent = text;
    parent.append(element);
    return element;
  };

  // ---------------------------------------------------------------- amounts

  const short = (text, most) => (text.length > most ? text.slice(0, most - 1) + "…" : text);
  const signed = (text) => (text.startsWith("-") ? `(${text})` : text);

  // A heat map as one path for each of its colours, a histogram as one path; in a square of 1 by 1.
  const shapes = amounts.map(([, , , rows, bars]) => {
    const paths = new Map(), high = rows.length, wide = high ? rows[0].length : 0;
    rows.forEach((row, r) => [...row].forEach((value, c) => {
      const level = bars ? "bar" : value, tall = bars ? Math.max(value / 99, value ? 0.03 : 0) : 1 / high;
      const top = bars ? 1 - tall : r / high;
      paths.set(level, (paths.get(level) || "") +
        `M${(c / wide).toFixed(3)} ${top.toFixed(3)}h${(1 / wide).toFixed(3)}v${tall.toFixed(3)}h${(-1 / wide).toFixed(3)}z`);
    }));
    return [...paths];
  });

  function picture(parent, n, x, y, width, height) {
    const g = draw("g", parent, { transform: `translate(${x} ${y}) scale(${width} ${height})` });
    draw("rect", g, { class: "ground", width: 1, height: 1 });
    for (const [level, path] of shapes[n]) draw("path", g, { d: path, class: level === "bar" ? "bar" : `heat h${level}` });
  }

  const brief = (n) => { // what there is room for beside a box
    const [size, text, single, rows] = amounts[n];
    return single || (rows.length ? "" : short(text, 18)) || size;
  };

  function amount(parent, n) { // in the card: the number, or the size, what is in it, and a picture
    const [size, text, single, rows, bars] = amounts[n];
    const span = make("span", parent, { class: "amount" });
    if (single) { make("b", span, {}, single); return; }
    if (rows.length) {
      const cell = bars ? 0 : Math.min(96 / rows[0].length, 40 / rows.length, 14);
      const width = bars ? 96 : cell * rows[0].length, height = bars ? 36 : cell * rows.length;
      const svg = draw("svg", span, { class: "pic", width, height, role: "img", "aria-label": bars ? "histogram" : "heat map" });
      picture(svg, n, 0, 0, width, height);
    }
    if (size) make("span", span, {}, size); // beside the picture, and below both what is in the array
    make("span", span, { class: "content" }, text.replaceAll("e-", "e-\u2060")); // no line ends in a number
  }

  // ---------------------------------------------------------------- the picture

  const shownAs = (v, id) => { // the box, or the folded frame that it is in
    if (!id) return "";
    const c = outermost(v, id);
    return c ? c.replace("c", "f") : id;
  };
  const placeOf = (v, n) => shownAs(v, n < 0 ? v.places.leaves[-1 - n] : v.places.steps[n]);

  function tags(v) { // what stands beside boxes at this position: values of operations, gradients of all
    const known = new Map();
    const note = (n, kind, number) => { // a folded frame has those of what it gives, its last step
      const id = placeOf(v, n), name = n < 0 ? "" : steps[n].name, of = known.get(id)?.of ?? -1;
      if (id && number !== null && (id[0] !== "f" || n >= of)) known.set(id, { ...known.get(id), [kind]: number, name, of: Math.max(n, of) });
    };
    for (let k = 0; k < Math.min(at, ahead); k++) note(k, "value", steps[k].value);
    for (let k = ahead; k < at; k++) {
      const step = steps[backward[k - ahead]];
      if (roots.has(step.name)) note(backward[k - ahead], "gradient", step.g);
      for (const share of step.shares) note(share.to, "gradient", share.total ?? share.fitted ?? share.sent);
    }
    return known;
  }

  function tag(layer, kind, n, name) { // one of them, and its width
    const pictured = amounts[n][3].length && !amounts[n][2], own = /^t\d+$/.test(name) ? name : "";
    const lead = kind === "gradient" ? `∂${own}` : own, text = pictured ? lead : lead ? `${lead} = ${brief(n)}` : brief(n);
    const words = 5.2 * text.length, width = words + 8 + (pictured ? 36 : 0);
    const g = draw("g", layer, { class: `tag ${kind}` });
    draw("rect", g, { width, height: 13, rx: 3 });
    draw("text", g, { x: 4 + words / 2, y: 9.5 }, text);
    if (pictured) picture(g, n, words + 6, 2, 34, 9);
    return [g, width];
  }

  // Where the tags of a box stand: beside or below each other, in the picture, where they cover least of what is taken.
  function room(parts, [left, , right, bottom], inside, taken, frame) {
    const y = bottom - (inside ? 17 : 3), row = parts.reduce((sum, [, width]) => sum + width + 2, -2), most = Math.max(...parts.map(([, width]) => width));
    const starts = (width) => [(left + right - width) / 2, left, right - width].map((x) => Math.max(frame[0], Math.min(x, frame[2] - width)));
    const ways = starts(row).map((x) => parts.map(([, width]) => [x, y, (x += width + 2) - 2, y + 13]));
    if (parts.length > 1) for (const x of starts(most)) ways.push(parts.map(([, width], k) => [x + (most - width) / 2, y + 14 * k, x + (most + width) / 2, y + 14 * k + 13]));
    let best = ways[0], least = Infinity;
    for (const way of ways) {
      const covered = way.reduce((sum, a) => taken.reduce((sum, b) => sum + shared(a, b), sum), 0);
      if (covered < least) [best, least] = [way, covered];
      if (!covered) break;
    }
    return best;
  }

  // The area that two boxes share.
  const shared = (a, b) => Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0])) * Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));

  function inSight(v, shown) { // the part of the picture that can be seen
    const [left, top, width, height] = v.now, [, , dx, dy] = v.model.size, x = left + width / 2 - dx, y = top + height / 2 - dy;
    const unit = Math.max(width / (shown.width || 1), height / (shown.height || 1)) / 2, w = shown.width * unit, h = shown.height * unit;
    return [x - w, y - h, x + w, y + h];
  }

  function label(layer, under, share, points, taken, sight) { // at an edge: the rule, and what it gives, where it covers least and is seen
    const pictured = amounts[share.sent][3].length && !amounts[share.sent][2];
    const rule = (share.local || "by its rule").split(/, (?:with|over|by) /)[0]; // the card says it whole
    const lines = [short(rule, 34), pictured ? "" : `= ${brief(share.sent)}`];
    const width = Math.max(...lines.map((line) => 5.2 * line.length), 44) + 10, height = 27;
    let best = null, least = Infinity, from = null;
    for (const part of [0.5, 0.7, 0.3]) {
      const [x, y] = points[Math.round(part * (points.length - 1))];
      for (const wanted of [x - width / 2, ...[3, 12, 24, 36, 48, 60, 72, 96, 120, 150].flatMap((far) => [x + far, x - width - far])]) {
        const left = Math.max(sight[0] + 2, Math.min(wanted, sight[2] - width - 2)); // nothing of it is cut off
        for (const below of [0, -12, 12, -24, 24, -36, 36, -48, 48]) {
          const top = y - height / 2 + below, box = [left, top, left + width, top + height];
          const unseen = width * height - shared(box, sight), far = Math.abs(left + width / 2 - x) + 2 * Math.abs(below);
          const covered = taken.reduce((sum, t) => sum + 6 * shared(box, t), far + 3 * unseen);
          if (covered < least) [best, least, from] = [box, covered, [x, y]];
        }
      }
    }
    taken.push(best);
    // A line leads to it where it stands apart.
    const [x, y] = from, side = x < best[0] ? best[0] : Math.min(x, best[2]);
    const middle = (best[1] + best[3]) / 2;
    if (Math.abs(side - x) > 10) draw("path", under, { class: "leader", d: `M${side} ${middle}L${x} ${y}` });
    const g = draw("g", layer, { class: "rule", transform: `translate(${best[0].toFixed(1)} ${best[1].toFixed(1)})` });
    draw("rect", g, { width, height, rx: 3 });
    draw("text", g, { x: width / 2, y: 11 }, lines[0]);
    if (pictured) picture(g, share.sent, width / 2 - 20, 14.5, 40, 10);
    else draw("text", g, { x: width / 2, y: 22 }, lines[1]);
  }

  // Where the backward pass of a step is drawn.
  const rulesOf = (v, n) => at > ahead ? v.places.rules[n].map((box) => shownAs(v, box)) : [];

  function light(v, shown) { // ``shown``: the place of the picture on the screen
    for (const g of v.top.querySelectorAll(".lit")) g.classList.remove("lit");
    for (const g of v.top.querySelectorAll(".labels")) g.remove();
    v.root.classList.toggle("playing", at > 0);
    v.root.classList.toggle("back", at > ahead);
    const taken = Object.keys(v.model.nodes).map((id) => boxAt(v, v.model, id)); // what a label should not cover
    hang(v, at > 0 && v.places.steps ? tags(v) : new Map(), taken);
    if (at === 0 || !v.places.steps) return;
    const n = at > ahead ? backward[at - 1 - ahead] : at - 1, edges = v.places.edges[n], id = placeOf(v, n);
    follow(v, id in v.model.nodes ? id : rulesOf(v, n)[0], shown);
    const labels = document.createElementNS(SVG, "g"), lines = labels.cloneNode(), sight = inSight(v, shown);
    for (const g of [labels, lines]) g.setAttribute("class", "labels");
    v.nodes.get(id)?.classList.add("lit");
    for (const box of rulesOf(v, n)) v.nodes.get(box)?.classList.add("lit");
    for (const [slot, edge] of edges.entries()) {
      const share = steps[n].shares.find((s) => s.slot === slot);
      if ((at > ahead && !share) || !(edge in v.model.edges)) continue;
      v.edges.get(edge).classList.add("lit");
      const points = v.model.edges[edge][0];
      if (at > ahead) label(labels, lines, share, points.straight ? points : sampled(points), taken, sight);
    }
    v.top.append(labels);
    v.top.prepend(lines); // below what stands at the boxes
  }

  function hang(v, wanted, taken) { // tags at boxes; those that stay as they were are left alone
    if (!v.tags) v.tags = new Map();
    const [from, over, width, height] = v.size, [dx, dy] = v.model.size.slice(2);
    const frame = [from - dx, over - dy, from + width - dx, over + height - dy];
    for (const [id, old] of v.tags) if (!wanted.has(id) || !(id in v.model.nodes)) { old.g.remove(); v.tags.delete(id); }
    for (const [id, { value, gradient, name }] of wanted) {
      if (!(id in v.model.nodes)) continue;
      const [left, top, right, bottom] = boxAt(v, v.model, id), key = `${value} ${gradient} ${name}`;
      let old = v.tags.get(id);
      if (!old || old.key !== key) {
        old?.g.remove();
        const g = draw("g", v.top, {});
        const parts = value === undefined ? [] : [tag(g, "value", value, gradient === undefined ? name : "")];
        if (gradient !== undefined) parts.push(tag(g, "gradient", gradient, name));
        v.tags.set(id, old = { key, g, parts });
      }
      // within the box where there is room, for its own lines are hidden; else below it
      const others = taken.filter((t) => t[0] !== left || t[1] !== top), inside = value !== undefined && bottom - top > 32;
      for (const [k, place] of room(old.parts, [left, top, right, bottom], inside, others, frame).entries()) {
        old.parts[k][0].setAttribute("transform", `translate(${place[0].toFixed(1)} ${place[1].toFixed(1)})`);
        taken.push(place);
      }
    }
  }

  function follow(v, id, shown) { // brings the step into sight; a picture that is too small to read is enlarged
    if (!(id in v.model.nodes)) return;
    const [x, y] = middle(boxAt(v, v.model, id)), [, , dx, dy] = v.model.size, [left, top, width, height] = v.now;
    const unit = Math.max(width / (shown.width || 1), height / (shown.height || 1)), px = x + dx, py = y + dy;
    const small = unit > 1.3 && !v.whole, w = small ? shown.width : width, h = small ? shown.height : height;
    const inside = px > left + w / 8 && px < left + (7 * w) / 8 && py > top + h / 8 && py < top + (7 * h) / 8;
    if (!small && (v.fitted || inside)) return;
    v.fitted = false;
    place(v, px - w / 2, py - h / 2, w, h);
  }

  // ---------------------------------------------------------------- the card

  function row(table, name, n, numbers = "", kind = "") {
    const tr = make("tr", table, { class: kind });
    make("th", tr, { scope: "row" }, name);
    const td = make("td", tr);
    if (numbers) td.append(`${numbers} = `);
    if (n !== null && n !== undefined) amount(td, n);
  }

  function tell() {
    card.textContent = "";
    if (at === 0) return;
    const back = at > ahead, n = back ? backward[at - 1 - ahead] : at - 1, step = steps[n];
    make("h2", card, {}, back ? `Backward ${at - ahead} of ${backward.length}` : `Forward ${at} of ${ahead}`);
    const source = make("p", card, { class: "source" });
    make("span", source, {}, step.place);
    const code = make("code", source), [from, to] = step.span;
    code.append(step.line.slice(0, from));
    make("mark", code, {}, step.line.slice(from, to));
    code.append(step.line.slice(to));
    make("p", card, { class: "operation" }, `${step.name} = ${step.text}`);
    if (step.holds) make("p", card, { class: "hint" }, `${step.name} holds ${step.holds}, one behind the other.`);
    const table = make("table", card);
    row(table, step.name, step.value, step.numbers, "value");
    if (back) {
      row(table, `g = ∂${step.name}`, step.g, "", "gradient");
      for (const share of step.shares) {
        make("p", make("td", make("tr", table, { class: "share" }), { colspan: 2 }), {},
          `∂${share.name} = ${share.local || `by the rule of ${step.op}`}`);
        row(table, "sends", share.sent, share.numbers);
        if (share.fitted !== undefined) row(table, `summed, ${share.summed}`, share.fitted);
        if (share.total !== undefined) {
          const part = share.fitted ?? share.sent, single = amounts[share.before][2] && amounts[part][2];
          if (!single) row(table, "sent before", share.before);
          row(table, "added up", share.total, single ? `${amounts[share.before][2]} + ${signed(amounts[part][2])}` : "", "sum");
        }
        const leaf = share.to < 0 ? leaves[-1 - share.to] : null, n = share.total ?? share.fitted ?? share.sent;
        if (leaf && leaf.g === n && at >= finished(share.to)) row(table, `${leaf.name}.grad`, n, "", "leaf");
      }
    }
    if (table.querySelector(".pic")) {
      make("p", card, { class: "hint" }, "Arrays: the size, and least … mean … largest element. Heat maps are blue below 0 and " +
        "orange above, nan is green; histograms run from the least element to the largest.");
    }
  }

  const finished = (leaf) => { // the position at which a leaf has all of its gradient
    let k = 0;
    backward.forEach((n, j) => { if (steps[n].shares.some((s) => s.to === leaf)) k = ahead + j + 1; });
    return k;
  };

  // ---------------------------------------------------------------- moving through time

  function go(k) {
    at = Math.max(0, Math.min(last, k));
    const back = at > ahead;
    // The backward pass alone has no boxes of the forward one.
    const other = at > 0 && !back && now().name === "backward" ? views.find((v) => v.name !== "backward") : null;
    const resized = card.hidden !== (at === 0);
    let shown = now().svg.getBoundingClientRect(); // before anything changes: nothing is laid out twice
    slider.value = at;
    find("step").textContent = at === 0 ? "" : back ? `${at - ahead} / ${backward.length}` : `${at} / ${ahead}`;
    slider.setAttribute("aria-valuetext", at === 0 ? "the whole picture" : `${back ? "backward" : "forward"} ${find("step").textContent}`);
    find("forward").setAttribute("aria-pressed", at > 0 && !back);
    find("backward").setAttribute("aria-pressed", back);
    find("previous").disabled = at === 0;
    find("next").disabled = at === last;
    if (at === last) pause();
    card.hidden = at === 0;
    if (resized) {
      const before = shown, v = now(), [x, y, width, height] = v.now;
      v.root.classList.toggle("playing", at > 0); // it may hide the legend
      shown = v.svg.getBoundingClientRect();
      // What was enlarged keeps its scale where the card takes a part of its place.
      if (!v.fitted && before.width && before.height) place(v, x, y, (width * shown.width) / before.width, (height * shown.height) / before.height);
    }
    if (other) show(other);
    if (other) shown = now().svg.getBoundingClientRect();
    light(now(), shown);
    tell();
  }

  function pause() {
    clearInterval(timer);
    timer = null;
    find("play").textContent = "Play";
    find("play").setAttribute("aria-label", "Play");
  }

  function play() {
    if (timer !== null) { pause(); return; }
    go(at === last ? 1 : at + 1);
    if (at === last) return;
    find("play").textContent = "Pause";
    find("play").setAttribute("aria-label", "Pause");
    timer = setInterval(() => go(at + 1), 1200);
  }

  const move = (k) => { pause(); go(k); };
  const keys = { ArrowLeft: () => move(at - 1), ArrowRight: () => move(at + 1), Home: () => move(0), End: () => move(last), " ": play };
  document.addEventListener("keydown", (event) => {
    const on = event.target, inside = on instanceof Element ? on.tagName : "";
    const own = on.type === "search" || (on.type === "range" && event.key !== " ") || (inside === "BUTTON" && event.key === " ");
    if (own || event.altKey || event.ctrlKey || event.metaKey || !(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });
  find("forward").addEventListener("click", () => move(1));
  find("backward").addEventListener("click", () => move(ahead + 1));
  find("backward").disabled = !backward.length;
  find("previous").addEventListener("click", () => move(at - 1));
  find("next").addEventListener("click", () => move(at + 1));
  find("play").addEventListener("click", play);
  slider.max = last;
  slider.addEventListener("input", () => move(+slider.value));
  const again = (v) => light(v, v.svg.getBoundingClientRect());
  drawn.push(again);
  addEventListener("resize", () => again(now())); // labels stand where they are seen
  const asked = /^#step=(\d+)$/.exec(location.hash); // a link may lead to a step
  go(asked ? +asked[1] : 0);
  drawing.go = go;
  drawing.last = last;
})();
