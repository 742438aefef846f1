"""The program of a recording for Numba, which compiles all of it; this pays at small batches."""

from __future__ import annotations

import ast
import builtins
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.compiler.plan import Plan, written
from minigrad.compiler.scalars import Scalar
from minigrad.compiler.statements import Statements, ValueTarget
from minigrad.compiler.values import as_text, is_view
from minigrad.core.node import Const
from minigrad.core.op import Op, Params, is_ufunc
from minigrad.dtypes import C64, F32, F64
from minigrad.readers.source.expressions import Expr, fill, literal, parsed
from minigrad.readers.source.program import Value, numpy_name
from minigrad.readers.source.text import _wrapped, with_imports


class NumbaStatements(Statements):
    """Statements that are expressions which Numba knows, without planned memory; numbers have the dtype they meet."""

    def may_be_planned(self, v: Value) -> bool:
        return False

    def number(self, value: Any, dtype: Any) -> str:
        text = value.text if isinstance(value, Scalar) else as_text(literal(float(value)))
        return self.lasting("number", f"np.{dtype.name}({text})")

    def level(self, v: Value, w: Any, text: str) -> str:
        return text

    def _into(self, v: Value, xs: list[Expr]) -> None:
        return None

    def _text_of(self, v: Value, xs: list[Expr]) -> str:
        text = as_text(self._printed(v, xs))
        return f"np.copy({text})" if v.shape and v in self.kept and not v.record.new else text

    def _printed(self, v: Value, xs: Sequence[Expr], written: bool = False) -> Expr:
        """A value as `Op.numba` prints it; of a ufunc without that, as `Op.text` does, or as a call."""
        op = v.record
        self._refuse(op)
        texts = self._arguments(v, xs)[0]
        pattern = op.text if op.numba is None and is_ufunc(op.unchecked) else op.numba
        if callable(pattern):
            pattern = pattern(ValueTarget(self, v, texts))
        elif pattern is not None:
            pattern = pattern.format(*(f"({t})" if " " in t else t for t in texts))
        if pattern is None and is_ufunc(op.unchecked):
            pattern = f"{numpy_name(op.unchecked)}({', '.join(texts)})"
        expr = super()._printed(v, xs, written) if pattern is None else parsed(pattern)
        # Real ones that ufuncs meet have a type of their own: see `number`.
        numbers = [w.value for w in v.inputs if w.__class__ is Const and (pattern is None or v.dtype == C64)]
        if pattern is None:
            numbers += [*v.params.values(), *(n.value for n in ast.walk(expr) if n.__class__ is ast.Constant)]
        if (
            v.dtype in (F32, C64)
            and any(isinstance(n, (float, int, complex)) for n in numbers)
            and not is_view(v)
        ):
            # To Numba numbers are of 64 bits, and so is what they meet.
            return fill(f"{{}}.astype(np.{v.dtype})" if v.shape else f"np.{v.dtype}({{}})", [expr])
        return expr

    def _refuse(self, op: Op) -> None:
        """NotImplementedError for an operation that draws, checks its operands, or calls a ufunc of others."""
        what = "draw from minigrad's generator" if op.draws else ""
        if op.of is not None:
            what = f"compute {op.name} in floats of two bytes"
        if op.check is not None:
            what = f"check the operands of {op.name}"
        if isinstance(op.unchecked, np.ufunc) and not numpy_name(op.unchecked):
            what = f"call {op.unchecked.__name__}, which is not NumPy's"
        if what:
            raise _cannot(what)

    def _called(self, function: Any, stem: str, xs: Sequence[Expr], params: Params) -> Expr:
        raise _cannot(f"compile {stem}, which is not printed")


def _cannot(what: str) -> Exception:
    return NotImplementedError(f"compile(backend='numba'): Numba cannot {what}; use the NumPy backend")


class NumbaPlan(Plan):
    """One function of all arrays and numbers, which returns the results and what the writes put where."""

    def _printed(self, s: Statements, memory: list[str], results: list[str]) -> str:
        names, inputs = s.name_of, [*self.stays, *self.takes]
        # The places of the arrays that are changed, and the types of results that Numba gives as Python's numbers.
        self._changed = [inputs.index(target) for target in self.targets]
        self._kinds = [None if v.shape or v.dtype == F64 else v.dtype for v, _ in s.outputs]
        # Numba does not look by itself for indices out of range.
        self._checked = any(x.value.record is not None and x.value.record.raises for x in s.statements)
        lines = [*map(written, s.setup), *self._lines()]
        end = _wrapped("    return (", results, ",)" if len(results) == 1 else ")", "    ")
        end += ", (" + "".join(f"np.copy({call[-1]}), " for _, call in self.writes) + ")"
        head = _wrapped("def run(", [*(names[v] for v in inputs), *self._read(s, [*lines, end])], "):", "")
        return with_imports("\n".join([*self._head, head, *(f"    {line}" for line in lines), end]) + "\n")

    def bind(self, arrays: Sequence[Any], returned: Any = (), text: str = "", **names: Any) -> Any:
        function, errors = self._jitted

        def run(*inputs: Any) -> Any:
            everything = (*arrays, *inputs)
            try:
                results, news = function(*everything)
            except errors as error:
                reason = " ".join(str(error).split())[:300]
                raise _cannot(f"compile what the function does ({reason})") from error
            pairs = zip(results, self._kinds, strict=True)
            results = [r if k is None else np.asarray(r, k) for r, k in pairs]
            return results, [(np.copyto, everything[i], n) for i, n in zip(self._changed, news, strict=True)]

        return run

    @functools.cached_property
    def _jitted(self) -> tuple[Any, tuple[type[Exception], ...]]:
        """The function ``run`` of the text, which Numba compiles when it is called, and what it raises if it cannot."""
        try:
            import numba
        except ImportError as error:
            raise ImportError(
                "compile(backend='numba') needs Numba and SciPy (the extra `numba`): pip install numba scipy"
            ) from error
        namespace = dict(self.data)
        exec(builtins.compile(self.text, "<compiled by Numba>", "exec"), namespace)
        function = numba.njit(error_model="numpy", nogil=True, boundscheck=self._checked)(namespace["run"])
        return function, (numba.core.errors.NumbaError, ImportError, NotImplementedError)
