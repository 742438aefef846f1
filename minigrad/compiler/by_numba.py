"""The same plan as a function without planned memory, for Numba to compile: it pays at small batches."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.compiler.calls import Statement, as_text
from minigrad.compiler.lower import Plan
from minigrad.compiler.scalars import Scalar
from minigrad.core.node import Const
from minigrad.core.op import TABLE
from minigrad.dtypes import F32
from minigrad.kernels.sums import FEW
from minigrad.readers.source.expressions import Expr, expression
from minigrad.readers.source.program import Value
from minigrad.readers.source.text import _wrapped

_OPERATORS = {
    "add": "{} + {}", "sub": "{} - {}", "mul": "{} * {}", "div": "{} / {}", "neg": "-{}", "lt": "{} < {}",
    "le": "{} <= {}", "gt": "{} > {}", "ge": "{} >= {}", "eq": "{} == {}", "ne": "{} != {}",
}  # fmt: skip
_SYMBOLS = {"add": "+", "sub": "-", "mul": "*"}


class NumbaPlan(Plan):
    """A plan whose every line is an expression that Numba knows; numbers carry the element type they meet."""

    def _may_plan(self, v: Value) -> bool:
        return False

    def _define_number(self, name: str, value: Any, dtype: Any) -> None:
        self.constants.append(f"{name} = np.{dtype.name}({value!r})")

    def _define_scalar(self, name: str, value: Scalar, dtype: Any) -> None:
        self._refilled.append(f"{name} = np.{dtype.name}({value.text})")

    @property
    def constants(self) -> list[str]:
        """Lines of the module that define numbers."""
        return self._helped.setdefault("numbers", [])

    def _view(self, v: Value, xs: list[Expr], reads: list[Value]) -> None:
        source = v.inputs[0]
        text = as_text(expression(v, xs, self.helpers))
        if v.op == "reshape" and source.fill is None:
            text = f"np.ascontiguousarray({as_text(xs[0])}).reshape({v.shape!r})"
        if v.op == "permute" and len(self.users[v]) == 1 and v not in self._kept:
            self.expr_of[v] = expression(v, xs, self.helpers)
            return
        self._line_of(v, text, reads)

    def _line_of(self, v: Value, text: str, reads: list[Value]) -> None:
        name = self._take_name(v, v.op)
        self.fresh.add(v)
        self.statements.append(Statement(v, "call", [f"{name} = {text}"], reads))

    def _compute(self, v: Value, xs: list[Expr], reads: list[Value]) -> None:
        self._line_of(v, self._expression(v, xs), reads)

    def _expression(self, v: Value, xs: list[Expr]) -> str:
        if v.op in ("draw", "bernoulli"):
            raise NotImplementedError(
                "compile(backend='numba'): Numba cannot draw from minigrad's generator; use the NumPy backend"
            )
        texts = self._arguments(v, xs)
        kind = v.dtype
        pattern = _OPERATORS.get(v.op)
        if pattern is not None:
            return pattern.format(*(f"({t})" if " " in t else t for t in texts))
        first: Any = v.inputs[0] if v.inputs else None
        if v.op == "remainder" and kind.kind == "f":
            y, zero = f"np.remainder({texts[0]}, {texts[1]})", self._number(0.0, kind)
            return f"np.where({y} == {zero}, np.copysign({zero}, {texts[0]}), {y})"
        if v.op == "lerp":
            a, b, w = texts
            inputs: tuple[Any, ...] = v.inputs
            near, far = f"{a} + {w} * ({b} - {a})", f"{b} - ({b} - {a}) * ({self._number(1.0, kind)} - {w})"
            weight: Any = inputs[2].value if inputs[2].__class__ is Const else None
            if type(weight) in (float, int):
                return near if abs(weight) < 0.5 else far
            return f"np.where(np.abs({w}) < {self._number(0.5, kind)}, {near}, {far})"
        if v.op == "linear":
            return f"np.dot({texts[0]}, {texts[1]}.T) + {texts[2]}"
        if v.op == "matmul" and all(len(w.shape) == 2 for w in v.inputs):
            return f"np.dot({texts[0]}, {texts[1]})"
        if v.op == "relu":
            return f"np.maximum({texts[0]}, {self._number(0.0, kind)})"
        if v.op == "relu_backward":
            zero = self._number(0.0, kind)
            return f"np.where({texts[1]} <= {zero}, {zero}, {texts[0]})"
        if v.op in ("mean_square", "square_sum") and first is not None:
            x = f"{_wide(texts[0], first)}.ravel()"
            total = _narrow(f"np.dot({x}, {x})", v, first)
            return (
                total
                if v.op == "square_sum"
                else f"{total} / {self._number(float(math.prod(first.shape)), kind)}"
            )
        rows = first is not None and len(first.shape) > 1 and v.shape == first.shape[-1:]
        if v.op == "sum_to" and first is not None and rows:
            if first.shape[:-1] == (1,):
                return f"{texts[0]}[0].copy()"
            x = _wide(texts[0], first)
            flat = x if len(first.shape) == 2 else f"np.ascontiguousarray({x}).reshape(-1, {v.shape[0]})"
            return _narrow(f"np.sum({flat}, axis=0)", v, first)
        dim: Any = v.params.get("dim") if v.op in ("sum", "mean") else ()
        if first is not None and (dim is None or len(dim) == 1) and not v.params["keepdim"]:
            axis = "" if dim is None else f", axis={dim[0]}"
            total = _narrow(f"np.sum({_wide(texts[0], first)}{axis})", v, first)
            shape: tuple[int, ...] = first.shape
            count = math.prod(shape) if dim is None else shape[dim[0]]
            return total if v.op == "sum" else f"{total} / {self._number(float(count), kind)}"
        if v.op in ("clone", "contiguous"):
            return f"{texts[0]}.copy()"
        kernel = TABLE[v.op].kernel if v.op in TABLE else None
        if v.op == "where":
            choices = [
                self._number(float(w.value), kind) if w.__class__ is Const and kind.kind == "f" else t
                for w, t in zip(v.inputs, texts, strict=True)
            ]
            return f"np.where({', '.join(choices)})"
        if isinstance(kernel, np.ufunc):
            return f"np.{kernel.__name__}({', '.join(texts)})"
        text = as_text(expression(v, xs, self.helpers))
        numbers = [*v.params.values(), *(w.value for w in v.inputs if w.__class__ is Const)]
        if kind == F32 and any(isinstance(n, (float, int)) for n in numbers):
            # To Numba they are float64, and so is what they meet.
            return f"({text}).astype(np.float32)" if v.shape else f"np.float32({text})"
        return text

    # ------------------------------------------------------------ the whole

    def _finish(self, dirty: Any) -> None:
        self.bytes, self.groups, self.direct = 0, [], []
        self.committed = []
        self._landed = {}
        self._keep_what_is_overwritten({self.program.value_of[n]: n for n, _ in self.writes})
        value_of = self.program.value_of
        for node, v in self.writes:
            name = self.name_of[value_of[node]]
            statement = next((s for s in self.statements if s.value is v), None)
            symbol = _SYMBOLS.get(v.op)
            simple = statement is not None and symbol is not None and v.inputs[0] is value_of[node]
            if simple and v not in self._kept and not self.users[v] and statement is not None:
                self.statements.remove(statement)
                rest = statement.lines[0].partition(f" {symbol} ")[2]
                self.committed.append(f"{name} {symbol}= {rest}")
            else:
                self.committed.append(f"{name}[...] = {self._before.get(v) or as_text(self._output(v))}")

    def _copied(self, v: Value) -> str:
        return f"{as_text(self._output(v))}.copy()"

    def text(self, clock: bool = False) -> str:
        """The text of the module; it cannot be timed line by line."""
        self.build()
        head = [f'"""{self.title}"""', "", "import numpy as np", ""]
        for helper in self.helpers.texts.values():
            head += ["", helper, ""]
        head += ["", *self.constants, "", ""]
        numbers = [text for _, text in self.numbers]
        parameters = list(dict.fromkeys(self.name_of[v] for _, v in self.arguments))
        bound = {self.name_of[v] for n, v in self.arguments if n in self.bound}
        ordered = [p for p in parameters if p in bound] + [p for p in parameters if p not in bound]
        body = [_wrapped("def run(", [*ordered, *numbers], "):", "")]
        body += [f"    {line}" for line in (*self.setup, *self._refilled)]
        body += [line[4:] for line in self._run_lines()]
        results = [self._whole(v) for v in self.outputs]
        body.append(_wrapped("    return (", results, ",)" if len(results) == 1 else ")", "    "))
        return "\n".join([*head, *body]) + "\n"

    def _whole(self, v: Value) -> str:
        made = self._before.get(v) or as_text(self._output(v))
        if v in self._before:
            return made
        if v.is_view or v not in self.fresh or sum(w is v for w in self.outputs) > 1:
            return f"np.copy({made})" if v.shape else made
        return made


def _wide(text: str, x: Value) -> str:
    """What is summed: many terms of float32 as float64, for Numba adds one after the other."""
    return f"{text}.astype(np.float64)" if x.dtype == F32 and math.prod(x.shape) > FEW else text


def _narrow(text: str, v: Value, x: Value) -> str:
    """A sum of `_wide` terms in its own type."""
    if _wide("", x) == "":
        return text
    return f"{text}.astype(np.float32)" if v.shape else f"np.float32({text})"


def jitted(
    text: str,
    data: dict[str, Any],
    arrays: Sequence[Any],
    given: Sequence[Any],
    code: Callable[[str, str], Any],
    checked: bool,
) -> Any:
    """The function ``run`` of a text, compiled for these arguments. NotImplementedError where Numba cannot.

    ``checked``: indices out of range are an IndexError, which Numba does not look for by itself.
    """
    try:
        import numba
    except ImportError as error:
        raise ImportError(
            "compile(backend='numba') needs Numba and SciPy (the extra `numba`): pip install numba scipy"
        ) from error
    namespace = dict(data)
    exec(code(text, "<compiled by Numba>"), namespace)
    function = numba.njit(error_model="numpy", nogil=True, boundscheck=checked)(namespace["run"])
    try:
        kinds: Any = numba.typeof
        function.compile(tuple(kinds(a) for a in (*arrays, *given)))
    except (numba.core.errors.NumbaError, ImportError, NotImplementedError) as error:
        reason = " ".join(str(error).split())[:300]
        raise NotImplementedError(
            f"compile(backend='numba'): Numba cannot compile what the function does ({reason}). Use the NumPy backend"
        ) from error
    return function
