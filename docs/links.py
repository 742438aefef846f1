"""Looks that every link of the built pages leads somewhere: to a file, and to a place in it that has that name.

Sphinx checks what it makes links of itself.  This reads the pages, so it also sees pictures, players and written HTML.
Addresses of other sites are left alone.
"""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

LINK = re.compile(r'<[a-z]\w*\s[^>]*?\b(?:href|src|data)="([^"]*)"')
NAME = re.compile(r'<[a-z]\w*\s[^>]*?\b(?:id|name)="([^"]*)"')


@functools.cache
def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@functools.cache
def _names(page: Path) -> set[str]:
    return {html.unescape(name) for name in NAME.findall(_text(page))}


def broken(site: Path) -> Iterator[tuple[Path, str]]:
    """Pages below a folder, with each of their links that leads nowhere."""
    # Sphinx's pages of the source know one place for all names of a module; those in _static are drawings.
    for page in sorted(
        p for p in site.rglob("*.html") if not {"_modules", "_static"} & {*p.relative_to(site).parts}
    ):
        for link in dict.fromkeys(LINK.findall(_text(page))):
            address = urlsplit(html.unescape(link))
            if address.scheme or address.netloc:
                continue
            target = (page.parent / unquote(address.path)).resolve() if address.path else page
            if target.is_dir():
                target /= "index.html"
            name = unquote(address.fragment)
            named = name and target.suffix == ".html" and "=" not in name  # a drawing takes #step=4
            if not target.is_file() or (named and name not in _names(target)):
                yield page, html.unescape(link)
