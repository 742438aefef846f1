"""What readers show in a notebook: text and tables as HTML that is readable on light and on dark pages."""

from __future__ import annotations

import io
import keyword
import tokenize
from collections.abc import Sequence
from html import escape

# A page says which it is: Jupyter and VS Code by an attribute or a class, others by the reader's preference. A class
# stands twice where the page's own rules would win.
_LIGHT = "--mg-head:#0550ae;--mg-name:#953800;--mg-quiet:#57606a;--mg-line:#d0d7de"
_DARK = "--mg-head:#79c0ff;--mg-name:#ffa657;--mg-quiet:#9aa4ae;--mg-line:#444c56"
STYLE = f"""<style>
.minigrad {{ {_LIGHT}; line-height: 1.4; }}
pre.minigrad.minigrad {{ font-family: ui-monospace, Menlo, Consolas, monospace }}
@media (prefers-color-scheme: dark) {{ .minigrad {{ {_DARK} }} }}
[data-jp-theme-light=true] .minigrad, .vscode-light .minigrad {{ {_LIGHT} }}
[data-jp-theme-light=false] .minigrad, .vscode-dark .minigrad {{ {_DARK} }}
.minigrad b {{ color: var(--mg-head) }} .minigrad i {{ color: var(--mg-quiet) }}
.minigrad u {{ color: var(--mg-name); text-decoration: none }}
.minigrad table {{ border-collapse: collapse; font-size: 90%; font-variant-numeric: tabular-nums }}
.minigrad.minigrad :is(th, td) {{ text-align: left; padding: 2px 12px 2px 0; border: 0; white-space: pre }}
.minigrad.minigrad thead th {{ border-bottom: 1px solid var(--mg-line); color: var(--mg-head) }}
.minigrad.minigrad .n.n {{ text-align: right }}
</style>"""

_UNSEEN = {tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def text(rows: list[str]) -> str:
    """Lines of HTML, in which ``<b>`` marks what leads, ``<i>`` what is quiet and ``<u>`` a name."""
    return f'{STYLE}<pre class="minigrad">' + "\n".join(rows) + "</pre>"


def python(source: str) -> str:
    """The text of a program, highlighted."""
    lines, end = source.split("\n"), (1, 0)
    rows: list[list[str]] = [[] for _ in lines]

    def put(text: str, row: int, tag: str = "") -> None:
        for i, part in enumerate(text.split("\n")):
            shown = escape(part, quote=False)
            rows[row - 1 + i].append(f"<{tag}>{shown}</{tag}>" if tag and part else shown)

    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        (row, column), before = token.start, end
        if token.type in _UNSEEN:
            continue
        put(lines[row - 1][before[1] if before[0] == row else 0 : column], row)
        quiet = token.type in (tokenize.COMMENT, tokenize.STRING)
        tag = "i" if quiet else "b" if keyword.iskeyword(token.string) else ""
        put(token.string, row, tag)
        end = token.end
    return text(["".join(row) for row in rows])


def table(rows: Sequence[Sequence[str]], right: Sequence[int] = (), caption: str = "") -> str:
    """Rows of cells, the first of which are headings; ``right`` are the columns of numbers; without empty columns."""
    kept = [k for k in range(len(rows[0])) if any(row[k] for row in rows[1:])]

    def line(row: Sequence[str], name: str) -> str:
        cells = (f"<{name}{' class=n' * (k in right)}>{escape(row[k], quote=False)}</{name}>" for k in kept)
        return f"<tr>{''.join(cells)}</tr>"

    body = "".join(line(row, "td") for row in rows[1:])
    told = f"<p>{escape(caption, quote=False)}</p>" if caption else ""
    return (
        f'{STYLE}<div class="minigrad">{told}<table><thead>{line(rows[0], "th")}</thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
