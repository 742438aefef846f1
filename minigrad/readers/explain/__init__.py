"""A backward pass as a numbered derivation, to be read line by line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from minigrad import errors
from minigrad.core.node import tape
from minigrad.core.tensor import Tensor
from minigrad.core.views import refresh
from minigrad.readers import places, steps
from minigrad.readers.columns import printable
from minigrad.readers.explain.text import html, lines

if TYPE_CHECKING:
    from minigrad.nn import Module


class Explanation:
    """A derivation: prints as text of at most 80 columns, and shows itself highlighted in a notebook.

    It holds texts only, nothing of the tape.
    """

    def __init__(self, derivation: steps.Derivation) -> None:
        self._derivation = derivation

    def __str__(self) -> str:
        return printable("\n".join(lines(self._derivation)))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html(lines(self._derivation))


def explain(
    loss: Tensor,
    params: Module | Mapping[str, Tensor] | None = None,
    *,
    inputs: Mapping[str, Tensor] | None = None,
    precision: int = 4,
) -> Explanation:
    """How ``loss`` was computed, and how backward gets from it to the gradient of each leaf, step by step.

    Each step has the line of the program, what it computes, the gradient ``g`` that arrives, and for each input the
    rule of the derivative with what it gives: with its numbers where all are single, else the shape and the least,
    the mean and the largest element.  Where a value is used twice the sum of its gradients is shown, and where
    broadcasting repeated an input the sum that undoes it.  In the end stands what ``backward()`` adds to ``.grad``.

    Names are those of ``params`` (a Module, or a dict of names to Tensors) and of ``inputs``; those of variables of
    the caller, or of functions around it, and of what these hold (``net.0.weight``, ``ws[2]``); and those that the
    program assigned values to.  ``t3`` is the result of step 3.  ``precision`` is the number of significant digits.
    The gradient of a result of several elements is taken to be ones.

    It changes nothing: no ``.grad`` is written, no hook is called.  TypeError or ValueError for wrong arguments;
    RuntimeError for a Tensor without a gradient to explain, a graph that a backward pass freed, or a saved array that
    was changed in place.
    """
    if not isinstance(loss, Tensor):
        raise errors.no_result("explain", loss)
    if type(precision) is not int or precision < 1:
        raise errors.value_error(f"explain(): precision must be at least 1, got {precision!r}")
    refresh(loss)
    node = loss._node
    if node is None or node.op is None or not node.requires_grad:
        raise errors.runtime_error(
            "explain(): this Tensor has no backward pass: it was not computed from Tensors that require grad, or "
            "detach() or no_grad() cut it off"
        )
    found = places.variables(errors.user_frame(), records=tape([node]))
    names = places.with_variables(places.given(params) | places.given(inputs, "inputs"), found)
    held = [loss, *(t for _, t in found.values())]
    derivation, _, _ = steps.derivation([loss], names, precision, pictured=False, held=held)
    return Explanation(derivation)
