"""PyTorch's ``torch.torch_version``: a version that compares as one, with strings and with sequences of numbers."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["TorchVersion"]

_FORM = re.compile(r"v?(\d+(?:\.\d+)*)[-_.]?(a|b|rc)?(\d*)(?:\.post(\d+))?(?:\.dev(\d+))?(\+\S+)?")


def _key(version: Any) -> tuple[Any, ...]:
    """What versions are sorted by. ValueError for text that is none."""
    if not isinstance(version, str):
        version = ".".join(map(str, version)) if isinstance(version, Iterable) else str(version)
    found = _FORM.fullmatch(version.strip().lower())
    if not found:
        raise ValueError(version)
    numbers, stage, count, post, dev, local = found.groups()
    release = [int(n) for n in numbers.split(".")]
    while release and release[-1] == 0:
        release.pop()
    before = stage or ("" if dev and not post else "z")  # 1.dev0 < 1a0 < 1b0 < 1rc0 < 1
    return release, before, int(count or 0), int(post or -1), float(dev or "inf"), local or ""


class TorchVersion(str):
    """A str that compares as a version: ``"2.13" > "2.2"``, ``> (2, 2)``; as text where the other is no version."""

    __slots__ = ()

    def _compare(self, other: Any, compare: Callable[[Any, Any], bool]) -> bool:
        try:
            return compare(_key(self), _key(other))
        except ValueError:
            return compare(str(self), other)

    def __eq__(self, other: object) -> bool:
        return self._compare(other, operator.eq)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: Any) -> bool:
        return self._compare(other, operator.lt)

    def __le__(self, other: Any) -> bool:
        return self._compare(other, operator.le)

    def __gt__(self, other: Any) -> bool:
        return self._compare(other, operator.gt)

    def __ge__(self, other: Any) -> bool:
        return self._compare(other, operator.ge)

    __hash__ = str.__hash__
