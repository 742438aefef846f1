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

    __class__: Any = property(lambda self: float)

    def __pos__(self) -> Any:
        return self

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self.__copy__(), dtype)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """As of a float, which leaves the dtype to the others."""
        return getattr(ufunc, method)(*(n.__copy__() if type(n) is Scalar else n for n in inputs), **options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.__copy__(), name)

    def __copy__(self, memo: Any = None) -> float:
        self.settle()
        return self.value

    __deepcopy__ = __copy__

    def __reduce__(self) -> Any:
        return float, (self.__copy__(),)


def _text(number: Any) -> str:
    if type(number) is Scalar:
        return number.text
    return repr(number) if math.isfinite(number) else f"np.{number}".replace("np.-", "-np.")


def _arithmetic(name: str, form: str) -> Callable[..., Any]:
    """A method that gives a Scalar: of others and of plain numbers; who asks for its value asks for theirs."""
    compute = getattr(float, name)

    def method(self: Scalar, *others: Any) -> Any:
        if complex in map(type, others):
            return getattr(complex, name)(complex(self.__copy__()), *others)
        if not {Scalar, float, int, bool}.issuperset(map(type, others)):
            return NotImplemented
        scalars = [self, *(n for n in others if type(n) is Scalar)]
        if name == "__truediv__":
            for divisor in scalars[1:]:
                divisor.settle()  # it may be 0 in another run

        def settle(_: str = "") -> None:
            for scalar in scalars:
                scalar.settle()

        values = [n.value if type(n) is Scalar else n for n in others]
        return Scalar(compute(self.value, *values), form.format(*map(_text, (self, *others))), settle)

    return method


def _settled(name: str) -> Callable[..., Any]:
    """A method that asks for the value."""
    plain = getattr(float, name)
    signed = name in ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__")

    def method(self: Scalar, *others: Any) -> Any:
        # As in `if weight_decay != 0`.
        self.settle(name if signed and type(others[0]) in (int, float) and others[0] == 0 else "")
        if complex in map(type, others) and hasattr(complex, name):
            return getattr(complex, name)(complex(self.value), *others)
        return plain(self.value, *(o.__copy__() if type(o) is Scalar else o for o in others))

    return method


def _power(exponent: Any, base: Any) -> Any:
    """A number to the power of a Scalar: one too, where its sign alone says that the result is finite and real."""
    if type(base) in (float, int) and base > 0 and (exponent >= 0.0 if base <= 1 else exponent <= 0.0):
        return _arithmetic("__rpow__", "({1} ** {0})")(exponent, base)
    return _settled("__rpow__")(exponent, base)


Scalar.__name__ = "float"  # as Python's errors call it
Scalar.__rpow__ = _power  # type: ignore[attr-defined]
for _name, _form in {
    "__neg__": "(-{})", "__add__": "({} + {})", "__radd__": "({1} + {0})", "__sub__": "({} - {})",
    "__rsub__": "({1} - {0})", "__mul__": "({} * {})", "__rmul__": "({1} * {0})", "__truediv__": "({} / {})",
}.items():  # fmt: skip
    setattr(Scalar, _name, _arithmetic(_name, _form))

for _name in (
    "__bool__", "__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__", "__float__", "__int__",
    "__repr__", "__format__", "__str__", "__abs__", "__round__", "__trunc__", "__floor__", "__ceil__", "__rtruediv__",
    "__floordiv__", "__rfloordiv__", "__mod__", "__rmod__", "__divmod__", "__rdivmod__", "__pow__",
):  # fmt: skip
    setattr(Scalar, _name, _settled(_name))
