"""Numbers that a recording takes as parameters, such as a learning rate; see `minigrad.compile`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.core.recorder import Numeral


class Scalar(Numeral):
    """Stands for a float while a function is recorded.

    ``text`` is the expression that computes it.  Arithmetic with numbers gives further Scalars.  Reading the value
    itself (a comparison, ``float``, a function of ``math``, printing) calls ``settle``, which adds the guard that the
    number has this value.

    It is no subclass of float, since C code reads the value of those without a call of Python.  Code that looks at
    ``__class__``, as ``isinstance`` does, still takes it for a float; ``type`` tells the difference.
    """

    __slots__ = ("settle",)

    def __init__(self, value: float, text: str, settle: Callable[..., None]) -> None:
        self.value, self.text = value, text
        # It takes the name of a comparison where the value was only compared with 0.
        self.settle = settle

    @property
    def __class__(self) -> Any:
        return float

    @__class__.setter
    def __class__(self, cls: Any) -> None:
        raise TypeError("the class of a number cannot be set")

    def _with(self, other: Any, form: str, compute: Callable[[Any, Any], float]) -> Any:
        if type(other) is Scalar:
            mine, also = self.settle, other.settle

            def both(_: str = "") -> None:
                mine()
                also()

            return Scalar(compute(self.value, other.value), form.format(self.text, other.text), both)
        if type(other) not in (float, int, bool):
            return NotImplemented
        mine = self.settle
        text = repr(other) if math.isfinite(other) else f"np.{other}".replace("np.-", "-np.")
        return Scalar(compute(self.value, other), form.format(self.text, text), lambda _="": mine())

    def __neg__(self) -> Any:
        mine = self.settle
        return Scalar(-self.value, f"(-{self.text})", lambda _="": mine())

    def __pos__(self) -> Any:
        return self

    def __add__(self, other: Any) -> Any:
        return self._with(other, "({} + {})", lambda a, b: a + b)

    def __radd__(self, other: Any) -> Any:
        return self._with(other, "({1} + {0})", lambda a, b: b + a)

    def __sub__(self, other: Any) -> Any:
        return self._with(other, "({} - {})", lambda a, b: a - b)

    def __rsub__(self, other: Any) -> Any:
        return self._with(other, "({1} - {0})", lambda a, b: b - a)

    def __mul__(self, other: Any) -> Any:
        return self._with(other, "({} * {})", lambda a, b: a * b)

    def __rmul__(self, other: Any) -> Any:
        return self._with(other, "({1} * {0})", lambda a, b: b * a)

    def __truediv__(self, other: Any) -> Any:
        if type(other) is Scalar:
            other.settle()  # it may be 0 in another run
        return self._with(other, "({} / {})", lambda a, b: a / b)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        self.settle()
        return np.array(self.value, dtype)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self.settle()
        return getattr(self.value, name)

    def __copy__(self) -> float:
        self.settle()
        return self.value

    def __deepcopy__(self, memo: Any) -> float:
        return self.__copy__()

    def __reduce__(self) -> Any:
        self.settle()
        return float, (self.value,)


def _settled(name: str) -> Callable[..., Any]:
    plain = getattr(float, name)
    signed = name in ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__")

    def method(self: Scalar, *others: Any) -> Any:
        if signed and type(others[0]) in (int, float) and others[0] == 0:
            self.settle(name)  # as in `if weight_decay != 0`
        else:
            self.settle()
        return plain(self.value, *(o.__copy__() if type(o) is Scalar else o for o in others))

    method.__name__ = name
    return method


for _name in (
    "__bool__", "__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__", "__float__", "__int__",
    "__repr__", "__format__", "__str__", "__abs__", "__round__", "__trunc__", "__floor__", "__ceil__", "__rtruediv__",
    "__floordiv__", "__rfloordiv__", "__mod__", "__rmod__", "__divmod__", "__rdivmod__", "__pow__", "__rpow__",
):  # fmt: skip
    setattr(Scalar, _name, _settled(_name))
