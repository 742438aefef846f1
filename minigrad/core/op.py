"""`Op`: the record of an operation, from which everything else about it follows."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any, TypeAlias

import numpy as np

from minigrad.core.text import TextOf

Array = np.ndarray[Any, Any]
Rule: TypeAlias = Any  # a plain Python function
Params: TypeAlias = dict[str, Any]  # of an op, by name
NO_PARAMS: Params = {}


class Op:
    """An operation: a NumPy kernel, the rules of its derivative, and what readers of the tape need to know.

    ``signature`` names inputs and, after a semicolon, parameters: ``"x; dim keepdim"``; a last input with a
    star (``"x *indices"``) takes any number.  There is one rule per input, or None where no gradient flows.
    A rule is called with ``g``, the gradient of the output, and whatever else its parameter names ask for: an
    input (``x``), only its shape (``x_shape``), the output (``y``), a parameter, or ``needs`` (which inputs
    want a gradient).  Only arrays named by a rule in use are kept for backward.  A rule consists of operators
    and other ops, so it runs on arrays (eager backward) and on Tensors (to be differentiated again).
    Broadcasting is undone by the engine.

    Everything else has a default that is safe: a reader that knows no more than the kernel calls it, and takes
    the result for an array of its own.

    *How it is computed.*
    ``joint`` replaces the rules by one function that returns every input's gradient.
    ``consume`` computes the only rule where ``g`` is an array that nothing else holds: it may write into it.
    ``cast`` says how element types meet: ``"same"`` by promotion (``"number"``: bools are refused), ``"float"`` by
    promotion and integers become the default float (``"floats"``: are refused), ``"bits"`` by promotion, floats are
    refused, ``"branches"`` by promotion of all but the first, ``"rounds"`` bools are refused and integers copied,
    None: not at all.
    ``refuse`` maps a kind of element type (``"b"``) to the sentence with which it is refused.
    ``wide``: with a number that float16 does not hold, float16 is computed in float32.
    ``check`` raises for values that the kernel must not get; it is called with what the kernel is called with,
    before it, in eager mode and in replays.  ``raises``: the kernel itself may raise for some values.

    *What a reader may rely on.*
    ``view``: the result may share the first input's memory.  Without it a result gets memory of its own, also
    where the kernel returns an operand.
    ``rows``: the result lies in memory row by row, also where that of the NumPy function it prints as does not.
    ``elementwise``: each element follows from those in the same place of the operands, which broadcast; by default
    so for a ufunc without parameters.
    ``moves``: each element is one of the first input's.  ``repeats``: elements may share memory.
    ``same``: the number of the input whose value the result has.  ``fill``: the number that all elements equal.
    ``fold``: of numbers it gives the same bits as of arrays.  ``unit``: the number that leaves the other operand
    as it is.  ``draws``: two calls give two results.
    ``order`` tells how the result lies in memory: ``"C"`` row by row, ``"K"`` in the order of its operands, ``"A"`` in
    any; None: nothing is known, it may even be no array.  By default ``"C"`` with ``rows`` and ``"K"`` for what is
    elementwise.  ``new``: the result never shares memory with an operand; by default so of a ufunc, with ``rows``, an
    ``order`` that is stated, or ``into``.
    ``lies_like``: the number of the input whose order in memory the result takes, where operands differ.
    ``idle`` says whether the result is the first input, whose shape, the result's and the parameters it is called with.
    ``broadcasts`` is called with the same, and gives the steps to what NumPy's broadcasting makes the result of, if
    that is all that is missing.  ``joins`` makes of the parameters of two steps, the later ones first, those of one.
    ``parts`` are the steps that it consists of, each an op, the numbers of its operands (-1: the result of the step
    before) and a name for its result; all but the last are elementwise.
    ``apart``: of one array and its transpose it may give other bits than of two equal ones; this op makes two of one.
    ``sums``: it adds its operands, as parts of a gradient are added.  ``activation``: it is usual behind a layer, by
    whose name its result is called then.
    ``text`` is how it prints: a template, or a function of a `minigrad.core.text.Call` that returns one; without it, a
    call of the kernel.  ``inline``: it is printed wherever it is used.  ``twice``: it may print an operand twice.
    ``costs`` gives the multiply-adds from the shapes of the inputs and of the output.
    ``depends`` tells, of what the kernel is called with, why the shape of the result depends on values of the
    operands (``"indexing with a mask"``), or ``""``; a recording refuses that.
    ``into``, ``batch`` and ``numba`` tell `minigrad.compile` how to write the result into memory that is there, how
    its rows depend on those of a batch, and how Numba computes it; see `minigrad.core.plans`.

    *What users see.*
    ``public`` lists its names: ``"exp exp_"`` is a function and method ``exp`` and a method ``exp_`` in place,
    ``"name()"`` a function alone, ``".name"`` a method alone.  ``form`` is the public signature as Python writes it,
    inputs first, where it is not one or two operands.  ``doc`` is one sentence or two.  ``listed``: it is in `TABLE`.
    """

    __call__: Callable[..., Any]  # runs on Tensors, recording, or on arrays; see `minigrad.core.apply`

    def __init__(
        self,
        name: str,
        kernel: Callable[..., Any],
        signature: str,
        *rules: Rule | None,
        joint: Rule | None = None,
        consume: Rule | None = None,
        cast: str | None = None,
        refuse: dict[str, str] | None = None,
        wide: bool = False,
        check: Callable[..., None] | None = None,
        view: bool = False,
        rows: bool = False,
        elementwise: bool | None = None,
        moves: bool = False,
        repeats: bool = False,
        same: int | None = None,
        fill: float | None = None,
        fold: bool = False,
        unit: float | None = None,
        draws: bool = False,
        order: str | None = None,
        new: bool | None = None,
        lies_like: int | None = None,
        idle: Callable[..., bool] | None = None,
        broadcasts: Callable[..., Path] | None = None,
        joins: Callable[[Params, Params], Params] | None = None,
        parts: tuple[tuple[Op, tuple[int, ...], str], ...] = (),
        apart: Op | None = None,
        sums: bool = False,
        activation: bool = False,
        text: str | TextOf | None = None,
        inline: bool = False,
        twice: bool = False,
        raises: bool = False,
        depends: Callable[..., str] | None = None,
        into: Callable[..., Any] | None = None,
        batch: Callable[..., Any] | None = None,
        numba: Any = None,
        costs: Callable[..., int] | None = None,
        public: str = "",
        form: str = "",
        doc: str = "",
        listed: bool = True,
    ) -> None:
        self.name, self.cast, self.refuse, self.wide = name, cast, refuse or {}, wide
        self.kernel = kernel if check is None else _checked(kernel, check)
        self.unchecked = kernel
        self.consume, self.check = consume, check
        self.rows, self.moves, self.repeats, self.same = rows, moves, repeats, same
        self.fill, self.fold, self.unit, self.draws = fill, fold, unit, draws
        self.lies_like, self.idle, self.broadcasts, self.joins = lies_like, idle, broadcasts, joins
        self.parts, self.apart = parts, apart
        self.sums, self.activation = sums, activation
        self.text, self.inline, self.costs = text, inline, costs
        self.twice = twice or (isinstance(text, str) and text.count("{0}") > 1)
        self.public, self.form, self.doc = tuple(public.split()), form, doc
        inputs, _, params = signature.partition(";")
        self.inputs = tuple(inputs.replace("*", "").split())
        self.star = len(self.inputs) - 1 if "*" in inputs else None
        self.params = tuple(params.split())
        ufunc = is_ufunc(kernel) and not self.params
        self.elementwise = ufunc if elementwise is None else elementwise
        self.raises, self.depends = raises or check is not None, depends
        self.into, self.batch, self.numba = into, batch, numba
        known = (ufunc or rows or order is not None or into is not None) and not view and not repeats
        self.new = known if new is None else new
        # None: not a view for all that is said, so `apply` looks.
        self.view = view or (False if self.new or repeats else None)
        self.order = order or ("C" if rows else "K" if self.elementwise else None)
        self.rules, self.joint = rules, joint
        self.differentiable = joint is not None or any(rules)
        self.layouts = Layouts(self._layout)
        self._check_rules()
        self.listed = listed
        if listed and name in TABLE:
            raise TypeError(f"op {name} is declared twice")
        if listed:
            TABLE[name] = self

    def _check_rules(self) -> None:
        """TypeError for rules that do not fit the inputs."""
        if self.rules and len(self.rules) != len(self.inputs):
            raise TypeError(
                f"op {self.name}: {len(self.rules)} rules for the {len(self.inputs)} inputs {self.inputs}"
            )
        for rule in (*self.rules, self.joint):
            if rule is not None:
                self._reads(rule)
        if "y" in self.inputs or "needs" in self.inputs:
            raise TypeError(
                f"op {self.name}: y and needs have a meaning of their own, no input may be called so"
            )

    def _reads(self, rule: Rule) -> tuple[str, ...]:
        """The names a rule asks for after ``g``; TypeError for one that the op cannot provide."""
        g, *names = _parameters(rule)
        known = {"y", "needs", *self.inputs, *self.params, *(f"{x}_shape" for x in self.inputs)}
        wrong = [n for n in names if n not in known]
        if g != "g" or wrong:
            raise TypeError(
                f"op {self.name}: a rule takes g first, then any of {sorted(known)}; got {g}, {names}"
            )
        return tuple(names)

    def layout(self, needs: Iterable[bool]) -> Layout | None:
        """What to save and which rules to call, by whether each input wants a gradient; None where none flows."""
        key = 1
        for need in needs:
            key = key << 1 | need
        return self.layouts[key]

    def _layout(self, needs: tuple[bool, ...]) -> Layout | None:
        """`layout` when it is first asked for."""
        if not self.differentiable or not any(needs):
            return None
        inputs = [i for i, need in enumerate(needs) if need]
        last = len(self.rules) - 1
        keep: list[int] = []

        def step(i: int, rule: Rule) -> Step:
            sources = tuple(self._source(name, needs, keep) for name in self._reads(rule))
            alone = len(sources) == 1 and sources[0][0] == SAVED
            return i, rule, sources[0][1] if alone else None, sources

        if self.joint is not None:
            return Layout(keep, step(-1, self.joint), [(i, None, None, ()) for i in inputs])
        steps = [step(i, rule) for i in inputs if (rule := self.rules[min(i, last)]) is not None]
        return Layout(keep, None, steps, self.consume)

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


def is_ufunc(kernel: object) -> bool:
    """Whether a kernel computes one result element by element, and takes ``out``."""
    return isinstance(kernel, np.ufunc) and kernel.nout == 1 and kernel.signature is None


def _parameters(rule: Rule) -> tuple[str, ...]:
    """The names of a rule's parameters."""
    if hasattr(rule, "__wrapped__") or not hasattr(rule, "__code__"):
        return tuple(inspect.signature(rule).parameters)
    code = rule.__code__  # inspect.signature of every rule would be a tenth of the time to import minigrad
    return tuple(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


Path: TypeAlias = "tuple[tuple[Op, Params], ...]"  # the steps that lead from a base to a view
TABLE: dict[str, Op] = {}  # every op by name
SAVED, PARAM, SHAPE, SHAPES, MANY, VALUE = range(6)  # where an argument of a rule comes from


# The gradient of an input: the input's number; its rule, None for a part of what the joint rule returns; the place in
# `Node.saved` of the array that the rule reads, if it reads nothing else; where each thing that it reads comes from.
# A plain tuple: the interpreter takes one apart in an eighth of the time of a NamedTuple.
Step: TypeAlias = "tuple[int, Rule | None, int | None, tuple[tuple[int, Any], ...]]"


class Layout:
    """For one set of inputs that want gradients: what `Node.saved` holds, and the rules to call."""

    __slots__ = ("consume", "joint", "keep", "pick", "steps")

    keep: tuple[int, ...]  # input numbers; the count of inputs stands for the output
    pick: Callable[
        [Sequence[Any]], tuple[Any, ...]
    ]  # what is kept, of the arrays of the inputs and the output
    joint: Step | None  # gives all inputs' gradients at once
    steps: tuple[Step, ...]
    consume: Rule | None

    def __init__(
        self, keep: list[int], joint: Step | None, steps: list[Step], consume: Rule | None = None
    ) -> None:
        self.keep, self.joint, self.steps, self.consume = tuple(keep), joint, tuple(steps), consume
        if len(keep) > 1:
            self.pick = itemgetter(*keep)  # four times as fast as a comprehension
        elif keep:
            only = keep[0]
            self.pick = lambda arrays: (arrays[only],)
        else:
            self.pick = lambda arrays: ()


class Layouts(dict[int, "Layout | None"]):
    """The layouts of an op, each made when it is first asked for.

    The key is, in binary, a 1 and then a digit for each input: whether it wants a gradient.
    """

    def __init__(self, make: Callable[[tuple[bool, ...]], Layout | None]) -> None:
        self.make = make

    def __missing__(self, key: int) -> Layout | None:
        layout = self[key] = self.make(tuple(digit == "1" for digit in f"{key:b}"[1:]))
        return layout
