"""The picture of the README: the graph of a small network, and beside it the NumPy program that is its backprop.

``python docs/picture.py`` writes it to ``docs/_static/readme.svg``.  It needs Graphviz.
"""

from __future__ import annotations

import html
import math
import re
from pathlib import Path

import minigrad as mg

FILE = Path(__file__).with_name("_static") / "readme.svg"
SIZE, LEADING, MARGIN = 11.0, 15.5, 18.0  # of the text, in pixels


def network() -> tuple[mg.Tensor, dict[str, mg.Tensor], mg.nn.Module]:
    """The loss of two layers on 8 rows, the names in the program, and the network."""
    mg.manual_seed(0)
    x, target = mg.randn(8, 2), mg.randn(8, 1)
    net = mg.nn.Sequential(mg.nn.Linear(2, 3), mg.nn.Tanh(), mg.nn.Linear(3, 1))
    loss = mg.nn.functional.mse_loss(net(x), target)
    first, last = net[0], net[2]
    names = {
        "x": x,
        "target": target,
        "w1": first.weight,
        "b1": first.bias,
        "w2": last.weight,
        "b2": last.bias,
    }
    return loss, names, net


def program() -> list[str]:
    """The lines of the printed program that are shown: those of the function, without where they were recorded."""
    loss, names, _ = network()
    text = mg.source(loss, inputs=names).partition("def ")[2]
    text = re.sub(r'\n    """.*?"""', "", text, flags=re.DOTALL)
    return (
        re.sub(r"  (# \S+py:\d+|\(\S+py:\d+\))$", "", f"def {text}", flags=re.MULTILINE).strip().split("\n")
    )


def drawing() -> mg.Drawing:
    loss, names, _ = network()
    return mg.draw(loss, params=names, show=("shape",), legend=False)


def _line(text: str, x: float, y: float) -> str:
    comment = text.lstrip().startswith("#")
    fill = "#6a737d" if comment else "#1f2328"
    shown = html.escape(text, quote=False)
    if not comment:
        shown = re.sub(r"\b(def|return|import)\b", r'<tspan fill="#cf222e">\1</tspan>', shown)
        shown = re.sub(r"\b(np\.\w+)", r'<tspan fill="#0550ae">\1</tspan>', shown)
    return f'<text x="{x}" y="{y:.1f}" fill="{fill}" xml:space="preserve">{shown}</text>'


def picture() -> str:
    graph = drawing().svg()
    view = re.search(r'viewBox="[\d.]+ [\d.]+ ([\d.]+) ([\d.]+)"', graph)
    if view is None:
        raise RuntimeError("the drawing has no size")
    lines = program()
    tall = len(lines) * LEADING + 24.0
    scale = min(1.0, tall / float(view[2]))
    wide = float(view[1]) * scale
    left = MARGIN * 2 + wide
    width = math.ceil(left + max(map(len, lines)) * SIZE * 0.605 + MARGIN)
    height = math.ceil(tall + 2 * MARGIN)
    inner = graph.partition(">")[2].rpartition("</svg>")[0]
    down = MARGIN + (tall - float(view[2]) * scale) / 2
    code = "\n".join(_line(text, left, MARGIN + 20 + i * LEADING) for i, text in enumerate(lines))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" \
viewBox="0 0 {width} {height}" width="{width}" height="{height}">
<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8" fill="#ffffff" stroke="#d0d7de"/>
<g transform="translate({MARGIN} {down:.1f}) scale({scale:.3f})">{inner}</g>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="{SIZE}">
{code}
</g>
</svg>
"""


if __name__ == "__main__":
    FILE.write_text(picture(), encoding="utf-8")
    print(f"{FILE}: {FILE.stat().st_size / 1e3:.0f} kB")
