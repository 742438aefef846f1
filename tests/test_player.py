"""The player of a drawing's page: in a browser, and what it is given."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_draw import any_engine, article, browser, tried_each
from test_explain import NEURON, program

import minigrad as mg
from minigrad import nn

__all__ = ["any_engine"]  # a fixture

STEPPING = """
    const at = (id) => document.getElementById(id), card = () => at('card').innerText.replace(/\\s+/g, ' ');
    const press = (key) => document.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}));
    const lit = () => all('.view.shown .node.lit').map((g) => g.querySelector('text').textContent);
    const rules = () => all('.view.shown .rule').map((g) => [...g.querySelectorAll('text')].map((t) => t.textContent));
    const tags = () => all('.view.shown .tag').map((g) => g.textContent);
"""
NEURON_PAGE = (
    STEPPING
    + """
    told.labels = labels();
    told.before = [at('player').hidden, at('card').hidden, lit(), drawing.last];
    press('ArrowRight'); press('ArrowRight'); press('ArrowRight');
    told.third = [lit(), card(), all('.view.shown .edge.lit').length, at('step').textContent];
    press('ArrowLeft');
    told.second = lit();
    at('backward').click();
    told.begun = [lit(), rules(), at('backward').getAttribute('aria-pressed')];
    at('slider').value = 14; at('slider').dispatchEvent(new Event('input'));
    told.tanh = [lit(), rules(), card(), at('card').querySelector('mark').textContent];
    press('End');
    told.end = [card(), tags(), at('next').disabled];
    all('#views button')[1].click(); // the backward pass alone
    press('ArrowLeft');
    told.rules = [all('.view.shown')[0].dataset.view, lit()];
    at('slider').value = 14; at('slider').dispatchEvent(new Event('input'));
    told.more = lit();
    all('#views button')[2].click();
    told.both = lit();
    all('#views button')[1].click();
    at('forward').click();
    told.view = [all('.view.shown')[0].dataset.view, lit()];
    press('End'); press('ArrowLeft');
    press(' ');
    told.plays = [at('play').textContent, lit()];
    press(' ');
    told.stands = at('play').textContent;
    const [svg, width, height] = drawing.picture();
    const parsed = new DOMParser().parseFromString(svg, 'image/svg+xml');
    told.saved = [parsed.querySelectorAll('parsererror').length, svg.includes('t1 = 1'), width > 100, height > 100];
    press('Home');
    told.home = [lit(), tags(), at('card').hidden];
    const named = (e) => e.getAttribute('aria-label') || e.textContent;
    told.unnamed = all('#player button, #player input').filter((e) => !named(e)).length;
    at('svg').closest('body').style.width = '700px';
    at('fit').click();
    const seen = (r, frame) => r.left > frame.left - 2 && r.right < frame.right + 2;
    const meet = (a, b, low, high) => Math.min(a[high], b[high]) - Math.max(a[low], b[low]) > 2;
    const both = (a, b) => meet(a, b, 'left', 'right') && meet(a, b, 'top', 'bottom');
    const rects = (what) => all(`.view.shown .${what}`).map((g) => g.getBoundingClientRect());
    told.unseen = []; told.covering = []; told.loose = []; told.leaders = 0;
    for (let step = 9; step < 17; step++) {
        drawing.go(step);
        const leaders = rects('leader'), edges = rects('edge.lit');
        told.leaders += leaders.length;
        const by = (a) => (b) => b.left < a.right + 12 && b.right > a.left - 12; // an edge, or a line to it
        if (rects('rule').some((a) => ![...leaders, ...edges].some(by(a)))) told.loose.push(step);
        if (rects('rule').some((a) => rects('tag').some((b) => both(a, b)))) told.covering.push(step);
        const frame = all('.view.shown > svg')[0].getBoundingClientRect();
        if (!all('.view.shown .rule').every((g) => seen(g.getBoundingClientRect(), frame))) told.unseen.push(step);
    }
"""
)
NETWORK_PAGE = (
    STEPPING
    + """
    drawing.go(10);
    const legend = () => all('.view.shown .legend span').filter(seen).map((e) => e.textContent);
    told.legend = legend();
    told.linear = [lit(), rules().map((texts) => texts[0]), all('.view.shown .rule path').length > 2, card()];
    told.maps = all('.view.shown .tag.gradient path').map((path) => getComputedStyle(path).stroke);
    at('fold').click();
    const style = (e) => getComputedStyle(e), body = style(document.body).backgroundColor;
    told.colours = [
      [style(at('card').querySelector('mark')).color, style(at('card')).backgroundColor],
      ...all('.view.shown :is(.edge, .cluster, .tag) text').map((e) => [style(e).fill, body]),
    ];
    const tags_of = (title) => {
      const box = shown().find((g) => g.querySelector('text').textContent === title).getBoundingClientRect();
      const inside = (r) => r.left > box.left - 1 && r.right < box.right + 1 && r.top > box.top && r.top < box.bottom;
      return all('.view.shown .tag').filter((g) => inside(g.getBoundingClientRect())).map((g) => g.textContent);
    };
    told.folded = [lit(), legend()[4], tags_of('6: Linear'), tags_of('4: Linear')];
    at('unfold').click();
    told.unfolded = lit();
    const touch = (kind, pointerId, x, y) => all('.view.shown > svg')[0].dispatchEvent(
      new PointerEvent(kind, {pointerId, clientX: x, clientY: y, bubbles: true}));
    const before = [...drawing.now().now];
    touch('pointerdown', 1, 200, 200); touch('pointerdown', 2, 300, 200);
    touch('pointermove', 2, 400, 200);
    told.pinched = drawing.now().now.map((n, k) => n / before[k]).slice(2);
    touch('pointerup', 2, 400, 200); touch('pointermove', 1, 100, 100); touch('pointerup', 1, 100, 100);
    told.rested = drawing.now().now[2] / before[2];
    const still = [...drawing.now().now], shift = () => drawing.now().now.map((n, k) => n - still[k]).slice(0, 2);
    touch('pointerdown', 1, 200, 200); touch('pointerdown', 2, 300, 200);
    touch('pointermove', 1, 200, 260); touch('pointermove', 2, 300, 260);
    told.pulled = shift();
    touch('pointerup', 1, 200, 260); touch('pointerup', 2, 300, 260);
    touch('pointerdown', 3, 200, 200); touch('pointermove', 3, 200, 260);
    const dragged = shift();
    touch('pointercancel', 3, 200, 260);
    told.left = [dragged[1] - told.pulled[1], shift()[1] - told.pulled[1]];
    told.action = getComputedStyle(all('.view.shown > svg')[0]).touchAction;
    press('Home');
    document.body.style.width = '390px';
    all('#views button')[2].click();
    const place = (e) => e.getBoundingClientRect(), frame = () => place(all('.view.shown > svg')[0]);
    const unit = () => drawing.now().now[2] / frame().width, step = drawing.now().places.steps[0];
    const first = place(all('.view.shown .node').find((g) => g.dataset.id === step));
    told.narrow = [unit(), drawing.now().size[2] / frame().width];
    told.narrow.push(first.left > frame().left && first.right < frame().right);
    press('ArrowRight');
    told.narrow.push(unit());
    at('fit').click();
    told.narrow.push(drawing.now().now[2] - drawing.now().size[2]);
"""
)
CROWDED = """a, b = (mg.tensor(v, requires_grad=True) for v in (2.0, -3.0))
loss = ((a * b + a**2).tanh() - mg.exp(b) / (a + 1)).sigmoid() * mg.sin(a) - b
drawing = mg.draw(loss, {"a": a, "b": b}, show=("value", "grad"))
"""
CROWDED_PAGE = (
    STEPPING
    + """
    const meet = (a, b, low, high) => Math.min(a[high], b[high]) - Math.max(a[low], b[low]) > 2;
    press('End');
    const rects = all('.view.shown .tag').map((g) => g.getBoundingClientRect());
    told.tags = rects.length;
    const both = (a, b) => meet(a, b, 'left', 'right') && meet(a, b, 'top', 'bottom');
    const { a: unit, e: origin } = all('.view.shown > svg')[0].getScreenCTM(), [from, , wide] = drawing.now().size;
    const [begin, end] = [origin + unit * from, origin + unit * (from + wide)];
    told.outside = rects.filter((r) => r.left < begin - 1 || r.right > end + 1).length;
    told.met = rects.flatMap((a, k) => rects.slice(k + 1).filter((b) => both(a, b))).length;
"""
)
PRODUCT = """w, x, b = (mg.tensor(v, requires_grad=True) for v in (2.0, 0.5, -0.6))
y = (w * x + b).tanh()
drawing = mg.draw(y, direction="both", show=("value", "grad"))
"""
PRODUCT_PAGE = (
    STEPPING
    + """
    const meet = (a, b, low, high) => Math.min(a[high], b[high]) - Math.max(a[low], b[low]) > 2;
    const both = (a, b) => meet(a, b, 'left', 'right') && meet(a, b, 'top', 'bottom');
    const rects = (what) => all(`.view.shown .${what}`).map((g) => g.getBoundingClientRect());
    press('End');
    told.rules = rules().map((texts) => texts[0]);
    told.met = rects('rule').filter((a) => [...rects('tag'), ...rects('node')].some((b) => both(a, b))).length;
"""
)
TIME_PAGE = """
    // The quickest of some times of each step, for the machine may have other work.
    const times = Array(drawing.last + 1).fill(Infinity);
    for (let round = 0; round < 4; round++) for (let k = 0; k <= drawing.last; k++) {
      const begun = performance.now();
      drawing.go(k);
      document.querySelector('.view.shown svg').getBoundingClientRect(); // it is laid out
      times[k] = Math.min(times[k], performance.now() - begun);
    }
    told.slowest = Math.max(...times);
    told.median = times.sort((a, b) => a - b)[times.length >> 1];
    told.steps = drawing.last;
"""


class Block(nn.Module):
    def __init__(self, d: int) -> None:
        super().__init__()
        self.norm, self.attention = nn.LayerNorm(d), nn.MultiheadAttention(d, 2, batch_first=True)
        self.mlp = nn.Sequential(nn.LayerNorm(d), nn.Linear(d, 2 * d), nn.GELU(), nn.Linear(2 * d, d))

    def forward(self, x: Any) -> Any:
        h = self.norm(x)
        x = x + self.attention(h, h, h)[0]
        return x + self.mlp(x)


def network() -> mg.Drawing:
    """About sixty boxes."""
    net = nn.Sequential(Block(8), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 4), nn.Tanh())
    net.extend([nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2)])
    x, target = mg.randn(2, 5, 8), mg.randn(2, 5, 2)
    loss = nn.functional.mse_loss(net(x), target)
    return mg.draw(loss, net, fold=False)


def contrast(a: str, b: str) -> float:
    """Of two colours of a style sheet, as WCAG defines it."""

    def luminance(colour: str) -> float:
        shares = np.array([int(n) / 255 for n in re.findall(r"\d+", colour)[:3]])
        linear = np.where(shares <= 0.03928, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722]) + 0.05

    return max(luminance(a) / luminance(b), luminance(b) / luminance(a))


@pytest.fixture
def no_folded_layouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """These take seconds, and the player needs none."""
    monkeypatch.setattr("minigrad.readers.draw.states.SQUARES", 0)


def test_the_player_steps_through_a_neuron_and_a_network(
    any_engine: None, no_folded_layouts: None, tmp_path: Path
) -> None:
    browser()
    drawing = program(NEURON + "drawing = mg.draw(loss)")["drawing"]
    net, loss = article()
    large = network()
    pages = [
        (drawing.html(), NEURON_PAGE),
        (mg.draw(loss, net).html(), NETWORK_PAGE),
        (large.html(), TIME_PAGE),
        (program(CROWDED)["drawing"].html(), CROWDED_PAGE),
        (program(PRODUCT)["drawing"].html(), PRODUCT_PAGE),
    ]
    one, two, three, crowded, product = tried_each(pages, tmp_path, clock=True)
    assert (crowded["tags"], crowded["met"], crowded["outside"]) == (26, 0, 0), (
        "values and gradients of near boxes do not cover each other, and stay in the picture"
    )
    assert (product["rules"], product["met"]) == (["g * x", "g * w"], 0), (
        "rules stand beside boxes and numbers"
    )
    for told in (one, two, three, crowded, product):
        assert told["errors"] == []
    assert sorted(one["labels"]) == sorted(b.title for b in drawing._graph.boxes)
    assert one["before"] == [False, True, [], 16]
    box, card, edges, count = one["third"]
    assert (box, edges, count) == (["y = tanh"], 1, "3 / 8")
    assert "neuron.py:2" in card
    assert "tanh(1.1) = 0.8005" in card
    assert one["second"] == ["add"]
    assert one["begun"] == [["loss = add"], [["g", "= 1"], ["g", "= 1"]], "true"]
    box, rules, card, mark = one["tanh"]
    assert (box, rules, mark) == (["y = tanh"], [["g * (1 - y * y)", "= -0.1433"]], "(w * x + b).tanh()")
    assert "g = ∂y -0.399" in card
    assert "-0.399 * (1 - 0.8005 * 0.8005) = -0.1433" in card
    card, tags, last = one["end"]
    assert "added up 0.01 + (-0.2866) = -0.2766" in card, "gradients of two uses add up"
    assert card.endswith("w.grad -0.2766")
    assert {"∂ = -0.2766", "∂ = -0.1433", "∂t1 = -0.1433", "0.8005"} < set(tags)
    assert last
    assert one["rules"] == ["backward", []], "a sum sends what it gets: no step of backward is drawn for it"
    assert sorted(one["more"]) == sorted(one["both"]) == ["mul", "sub(1, ·)", "y = tanh", "∂ b"]
    assert one["view"] == ["forward", ["mul"]], "forward plays where its boxes are"
    assert one["plays"] == ["Play", ["mul"]], "the last step ends the play"
    assert one["stands"] == "Pause"
    assert one["saved"] == [0, True, True, True]
    assert one["home"] == [[], [], True]
    assert one["unnamed"] == 0
    assert one["unseen"] == [], "rules stand where they are seen, also in a narrow page"
    assert one["covering"] == [], "and cover neither values nor gradients"
    assert one["loose"] == [], "a line leads to one that stands apart from its edge"
    assert one["leaders"] > 0
    box, rules, pictured, card = two["linear"]
    assert (box, sorted(rules), pictured) == (["linear"], ["g", "g @ 6.weight", "g.T @ t6"], True)
    assert two["legend"] == [
        "input", "parameter", "operation", "result", "a … b … c: least, mean and largest element"
    ]  # fmt: skip
    assert "summed, 10 × 1 to 1" in card
    assert min(contrast(*pair) for pair in two["colours"]) > 4.5
    assert re.search(r"g = ∂\w+ 10 × 1 -?[\d.]+ … ", card), "the size stands by itself"
    assert "6.weight.grad" in card
    assert "least … mean … largest" in card
    assert set(two["maps"]) == {"none"}, "colours of boxes are not those of heat maps"
    box, key, *tags = two["folded"]
    assert (box, key) == (["6: Linear"], "operations, in one box")
    assert tags == [["", "∂t7"], ["t5"]], "a folded module has the value and the gradient of what it gives"
    assert two["unfolded"] == ["linear"]
    assert (two["pinched"], two["rested"]) == ([0.5, 0.5], 0.5), "two fingers zoom"
    assert two["pulled"][1] < -10, "two fingers also move the picture"
    assert two["left"][0] < -10, "one finger moves the page around it"
    assert two["left"][1] == 0, "one finger moves the page around it"
    assert two["action"] == "pan-y"
    opened, whole, seen, stepped, fitted = two["narrow"]
    assert (opened, seen, fitted) == (1, True, 0), (
        "on a narrow screen the first step is large enough to be read"
    )
    assert whole > 1.5
    assert stepped < 1.05
    assert three["steps"] > 60
    assert three["median"] < 16, three
    assert len(large._graph.boxes) >= 58
    # Here without folded layouts, which come to 60 kB at most.
    assert len(pages[2][0].encode()) < 230_000


def test_a_page_gives_up_folded_layouts_before_it_is_heavy(
    any_engine: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minigrad.readers.draw.states.SQUARES", 4_000)
    net, loss = article()
    drawing = mg.draw(loss, net)
    whole = drawing.html()
    all_of_them = [len(view["layouts"]) for view in layouts(whole)]
    for weight, kept in ((len(whole.encode()) - 2_000, True), (len(whole.encode()) // 2, False)):
        monkeypatch.setattr("minigrad.readers.draw.page.WEIGHT", weight)
        light = drawing.html()
        assert (len(light.encode()) <= weight) == kept
        assert ([len(view["layouts"]) for view in layouts(light)] != all_of_them) == kept
        assert [view["layouts"][0] for view in layouts(light)] == [
            view["layouts"][0] for view in layouts(whole)
        ]


def layouts(page: str) -> Any:
    return json.loads(page.partition(' id="data">')[2].partition("</script>")[0])["views"]


def test_what_cannot_be_stepped_through_has_no_player(any_engine: None) -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    long = x
    for _ in range(401):
        long = long + 1.0
    freed = x * x
    freed.sum().backward()
    why = "No player, for 401 operations are more than 400; minigrad.explain prints the steps."
    for t, said in ((long, why), (freed.sum(), ""), (mg.tensor(1.0), "")):
        d = mg.draw(t)
        assert d._steps == said
        assert f'"unplayed":"{said}"' in d.html()
    assert "steps" in mg.draw(mg.tensor(np.ones(2)) * x)._steps
