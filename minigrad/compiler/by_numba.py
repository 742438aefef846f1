"""The program of a recording for Numba, which compiles all of it; this pays at small batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.compiler.plan import Plan, _line, code
from minigrad.compiler.scalars import Scalar
from minigrad.compiler.statement import ValueTarget, as_text, by_ufunc
from minigrad.compiler.statements import Statements
from minigrad.core.node import Const
from minigrad.core.op import Op, Params
from minigrad.core.plans import OUT, named
from minigrad.dtypes import F32, F64
from minigrad.readers.source.expressions import Expr
from minigrad.readers.source.program import Value, numpy_name
from minigrad.readers.source.text import _wrapped


class NumbaStatements(Statements):
    """Statements that are expressions which Numba knows, without planned memory; numbers have the dtype they meet."""

    def _may_have_slot(self, v: Value) -> bool:
        return False

    def _define_number(self, name: str, value: Any, dtype: Any) -> None:
        text = value.text if type(value) is Scalar else repr(value)
        (self.refilled if type(value) is Scalar else self.setup).append(
            named(name, f"np.{dtype.name}({text})")
        )

    def _view(self, v: Value, xs: list[Expr], reads: list[Value]) -> None:
        self._refuse(v.record)
        if v.record.inline and len(self.users[v]) == 1 and v not in self.kept:
            self.expr_of[v] = self._printed(v, xs)
            return
        texts = [as_text(x) for x in xs]
        self.fresh.add(v)
        self._add(v, [named(OUT, self._pattern(v, texts) or as_text(self._printed(v, xs)))], reads)

    def copied(self, text: str) -> str:
        return f"np.copy({text})"

    def _compute(self, v: Value, xs: list[Expr], reads: list[Value]) -> None:
        if v.record.new or not v.shape:
            self.fresh.add(v)
        self._add(v, [named(OUT, self._expression(v, xs))], reads)

    def _pattern(self, v: Value, texts: list[str]) -> str | None:
        """A value as `Op.numba` prints it; of a ufunc without that, as `Op.text` does."""
        op = v.record
        pattern = op.text if op.numba is None and by_ufunc(op) else op.numba
        if callable(pattern):
            printed: str | None = pattern(ValueTarget(self, v, texts))
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

    def _called(self, function: Any, stem: str, xs: Sequence[Expr], params: Params) -> Expr:
        raise NotImplementedError(
            f"compile(backend='numba'): Numba cannot compile {stem}, which is not printed; use the NumPy backend"
        )


class NumbaPlan(Plan):
    """One function of all arrays and numbers, which returns the results and what the writes put where."""

    def printed(self, clock: bool = False) -> str:
        head = [f'"""{self.title}"""', "", "import numpy as np", ""]
        for helper in self.helpers.values():
            head += ["", helper, ""]
        body = [
            "",
            _wrapped("def run(", [*self.names(self.stays), *self.names(self.takes), *self.numbers], "):", ""),
        ]
        lines = [_line(x) for x in (*self.setup, *self.refilled)] + self._lines()
        body += [f"    {line}" for line in lines]
        news = [f"np.copy({call[-1]})" for _, call in self.writes]
        results = [_wrapped("(", self.results, ",)" if len(self.results) == 1 else ")", "    ")]
        results.append("(" + "".join(f"{n}, " for n in news) + ")")
        return "\n".join([*head, *body, f"    return {', '.join(results)}"]) + "\n"

    def bind(self, arrays: Sequence[Any], clock: Any = None, returned: Any = ()) -> Any:
        names = self.names(self.stays)
        targets = [call[1] for _, call in self.writes]
        places = [
            names.index(t) if t in names else len(names) + self.names(self.takes).index(t) for t in targets
        ]
        kinds = [None if v.shape or v.dtype == F64 else v.dtype for v in self.outputs]
        function = self._jitted()

        def run(*inputs: Any) -> Any:
            given = (*arrays, *inputs)
            results, news = function(*given)
            results = [r if k is None else np.asarray(r, k) for r, k in zip(results, kinds, strict=True)]
            return results, [(np.copyto, given[i], new) for i, new in zip(places, news, strict=True)]

        return run

    _function: Any = None

    def _jitted(self) -> Any:
        """The function ``run`` of the text, as Numba compiles it. NotImplementedError where it cannot."""
        if self._function is not None:
            return self._function
        try:
            import numba
        except ImportError as error:
            raise ImportError(
                "compile(backend='numba') needs Numba and SciPy (the extra `numba`): pip install numba scipy"
            ) from error
        namespace = dict(self.data)
        exec(code(self.text, "<compiled by Numba>"), namespace)
        # Numba does not look by itself for indices out of range.
        checked = any(s.value.record is not None and s.value.record.raises for s in self.statements)
        function = numba.njit(error_model="numpy", nogil=True, boundscheck=checked)(namespace["run"])
        models = [self.models.get(v, np.empty(v.shape, v.dtype)) for v in (*self.stays, *self.takes)]
        try:
            kinds: Any = numba.typeof
            function.compile(tuple(kinds(a) for a in (*models, *[0.0] * len(self.numbers))))
        except (numba.core.errors.NumbaError, ImportError, NotImplementedError) as error:
            reason = " ".join(str(error).split())[:300]
            raise NotImplementedError(
                f"compile(backend='numba'): Numba cannot compile what the function does ({reason}). Use the NumPy "
                "backend"
            ) from error
        self._function = function
        return function
