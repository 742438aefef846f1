"""Sizes as tuples, for modules of scripts that take a number or a tuple."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from minigrad.errors import value_error


def _ntuple(n: int, name: str = "parse") -> Callable[[Any], tuple[Any, ...]]:
    """A function that repeats a number ``n`` times, and makes a tuple of anything iterable, whatever its length."""

    def parse(x: Any) -> tuple[Any, ...]:
        return tuple(x) if isinstance(x, Iterable) else (x,) * n

    parse.__name__ = name
    return parse


_single = _ntuple(1, "_single")
_pair = _ntuple(2, "_pair")
_triple = _ntuple(3, "_triple")
_quadruple = _ntuple(4, "_quadruple")


def _reverse_repeat_tuple(t: Iterable[Any], n: int) -> tuple[Any, ...]:
    """The entries from behind, each ``n`` times: the form in which `pad` takes the padding of a convolution."""
    return tuple(x for x in reversed(tuple(t)) for _ in range(n))


def _list_with_default(out_size: Any, defaults: Sequence[int]) -> Any:
    """Sizes with the last of ``defaults`` for None. ValueError where there are too few defaults."""
    if isinstance(out_size, (int, float)):
        return out_size
    if len(defaults) <= len(out_size):
        raise value_error(f"Input dimension should be at least {len(out_size) + 1}")
    return [d if v is None else v for v, d in zip(out_size, defaults[-len(out_size) :], strict=True)]


def consume_prefix_in_state_dict_if_present(state_dict: dict[str, Any], prefix: str) -> None:
    """Takes ``prefix`` (such as ``"module."``) off the keys of a state dict that begin with it, in place.

    So it does with the names of modules in its ``_metadata``, where the entry of the outer module is lost.
    """
    entries = [(key.removeprefix(prefix), value) for key, value in state_dict.items()]
    state_dict.clear()
    state_dict.update(entries)
    metadata = getattr(state_dict, "_metadata", {})
    for key in [*metadata]:
        if key:
            metadata[key[len(prefix) :]] = metadata.pop(key)
