"""What readers show in a notebook: text and tables as HTML that is readable on light and on dark pages."""

from __future__ import annotations

# A page says which it is: Jupyter and VS Code by an attribute or a class, others by the reader's preference.
_LIGHT = "--mg-head:#0550ae;--mg-name:#953800;--mg-quiet:#57606a;--mg-line:#d0d7de"
_DARK = "--mg-head:#79c0ff;--mg-name:#ffa657;--mg-quiet:#9aa4ae;--mg-line:#444c56"
STYLE = f"""<style>
.minigrad {{ {_LIGHT}; line-height: 1.4; }}
@media (prefers-color-scheme: dark) {{ .minigrad {{ {_DARK} }} }}
[data-jp-theme-light=true] .minigrad, .vscode-light .minigrad {{ {_LIGHT} }}
[data-jp-theme-light=false] .minigrad, .vscode-dark .minigrad {{ {_DARK} }}
.minigrad b {{ color: var(--mg-head) }} .minigrad i {{ color: var(--mg-quiet) }}
.minigrad u {{ color: var(--mg-name); text-decoration: none }}
</style>"""


def text(rows: list[str]) -> str:
    """Lines of HTML, in which ``<b>`` marks what leads, ``<i>`` what is quiet and ``<u>`` a name."""
    return f'{STYLE}<pre class="minigrad">' + "\n".join(rows) + "</pre>"
