"""A plan without planned memory, for Numba to compile, which pays at small batches."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.compiler.calls import Statement, _Target, as_text, by_ufunc
from minigrad.compiler.lower import Plan
from minigrad.compiler.scalars import Scalar
from minigrad.core.node import Const
from minigrad.core.op import Op, Params
from minigrad.dtypes import F32
from minigrad.readers.source.expressions import Expr
from minigrad.readers.source.program import Value, numpy_name
from minigrad.readers.source.text import _wrapped

# The text of an operation with an operator that also works in place.
_IN_PLACE = re.compile(r"\{\} (\S+) \{\}")


class NumbaPlan(Plan):
    """A plan whose lines are expressions that Numba knows; numbers have the dtype that they meet."""

    def _may_have_slot(self, v: Value) -> bool:
        return False

    def _define_number(self, name: str, value: Any, dtype: Any) -> None:
        self.constants.append(f"{name} = np.{dtype.name}({value!r})")

    def _define_scalar(self, name: str, value: Scalar, dtype: Any) -> None:
        self._refilled.append(f"{name} = np.{dtype.name}({value.text})")

    @property
    def constants(self) -> list[str]:
        """Lines of the module that define numbers."""
        return self._globals.setdefault("numbers", [])

    def _view(self, v: Value, xs: list[Expr], reads: list[Value]) -> None:
        self._refuse(v.record)
        if v.record.inline and len(self.users[v]) == 1 and v not in self._kept:
            self.expr_of[v] = self._printed(v, xs)
            return
        texts = [as_text(x) for x in xs]
        self._line_of(v, self._pattern(v, texts) or as_text(self._printed(v, xs)), reads)

    def _line_of(self, v: Value, text: str, reads: list[Value]) -> None:
        name = self._take_name(v, v.op)
        self.fresh.add(v)
        self.statements.append(Statement(v, "call", [f"{name} = {text}"], reads))

    def _compute(self, v: Value, xs: list[Expr], reads: list[Value]) -> None:
        self._line_of(v, self._expression(v, xs), reads)

    def _pattern(self, v: Value, texts: list[str]) -> str | None:
        """A value as `Op.numba` prints it; of a ufunc without that, as `Op.text` does."""
        op = v.record
        pattern = op.text if op.numba is None and by_ufunc(op) else op.numba
        if callable(pattern):
            printed: str | None = pattern(_Target(self, v, texts))
            return printed
        return pattern and pattern.format(*(f"({t})" if " " in t else t for t in texts))  # type: ignore[no-any-return]

    def _expression(self, v: Value, xs: list[Expr]) -> str:
        op, texts = v.record, self._arguments(v, xs)
        self._refuse(op)
        pattern = self._pattern(v, texts)
        if pattern is not None:
            return pattern
        if by_ufunc(op):
            return f"np.{op.unchecked.__name__}({', '.join(texts)})"
        text = as_text(self._printed(v, xs))
        numbers = [*v.params.values(), *(w.value for w in v.inputs if w.__class__ is Const)]
        if v.dtype == F32 and any(isinstance(n, (float, int)) for n in numbers):
            # To Numba numbers are float64, and so is what they meet.
            return f"({text}).astype(np.float32)" if v.shape else f"np.float32({text})"
        return text

    def _refuse(self, op: Op) -> None:
        """NotImplementedError for an operation that draws, checks its operands, or calls a ufunc of others."""
        foreign = isinstance(op.unchecked, np.ufunc) and not numpy_name(op.unchecked)
        what = "draw from minigrad's generator" if op.draws else f"check the operands of {op.name}"
        if foreign:
            what = f"call {op.unchecked.__name__}, which is not NumPy's"
        if op.draws or op.check is not None or foreign:
            raise NotImplementedError(f"compile(backend='numba'): Numba cannot {what}; use the NumPy backend")

    def _called(self, function: Any, stem: str, xs: list[Expr], params: Params) -> Expr:
        raise NotImplementedError(
            f"compile(backend='numba'): Numba cannot compile {stem}, which is not printed; use the NumPy backend"
        )

    # ------------------------------------------------------------ the whole

    def _finish(self, written: Any) -> None:
        self.bytes, self.groups, self.direct = 0, [], []
        self.committed = []
        self._target_of = {}
        self._keep_what_is_overwritten({self.program.value_of[n]: n for n, _ in self.writes})
        value_of = self.program.value_of
        for node, v in self.writes:
            name = self.name_of[value_of[node]]
            statement = next((s for s in self.statements if s.value is v), None)
            operator = _IN_PLACE.fullmatch(str(getattr(v.record, "text", "")))
            simple = statement is not None and operator is not None and v.inputs[0] is value_of[node]
            used = v in self._kept or self.users[v] or v.dtype.kind == "b"
            if simple and not used and statement is not None and operator is not None:
                symbol = operator[1]
                self.statements.remove(statement)
                rest = statement.lines[0].partition(f" {symbol} ")[2]
                self.committed.append(f"{name} {symbol}= {rest}")
            else:
                self.committed.append(f"{name}[...] = {self._early_copy.get(v) or as_text(self._output(v))}")

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
        text = self._early_copy.get(v) or as_text(self._output(v))
        if v in self._early_copy:
            return text
        op = v.record
        shared = op is None or not op.new or v not in self.fresh or sum(w is v for w in self.outputs) > 1
        if shared:
            return f"np.copy({text})" if v.shape else text
        return text


def jitted(
    text: str,
    data: dict[str, Any],
    arrays: Sequence[Any],
    samples: Sequence[Any],
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
        function.compile(tuple(kinds(a) for a in (*arrays, *samples)))
    except (numba.core.errors.NumbaError, ImportError, NotImplementedError) as error:
        reason = " ".join(str(error).split())[:300]
        raise NotImplementedError(
            f"compile(backend='numba'): Numba cannot compile what the function does ({reason}). Use the NumPy backend"
        ) from error
    return function
