"""Long lines of a program, broken within their brackets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

WIDTH = 80

# A line as `ast.unparse` writes it: strings, brackets, and spaces beside which it may be broken.
_PARTS = re.compile(
    r"""(?P<string>[A-Za-z]{0,2}(['"])(?:\\.|(?!\2).)*\2) | (?P<open>[(\[{]) | (?P<close>[)\]}]) | (?P<comma>,\ )
    | \ (?=(?:(?P<branch>if|else|for)|(?P<logic>and|or)|(?P<operator>in|not|is|[=!<>]=|[-+*/%@|&<>^]+))\ )""",
    re.VERBOSE,
)
# The better place to break at goes first.
_RANKS = {"comma": 0, "branch": 1, "logic": 2, "operator": 3, "open": 5}
_HEAD = re.compile(r"(?:return|if|elif|while|assert|for .*? in) |(?!def )(?:[^'\"]*? [-+*/@|&]?= )+")
_COMMENT: Any = re.compile(r"(.*?)(?:  (#[^'\"]*))?")

Place = tuple[tuple[bool, int, int], int, str, str, int]


def laid_out(text: str) -> str:
    """A program with its long lines broken, but for those within a string of several lines."""
    lines, inside = list[str](), ""
    for line in text.split("\n"):
        lines += [line] if inside else folded(line)
        odd = [quotes for quotes in ('"""', "'''") if line.count(quotes) % 2]
        inside = "" if inside in odd else inside or "".join(odd[:1])
    return "\n".join(lines)


def folded(line: str) -> list[str]:
    """A line, as several if it is longer than `WIDTH`; one that cannot be broken stays as it is."""
    if len(line) <= WIDTH or '"""' in line or "'''" in line or line.lstrip().startswith("#"):
        return [line]
    code, comment = _COMMENT.fullmatch(line).groups()
    text, lines = _bracketed(code.strip()), list[str]()
    pad, depth = " " * (len(code) - len(code.lstrip())), 0
    if comment:
        lines.append(pad + comment)
    deeper = pad + " " * (8 if text.endswith(":") else 4)
    while len(pad + text) > WIDTH and (places := list(_places(text, depth, WIDTH - len(pad)))):
        _, _, first, text, depth = min(places, key=lambda p: p[:2])
        lines.append((pad + first).rstrip())
        pad = deeper
    return [*lines, pad + text]


def _bracketed(text: str) -> str:
    """A statement with its value in brackets, if there are operators outside of all."""
    head = _HEAD.match(text)
    start, stop = head.end() if head else len(text), len(text) - text.endswith(":")
    depth = 0
    for part in _PARTS.finditer(text, start, stop):
        depth += (part.lastgroup == "open") - (part.lastgroup == "close")
        alone = part.lastgroup == "string" and part.span() == (start, stop)
        if alone or (depth == 0 and part.lastgroup in ("branch", "logic", "operator")):
            return f"{text[:start]}({text[start:stop]}){text[stop:]}"
    return text


def _places(text: str, depth: int, room: int) -> Iterator[Place]:
    """Where a line can be broken: how badly, what stands before it and after it, and how many brackets are open."""
    for part in _PARTS.finditer(text):
        kind, end = str(part.lastgroup), part.end()
        depth += (kind == "open") - (kind == "close")
        if kind == "string" and depth and end > room - 8:
            yield from _within(text, part.start(), end, depth, room)
        if len(text[:end].rstrip()) > room:
            return
        if depth and kind in _RANKS:
            yield (end < 20, depth, _RANKS[kind]), -end, text[:end], text[end:], depth


def _within(text: str, start: int, end: int, depth: int, room: int) -> Iterator[Place]:
    """A string is broken behind its last space that fits and is not in the braces of an f-string."""
    quote = text[end - 1]
    prefix = text[start : text.index(quote, start)]
    at = min(room, end) - 1
    while (at := text.rfind(" ", start, at)) > start:
        before = text[start:at]
        if "f" not in prefix.lower() or before.count("{") == before.count("}"):
            rest = prefix + quote + text[at + 1 :]
            yield (at < 20, depth, 4), -at, text[: at + 1] + quote, rest, depth
            return
