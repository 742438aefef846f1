"""The optimizers whose step is a formula: numbers of the step, and what becomes of each element."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias, overload

import numpy as np

from minigrad.autograd.grad_mode import enable_grad, is_compiling, recording
from minigrad.core import tensor
from minigrad.core.changes import changed
from minigrad.core.mode import MODE
from minigrad.core.op import Array
from minigrad.core.quiet import QUIET
from minigrad.core.views import check_inference
from minigrad.dtypes import F32, F64, float32, float64, get_default_dtype
from minigrad.errors import runtime_error
from minigrad.functions.complex import view_as_real
from minigrad.functions.creation import by_steps, full, zeros_like
from minigrad.functions.elementwise import where as tensor_where
from minigrad.functions.store import has_no_history
from minigrad.kernels.sharing import blocks
from minigrad.optim.elementwise import PIECE, Program, Term, compiled
from minigrad.optim.optimizer import Loss, Optimizer
from minigrad.tensor import Tensor

Group: TypeAlias = dict[str, Any]
Named: TypeAlias = dict[str, Any]
Formula: TypeAlias = Callable[[Any], None]


class Values:
    """What a rule reads, and replaces, as attributes: see `Rule._update`."""

    def __init__(self, values: Named) -> None:
        self.__dict__ = values

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the formula of an optimizer reads {name!r}, which it does not have")


class Rule(Optimizer):
    """An optimizer that is a formula for a parameter, and mostly for each element of it.

    A subclass says what it remembers of a parameter: `_counts`, Tensors of one number, and `_entries`, those of the
    parameter's shape.  `_numbers` works out what depends on options and counts alone, once for all parameters that have
    the same counts.  `_update` is the formula.

    The formula runs over arrays, in pieces; where something is recorded, or memory is not contiguous, over Tensors. The
    bits are the same.
    """

    _counts: tuple[str, ...] = ("step",)
    # The entries that each begin with 0; `_entries` tells of others.
    _names: tuple[str, ...] = ()
    # Whether the formula treats each element alone.
    _elementwise = True
    # An entry that state dicts of PyTorch may have as None; a parameter without it begins anew.
    _lazy = ""

    def _entries(self, group: Group) -> dict[str, float]:
        """The names of what is remembered in the parameter's shape, and the number that each begins with."""
        return dict.fromkeys(self._names, 0.0)

    def _shapes(self, p: Tensor, group: Group) -> dict[str, tuple[int, ...]]:
        """The shapes of a parameter's entries."""
        return dict.fromkeys(self._entries(group), tuple(p.shape))

    def _first(self, name: str, group: Group) -> Any:
        """The number that a count begins with."""
        return 0.0

    def _begin(self, p: Tensor, group: Group) -> Named:
        """The state of a parameter before its first step."""
        state: Named = {name: count(_option(self._first(name, group)), group) for name in self._counts}
        values = self._entries(group)
        for name, shape in self._shapes(p, group).items():
            alike = p.detach()
            state[name] = zeros_like(alike) if shape == p.shape else alike.new_zeros(shape)
            value = _option(values.get(name, 0.0))
            if p._array.dtype.kind == "c":
                value = value * (1 + 1j)
            if isinstance(value, Tensor) or value != 0.0:
                state[name] += value
        return state

    def _numbers(self, group: Group, counts: Named) -> Named:
        """The numbers of a step, by the names that the formula has for them.

        What is True, False or None chooses the form of the formula, and is not a number of it.  ``decay`` is a part of
        the parameter that is added to the gradient.  ``group["fresh"]`` tells whether the parameter has no state yet.
        In ``counts``, the step is the one that is taken now; other counts are those before it, and are replaced by
        those after it.
        """
        raise NotImplementedError

    @staticmethod
    def _update(u: Any) -> None:
        """The formula: replaces ``u.param`` and the entries, by means of operators and methods that `Term` has too.

        ``u.g`` is the gradient, with its sign turned to maximize, and with ``decay``.
        """
        raise NotImplementedError

    def _step_of_rows(self, step: _Step, p: Tensor, g: Tensor, own: Named, fresh: bool) -> None:
        """A step by a sparse gradient, for those that take one. RuntimeError for the others."""
        raise runtime_error(f"{type(self).__name__} does not support sparse gradients")

    def __setstate__(self, state: Named) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            # State dicts of old PyTorch versions lack some options, and have numbers for counts.
            for option, value in self.defaults.items():
                if value is None or value is False:
                    group.setdefault(option, value)
            for p in group["params"]:
                known = self.state.get(p) or {}
                for name in self._counts:
                    if isinstance(known.get(name), (int, float)):
                        known[name] = count(float(known[name]), group)

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], Loss]) -> Loss: ...

    def step(self, closure: Callable[[], Loss] | None = None) -> Loss | None:
        """Changes every parameter that has a gradient; returns what ``closure``, called first, returns.

        RuntimeError, before anything is changed, if the state does not fit a parameter, or if memory is read-only.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        self._apply()
        return loss

    def _apply(self) -> None:
        # All is looked up and checked before the first parameter changes, so that no step is half done.
        differentiable = bool(self.defaults.get("differentiable"))
        for groups in _rounds(self.param_groups):
            with recording(differentiable):
                for part in [_Step(self, group, params) for group, params in groups]:
                    part.apply()


def _rounds(groups: list[Group]) -> list[list[tuple[Group, list[Tensor]]]]:
    """The groups with their parameters; one that stands in its group twice, of which PyTorch warns, has two rounds."""
    rounds = [[(group, group["params"]) for group in groups]]
    for i, (group, params) in enumerate(rounds[0]):
        if len(set(map(id, params))) < len(params):
            times: dict[int, list[Tensor]] = {}
            for p in params:
                times.setdefault(id(p), []).append(p)
            layers = [
                [t[k] for t in times.values() if len(t) > k] for k in range(max(map(len, times.values())))
            ]
            rounds[0][i] = (group, layers[0])
            rounds += [[(group, layer)] for layer in layers[1:]]
    return rounds


class _Step:
    """A step of the parameters of a group: all is looked up when it is made, and changed by `apply`."""

    def __init__(self, rule: Rule, group: Group, params: list[Tensor]) -> None:
        self.rule, self.group = rule, group
        for option in rule.defaults:
            group[option]  # KeyError where one was taken away
        self.entries = tuple(rule._entries(group))
        self.fresh: list[tuple[Tensor, Named]] = []
        # Parameters whose formula runs over arrays: the program, its arrays, and its numbers.
        self.work: list[tuple[Program, list[Array], list[Array]]] = []
        self.counts: list[tuple[Array, Any]] = []
        self.changed: list[Array] = []
        # What steps of sparse gradients put back: memory, places in it, elements.
        self.back: list[tuple[Array, Any, Array]] = []
        # Those whose formula runs over Tensors.
        self.rest: list[tuple[Tensor, Tensor, Named, bool]] = []
        mode = MODE.get()
        quick = rule._elementwise and not mode.grad and not mode.everything
        known: dict[tuple[Any, ...], tuple[Program, list[Array], list[Any]]] = {}
        state, names, lazy = rule.state, rule._counts, rule._lazy
        for p in params:
            g = p.grad
            if g is None:
                continue
            own = state.get(p)
            fresh = not own or (lazy != "" and own.get(lazy) is None)
            if own is None or fresh:
                own = rule._begin(p, group)
                if own:
                    self.fresh.append((p, own))
            if g._sparse or p._sparse:
                rule._step_of_rows(self, p, g, own, fresh)
                continue
            arrays = self._plain(p, g, own) if quick else None
            if arrays is None:
                self._check(p, own)
                self.rest.append((p, g, own, fresh))
                continue
            counts = [_number(own[name]) for name in names]
            key = (arrays[0].dtype, fresh, *[a.item() for a in counts])
            if key not in known:
                known[key] = self._program(key[0], counts, fresh)
            program, numbers, after = known[key]
            self.work.append((program, arrays, numbers))
            self.counts += zip(counts, after, strict=True)
            self.changed += [arrays[0], *arrays[2:], *counts]

    def rows(self, p: Tensor, g: Tensor, own: Named, fresh: bool) -> None:
        """The formula for only those elements that a sparse gradient has."""
        self._check(p, own)
        t = g.coalesce()
        places, values = tuple(t.indices()._array), t.values()._array
        memory = [p._array, *(own[name]._array for name in self.entries)]
        parts = [x[places] for x in memory]
        counts = [_number(own[name]) for name in self.rule._counts]
        program, numbers, after = self._program(p._array.dtype, counts, fresh)
        if values.size:
            self.work.append((program, [x.reshape(-1) for x in (parts[0], values, *parts[1:])], numbers))
        self.counts += zip(counts, after, strict=True)
        self.changed += [*memory, *counts]
        self.back += [(x, places, part) for x, part in zip(memory, parts, strict=True)]

    def _program(
        self, dtype: Any, counts: list[Array], fresh: bool
    ) -> tuple[Program, list[Array], list[Any]]:
        """The formula for parameters of the same counts, its numbers, and the counts after the step."""
        after = {name: a[()] for name, a in zip(self.rule._counts, counts, strict=True)}
        numbers, flags = _numbers(self.rule, self.group, after, fresh)
        arrays = ("param", "grad", *self.entries)
        program = _compiled(self.rule._update, arrays, tuple(numbers), tuple(flags.items()))
        return program, QUIET.run(_arrays, numbers, dtype), list(after.values())

    def _plain(self, p: Tensor, g: Tensor, own: Named) -> list[Array] | None:
        """A parameter, its gradient and its entries as arrays of one dimension; None if NumPy may not take them."""
        a, b = p._array, g._array
        dtype, shape = a.dtype, a.shape
        if (dtype is not F32 and dtype is not F64) or p._inference or not has_no_history(p):
            return None
        if tensor.INFERENCE and any(isinstance(t, Tensor) and t._inference for t in own.values()):
            return None
        arrays = [own[name]._array for name in self.entries]
        if b.dtype is not dtype or any(x.shape != shape for x in (b, *arrays)):
            return None
        if not a.flags.c_contiguous:  # in the order of memory, as with channels last
            a, b, *arrays = (x.transpose(by_steps(p._array)) for x in (a, b, *arrays))
        for x in (a, *arrays):
            flags = x.flags
            if x.dtype is not dtype or not flags.c_contiguous or not flags.writeable:
                return None
        if len(shape) == 1 and b.flags.c_contiguous:
            return [a, b, *arrays]
        return [a.reshape(-1), b.reshape(-1), *[x.reshape(-1) for x in arrays]]

    def _check(self, p: Tensor, own: Named) -> None:
        """RuntimeError if the state does not fit the parameter, or if memory may not be changed."""
        name, shapes = type(self.rule).__name__, self.rule._shapes(p, self.group)
        if p._array.dtype.kind == "c" and not self.rule._elementwise:
            raise runtime_error(f"{name} does not support complex parameters; give it view_as_real() of them")
        for entry, shape in shapes.items():
            if tuple(own[entry].shape) != shape:
                what = "a momentum buffer" if entry == "momentum_buffer" else entry
                raise runtime_error(
                    f"{name}: {what} of shape {tuple(own[entry].shape)} belongs to a parameter of shape "
                    f"{tuple(p.shape)}; the state was loaded from an optimizer of another model"
                )
        for entry in self.rule._counts:
            _number(own[entry])
        for t in (p, *(own[entry] for entry in (*shapes, *self.rule._counts))):
            check_inference(t)
            if not t._array.flags.writeable:
                raise runtime_error(
                    f"{name}: a parameter of shape {tuple(p.shape)}, or what is remembered of it, stands in an array "
                    "of NumPy that is read-only; copy that before from_numpy()"
                )

    def apply(self) -> None:
        """Changes the parameters and their state."""
        for p, own in self.fresh:
            self.rule.state[p] = own
        if self.work:
            changed(*self.changed)
            QUIET.run(_run, self.work, self.counts)
        for x, places, part in self.back:
            x[places] = part
        for p, g, own, fresh in self.rest:
            self._over_tensors(p, g, own, fresh)

    def _over_tensors(self, p: Tensor, g: Tensor, own: Named, fresh: bool) -> None:
        counts = {
            name: own[name].reshape(()) if is_compiling() else _number(own[name])[()]
            for name in self.rule._counts
        }
        numbers, flags = _numbers(self.rule, self.group, counts, fresh)
        before = {"param": p, "grad": g, **{name: own[name] for name in self.rule._shapes(p, self.group)}}
        if p._array.dtype.kind == "c":  # as PyTorch, both parts alone
            before = {name: view_as_real(t) for name, t in before.items()}
        # With gradients, the formula's records keep what it reads, which is overwritten afterwards.
        read = {name: t.clone() for name, t in before.items()} if MODE.get().grad else before
        values = {**read, **numbers, **flags}
        _update(self.rule._update, values)
        for name, t in before.items():
            if values[name] is not read[name]:
                t.copy_(values[name])
        for name, value in counts.items():
            own[name].copy_(value if isinstance(value, Tensor) else value.item())


def _numbers(rule: Rule, group: Group, counts: Named, fresh: bool) -> tuple[Named, Named]:
    """The numbers of a step and the flags that choose its form; ``counts`` become those after the step."""
    options = {name: _option(value) for name, value in group.items()}
    options["fresh"] = fresh
    step = counts["step"] + 1 if "step" in counts else None
    if step is not None:
        counts["step"] = wide(step)
    every = rule._numbers(options, counts)
    if step is not None:
        counts["step"] = step
    every["maximize"] = bool(group.get("maximize"))
    numbers = {k: v for k, v in every.items() if v is not None and v.__class__ is not bool}
    return numbers, {k: v for k, v in every.items() if k not in numbers}


def _option(x: Any) -> Any:
    """A Tensor option as a number, unless gradients are to flow through it or it may differ in another replay."""
    if x.__class__ is tuple:
        return tuple([_option(v) for v in x])
    if isinstance(x, Tensor) and x.numel() == 1 and not (MODE.get().grad and x.requires_grad):
        return x.reshape(()) if is_compiling() else x.item()
    return x


def _arrays(numbers: Named, dtype: Any) -> list[Array]:
    return [np.array(x, dtype) for x in numbers.values()]


@functools.cache
def _compiled(
    rule: Formula, arrays: tuple[str, ...], numbers: tuple[str, ...], flags: tuple[tuple[str, Any], ...]
) -> Program:
    def formula(terms: Named) -> None:
        terms.update(flags)
        _update(rule, terms)

    return compiled(arrays, numbers, formula)


def _update(formula: Formula, values: Named) -> None:
    """Runs a formula on Tensors or Terms."""
    g = values["grad"]
    if values["maximize"]:
        g = -g
    if values.get("decay") is not None:
        g = g + values["param"] * values["decay"]
    values["g"] = g
    formula(Values(values))


def _run(work: list[tuple[Program, list[Array], list[Array]]], counts: list[tuple[Array, Any]]) -> None:
    scratch: dict[Any, list[Array]] = {}
    size = min(PIECE, max(arrays[0].size for _, arrays, _ in work))
    for program, arrays, numbers in work:
        n, dtype = arrays[0].size, arrays[0].dtype
        if n > PIECE:
            _run_large(program, arrays, numbers)
            continue
        key = (dtype, program.scratch, program.flags)
        memory = scratch.get(key)
        if memory is None:
            memory = scratch[key] = _memory(program, size, dtype)
        program.run(*arrays, *numbers, *[x[:n] for x in memory])
    for a, value in counts:
        a[()] = value


def _memory(program: Program, size: int, dtype: Any) -> list[Array]:
    """What a program writes between its steps."""
    return [np.empty(size, dtype) for _ in range(program.scratch)] + [
        np.empty(size, bool) for _ in range(program.flags)
    ]


def _run_large(program: Program, arrays: list[Array], numbers: list[Array]) -> None:
    n, dtype = arrays[0].size, arrays[0].dtype

    def work(starts: Iterator[int]) -> None:
        memory = _memory(program, PIECE, dtype)
        for i in starts:
            pieces = [x[i : i + PIECE] for x in arrays]
            program.run(*pieces, *numbers, *[x[: len(pieces[0])] for x in memory])

    blocks(work, n, PIECE)


# ---------------------------------------------------------------- numbers, or Tensors of one number


def count(value: Any, group: Group) -> Tensor:
    """A Tensor of one number that is kept of a parameter, in the dtype that PyTorch gives it."""
    dtype = float64 if get_default_dtype() is float64 and not group.get("fused") else float32
    return value.detach().to(dtype).clone() if isinstance(value, Tensor) else full((), value, dtype=dtype)


def moments(group: Group) -> Named:
    """The numbers that Adam and its kin have in common: those of both averages, and of the weight decay."""
    lr, (beta1, beta2), decay = group["lr"], group["betas"], group["weight_decay"]
    decays, apart = decay != 0, group["decoupled_weight_decay"]
    return {
        "decay": decay if decays and not apart else None,
        "shrink": 1 - lr * decay if decays and apart else None,
        "weight1": 1 - beta1,
        "beta2": beta2,
        "weight2": 1 - beta2,
    }


def _number(x: Tensor) -> Array:
    """The array of a Tensor of one number, without a dimension that a user gave it. RuntimeError for others."""
    try:
        array = x._array
    except AttributeError:
        raise runtime_error(
            "API has changed, `state_steps` argument must contain a list of singleton tensors: the state of an "
            f"optimizer counts its steps by a Tensor such as torch.tensor(0.0), not by {type(x).__name__}"
        ) from None
    return array.reshape(()) if array.ndim else array


def wide(x: Any) -> Any:
    """In double precision, as Python computes."""
    return x.double() if isinstance(x, Tensor) else float(x)


def narrow(x: Any, like: Any) -> Any:
    """Rounded to the dtype of another."""
    return x.to(like.dtype) if isinstance(x, Tensor) else like.dtype.type(x)


def power(base: Any, exponent: Any) -> Any:
    """``base ** exponent``, by NumPy in any case, so that a recording gives the same bits."""
    if isinstance(exponent, Tensor) or isinstance(base, Tensor):
        return lift(base, exponent) ** lift(exponent, base)
    return float(np.power(base, exponent))


def ratio(a: Any, b: Any) -> Any:
    """``a / b``; minigrad multiplies a number by the reciprocal of a Tensor, which rounds twice."""
    return lift(a, b) / b


def lift(x: Any, other: Any) -> Any:
    """A number as a Tensor, if the other one is; that of a recording may be another in a replay."""
    return other.new_ones(()) * x if isinstance(other, Tensor) and not isinstance(x, Tensor) else x


def root(x: Any) -> Any:
    """The square root."""
    return x.sqrt() if isinstance(x, Tensor) else float(np.sqrt(x))


def least(a: Any, b: Any) -> Any:
    """The smaller number."""
    return lift(a, b).minimum(lift(b, a)) if isinstance(a, Tensor) or isinstance(b, Tensor) else min(a, b)


def most(a: Any, b: Any) -> Any:
    """The larger number."""
    return lift(a, b).maximum(lift(b, a)) if isinstance(a, Tensor) or isinstance(b, Tensor) else max(a, b)


def where(condition: Any, a: Any, b: Any) -> Any:
    """``a`` where the condition holds, otherwise ``b``, in a formula."""
    return condition.choose(a, b) if isinstance(condition, Term) else tensor_where(condition, a, b)
