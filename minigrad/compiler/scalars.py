"""Numbers that a recording takes as parameters, such as a learning rate; see `minigrad.compile`."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.core.recorder import Numeral


class Scalar(Numeral):
    """Stands for a float or an int while a function is recorded.

    ``text`` is the expression that computes it.  Arithmetic with numbers gives further Scalars.  What is read, the
    value (by ``int``, a function of ``math``, printing) or how it compares with a number, goes to ``note``, as an
    expression and what that gives: the guard is that it gives the same.

    It is no subclass of float, since C code reads the value of those without a call of Python.  Code that looks at
    ``__class__``, as ``isinstance`` does, still takes it for a float; ``type`` tells the difference.
    """

    __slots__ = ("note",)

    def __new__(cls, value: Any, *_: Any) -> Any:
        return object.__new__(Whole if type(value) is int else cls)

    def __init__(self, value: Any, text: str, note: Callable[[str, Any], Any]) -> None:
        self.value, self.text, self.note = value, text, note

    __class__: Any = property(lambda self: type(self.value))

    def __pos__(self) -> Any:
        return self

    def of(self, function: Callable[[float], float]) -> Any:
        text = f"math.{function.__name__}({self.text})"
        try:
            value = function(self.value)
        except (OverflowError, ValueError):
            return function(plain(self))  # these numbers raise it, others do not
        if text.count("(") > LONGEST:
            return function(plain(self))
        self.note(f"({text} != None)", True)  # other numbers may raise an error
        return Scalar(value, text, self.note)

    def __floor__(self) -> Any:
        return self.of(math.floor)

    def __ceil__(self) -> Any:
        return self.of(math.ceil)

    def __trunc__(self) -> Any:
        return self.of(math.trunc)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(plain(self), dtype)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """As of a number, which leaves the dtype to the others."""
        return getattr(ufunc, method)(*map(plain, inputs), **options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        getattr(self.value, name)  # whether there is one depends on the class alone
        return getattr(plain(self), name)

    def __copy__(self, memo: Any = None) -> Any:
        # From now on it has this value in each run; a cache of a library may keep it for other recordings.
        if self.text != (text := _text(self.value)):
            self.note(self.text, self.value)
            self.text = text
        return self.value

    __deepcopy__ = __copy__

    def __reduce__(self) -> Any:
        return type(self.value), (plain(self),)


class Whole(Scalar):
    """An int, which serves as an index."""

    __slots__ = ()

    def __index__(self) -> int:
        return operator.index(plain(self))


Scalar.__name__, Whole.__name__ = "float", "int"  # as Python's errors call them
_NUMBERS = {Scalar, Whole, float, int, bool, complex}
# Operations in one expression: what a loop makes may double at each turn, and Python reads 200 parentheses in a row.
LONGEST = 64


def plain(number: Any) -> Any:
    """The number that a Scalar stands for, which is asked for, also in tuples, lists and dicts; else what is given."""
    if isinstance(number, tuple):
        return tuple.__new__(type(number), map(plain, number))
    if type(number) is list:
        return [*map(plain, number)]
    if type(number) is dict:
        return {key: plain(value) for key, value in number.items()}
    return number.__copy__() if isinstance(number, Scalar) else number


def _text(number: Any) -> str:
    if isinstance(number, Scalar):
        return str(number.text)
    finite = type(number) is int or math.isfinite(number)
    text = repr(number) if finite else f"np.{number}".replace("np.-", "-np.")
    return f"({text})" if text[0] == "-" else text  # a power binds first


def _of_numbers(compute: Callable[..., Any], form: str, turned: bool) -> Callable[..., Any]:
    """A method for numbers.  By ``form`` it asks for no value: it gives a Scalar, or notes how numbers compare."""

    def method(*numbers: Any) -> Any:
        kinds, order = {*map(type, numbers)}, numbers[:: -1 if turned else 1]
        if not kinds <= _NUMBERS and not all(isinstance(n, (int, float, complex)) for n in numbers):
            return NotImplemented
        known = form and kinds <= _NUMBERS - {complex}  # an IntEnum, say, knows nothing of a Scalar
        text = form.format(*map(_text, order)) if known else ""
        if not text or text.count("(") > LONGEST:
            return compute(*map(plain, order))
        if "/" in form or "%" in form:
            bool(order[-1])  # it may be 0 in another run
        try:
            value = compute(*(n.value if isinstance(n, Scalar) else n for n in order))
        except OverflowError:
            return compute(*map(plain, order))  # these numbers raise it, others do not
        note = next(n.note for n in numbers if isinstance(n, Scalar))
        if value.__class__ is not bool:
            # Other numbers may raise an OverflowError, also where nothing reads the power.
            if "**" in form and value.__class__ is float:
                note(f"({text} != None)", True)
            return Scalar(value, text, note)
        note(text, value)
        return value

    return method


def _power(base: Any, exponent: Any, modulus: Any = None) -> Any:
    """A power: a Scalar where the signs say that the result is real, and whether it is whole."""
    numbers = {float, int}.issuperset((base.__class__, exponent.__class__)) and modulus is None
    whole = base.__class__ is exponent.__class__ is int
    known = numbers and ((not whole and base > 0) or (exponent.__class__ is int and exponent >= 0))
    more = () if modulus is None else (modulus,)
    return _of_numbers(pow, "({} ** {})" * known, False)(base, exponent, *more)


_o = operator
_TURNED: dict[Any, str] = {
    _o.add: "({} + {})", _o.sub: "({} - {})", _o.mul: "({} * {})", _o.truediv: "({} / {})", _o.mod: "({} % {})",
    _o.floordiv: "({} // {})", _o.and_: "", _o.or_: "", _o.xor: "", _o.lshift: "", _o.rshift: "",
}  # fmt: skip
_FORMS: dict[Any, str] = _TURNED | {
    _o.eq: "({} == {})", _o.ne: "({} != {})", _o.lt: "({} < {})", _o.le: "({} <= {})", _o.gt: "({} > {})",
    _o.ge: "({} >= {})", _o.neg: "(-{})", _o.abs: "abs({})", _o.invert: "",
}  # fmt: skip
for _compute, _form in _FORMS.items():
    _name = _compute.__name__.strip("_")
    setattr(Scalar, f"__{_name}__", _of_numbers(_compute, _form, False))
    if _compute in _TURNED:
        setattr(Scalar, f"__r{_name}__", _of_numbers(_compute, _form, True))
for _name, _method in {
    "bool": _of_numbers(bool, "bool({})", False), "pow": _power, "rpow": lambda exponent, base: _power(base, exponent),
}.items():  # fmt: skip
    setattr(Scalar, f"__{_name}__", _method)
for _name, _compute in {
    "divmod": divmod, "rdivmod": lambda n, m: divmod(m, n), "hash": hash, "float": float, "int": int,
    "repr": repr, "str": str, "format": format, "round": round,
}.items():  # fmt: skip
    setattr(Scalar, f"__{_name}__", lambda *numbers, compute=_compute: compute(*map(plain, numbers)))
