"""A derivation as lines of text, and these as HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise

from minigrad.readers import notebook
from minigrad.readers.amounts import Amount
from minigrad.readers.steps import Derivation, Share, Step

WIDTH, COLUMN = 80, 48  # of a line; where amounts begin at most
SIZE = 13  # of the shape in an amount, at most
Row = str | tuple[str, str, str]  # a line, or what is computed, its shape and its amount


def lines(d: Derivation) -> list[str]:
    """The derivation, in lines of at most `WIDTH` characters."""
    rows = list(_rows(d))
    size = max((len(row[1]) for row in rows if not isinstance(row, str) and len(row[1]) <= SIZE), default=0)
    pairs = [row if isinstance(row, str) else _pair(*row, size) for row in rows]
    shared, laid = _column(pairs, 16), list[str]()
    # An empty line divides the passes and the gradients.
    ends = [i for i, row in enumerate(pairs) if not row]
    for start, end in pairwise([0, *ends, len(pairs)]):
        column = _column(pairs[start:end], shared)
        laid += (line.rstrip() for row in pairs[start:end] for line in _laid_out(row, column))
    return laid


def _column(pairs: Sequence[str | tuple[str, str]], shared: int) -> int:
    """Where amounts stand below each other, and most of them have room: near the ``shared`` column, if that is open."""
    found = [p for p in pairs if not isinstance(p, str)]

    def without_room(column: int) -> tuple[int, int]:
        count = sum(len(left) + 2 > column or column + len(right) > WIDTH for left, right in found)
        return count, abs(column - shared)

    return min(range(16, COLUMN + 1), key=without_room)


def _pair(left: str, shape: str, amount: str, size: int) -> tuple[str, str]:
    return left, f"{shape:<{size}}  {amount}" if shape else amount


def _rows(d: Derivation) -> Iterator[Row]:
    (result,) = d.results
    yield f"Forward: {counted(len(d.steps), 'step')} from the inputs to {result}"
    place = ""
    for number, step in enumerate(d.steps, 1):
        yield from _source(step, place)
        place = step.place + step.line
        yield f"{number:>4}  {step.name} = {step.expression}", *_amount(step.value, step.numbers)
        if step.holds:
            yield f"        holds {step.holds}, one behind the other"
    yield ""
    yield f"Backward: ∂v is the derivative of {result} with respect to v"
    place = ""
    for i in d.backward:
        step = d.steps[i]
        yield from _source(step, place)
        place = step.place + step.line
        yield f"{i + 1:>4}  {step.name} = {step.expression}"
        yield f"      g = ∂{step.name}", *_amount(step.gradient)
        for share in step.shares:
            yield from _share(step, share)
    yield ""
    yield "Gradients: what backward() adds to .grad"
    if d.hooked:
        yield f"  if the hooks of {', '.join(d.hooked)} change nothing; explain() does not call them"
    for leaf in d.leaves:
        if leaf.wants:
            nothing = "", "nothing: no gradient arrives"
            yield f"      {leaf.name}.grad", *(_amount(leaf.gradient) if leaf.gradient else nothing)


def counted(n: int, what: str) -> str:
    """``1 step``, ``2 steps``."""
    return f"{n:,} {what}{'s' if n != 1 else ''}"


def _source(step: Step, before: str) -> Iterator[str]:
    """The user's line, where it is another one than that of the step before."""
    if step.place + step.line != before:
        text = f"  {step.place}  {step.line}"
        yield text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"


def _share(step: Step, share: Share) -> Iterator[Row]:
    """What a step sends to an input: by the rule, with broadcasting undone, added to what was there."""
    rule = share.local or f"by the rule of {step.operation}"
    yield f"      ∂{share.name} = {rule}", *_amount(share.sent, share.numbers)
    if share.fitted is not None:
        yield f"        summed, {share.summed}", *_amount(share.fitted)
    if share.total is not None and share.before is not None:
        before, part = share.before.single, (share.fitted or share.sent).single
        sum_ = f"{before} + {_signed(part)}" if before and part else ""
        yield f"        added to the ∂{share.name} so far", *_amount(share.total, sum_)


def _signed(number: str) -> str:
    return f"({number})" if number.startswith("-") else number


def _amount(amount: Amount | None, numbers: str = "") -> tuple[str, str]:
    """``= 2 * 3 = 6``, or a shape and what is in it."""
    if amount is None:
        return "", ""
    if amount.single:
        return "", f"= {numbers} = {amount.single}" if numbers else f"= {amount.single}"
    return amount.size, amount.text


def _laid_out(row: str | tuple[str, str], column: int) -> Iterator[str]:
    if isinstance(row, str):
        yield from _wrapped(row)
        return
    left, right = row
    if len(left) + 2 <= column and column + len(right) <= WIDTH:
        yield f"{left:<{column}}{right}"
    elif len(left) + 2 + len(right) <= WIDTH and (right.startswith("=") or len(left) + 2 <= column):
        yield f"{left}  {right}" if right.startswith("=") else f"{left}{right:>{WIDTH - len(left)}}"
    else:
        yield from _wrapped(left)
        yield from _wrapped(" " * max(10, min(column, WIDTH - len(right))) + right)


def _wrapped(text: str) -> Iterator[str]:
    """A line in parts, broken at spaces."""
    indent = len(text) - len(text.lstrip())
    while len(text) > WIDTH:
        at = text.rfind(" ", indent + 20, WIDTH)
        at = WIDTH if at < 0 else at
        yield text[:at]
        text = " " * (indent + 8) + text[at:].lstrip()
    yield text


# ---------------------------------------------------------------- in a notebook


def html(text: Sequence[str]) -> str:
    """The lines with headings, the user's lines and names of derivatives told apart by colour, for light and dark."""
    rows = []
    for line in text:
        row = escape(line, quote=False)
        if re.match(r"[A-Z]", line):
            row = f"<b>{row}</b>"
        elif re.match(r"  \S", line):
            row = f"<i>{row}</i>"
        else:
            row = re.sub(r"∂[^\s=]+", r"<u>\g<0></u>", row)
        rows.append(row)
    return notebook.text(rows)
