"""`grad`, `vjp`, `jvp`, `jacrev`, `jacfwd` and `hessian`: derivatives of a function as functions."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, TypeVar, overload

from minigrad.autograd.grad_mode import recorded
from minigrad.autograd.products import Push, by_columns, by_rows, ones, pull
from minigrad.core.mode import MODE
from minigrad.core.tensor import Tensor
from minigrad.errors import runtime_error, type_error, value_error
from minigrad.func.run import Run, filled, not_all, places_of
from minigrad.func.trees import flatten, unflatten

if TYPE_CHECKING:
    P = ParamSpec("P")
    X = TypeVar("X")  # the argument to differentiate by
    Y = TypeVar("Y")

ArgNums = int | tuple[int, ...]


# ---------------------------------------------------------------- gradients


def _gradient(
    func: Callable[..., Any], argnums: ArgNums, has_aux: bool, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, Tensor, Any]:
    not_all(argnums)
    run = Run("grad_and_value(f)(*args)", func, args, kwargs, argnums, has_aux)
    output = run.output
    if not isinstance(output, Tensor):
        raise runtime_error(f"{run.name}: Expected f(*args) to return a Tensor, got {type(output).__name__}")
    if output._array.ndim:
        raise runtime_error(
            f"{run.name}: Expected f(*args) to return a scalar Tensor, got tensor with {output._array.ndim} dims. "
            "Maybe you wanted to use the vjp or jacrev APIs instead?"
        )
    create = run.create()
    gradients = pull(run.outputs, run.level.nodes, [ones(output)], create, create or has_aux)
    tree = run.shown_inputs(gradients, create)
    return tree[0] if isinstance(argnums, int) else tree, run.shown_outputs(), run.aux


def _differentiated(
    func: Callable[..., Any], argnums: ArgNums, has_aux: bool, arrange: Callable[[Any, Any, Any], Any]
) -> Callable[..., Any]:
    """A function that returns gradient, value and what else there is, as ``arrange`` puts them together."""

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return arrange(*_gradient(func, argnums, has_aux, args, kwargs))

    return wrapper


@overload
def grad(
    func: Callable[Concatenate[X, P], Tensor], argnums: Literal[0] = 0, has_aux: Literal[False] = False
) -> Callable[Concatenate[X, P], X]: ...


@overload
def grad(func: Callable[P, Any], argnums: ArgNums = 0, has_aux: bool = False) -> Callable[P, Any]: ...


def grad(func: Callable[..., Any], argnums: ArgNums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function for the gradient of ``func``, which returns a 0-d Tensor, by the positional arguments ``argnums``.

    The result has the structure of that argument (a tuple of them where ``argnums`` is one).  With ``has_aux``
    ``func`` returns ``(output, aux)`` and the result is ``(gradient, aux)``.
    """

    return _differentiated(func, argnums, has_aux, lambda g, y, aux: (g, aux) if has_aux else g)


@overload
def grad_and_value(
    func: Callable[Concatenate[X, P], Tensor], argnums: Literal[0] = 0, has_aux: Literal[False] = False
) -> Callable[Concatenate[X, P], tuple[X, Tensor]]: ...


@overload
def grad_and_value(
    func: Callable[P, Any], argnums: ArgNums = 0, has_aux: bool = False
) -> Callable[P, tuple[Any, Any]]: ...


def grad_and_value(
    func: Callable[..., Any], argnums: ArgNums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """As `grad`, returning ``(gradient, value)``, with ``has_aux`` ``(gradient, (value, aux))``."""

    return _differentiated(func, argnums, has_aux, lambda g, y, aux: (g, (y, aux) if has_aux else y))


@overload
def value_and_grad(
    func: Callable[Concatenate[X, P], Tensor], argnums: Literal[0] = 0, has_aux: Literal[False] = False
) -> Callable[Concatenate[X, P], tuple[Tensor, X]]: ...


@overload
def value_and_grad(
    func: Callable[P, Any], argnums: ArgNums = 0, has_aux: bool = False
) -> Callable[P, tuple[Any, Any]]: ...


def value_and_grad(
    func: Callable[..., Any], argnums: ArgNums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """As `grad`, returning ``(value, gradient)``, with ``has_aux`` ``((value, aux), gradient)``. Not in PyTorch."""

    return _differentiated(func, argnums, has_aux, lambda g, y, aux: ((y, aux) if has_aux else y, g))


# ---------------------------------------------------------------- products


@overload
def vjp(
    func: Callable[..., Y], *primals: Any, has_aux: Literal[False] = False
) -> tuple[Y, Callable[[Y], tuple[Any, ...]]]: ...


@overload
def vjp(
    func: Callable[..., tuple[Y, X]], *primals: Any, has_aux: Literal[True]
) -> tuple[Y, Callable[[Y], tuple[Any, ...]], X]: ...


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The output, and a function for vector-Jacobian products: ``(output, vjp_fn)``, or ``(output, vjp_fn, aux)``.

    ``vjp_fn(cotangents)`` takes a tree like the output (RuntimeError for another structure or shape) and returns
    a tuple like ``primals``.  It may be called any number of times.
    """
    run = Run("vjp(f, *primals)", func, primals, {}, None, has_aux)
    run.check_floats()

    def vjp_fn(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        seeds, spec = flatten(cotangents)
        if spec != run.spec:
            raise runtime_error(
                "Expected pytree structure of cotangents to be the same as pytree structure of outputs to the "
                f"function. cotangents: {spec}, primal output: {run.spec}"
            )
        for i, (v, t) in enumerate(zip(seeds, run.outputs, strict=True)):
            if not isinstance(v, Tensor):
                raise type_error(f"gradients can be either Tensors or None, but got {type(v).__name__}")
            if v._array.shape != t._array.shape:
                raise runtime_error(
                    f"Mismatch in shape: grad_output[{i}] has a shape of {list(v._array.shape)} and output[{i}] has a "
                    f"shape of {list(t._array.shape)}."
                )
        recording = MODE.get().grad if create_graph is None else create_graph
        outputs = run.outputs if run.level.recording else []
        create = recording and run.level.leads_out([*outputs, *seeds])
        with recorded():
            gradients = pull(run.outputs, run.level.nodes, seeds, create, retain_graph)
        return run.shown_inputs(gradients, create)

    return (run.shown_outputs(), vjp_fn, run.aux) if has_aux else (run.shown_outputs(), vjp_fn)


@overload
def jvp(
    func: Callable[..., Y], primals: tuple[Any, ...], tangents: tuple[Any, ...], *, strict: bool = False,
    has_aux: Literal[False] = False,
) -> tuple[Y, Y]: ...  # fmt: skip


@overload
def jvp(
    func: Callable[..., tuple[Y, X]], primals: tuple[Any, ...], tangents: tuple[Any, ...], *, strict: bool = False,
    has_aux: Literal[True],
) -> tuple[Y, Y, X]: ...  # fmt: skip


def jvp(
    func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False
) -> Any:
    """The output and the Jacobian-vector product: ``(output, J tangents)``, with ``has_aux`` ``(..., aux)``.

    ``primals`` is a tuple, the arguments of ``func``, and ``tangents`` a tree like it (RuntimeError otherwise).
    A result that does not depend on the primals has the tangent zero; with ``strict`` it is a RuntimeError.
    It is made of two reverse passes, so a ``no_grad`` in ``func`` stops it, as it stops `grad`, and tangents have
    the element type of the output.
    """
    name = "jvp(f, primals, tangents)"
    if not isinstance(primals, tuple):
        raise runtime_error(
            f"{name}: Expected primals to be a tuple. E.g. it should be valid to call f(*primals)."
        )
    points, points_spec = flatten(primals)
    vectors, vectors_spec = flatten(tangents)
    if points_spec != vectors_spec:
        raise runtime_error(
            f"{name}: Expected primals and tangents to have the same python structure. For example, if primals is a "
            f"tuple of 3 tensors, tangents also must be. Got primals with structure {points_spec} and tangents with "
            f"structure {vectors_spec}"
        )
    for what, leaves in (("primals", points), ("tangents", vectors)):
        if not leaves:
            raise runtime_error(f"{name}: Expected {what} to contain at least one Tensor.")
        for t in leaves:
            if not isinstance(t, Tensor):
                raise runtime_error(
                    f"{name}: Expected {what} to only contain Tensors, got {type(t).__name__}"
                )
    for x, v in zip(points, vectors, strict=True):
        if x._array.shape != v._array.shape:
            raise runtime_error(
                "Trying to set a forward gradient that has a different size than that of the original Tensor, this is "
                f"not supported. Tensor is of size {list(x._array.shape)} while the given forward gradient is of size "
                f"{list(v._array.shape)}."
            )
    _need_floats(points)
    run = Run(name, func, primals, {}, None, has_aux)
    run.check_outputs()
    vectors = [
        v.to(x.dtype) if x.is_complex() and not v.is_complex() else v
        for x, v in zip(points, vectors, strict=True)
    ]
    create = run.create(vectors)
    with recorded():
        push = Push(run.outputs, run.level.nodes)
        run.level.own.update(push.nodes)
        products = push(vectors, create, create)
    if strict and any(t is None for t in products):
        raise runtime_error(
            "jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. This is not allowed "
            "with strict=True."
        )
    shown = unflatten(run.level.show(filled(products, run.outputs), create), run.spec)
    return (run.shown_outputs(), shown, run.aux) if has_aux else (run.shown_outputs(), shown)


def _need_floats(points: Sequence[object]) -> None:
    for x in points:
        if isinstance(x, Tensor) and x._array.dtype.kind not in "fcV":
            raise value_error(f"Expected primal to be floating point or complex, but got: {x._array.dtype}")


# ---------------------------------------------------------------- whole matrices


@overload
def jacrev(
    func: Callable[Concatenate[Tensor, P], Tensor], argnums: Literal[0] = 0, *, has_aux: Literal[False] = False,
    chunk_size: int | None = None,
) -> Callable[Concatenate[Tensor, P], Tensor]: ...  # fmt: skip


@overload
def jacrev(
    func: Callable[P, Any], argnums: ArgNums = 0, *, has_aux: bool = False, chunk_size: int | None = None
) -> Callable[P, Any]: ...


def jacrev(
    func: Callable[..., Any], argnums: ArgNums = 0, *, has_aux: bool = False, chunk_size: int | None = None
) -> Callable[..., Any]:
    """A function for the Jacobian of ``func``, by reverse passes, each for some elements of the output.

    For each Tensor of the output it has a tree like the argument (a tuple of them where ``argnums`` is one), of
    Tensors of shape output + input.  With ``has_aux`` the result is ``(jacobian, aux)``.  ``chunk_size`` is
    accepted and changes nothing: 64 rows are computed at a time.
    """
    if chunk_size is not None and chunk_size <= 0:
        raise value_error("jacrev: `chunk_size` should be greater than 0.")

    @functools.wraps(func)
    def wrapper(*args: Any) -> Any:
        not_all(argnums)
        run = Run("vjp(f, ...)", func, args, {}, argnums, has_aux)
        run.check_real("jacrev")
        create = run.create()
        with recorded():
            jacobian = run.shown_jacobians(by_rows(run.outputs, run.level.nodes, create), create)
        return (jacobian, run.aux) if has_aux else jacobian

    return wrapper


@overload
def jacfwd(
    func: Callable[Concatenate[Tensor, P], Tensor], argnums: Literal[0] = 0, has_aux: Literal[False] = False, *,
    randomness: str = "error",
) -> Callable[Concatenate[Tensor, P], Tensor]: ...  # fmt: skip


@overload
def jacfwd(
    func: Callable[P, Any], argnums: ArgNums | None = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Callable[P, Any]: ...


def jacfwd(
    func: Callable[..., Any], argnums: ArgNums | None = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Callable[..., Any]:
    """A function for the Jacobian of ``func``, as `jacrev` gives it, by `jvp` of the elements of the input.

    ``argnums`` None stands for all arguments.  The function is run once, whatever ``randomness`` says.
    """

    @functools.wraps(func)
    def wrapper(*args: Any) -> Any:
        if randomness not in ("error", "different", "same"):
            raise runtime_error(
                f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}"
            )
        _need_floats(flatten(tuple(args[i] for i in places_of(argnums, len(args))))[0])
        run = Run("jvp(f, primals, tangents)", func, args, {}, argnums, has_aux)
        run.check_real("jacfwd")
        create = run.create()
        with recorded():
            push = Push(run.outputs, run.level.nodes)
            run.level.own.update(push.nodes)
            jacobian = run.shown_jacobians(by_columns(push, run.outputs, run.level.nodes, create), create)
        return (jacobian, run.aux) if has_aux else jacobian

    return wrapper


@overload
def hessian(
    func: Callable[Concatenate[Tensor, P], Tensor], argnums: Literal[0] = 0
) -> Callable[Concatenate[Tensor, P], Tensor]: ...


@overload
def hessian(func: Callable[P, Any], argnums: ArgNums = 0) -> Callable[P, Any]: ...


def hessian(func: Callable[..., Any], argnums: ArgNums = 0) -> Callable[..., Any]:
    """A function for the Hessian, the Jacobian of the Jacobian, structured as in PyTorch.

    Both are reverse passes here: ``jacfwd(jacrev(func))`` takes up to 1.4 times as long.
    """
    return jacrev(jacrev(func, argnums), argnums)


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """``func(*primals)``, and a function that multiplies tangents by the Jacobian there.

    That function runs ``func`` again, so it saves no time over `jvp`.
    """
    return func(*primals), lambda *tangents: jvp(func, primals, tangents)[1]
