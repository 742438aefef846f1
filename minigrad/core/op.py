"""`Op`: the record of an operation, from which everything else about it follows."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import numpy as np

from minigrad.core.facts import NAMES, Facts
from minigrad.core.facts import Path as Path
from minigrad.core.layout import MANY, PARAM, SAVED, SHAPE, SHAPES, VALUE, Layout, Layouts, Rule, Step
from minigrad.dtypes import F32, is_short

Array = np.ndarray[Any, Any]
Params: TypeAlias = dict[str, Any]  # of an op, by name
NO_PARAMS: Params = {}
# See `Facts.cast`.
CASTS = (None, "same", "number", "float", "floats", "bits", "shifts", "branches", "rounds")


class Op(Facts):
    """An operation: a NumPy kernel, the rules of its derivative, and what readers of the tape need to know.

    ``signature`` names inputs and, after a semicolon, parameters: ``"x; dim keepdim"``; a last input with a
    star (``"x *indices"``) takes any number.  There is one rule per input, or None where no gradient flows.
    A rule is called with ``g``, the gradient of the output, and whatever else its parameter names ask for: an
    input (``x``), only its shape (``x_shape``), the output (``y``), a parameter, or ``needs`` (which inputs
    want a gradient).  Only arrays named by a rule in use are kept for backward.  A rule consists of operators
    and other ops, so it runs on arrays (eager backward) and on Tensors (to be differentiated again).
    Broadcasting is undone by the engine.

    The kernel is called with arrays, and with the parameters by name.

    All else are keywords: the facts of `minigrad.core.facts`, each with a default that is safe.
    """

    # What computed the result is recorded beside it, as within an `autograd.Function`; replays pass it by.
    opaque = False
    record: type | None = None  # a class of its records, for what users ask of them
    # Of an operation in floats of two bytes, the one that computes in float32; see `minigrad.core.rounded`.
    of: Op | None = None
    wider: Op | None = None  # the same, where the kernel rounds what that one gives
    rounding: dict[Any, Op] | None = None  # and the other way round, by element type, once one is made
    __call__: Callable[..., Any]  # runs on Tensors, recording, or on arrays; see `minigrad.core.apply`

    def __init__(
        self, name: str, kernel: Callable[..., Any], signature: str, *rules: Rule | None, **facts: Any
    ) -> None:
        unknown = facts.keys() - NAMES
        if unknown:
            raise TypeError(
                f"op {name}: {min(unknown)!r} is not a fact of an operation; there are {sorted(NAMES)}"
            )
        for fact, value in facts.items():
            setattr(self, fact, value)
        self.name, self.unchecked, self.rules = name, kernel, rules
        self.kernel = kernel if self.check is None else _checked(kernel, self.check)
        inputs, _, params = signature.partition(";")
        *first, last = inputs.split() or ("",)
        self.star = len(first) if last.startswith("*") else None
        self.inputs = (*first, last.removeprefix("*")) if last else ()
        self.params = tuple(params.split())
        self.public = tuple(self.public.split())
        self.differentiable = self.joint is not None or any(rules)
        self.layouts = Layouts(self._layout)
        self._check()
        self._derive()
        # The module that declares it, by its names: one that is loaded again has others.
        self.space = sys._getframe(1).f_globals
        self.home = self.space.get("__name__", "")
        # A program may declare its own again, as a notebook's cell does that runs twice. So does a module of ours that
        # is loaded again after an interrupt.
        if known := TABLE.get(name):
            lost = known.home == self.home and known.space is not self.space
            taken = _of_minigrad(known.home) and not lost
        else:
            taken = name in RESERVED
        if self.listed and taken and (name in TABLE or not _of_minigrad(self.home)):
            raise TypeError(f"op {name} is declared twice")
        if self.listed:
            TABLE[name] = self

    def _derive(self) -> None:
        """Facts that follow from others where nothing is said."""
        view, ufunc = self.view, is_ufunc(self.unchecked) and not self.params
        if self.elementwise is None:
            self.elementwise = ufunc
        if self.new is None:
            known = ufunc or self.rows or self.order is not None or self.into is not None
            self.new = known and not view and not self.repeats
        self.view = view or (False if (self.new and self.order != "A") or self.repeats else None)
        if not self.complex and (self.moves or self.view):
            self.complex = "analytic"
        self.order = self.order or ("C" if self.rows else "K" if self.elementwise else None)
        self.raises = self.raises or self.check is not None
        self.twice = self.twice or (isinstance(self.text, str) and self.text.count("{0}") > 1)
        self.cast = self.cast  # `apply` reads it: an attribute of the object's own is found sooner

    def _check(self) -> None:
        """TypeError for a declaration that contradicts itself, which would be a wrong answer or a riddle later."""
        names, count = (*self.inputs, *self.params), len(self.inputs)
        if self.joint is not None and self.rules:
            raise self._wrong("joint gives every input's gradient, so there are no rules beside it")
        if self.rules and len(self.rules) != count:
            raise self._wrong(f"{len(self.rules)} rules for the {count} inputs {self.inputs}")
        if (self.consume is not None or self.adds is not None) and len(self.rules) != 1:
            raise self._wrong("consume and adds stand beside one rule alone")
        for rule in (*self.rules, self.joint):
            if rule is not None:
                self._reads(rule)
        if "y" in names or "needs" in names:
            raise self._wrong("y and needs have a meaning of their own, nothing else may be called so")
        if len(set(names)) < len(names) or not all(map(str.isidentifier, names)):
            raise self._wrong(
                f"each input and parameter has a name of its own, and the last input may have a star; got {names}"
            )
        if self.cast not in CASTS:
            raise self._wrong(f"cast is one of {CASTS}; got {self.cast!r}")
        if self.refuse is not None and (self.cast is None or not self.refuse.keys() <= set("biu")):
            raise self._wrong(
                'refuse goes with a cast, its keys are kinds of element types: "b", "i", "u" ("bits" refuses floats)'
            )
        if self.order not in (None, "C", "K", "A"):
            raise self._wrong(f'order is "C", "K", "A" or None; got {self.order!r}')
        for number in (self.same, self.lies_like):
            if number is not None and not 0 <= number < count:
                raise self._wrong(f"same and lies_like are numbers of inputs, 0 to {count - 1}; got {number}")
        if self.complex not in ("", "analytic", "own"):
            raise self._wrong(f'complex is "analytic", "own" or ""; got {self.complex!r}')
        if self.view and self.new:
            raise self._wrong("what may be a view is not new memory")

    def _wrong(self, sentence: str) -> TypeError:
        return TypeError(f"op {self.name}: {sentence}")

    def _reads(self, rule: Rule) -> tuple[str, ...]:
        """The names a rule asks for after ``g``; TypeError for one that the op cannot provide."""
        if not callable(rule):
            raise self._wrong(f"a rule is a function or None; got {rule!r}")
        names = _parameters(rule)
        known = {"y", "needs", *self.inputs, *self.params, *[f"{x}_shape" for x in self.inputs]}
        if names[:1] != ("g",) or not known.issuperset(names[1:]):
            raise self._wrong(f"a rule takes g first, then any of {sorted(known)}; got {list(names)}")
        return names[1:]

    def layout(self, needs: Iterable[bool], dtype: np.dtype[Any] | None = None) -> Layout | None:
        """What to save and which rules to call, by whether each input wants a gradient; None where none flows.

        ``dtype`` is the element type of the operands, if that may be complex.
        """
        key = 1
        for need in needs:
            key = key << 1 | need
        return self.layouts[-key if dtype is not None and dtype.kind == "c" else key]

    def _layout(self, needs: tuple[bool, ...], complex: bool) -> Layout | None:
        """`layout` when it is first asked for."""
        if not self.differentiable or not any(needs):
            return None
        inputs = [i for i, need in enumerate(needs) if need]
        last = len(self.rules) - 1
        keep: list[int] = []

        def step(i: int, rule: Rule) -> Step:
            sources = tuple(self._source(name, needs, keep) for name in self._reads(rule))
            alone = len(sources) == 1 and sources[0][0] == SAVED
            if complex and self.complex == "analytic" and any(kind in (SAVED, MANY) for kind, _ in sources):
                rule = _of_conjugates(rule)
            if self.of is not None:
                rule = _in_float32(rule)
            return i, rule, sources[0][1] if alone else None, sources

        if self.joint is not None:
            parts: list[Step] = [(i, None, None, ()) for i in inputs]
            return Layout(keep, step(-1, self.joint), parts, None, self.fresh)
        steps = [step(i, rule) for i in inputs if (rule := self.rules[min(i, last)]) is not None]
        return Layout(keep, None, steps, None if complex else self.consume, adds=self.adds)

    def _source(self, name: str, needs: tuple[bool, ...], keep: list[int]) -> tuple[int, Any]:
        """Where the argument of a rule comes from; an array is added to ``keep``."""
        count = len(needs)
        if name in self.params:
            return PARAM, name
        if name == "needs":
            return VALUE, needs
        first = name.removesuffix("_shape")
        if name not in self.inputs and name != "y":
            at = self.inputs.index(first)
            return (SHAPES, at) if at == self.star else (SHAPE, at)
        at = count if name == "y" else self.inputs.index(name)
        many = name != "y" and at == self.star
        places = range(at, count) if many else [at]
        keep.extend(k for k in places if k not in keep)
        return (MANY, tuple(keep.index(k) for k in places)) if many else (SAVED, keep.index(at))

    def __repr__(self) -> str:
        return f"<op {self.name}>"


def _checked(kernel: Callable[..., Any], check: Callable[..., None]) -> Callable[..., Any]:
    """The kernel behind a check of values."""

    @functools.wraps(kernel)
    def checked(*operands: Any, **params: Any) -> Any:
        check(*operands, **params)
        return kernel(*operands, **params)

    return checked


def _of_conjugates(rule: Rule) -> Rule:
    """A rule for complex numbers: with the conjugates of what it reads it gives PyTorch's gradient.

    That is the one whose real part is the slope along the real axis, and its imaginary part that along the imaginary
    one.  Of analytic functions it is the conjugate of what the rule gives of conjugated gradients.
    """
    return lambda g, *saved: rule(g, *map(conjugate, saved))


def _in_float32(rule: Rule) -> Rule:
    """A rule for floats of two bytes: what it reads becomes float32, and the engine rounds what it gives."""
    return lambda g, *saved: rule(in_float32(g), *map(in_float32, saved))


def in_float32(x: Any) -> Any:
    """A Tensor or array of floats of two bytes in float32, also in tuples; anything else as it is."""
    if isinstance(x, tuple):
        return tuple(map(in_float32, x))
    dtype = getattr(getattr(x, "_array", x), "dtype", None)
    return TABLE["to"](x, dtype=F32) if is_short(dtype) else x


def conjugate(x: Any) -> Any:
    """The conjugate of complex numbers, also in tuples; anything else as it is."""
    if isinstance(x, tuple):
        return tuple(map(conjugate, x))
    if isinstance(x, complex):
        return x.conjugate()
    return TABLE["conj"](x) if is_complex(x) else x


def is_complex(x: Any) -> bool:
    """Whether a Tensor, an array or a number is complex."""
    dtype = getattr(getattr(x, "_array", x), "dtype", None)
    return isinstance(x, complex) if dtype is None else dtype.kind == "c"


def is_ufunc(kernel: object) -> bool:
    """Whether a kernel computes one result element by element, and takes ``out``."""
    return isinstance(kernel, np.ufunc) and kernel.nout == 1 and kernel.signature is None


def _parameters(rule: Rule) -> tuple[str, ...]:
    """The names of a rule's parameters."""
    if hasattr(rule, "__wrapped__") or not hasattr(rule, "__code__"):
        return tuple(inspect.signature(rule).parameters)
    code = rule.__code__  # inspect.signature of every rule would be a tenth of the time to import minigrad
    return tuple(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


def _of_minigrad(module: str) -> bool:
    return module.partition(".")[0] == "minigrad"


TABLE: dict[str, Op] = {}  # every op that is declared by now; `minigrad.ops.TABLE` has all
RESERVED: set[str] = set()  # the names of the others
