"""Jacobians, Hessians and their products with vectors, as functions of a function and its inputs.

Signatures, structures and errors are ``torch.autograd.functional``'s.  ``inputs`` is a Tensor or a tuple of Tensors,
and so is what ``func`` returns; a result has a Tensor where there was a Tensor, and a tuple where there was a tuple.

``create_graph`` records the result, so that it can be differentiated again.  With ``strict`` a result that does not
depend on an input (and with ``create_graph``, whose derivative does not) is a RuntimeError instead of zeros.
TypeError for anything but Tensors, RuntimeError for shapes that do not fit and functions that return the wrong kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, overload

import numpy as np

from minigrad.autograd.grad_mode import _flag, recorded
from minigrad.autograd.products import Push, bare, by_columns, by_rows, node_of, ones, pull
from minigrad.core.apply import apply
from minigrad.core.mode import MODE
from minigrad.core.node import Node
from minigrad.core.tensor import Tensor, leaf, wrap
from minigrad.errors import not_implemented_error, runtime_error, type_error, value_error
from minigrad.gate import public
from minigrad.hints import module_getattr
from minigrad.ops.shape import alias, reshape

if TYPE_CHECKING:
    Map = Callable[[Tensor], Tensor]
    X = TypeVar("X")
    Y = TypeVar("Y")

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

_STRATEGIES = ("forward-mode", "reverse-mode")
_STRICT = "This is not allowed in strict mode."


# ---------------------------------------------------------------- inputs and outputs


def _seen(create_graph: bool) -> bool:
    """Whether the result is recorded: on demand, and inside a transform of `minigrad.func`, which differentiates it."""
    return _flag(create_graph) or bool(MODE.get().transform)


def _tuple(value: Any, what: str, name: str) -> tuple[bool, tuple[Tensor, ...]]:
    """Whether it is a tuple, and it as one."""
    is_tuple = isinstance(value, tuple)
    parts = value if is_tuple else (value,)
    for i, t in enumerate(parts):
        if not isinstance(t, Tensor):
            at = f"value at index {i}" if is_tuple else f"given {what}"
            raise type_error(
                f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but the {at} has type "
                f"{type(t).__name__}."
            )
    return is_tuple, parts


def _enter(inputs: Sequence[Tensor], create: bool) -> tuple[list[Tensor], list[Node]]:
    """The Tensors to call the function with, and their nodes; only with ``create`` gradients flow on to ``inputs``."""
    fresh: list[Tensor] = []
    nodes: list[Node] = []
    for t in inputs:
        tied = create and t.requires_grad
        x = apply(alias, (t,)) if tied else bare(t).requires_grad_()
        fresh.append(x)
        nodes.append(x._node or leaf(x))
    return fresh, nodes


def _vector(
    v: Any, like: Sequence[Tensor], is_tuple: bool, name: str, missing: str, create: bool
) -> list[Tensor]:
    """The vector as a list, checked against ``like``, whose shapes it must have; 1 where it may be left out."""
    if v is None:
        if len(like) != 1 or like[0]._array.size != 1:
            raise runtime_error(f"The vector v can only be None if {missing}.")
        return [ones(like[0])]
    _, vector = _tuple(v, "v", name)
    if len(vector) != len(like):
        if is_tuple:
            raise runtime_error(
                f"v is a tuple of invalid length: should be {len(like)} but got {len(vector)}."
            )
        raise runtime_error("The given v should contain a single Tensor.")
    for i, (t, other) in enumerate(zip(vector, like, strict=True)):
        if t._array.shape != other._array.shape:
            raise runtime_error(
                f"{f'Entry {i} in ' if is_tuple else ''}v has invalid size: should be {list(other._array.shape)} but "
                f"got {list(t._array.shape)}."
            )
    return list(vector) if create else [bare(t) for t in vector]


def _call(
    func: Callable[..., Any], inputs: Sequence[Tensor], name: str, strict: bool
) -> tuple[bool, tuple[Tensor, ...]]:
    is_tuple, outputs = _tuple(func(*inputs), "outputs of the user-provided function", name)
    if strict:
        for i, t in enumerate(outputs):
            if node_of(t) is None:
                raise runtime_error(
                    f"Output {i} of the user-provided function does not require gradients. The outputs must be "
                    "computed in a differentiable manner from the input when running in strict mode."
                )
    return is_tuple, outputs


def _scalar(is_tuple: bool, outputs: tuple[Tensor, ...], name: str) -> Tensor:
    if is_tuple:
        raise runtime_error(f"The function given to {name} should return a single Tensor")
    if outputs[0]._array.size != 1:
        raise runtime_error(
            f"The Tensor returned by the function given to {name} should contain a single element"
        )
    return outputs[0]


def _fill(
    derivatives: Sequence[Tensor | None],
    like: Sequence[Tensor],
    strict: bool,
    create: bool,
    what: str,
    of: str,
) -> list[Tensor]:
    """The derivatives with zeros for None; in strict mode None is a RuntimeError."""
    filled: list[Tensor] = []
    for i, (t, other) in enumerate(zip(derivatives, like, strict=True)):
        if t is None:
            if strict:
                raise runtime_error(f"{what} is independent of {of} {i}. {_STRICT}")
            t = wrap(np.zeros(other._array.shape, other._array.dtype))
        elif strict and create and node_of(t) is None:
            kind = "hessian" if "hessian" in what or "jacobian" in what else "jacobian"
            raise runtime_error(
                f"The {kind} of the user-provided function is independent of input {i}. This is not allowed in "
                "strict mode when create_graph=True."
            )
        filled.append(t)
    return filled


def _finish(values: Sequence[Tensor], is_tuple: bool, create: bool) -> Any:
    results = tuple(values) if create else tuple(map(bare, values))
    return results if is_tuple else results[0]


def _require(derivatives: Sequence[Tensor | None], text: str) -> None:
    """Strict mode: RuntimeError for a derivative that is None, or that depends on nothing."""
    for i, t in enumerate(derivatives):
        if t is None:
            raise runtime_error(
                f"The output of the user-provided function is independent of input {i}. {_STRICT}"
            )
        if node_of(t) is None:
            raise runtime_error(text.format(i))


_NO_GRADIENT = (
    f"The gradient with respect to input {{}} is independent of the inputs of the function. {_STRICT}"
)
_LINEAR = (
    "While computing the hessian, found that the jacobian of the user-provided function with respect to input {} is "
    f"independent of the input. {_STRICT} You should ensure that your function is twice differentiable and that the "
    "jacobian depends on the inputs (this would be violated by a linear function for example)."
)


# ---------------------------------------------------------------- products


@overload
def vjp(
    func: Map, inputs: Tensor, v: Tensor | None = None, create_graph: bool = False, strict: bool = False
) -> tuple[Tensor, Tensor]: ...


@overload
def vjp(
    func: Callable[..., Y], inputs: X, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Y, X]: ...


def vjp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """``(func(inputs), vᵀJ)``: ``v`` has the structure of the output, the product that of the inputs.

    ``v`` may be left out for an output of one element.
    """
    create_graph = _seen(create_graph)
    with recorded():
        is_tuple, primals = _tuple(inputs, "inputs", "vjp")
        fresh, nodes = _enter(primals, create_graph)
        many, outputs = _call(func, fresh, "vjp", strict)
        missing = "the user-provided function returns a single Tensor with a single element"
        vector = _vector(v, outputs, many, "vjp", missing, create_graph)
        derivatives = pull(outputs, nodes, vector, create_graph, True)
        what = "The output of the user-provided function"
        product = _fill(derivatives, primals, strict, create_graph, what, "input")
    return _finish(outputs, many, create_graph), _finish(product, is_tuple, create_graph)


_ONE_INPUT = "the input to the user-provided function is a single Tensor with a single element"


@overload
def jvp(
    func: Map, inputs: Tensor, v: Tensor | None = None, create_graph: bool = False, strict: bool = False
) -> tuple[Tensor, Tensor]: ...


@overload
def jvp(
    func: Callable[..., Y], inputs: X, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Y, Y]: ...


def jvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """``(func(inputs), Jv)``: ``v`` has the structure of the inputs, the product that of the output.

    ``v`` may be left out for an input of one element.  Two reverse passes: see `products.Push`.
    """
    create_graph = _seen(create_graph)
    with recorded():
        is_tuple, primals = _tuple(inputs, "inputs", "jvp")
        fresh, nodes = _enter(primals, create_graph)
        vector = _vector(v, primals, is_tuple, "jvp", _ONE_INPUT, create_graph)
        many, outputs = _call(func, fresh, "jvp", strict)
        push = Push(outputs, nodes)
        if strict:
            _require(push.transposed, _NO_GRADIENT)
        derivatives = push(vector, create_graph, True)
        what = "The gradient with respect to the input"
        product = _fill(derivatives, outputs, strict, create_graph, what, "output")
    return _finish(outputs, many, create_graph), _finish(product, many, create_graph)


def _gradient(
    func: Callable[..., Any], inputs: Any, v: Any, create: bool, strict: bool, name: str
) -> tuple[bool, tuple[Tensor, ...], list[Node], Tensor, list[Tensor], list[Tensor | None]]:
    """What the two products with a Hessian begin with: the recorded gradient of a function of one element."""
    is_tuple, primals = _tuple(inputs, "inputs", name)
    fresh, nodes = _enter(primals, create)
    vector = _vector(v, primals, is_tuple, name, _ONE_INPUT, create)
    output = _scalar(*_call(func, fresh, name, strict), name)
    gradient = pull([output], nodes, [ones(output)], True, True)
    if strict:
        _require(gradient, _LINEAR)
    return is_tuple, primals, nodes, output, vector, gradient


@overload
def vhp(
    func: Map, inputs: Tensor, v: Tensor | None = None, create_graph: bool = False, strict: bool = False
) -> tuple[Tensor, Tensor]: ...


@overload
def vhp(
    func: Callable[..., Y], inputs: X, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Y, X]: ...


def vhp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """``(func(inputs), vᵀH)`` for a function that returns one element; ``v`` and product are like the inputs."""
    create_graph = _seen(create_graph)
    with recorded():
        is_tuple, primals, nodes, output, vector, gradient = _gradient(
            func, inputs, v, create_graph, strict, "vhp"
        )
        both = [(g, u) for g, u in zip(gradient, vector, strict=True) if g is not None]
        derivatives = pull([g for g, _ in both], nodes, [u for _, u in both], create_graph, True)
        what = "The jacobian of the user-provided function"
        product = _fill(derivatives, primals, strict, create_graph, what, "input")
    return _finish([output], False, create_graph), _finish(product, is_tuple, create_graph)


@overload
def hvp(
    func: Map, inputs: Tensor, v: Tensor | None = None, create_graph: bool = False, strict: bool = False
) -> tuple[Tensor, Tensor]: ...


@overload
def hvp(
    func: Callable[..., Y], inputs: X, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Y, X]: ...


def hvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """``(func(inputs), Hv)``; as `vhp`, which is cheaper and gives the same for a symmetric Hessian."""
    create_graph = _seen(create_graph)
    with recorded():
        is_tuple, primals, nodes, output, vector, gradient = _gradient(
            func, inputs, v, create_graph, strict, "hvp"
        )
        there = [(i, g) for i, g in enumerate(gradient) if g is not None]
        derivatives: list[Tensor | None] = [None] * len(primals)
        products = Push([g for _, g in there], nodes)(vector, create_graph, True)
        for (i, _), t in zip(there, products, strict=True):
            derivatives[i] = t
        what = "The hessian of the user-provided function"
        product = _fill(derivatives, primals, strict, create_graph, what, "entry")
    return _finish([output], False, create_graph), _finish(product, is_tuple, create_graph)


# ---------------------------------------------------------------- whole matrices


@overload
def jacobian(
    func: Callable[[Tensor], Tensor], inputs: Tensor, create_graph: bool = False, strict: bool = False,
    vectorize: bool = False, strategy: str = "reverse-mode",
) -> Tensor: ...  # fmt: skip


@overload
def jacobian(
    func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False,
    vectorize: bool = False, strategy: str = "reverse-mode",
) -> Any: ...  # fmt: skip


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian: for output ``o`` and input ``i`` a Tensor of shape ``o.shape + i.shape``.

    A tuple over outputs of tuples over inputs; either level is missing where there was a Tensor and no tuple.
    ``"reverse-mode"`` takes one backward pass per element of the output, ``"forward-mode"`` one per element of
    the input.  ``vectorize`` is accepted and changes nothing, but its combinations are refused as in PyTorch:
    RuntimeError with ``strict``, NotImplementedError for forward mode without it or with ``create_graph``.
    """
    if strategy not in _STRATEGIES:
        raise value_error(
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your function has more outputs '
            'than inputs, "forward-mode" tends to be more performant. Otherwise, prefer to use "reverse-mode".'
        )
    forward = strategy == "forward-mode"
    if forward and create_graph:
        _not_together(NotImplementedError, "create_graph=True", 'strategy="forward-mode"')
    if forward and strict:
        _not_together(RuntimeError, "strict=True", 'strategy="forward-mode"')
    create_graph = _seen(create_graph)
    with recorded():
        is_tuple, primals = _tuple(inputs, "inputs", "jacobian")
        if forward and not vectorize:
            raise not_implemented_error(
                'jacobian: `strategy="forward-mode"` is only there with `vectorize=True`'
            )
        fresh, nodes = _enter(primals, create_graph)
        many, outputs = _call(func, fresh, "jacobian", strict)
        if vectorize and strict:
            _not_together(RuntimeError, "strict=True", "vectorize=True")

        def check(i: int, row: list[Tensor | None]) -> None:
            _fill(row, fresh, True, create_graph, f"Output {i} of the user-provided function", "input")

        if forward:
            jacobians = by_columns(Push(outputs, nodes), outputs, nodes, create_graph)
        else:
            if not vectorize:  # then PyTorch takes one element after the other, without a gradient of its own
                for t in outputs:
                    ones(t)
            jacobians = by_rows(outputs, nodes, create_graph, check if strict else None)
        rows = tuple(_finish(row, is_tuple, create_graph) for row in jacobians)
    return rows if many else rows[0]


def _not_together(kind: type[Exception], one: str, other: str) -> NoReturn:
    raise kind(f"jacobian: `{one}` and `{other}` are not supported together, please choose one of them")


@overload
def hessian(
    func: Callable[[Tensor], Tensor], inputs: Tensor, create_graph: bool = False, strict: bool = False,
    vectorize: bool = False, outer_jacobian_strategy: str = "reverse-mode",
) -> Tensor: ...  # fmt: skip


@overload
def hessian(
    func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False,
    vectorize: bool = False, outer_jacobian_strategy: str = "reverse-mode",
) -> Any: ...  # fmt: skip


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The Hessian of a function that returns one element: by inputs ``i`` and ``j`` of shape ``i.shape + j.shape``.

    A tuple of tuples for a tuple of inputs, a Tensor for a Tensor.  Options are those of `jacobian`, which is
    taken of the recorded gradient.
    """
    is_tuple, primals = _tuple(inputs, "inputs", "hessian")
    if outer_jacobian_strategy not in _STRATEGIES:
        raise value_error('Expected strategy to be either "forward-mode" or "reverse-mode".')

    def one_element(*xs: Tensor) -> Tensor:
        out = _scalar(*_call(func, xs, "hessian", strict), "hessian")
        return apply(reshape, (out,), {"shape": ()})

    def gradient(*xs: Tensor) -> tuple[Tensor, ...]:
        rows: tuple[Tensor, ...] = jacobian(one_element, xs, create_graph=True)
        if strict:
            _require(rows, _LINEAR)
        return rows

    rows = jacobian(gradient, primals, create_graph, strict, vectorize, outer_jacobian_strategy)
    return rows if is_tuple else rows[0][0]


public(globals(), __all__, check="none")
module_getattr(
    globals(),
    {
        "_copied": "_as_tuple _construct_standard_basis_for _grad_postprocess _grad_preprocess _tuple_postprocess"
    },
)
