"""`Function`: operations with a forward and a backward written by the user."""

from __future__ import annotations

import copy
import functools
import inspect
import warnings
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, ParamSpec, Protocol, TypeVar, overload

import numpy as np

from minigrad import errors
from minigrad.autograd.context import CONSTANT, dense, pick
from minigrad.autograd.context import FunctionCtx as FunctionCtx
from minigrad.autograd.grad_mode import no_grad
from minigrad.autograd.records import FunctionNode
from minigrad.core.changes import changed
from minigrad.core.mode import MODE, ModeManager
from minigrad.core.node import Node, new_node
from minigrad.core.op import Op
from minigrad.core.tensor import Tensor, View, leaf, of_class, wrap
from minigrad.core.views import check_change, rebase, refresh, replace_node
from minigrad.errors import not_implemented_error, runtime_error
from minigrad.gate.overriding import DOORS, overrides

if TYPE_CHECKING:
    P = ParamSpec("P")
    R = TypeVar("R", covariant=True)

    class _WithContext(Protocol[P, R]):
        """A Function whose forward takes the ctx first."""

        @staticmethod
        def forward(ctx: FunctionCtx, /, *args: P.args, **kwargs: P.kwargs) -> R: ...

    class _WithSetup(Protocol[P, R]):
        """A Function with `setup_context`."""

        @staticmethod
        def forward(*args: P.args, **kwargs: P.kwargs) -> R: ...


class Function:
    """An operation of your own, with the derivative that you write; see PyTorch's ``torch.autograd.Function``.

    Subclasses define static methods ``forward(ctx, *args)``, or ``forward(*args)`` with
    ``setup_context(ctx, inputs, output)``, and ``backward(ctx, *grads)`` (or ``vjp``, its other name), which returns
    one gradient (or None) per argument of forward.  Call it with ``apply``.
    """

    # Each class has its own, from its first record on; it goes with the class.
    _op: ClassVar[Any] = None
    _facts: ClassVar[dict[str, Any]] = {}  # of its record

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Computes the result from Tensors."""
        raise NotImplementedError(
            "You must implement the forward function for custom autograd.Function: a static method"
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Saves for backward, when forward takes no ctx."""
        raise NotImplementedError

    @staticmethod
    def backward(*args: Any, **kwargs: Any) -> Any:
        """The gradients of the arguments of forward, from ``ctx`` and the gradients of what forward returned."""
        raise not_implemented_error(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with "
            "backward mode AD: a static method"
        )

    vjp = backward

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        """The tangents of what forward returned, from those of its arguments; for a Function without `backward`.

        Forward mode differentiates `backward` where there is one.
        """
        raise NotImplementedError(
            "a Function must define jvp, or backward, to be differentiated in forward mode"
        )

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        """RuntimeError: a Function is called by its class's `apply`."""
        raise runtime_error(
            "Legacy autograd function with non-static forward method is deprecated: forward and backward are static "
            f"methods, and a call is {type(self).__name__}.apply(...)"
        )

    @overload
    @classmethod
    def apply(cls: type[_WithContext[P, R]], *args: P.args, **kwargs: P.kwargs) -> R: ...

    @overload
    @classmethod
    def apply(cls: type[_WithSetup[P, R]], *args: P.args, **kwargs: P.kwargs) -> R: ...

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Runs forward without recording its inside and records the whole as one operation.

        Arguments given by keyword take the places that forward names them in, and ``setup_context`` gets defaults
        too. TypeError for what has no place.
        """
        ctx = FunctionCtx()
        has_setup = cls.setup_context is not Function.setup_context
        code = getattr(cls.forward, "__code__", None)
        if kwargs or (has_setup and (code is None or len(args) != code.co_argcount)):
            args = _by_place(cls, args, kwargs, has_setup)
        given = args  # forward gets them; to the record a sparse Tensor is not a Tensor
        if DOORS.armed:
            args = tuple(map(dense, args))
        tensors = [t for t in args if isinstance(t, Tensor)]
        for t in tensors:
            refresh(t)
        ctx._places = tuple(i for i, t in enumerate(args) if isinstance(t, Tensor))
        ctx._arguments = len(args)
        ctx._others = {i for i, t in enumerate(given) if not isinstance(t, Tensor)}
        nodes = [t._node if isinstance(t, Tensor) else None for t in args]
        ctx.needs_input_grad = tuple(node is not None and node.requires_grad for node in nodes)
        mode = MODE.get()
        # An observer may have another one for what happens inside of forward, or None.
        inside = getattr(mode.observer, "inside", mode.observer)
        with no_grad() if inside is mode.observer else ModeManager(mode.replace(grad=False, observer=inside)):
            if has_setup:
                result = cls.forward(*given)
                cls.setup_context(ctx, given, result)
            else:
                result = cls.forward(ctx, *given)
        outputs = result if isinstance(result, tuple) else (result,)
        dirty = _changed(cls, ctx, tensors, outputs)
        ctx._outputs = tuple(
            (t._array.shape, t._array.dtype) if isinstance(t, Tensor) else None for t in outputs
        )
        mode = MODE.get()
        if not (mode.grad and any(ctx.needs_input_grad)):
            outputs = tuple(_apart(t, tensors, dirty) for t in outputs)
            return outputs if isinstance(result, tuple) else outputs[0]
        _check_dirty(cls, dirty, len(outputs), mode.recorder is not None)
        node = _record(cls, ctx, args, tensors, outputs, dirty)
        inner = [t._node if isinstance(t, Tensor) else None for t in outputs]
        recorded = [_output(node, ctx, tensors, dirty, t, i) for i, t in enumerate(outputs)]
        if mode.recorder is not None:
            # The tape has what forward did, and the value of an output comes from there.
            mode.recorder.function(recorded, inner)
            ctx._origins = tuple(recorded[o]._node if o.__class__ is int else o for o in ctx._origins or ())
        ctx._dirty = ctx._no_gradient = ()
        return tuple(recorded) if isinstance(result, tuple) else recorded[0]


def _among(t: Any, tensors: Sequence[Any]) -> bool:
    return any(t is x for x in tensors)


def _wants(t: Tensor) -> bool:
    return t._node is not None and t._node.requires_grad


def _apart(t: Any, inputs: Sequence[Any], dirty: Sequence[Any]) -> Any:
    """An output where nothing is recorded: an input that forward returns is another Tensor there, without gradient."""
    if not _among(t, inputs) or (_among(t, dirty) and not _wants(t)):
        return t
    return t.detach()


def _changed(
    cls: type[Function], ctx: FunctionCtx, inputs: list[Any], outputs: tuple[Any, ...]
) -> list[Tensor]:
    """The inputs that forward changed in place. RuntimeError if it does not return what it has marked."""
    dirty = [t for t in inputs if _among(t, ctx._dirty)]
    if any(not _among(t, outputs) for t in ctx._dirty):
        raise runtime_error(
            f"Some elements marked as dirty during the forward method were not returned as output: {cls.__name__} must "
            "return every input that it changes in place and names in mark_dirty()"
        )
    if any(not _among(t, inputs) for t in ctx._dirty):
        warnings.warn(
            f"{cls.__name__}: mark_dirty() names a Tensor that is no input; there is no need to name others",
            stacklevel=3,
        )
    changed(*[t._array for t in dirty])
    return dirty


def _check_dirty(cls: type[Function], dirty: list[Tensor], outputs: int, recording: bool) -> None:
    """RuntimeError for a change in place that cannot be recorded."""
    for t in dirty:
        check_change(t)
        if t._view is not None and (recording or outputs > 1):
            when = "while a function is being recorded" if recording else "and returns several Tensors"
            raise runtime_error(
                f"{cls.__name__} changes a view in place {when}, which is not supported: change a clone() of it, or "
                "return a new Tensor"
            )


def _by_place(
    cls: type[Function], args: tuple[Any, ...], kwargs: dict[str, Any], has_setup: bool
) -> tuple[Any, ...]:
    """The arguments of `Function.apply` in the order of forward's parameters."""
    signature = inspect.signature(cls.forward)
    try:
        bound = signature.bind(*args, **kwargs) if has_setup else signature.bind(None, *args, **kwargs)
    except TypeError as error:
        raise errors.type_error(f"{cls.__name__}.apply(): {error}") from None
    if has_setup:
        bound.apply_defaults()
    for name in bound.kwargs.keys() & kwargs.keys():
        raise errors.type_error(
            f"{cls.__name__}.apply(): forward() has no place for keyword argument {name!r}; name it in the signature "
            "of forward, not behind a star, and give the arguments before it too"
        )
    return bound.args if has_setup else bound.args[1:]


class _UserOp(Op):
    """The operation of a `Function`; not part of the table."""

    opaque, record = True, FunctionNode

    def __init__(self, cls: type[Function]) -> None:
        self.user_class = cls
        joint = lambda g, ctx: _vjp(cls, g, ctx)  # noqa: E731
        super().__init__(
            cls.__name__,
            cls.forward,
            "*xs; ctx",
            joint=joint,
            listed=False,
            grad_fn=f"{cls.__name__}Backward",
            **cls._facts,
        )


def _record(
    cls: type[Function],
    ctx: FunctionCtx,
    args: tuple[Any, ...],
    tensors: list[Any],
    outputs: tuple[Any, ...],
    dirty: list[Any],
) -> Node:
    """The record of a call, with the arrays that are saved; of several outputs, none of which is its value."""
    op: _UserOp | None = cls.__dict__.get("_op")
    if op is None:
        op = cls._op = _UserOp(cls)
    inputs = tuple(t._node or leaf(t) for t in tensors)
    # Readers that run forward again take the other arguments from here.
    others = tuple(None if isinstance(t, Tensor) else t for t in args)
    params = {"ctx": ctx, "outputs": len(outputs), "arguments": others}
    layout = op.layout(n.requires_grad for n in inputs)
    one = len(outputs) == 1
    shape, dtype = (ctx._outputs[0] if one else None) or (None, None)
    saved = tuple(t._array for t in ctx._saved if t is not None)
    node = new_node(op, inputs, params, shape, dtype, layout, saved)
    ctx._origins = tuple(_origin(t, tensors, outputs, dirty, ctx._no_gradient) for t in ctx._saved)
    ctx._saved, ctx._node = (), weakref.ref(node)
    if one and shape is not None:
        node.keep_few(outputs[0]._array)
    mode = MODE.get()
    # A recording has seen what forward did; a second output might be an input, which it takes for a result.
    if mode.observer is not None and (one or mode.recorder is None):
        mode.observer(node, [t._array for t in (*tensors, *outputs) if isinstance(t, Tensor)])
    return node


def _origin(
    t: Any, tensors: list[Any], outputs: tuple[Any, ...], dirty: list[Any], constants: tuple[Any, ...]
) -> Any:
    """Where a saved Tensor comes from; see `FunctionCtx`."""
    if t is None:
        return None
    if _among(t, tensors) and not _among(t, dirty):
        return t._node
    # To a recording it is what forward has computed.
    constant = CONSTANT if MODE.get().recorder is None else t._node or leaf(t)
    if _among(t, constants):
        return constant
    # What forward itself has differentiated keeps its own history.
    own = t._node if _wants(t) else constant
    return next((i for i, o in enumerate(outputs) if o is t), own)


def _output(node: Node, ctx: FunctionCtx, inputs: list[Any], dirty: list[Any], t: Any, i: int) -> Any:
    """An output with its record; an input that was returned as it is becomes a Tensor of its own."""
    if not isinstance(t, Tensor):
        return t
    if _among(t, ctx._no_gradient) or t._array.dtype.kind not in "fcV":
        return wrap(t._array) if _among(t, inputs) else t
    own = node if len(ctx._outputs) == 1 else pick(node, i, t._array)
    if _among(t, dirty):
        if MODE.get().recorder is None:
            rebase(t, own)
        else:
            replace_node(t, own)
            t._epoch += 1
        return t
    out = wrap(t._array, own)
    for x in inputs:
        if t._array.size and np.may_share_memory(t._array, x._array):
            base = x if x._view is None else x._view.base
            out._view = View(base, (), base._epoch, "a Function")
    return of_class(out, type(t)) if overrides(t) else out


def _vjp(cls: type[Function], g: Any, ctx: FunctionCtx) -> list[Any]:
    """Calls the user's backward: arrays in the eager pass, Tensors when it is recorded."""
    mode = MODE.get()
    create = mode.grad or mode.recorder is not None
    cotangents: list[Any] = []
    for d, output in zip(g if isinstance(g, list) else [g], ctx._outputs, strict=True):
        if d is None and ctx._materialize and output is not None:
            d = np.zeros(*output)
        cotangents.append(d if d is None or isinstance(d, Tensor) else wrap(d))
    node = ctx._node() if ctx._node is not None else None
    rule = _rule(cls)
    forward_only = rule is Function.backward and cls.jvp is not Function.jvp
    if forward_only and not any(t is not None and t._array.any() for t in cotangents):
        return _transposed(cls, ctx, node, cotangents, create)
    returned = rule(ctx, *cotangents)
    gradients = list(returned) if isinstance(returned, tuple) else [returned]
    while len(gradients) > ctx._arguments and gradients[-1] is None:
        gradients.pop()
    if len(gradients) != ctx._arguments:
        raise runtime_error(
            f"function {cls.__name__}Backward returned an incorrect number of gradients (expected "
            f"{ctx._arguments}, got {len(gradients)}): backward returns one for each argument of forward behind ctx, "
            "None for anything but a Tensor"
        )
    if odd := [i for i in sorted(ctx._others) if gradients[i] is not None]:
        raise runtime_error(
            f"function {cls.__name__}Backward returned a gradient different than None at position {odd[0] + 1}, but "
            "the corresponding forward input was not a Tensor; return None there"
        )
    of_tensors = []
    for k, place in enumerate(ctx._places):
        wanted = ctx.needs_input_grad[place]
        _check_gradient(cls, gradients[place], place, node.inputs[k] if wanted and node is not None else None)
        of_tensors.append(gradients[place] if wanted else None)
    return [d if d is None or create else d._array for d in of_tensors]


def _rule(cls: type[Function]) -> Callable[..., Any]:
    """The user's backward. RuntimeError where it stands under both of its names."""
    if cls.vjp is Function.vjp:
        return cls.backward
    if cls.backward is not Function.backward:
        raise runtime_error(
            f"{cls.__name__}: Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should "
            "only implement one of them."
        )
    return cls.vjp


def _transposed(
    cls: type[Function], ctx: FunctionCtx, node: Any, zeros: list[Any], create: bool
) -> list[Any]:
    """The gradients where those of the results are zeros: zeros, by an operation whose own backward is ``jvp``.

    Backward is linear, so that is its transpose, which is all that forward mode asks for (`products.Push`).
    """

    class Transposed(Function):
        @staticmethod
        def forward(_: Any, *gs: Any) -> Any:
            return tuple(wrap(np.zeros(n.shape, n.dtype)) for n in node.inputs)

        @staticmethod
        def backward(_: Any, *tangents: Any) -> Any:
            at = copy.copy(ctx)  # what jvp deletes is there when it is called again
            at._saved, at._origins = ctx._for_jvp or ctx.saved_tensors, None
            by_place = dict(zip(ctx._places, tangents, strict=True))
            returned = cls.jvp(at, *map(by_place.get, range(ctx._arguments)))
            returned = returned if isinstance(returned, tuple) else (returned,)
            if len(returned) != len(zeros):
                raise runtime_error(
                    f"Function's jvp returned an invalid number of forward gradients (expected {len(zeros)} but got "
                    f"{len(returned)}): {cls.__name__}.jvp returns one for each result"
                )
            return tuple(None if z is None else t for t, z in zip(returned, zeros, strict=True))

    returned = Transposed.apply(*zeros)
    return list(returned) if create else [t._array for t in returned]


def _check_gradient(cls: type[Function], d: Any, place: int, source: Node | None) -> None:
    """RuntimeError unless it is a Tensor or None, fits a real input, and sums to its shape."""
    if d is None:
        return
    if not isinstance(d, Tensor):
        raise runtime_error(
            f"expected Variable or None (got {type(d).__name__}): {cls.__name__}.backward must return Tensors or None"
        )
    if source is None:
        return
    if d._array.dtype.kind == "c" and source.dtype.kind != "c":
        raise runtime_error(
            f"Function {cls.__name__}Backward returned a gradient of {d._array.dtype} at index {place} for an input of "
            f"{source.dtype}; take its real part"
        )
    shape = source.shape
    if d._array.shape != shape and not _expands(shape, d._array.shape):
        raise runtime_error(
            f"Function {cls.__name__}Backward returned an invalid gradient at index {place} - got "
            f"{list(d._array.shape)} but expected shape compatible with {list(shape)}"
        )


def _expands(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, to) == to
    except ValueError:
        return False


class InplaceFunction(Function):
    """A `Function`; old programs make theirs of it, and the flag means nothing."""

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Decorates a ``backward`` whose own operations cannot be differentiated again."""

    @functools.wraps(backward)
    def call(ctx: Any, *grads: Any) -> Any:
        with no_grad():
            returned = backward(ctx, *grads)
        if not MODE.get().grad:
            return returned
        several = isinstance(returned, tuple)
        cotangents = [g for g in grads if g is not None]
        blocked = tuple(
            _Once.apply(d, *cotangents) if isinstance(d, Tensor) else d
            for d in (returned if several else (returned,))
        )
        return blocked if several else blocked[0]

    return call


class _Once(Function):
    @staticmethod
    def forward(ctx: Any, d: Any, *grads: Any) -> Any:
        return d.detach()

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise RuntimeError(
            "trying to differentiate twice a function that was marked with @once_differentiable"
        )
