"""Functions of functions: ``grad``, ``vjp``, ``jvp``, ``jacrev``, ``jacfwd`` and ``hessian``, as in ``torch.func``.

Arguments and results are trees: tuples (also named ones), lists and dicts of Tensors, nested at will.  A result has
the structure of the tree it is a derivative of; a Jacobian has that of the output with, in each place, that of the
arguments.  Inputs need not require grad, are not changed, and no ``.grad`` is touched.  Transforms nest to any depth.

*How they nest.*  While it runs, a function is given leaves of its own.  Afterwards each of them is tied to the
argument it stands for (it becomes an ``alias`` of it), if that one belongs to somebody else's graph: an outer
transform's or the user's.  So an inner derivative never mistakes an outer variable for its own, and an outer one
sees through it.  As in PyTorch, a transform records also under ``no_grad``, but then its results are constants.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Literal,
    NamedTuple,
    NoReturn,
    ParamSpec,
    TypeVar,
    overload,
)

import numpy as np

from minigrad.autograd.modes import recorded
from minigrad.autograd.products import Push, by_columns, by_rows, node_of, pull
from minigrad.core.mode import MODE
from minigrad.core.node import Node
from minigrad.core.tensor import Tensor, leaf, wrap
from minigrad.errors import here
from minigrad.hints import missing
from minigrad.ops.shape import alias

if TYPE_CHECKING:
    P = ParamSpec("P")
    X = TypeVar("X")  # the argument to differentiate by
    Y = TypeVar("Y")

__all__ = [
    "functional_call", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "value_and_grad", "vjp",
]  # fmt: skip

ArgNums = int | tuple[int, ...]


# ---------------------------------------------------------------- trees


class Spec(NamedTuple):
    """The structure of a tree: its type, what tells its places apart (keys), its parts; a leaf has no type."""

    kind: type[Any] | None
    keys: tuple[Any, ...]
    parts: tuple[Spec, ...]

    def __repr__(self) -> str:
        if self.kind is None:
            return "*"
        inside = ", ".join(map(repr, self.parts))
        if issubclass(self.kind, dict):
            return "{" + ", ".join(f"{k!r}: {p!r}" for k, p in zip(self.keys, self.parts, strict=True)) + "}"
        if self.kind is list:
            return f"[{inside}]"
        if self.kind is tuple:
            return f"({inside}{',' if len(self.parts) == 1 else ''})"
        return f"{self.kind.__name__}({inside})"


_LEAF = Spec(None, (), ())


def flatten(tree: Any) -> tuple[list[Any], Spec]:
    """The leaves of a tree, from left to right, and its structure."""
    if isinstance(tree, dict):
        keys, values = tuple(tree), tree.values()
    elif type(tree) in (tuple, list) or (isinstance(tree, tuple) and hasattr(tree, "_fields")):
        keys, values = (), tree
    else:
        return [tree], _LEAF
    leaves: list[Any] = []
    parts: list[Spec] = []
    for value in values:
        found, spec = flatten(value)
        leaves += found
        parts.append(spec)
    return leaves, Spec(type(tree), keys, tuple(parts))


def unflatten(leaves: Sequence[Any], spec: Spec) -> Any:
    """The tree of that structure with these leaves."""
    return _build(iter(leaves), spec)


def _build(leaves: Iterator[Any], spec: Spec) -> Any:  # not a closure: one that calls itself is a cycle
    kind = spec.kind
    if kind is None:
        return next(leaves)
    parts = [_build(leaves, p) for p in spec.parts]
    if issubclass(kind, dict):
        pairs = dict(zip(spec.keys, parts, strict=True))
        return OrderedDict(pairs) if issubclass(kind, OrderedDict) else pairs
    return kind(*parts) if hasattr(kind, "_fields") else kind(parts)


# ---------------------------------------------------------------- one transform's leaves


class _Level:
    """The leaves of one transform, and what of its graph others may see. Made before recording is turned on."""

    def __init__(self) -> None:
        self.recording = MODE.get().grad  # whether results may depend on anything of others
        self.nodes: list[Node] = []
        self.given: list[Node | None] = []  # what each of them stands for, if that is in somebody's graph
        self.own: set[Node] = set()  # leaves that nobody else knows of

    def enter(self, x: object) -> Tensor:
        """A leaf that stands for ``x``, over the same memory."""
        if not isinstance(x, Tensor):
            raise ValueError(f"Thing passed to transform API must be Tensor, got {type(x).__name__}")
        x_node = node_of(x) if self.recording else None
        inside = wrap(x._array)
        if inside._array.dtype.kind != "f":
            raise RuntimeError(
                f"only Tensors of floating point dtype can require gradients, this one is {inside.dtype}"
            )
        node = leaf(inside, True)
        self.nodes.append(node)
        self.given.append(x_node)
        if x_node is None:
            self.own.add(node)
        return inside

    def leave(self) -> None:
        """Ties the leaves to what they stand for."""
        for node, given in zip(self.nodes, self.given, strict=True):
            if given is not None:
                node.op, node.inputs, node.tensor = alias, (given,), None
                node.layout = alias.layout((True,))
                node.code, node.lasti = here()

    def leads_out(self, tensors: Sequence[Tensor], own: set[Node] | None = None) -> bool:
        """Whether a gradient can flow from the Tensors to a leaf of somebody else.

        If not, all records behind them are added to ``own``, which spares the next question the walk.
        """
        known = self.own if own is None else own
        todo = [n for n in map(node_of, tensors) if n is not None and n not in known]
        seen = set(todo)
        while todo:
            node = todo.pop()
            if node.op is None:
                return True
            for n in node.inputs:
                if n.requires_grad and n not in seen and n not in known:
                    seen.add(n)
                    todo.append(n)
        if own is not None:
            own |= seen
        return False

    def show(self, tensors: Sequence[Tensor], create: bool) -> list[Tensor]:
        """What a caller gets to see: without history, where that leads to nobody but this level."""
        own = set(self.own)
        return [t if create and self.leads_out([t], own) else wrap(t._array) for t in tensors]


class _Run:
    """A function that was run on a level's leaves: its results with their history, flat."""

    def __init__(
        self,
        name: str,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        argnums: Any,
        has_aux: bool,
    ) -> None:
        self.name, self.argnums, self.level = name, argnums, _Level()
        places = _places(argnums, len(args))
        self.inputs, self.inputs_spec = flatten(tuple(args[i] for i in places))
        called = list(args)
        forward = name.startswith("jvp") or MODE.get().transform == "forward"
        with recorded(transform="forward" if forward else "reverse"):
            inside = unflatten([self.level.enter(x) for x in self.inputs], self.inputs_spec)
            for i, x in zip(places, inside, strict=True):
                called[i] = x
            output = func(*called, **kwargs)
        aux: Any = None
        if has_aux:
            if not (isinstance(output, tuple) and len(output) == 2):
                raise RuntimeError(
                    f"{name}: output of function f should be a tuple: (output, aux) if has_aux is True"
                )
            output, aux = output
        self.level.leave()
        self.output = output
        self.outputs, self.spec = flatten(output)
        self.aux = self._show_aux(aux) if has_aux else None

    def _show_aux(self, aux: Any) -> Any:
        leaves, spec = flatten(aux)
        for t in leaves:
            if not isinstance(t, Tensor):
                raise RuntimeError(f"Expected tensors, got unsupported type {type(t).__name__}")
        return unflatten(self.level.show(leaves, self.level.recording), spec)

    def check_outputs(self) -> None:
        """RuntimeError unless the result is a tree of Tensors."""
        if len(self.outputs) < 1 or (len(self.outputs) == 1 and self.outputs[0] is None):
            raise RuntimeError(
                f"{self.name}: Expected f to be a function that has non-empty output (got output = {self.output})"
            )
        for t in self.outputs:
            if not isinstance(t, Tensor):
                raise RuntimeError(
                    f"{self.name}: expected f(*primals) to return only tensors, got unsupported type {type(t).__name__}"
                )

    def check_floats(self) -> None:
        """RuntimeError unless the result is a tree of Tensors of floats."""
        self.check_outputs()
        for t in self.outputs:
            if t._array.dtype.kind != "f":
                raise RuntimeError(
                    f"{self.name}: All outputs of f must be floating-point Tensors, got Tensor with dtype {t.dtype}"
                )

    def create(self, vectors: Sequence[Tensor] = ()) -> bool:
        """Whether derivatives have to be recorded: somebody else's graph leads here, or to the vectors."""
        return self.level.recording and self.level.leads_out([*self.outputs, *vectors])

    def shown_outputs(self) -> Any:
        """The result as the caller gets it."""
        return unflatten(self.level.show(self.outputs, self.level.recording), self.spec)

    def shown_inputs(self, found: Sequence[Tensor | None], create: bool) -> Any:
        """Derivatives by the inputs (None is zero) as the caller gets them, always in a tuple."""
        return unflatten(self.level.show(_filled(found, self.inputs), create), self.inputs_spec)

    def shown_jacobians(self, rows: Sequence[Sequence[Tensor]], create: bool) -> Any:
        """Jacobians, by output and input, as the caller gets them."""
        trees = [unflatten(self.level.show(row, create), self.inputs_spec) for row in rows]
        return unflatten([t[0] for t in trees] if isinstance(self.argnums, int) else trees, self.spec)


def _filled(found: Sequence[Tensor | None], like: Sequence[Tensor]) -> list[Tensor]:
    return [
        wrap(np.zeros(t._array.shape, t._array.dtype)) if g is None else g
        for g, t in zip(found, like, strict=True)
    ]


def _places(argnums: object, count: int) -> list[int]:
    """The positions of the arguments to differentiate by; all of them for None."""
    if argnums is None:
        return list(range(count))
    if not isinstance(argnums, (int, tuple)):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums).__name__}")
    places = []
    for n in argnums if isinstance(argnums, tuple) else (argnums,):
        if not isinstance(n, int):
            raise RuntimeError(f"argnum must be int, got: {type(n).__name__}")
        if not -count <= n < count:
            raise RuntimeError(f"Got argnum={n}, but only {count} positional inputs")
        places.append(n % count)
    if not places:
        raise RuntimeError("argnums must be non-empty")
    if len(set(places)) != len(places):
        raise RuntimeError(f"argnums elements must be unique, got {tuple(places)}")
    return places


def _not_all(argnums: object) -> None:
    if argnums is None:  # which `_places` takes for all of them
        raise RuntimeError("argnums must be int or Tuple[int, ...], got: NoneType")


# ---------------------------------------------------------------- gradients


def _gradient(
    func: Callable[..., Any], argnums: ArgNums, has_aux: bool, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, Tensor, Any]:
    _not_all(argnums)
    run = _Run("grad_and_value(f)(*args)", func, args, kwargs, argnums, has_aux)
    output = run.output
    if not isinstance(output, Tensor):
        raise RuntimeError(f"{run.name}: Expected f(*args) to return a Tensor, got {type(output).__name__}")
    if output._array.ndim:
        raise RuntimeError(
            f"{run.name}: Expected f(*args) to return a scalar Tensor, got tensor with {output._array.ndim} dims. "
            "Maybe you wanted to use the vjp or jacrev APIs instead?"
        )
    create = run.create()
    one = wrap(np.ones((), output._array.dtype))
    found = pull(run.outputs, run.level.nodes, [one], create, create or has_aux)
    tree = run.shown_inputs(found, create)
    return tree[0] if isinstance(argnums, int) else tree, run.shown_outputs(), run.aux


@overload
def grad(
    func: Callable[Concatenate[X, P], Tensor], argnums: Literal[0] = 0, has_aux: Literal[False] = False
) -> Callable[Concatenate[X, P], X]: ...


@overload
def grad(func: Callable[P, Any], argnums: ArgNums = 0, has_aux: bool = False) -> Callable[P, Any]: ...


def grad(func: Callable[..., Any], argnums: ArgNums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The gradient of ``func``, which returns a Tensor of no dimension, by the positional arguments ``argnums``.

    The result has the structure of that argument (a tuple of them where ``argnums`` is one).  With ``has_aux``
    ``func`` returns ``(output, aux)`` and the result is ``(gradient, aux)``.
    """

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        found, _, aux = _gradient(func, argnums, has_aux, args, kwargs)
        return (found, aux) if has_aux else found

    return wrapper


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

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        found, value, aux = _gradient(func, argnums, has_aux, args, kwargs)
        return found, ((value, aux) if has_aux else value)

    return wrapper


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
    """`grad_and_value` the other way round: ``(value, gradient)``, with ``has_aux`` ``((value, aux), gradient)``.

    The name is ours; PyTorch has none for it.
    """

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        found, value, aux = _gradient(func, argnums, has_aux, args, kwargs)
        return ((value, aux) if has_aux else value), found

    return wrapper


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
    """``(output, vjp_fn)``, with ``has_aux`` ``(output, vjp_fn, aux)``.

    ``vjp_fn(cotangents)`` takes a tree like the output (RuntimeError for another structure or shape) and returns
    a tuple like ``primals``.  It may be called any number of times.
    """
    run = _Run("vjp(f, *primals)", func, primals, {}, None, has_aux)
    run.check_floats()

    def vjp_fn(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        given, spec = flatten(cotangents)
        if spec != run.spec:
            raise RuntimeError(
                "Expected pytree structure of cotangents to be the same as pytree structure of outputs to the "
                f"function. cotangents: {spec}, primal output: {run.spec}"
            )
        for i, (v, t) in enumerate(zip(given, run.outputs, strict=True)):
            if not isinstance(v, Tensor):
                raise TypeError(f"gradients can be either Tensors or None, but got {type(v).__name__}")
            if v._array.shape != t._array.shape:
                raise RuntimeError(
                    f"Mismatch in shape: grad_output[{i}] has a shape of {list(v._array.shape)} and output[{i}] has a "
                    f"shape of {list(t._array.shape)}."
                )
        wanted = MODE.get().grad if create_graph is None else create_graph
        outputs = run.outputs if run.level.recording else []
        create = wanted and run.level.leads_out([*outputs, *given])
        with recorded():
            found = pull(run.outputs, run.level.nodes, given, create, retain_graph)
        return run.shown_inputs(found, create)

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
    """``(output, J tangents)``, with ``has_aux`` ``(output, J tangents, aux)``; both like the output.

    ``primals`` is a tuple, the arguments of ``func``, and ``tangents`` a tree like it (RuntimeError otherwise).
    A result that does not depend on the primals has the tangent zero; with ``strict`` it is a RuntimeError.
    Made of two reverse passes; what that costs is written at `autograd.products.Push`.  Therefore a ``no_grad``
    in ``func`` stops it, as it stops `grad`, and tangents come in the element type of the output.
    """
    name = "jvp(f, primals, tangents)"
    if not isinstance(primals, tuple):
        raise RuntimeError(
            f"{name}: Expected primals to be a tuple. E.g. it should be valid to call f(*primals)."
        )
    points, points_spec = flatten(primals)
    vectors, vectors_spec = flatten(tangents)
    if points_spec != vectors_spec:
        raise RuntimeError(
            f"{name}: Expected primals and tangents to have the same python structure. For example, if primals is a "
            f"tuple of 3 tensors, tangents also must be. Got primals with structure {points_spec} and tangents with "
            f"structure {vectors_spec}"
        )
    for what, found in (("primals", points), ("tangents", vectors)):
        if not found:
            raise RuntimeError(f"{name}: Expected {what} to contain at least one Tensor.")
        for t in found:
            if not isinstance(t, Tensor):
                raise RuntimeError(f"{name}: Expected {what} to only contain Tensors, got {type(t).__name__}")
    for x, v in zip(points, vectors, strict=True):
        if x._array.shape != v._array.shape:
            raise RuntimeError(
                "Trying to set a forward gradient that has a different size than that of the original Tensor, this is "
                f"not supported. Tensor is of size {list(x._array.shape)} while the given forward gradient is of size "
                f"{list(v._array.shape)}."
            )
    _need_floats(points)
    run = _Run(name, func, primals, {}, None, has_aux)
    run.check_outputs()
    create = run.create(vectors)
    with recorded():
        push = Push(run.outputs, run.level.nodes)
        run.level.own.update(push.nodes)
        products = push(vectors, create, create)
    if strict and any(t is None for t in products):
        raise RuntimeError(
            "jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. This is not allowed "
            "with strict=True."
        )
    shown = unflatten(run.level.show(_filled(products, run.outputs), create), run.spec)
    return (run.shown_outputs(), shown, run.aux) if has_aux else (run.shown_outputs(), shown)


def _need_floats(points: Sequence[object]) -> None:
    for x in points:
        if isinstance(x, Tensor) and x._array.dtype.kind != "f":
            raise ValueError(f"Expected primal to be floating point or complex, but got: {x._array.dtype}")


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
    """The Jacobian of ``func``, one reverse pass per element of its output.

    In each place of the output's tree stands a tree like the argument (a tuple of them where ``argnums`` is one)
    of Tensors of shape output + input.  With ``has_aux`` the result is ``(jacobian, aux)``.  ``chunk_size`` is
    accepted and changes nothing: one row is computed at a time.
    """
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")

    @functools.wraps(func)
    def wrapper(*args: Any) -> Any:
        _not_all(argnums)
        run = _Run("vjp(f, ...)", func, args, {}, argnums, has_aux)
        run.check_floats()
        create = run.create()
        with recorded():
            found = run.shown_jacobians(by_rows(run.outputs, run.level.nodes, create), create)
        return (found, run.aux) if has_aux else found

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
    func: Callable[..., Any],
    argnums: ArgNums | None = 0,
    has_aux: bool = False,
    *,
    randomness: str = "error",
) -> Callable[..., Any]:
    """The Jacobian of ``func`` as from `jacrev`, one pass per element of the input; see `jvp` for what that is.

    ``argnums`` None stands for all arguments.  The function is run once, whatever ``randomness`` says.
    """

    @functools.wraps(func)
    def wrapper(*args: Any) -> Any:
        if randomness not in ("error", "different", "same"):
            raise RuntimeError(
                f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}"
            )
        _need_floats(flatten(tuple(args[i] for i in _places(argnums, len(args))))[0])
        run = _Run("jvp(f, primals, tangents)", func, args, {}, argnums, has_aux)
        run.check_outputs()
        create = run.create()
        with recorded():
            push = Push(run.outputs, run.level.nodes)
            run.level.own.update(push.nodes)
            found = run.shown_jacobians(by_columns(push, run.outputs, run.level.nodes, create), create)
        return (found, run.aux) if has_aux else found

    return wrapper


@overload
def hessian(
    func: Callable[Concatenate[Tensor, P], Tensor], argnums: Literal[0] = 0
) -> Callable[Concatenate[Tensor, P], Tensor]: ...


@overload
def hessian(func: Callable[P, Any], argnums: ArgNums = 0) -> Callable[P, Any]: ...


def hessian(func: Callable[..., Any], argnums: ArgNums = 0) -> Callable[..., Any]:
    """The Jacobian of the Jacobian, structured as in PyTorch, ``jacfwd(jacrev(func, argnums), argnums)``.

    Both are reverse passes here: transposing the inner one again for `jacfwd` takes up to 1.4 times as long.
    """
    return jacrev(jacrev(func, argnums), argnums)


# ---------------------------------------------------------------- modules


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: Mapping[str, Tensor] | Sequence[Mapping[str, Tensor]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """``module(*args, **kwargs)`` with other parameters and buffers, given by name; the module's own come back after.

    Names that are missing keep the module's own value, unknown ones are ignored.  With ``strict`` either is a
    RuntimeError.  ``tie_weights``: what the module holds under several names is replaced under all of them;
    different values for them are a ValueError.
    """
    given = _merged(parameter_and_buffer_dicts)
    places: dict[str, tuple[dict[str, Any], str]] = {}
    for prefix, part in module.named_modules(remove_duplicate=False):
        for held in (part._parameters, part._buffers):
            for key, t in held.items():
                if t is not None:
                    places[f"{prefix}.{key}" if prefix else key] = held, key
    if tie_weights:
        given = _tied(given, places)
    if strict and given.keys() != places.keys():
        missing, unexpected = sorted(places.keys() - given), sorted(given.keys() - places)
        raise RuntimeError(
            f"Error(s) in functional_call for {type(module).__name__}: missing key(s) {missing}, unexpected key(s) "
            f"{unexpected}"
        )
    for name, t in given.items():
        if not isinstance(t, Tensor):
            raise TypeError(f"functional_call: {name} must be a Tensor, got {type(t).__name__}")
        if name not in places:
            module.get_submodule(name.rpartition(".")[0])  # AttributeError if there is no such module
    given = {name: t for name, t in given.items() if name in places}
    before = {name: held[key] for name, (held, key) in places.items() if name in given}
    try:
        for name, t in given.items():
            held, key = places[name]
            held[key] = t
        return module(
            *(args if isinstance(args, tuple) else () if args is None else (args,)), **(kwargs or {})
        )
    finally:
        for name, t in before.items():
            held, key = places[name]
            held[key] = t


def _merged(dicts: Any) -> dict[str, Tensor]:
    """All names and values. ValueError for a name in two dicts."""
    if isinstance(dicts, Mapping):
        return dict(dicts)
    if not isinstance(dicts, (list, tuple)):
        raise ValueError(
            "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got "
            f"{type(dicts).__name__}"
        )
    merged: dict[str, Tensor] = {}
    for d in dicts:
        if not isinstance(d, Mapping):
            raise ValueError("Expected all elements of parameter_and_buffer_dicts to be dictionaries")
        repeated = sorted(merged.keys() & d.keys())
        if repeated:
            raise ValueError(
                f"{repeated} appeared in multiple dictionaries; behavior of functional call is ambiguous"
            )
        merged.update(d)
    return merged


def _tied(given: dict[str, Tensor], places: Mapping[str, tuple[dict[str, Any], str]]) -> dict[str, Tensor]:
    """With every other name of what is replaced."""
    groups: dict[int, list[str]] = {}
    for name, (held, key) in places.items():
        groups.setdefault(id(held[key]), []).append(name)
    full = dict(given)
    for names in groups.values():
        values = [given[n] for n in names if n in given]
        if any(v is not values[0] for v in values):
            raise ValueError(
                f"functional_call got multiple values for keys {sorted(names)}, which are tied. Consider using "
                "tie_weights=False"
            )
        if values:
            full.update(dict.fromkeys(names, values[0]))
    return full


if not TYPE_CHECKING:  # a type checker shall see that a name is missing

    def __getattr__(name: str) -> NoReturn:
        raise missing(__name__, name)
