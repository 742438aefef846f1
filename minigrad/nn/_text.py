"""Sentences and printed forms that modules and optimizers share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minigrad.tensor import Tensor


def type_name(value: object) -> str:
    """How errors call the class of a value."""
    cls = type(value)
    if isinstance(value, Tensor):
        return f"minigrad.{cls.__name__}"
    return cls.__name__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__name__}"


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """A suggestion that ends an error; "" where no name is near."""
    from difflib import get_close_matches  # only needed on the way to an error

    near = get_close_matches(name, [n for n in names if not n.startswith("_")], n=1)
    return f". Did you mean: '{near[0]}'?" if near else ""


def told(module: Any) -> str:
    """The settings that ``_told`` names, with values: of ``*x`` the value alone, of ``x?`` whether it is there."""
    parts = []
    for word in module._told.split():
        name = word.strip("*?")
        value = getattr(module, name)
        parts.append(
            f"{value}" if word[0] == "*" else f"{name}={value is not None if word[-1] == '?' else value}"
        )
    return ", ".join(parts)


def indent(text: str) -> str:
    """A text inside of `block`."""
    return text.replace("\n", "\n  ")


def block(name: str, lines: list[str]) -> str:
    """How a module prints whose parts stand on lines of their own."""
    return f"{name}(\n  " + "\n  ".join(lines) + "\n)" if lines else f"{name}()"


def html(module: Any, name: str = "") -> str:
    """A module for a notebook: what it consists of folds, and each line counts the parameters.

    A class with a ``__repr__`` of its own is shown as it prints.
    """
    from html import escape  # only needed in notebooks

    if type(module).__repr__.__module__.partition(".")[0] != "minigrad":
        return f"<pre>{escape(repr(module))}</pre>"
    count = sum(p.numel() for p in module.parameters())
    title = f"({escape(name)}): " if name else ""
    told = f"{title}<b>{escape(module._get_name())}</b>({escape(module.extra_repr())})"
    told += f' <small style="opacity:.7">{count:,} parameters</small>' if count else ""
    if not module._modules:
        return f'<div style="margin-left:1.1em">{told}</div>'
    inner = "".join(html(m, key) for key, m in module._modules.items() if m is not None)
    opened = "" if name else " open"
    return f'<details{opened} style="margin-left:{1.1 if name else 0}em"><summary>{told}</summary>{inner}</details>'


def note_place(module: Any, error: Exception) -> None:
    """Adds to an exception where among the modules it arose, as a note that grows on its way out."""
    inner, path, text = getattr(error, "_minigrad_place", (None, "", ""))
    notes = getattr(error, "__notes__", [])
    if inner is None:
        text = type(module).__name__ if module._modules else repr(module)
    else:
        name = next((n for n, m in module._modules.items() if m is inner), None)
        if name is not None:
            path = f"{name}.{path}" if path else name
        if text in notes:
            notes.remove(text)
        text = text.partition(" (module ")[0]
    text = f"{text} (module {path!r} of {type(module).__name__})" if path else text
    if not text.startswith("in "):
        text = f"in {text}"
    error.add_note(text)
    error._minigrad_place = (module, path, text)  # type: ignore[attr-defined]
