"""`Function`: operations with a forward and a backward written by the user."""

from __future__ import annotations

import functools
import inspect
import warnings
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, ParamSpec, Protocol, TypeVar, overload

import numpy as np

from minigrad import errors
from minigrad.autograd.modes import no_grad
from minigrad.core.changes import changed, check_unchanged
from minigrad.core.gradients import Part
from minigrad.core.mode import MODE, ModeManager
from minigrad.core.node import Freed, Node, Packed, new_node
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


CONSTANT = "constant"  # the origin of a saved Tensor that is neither an input nor an output


class FunctionCtx:
    """What `Function.forward` leaves for `Function.backward`; other attributes may be set freely."""

    needs_input_grad: tuple[bool, ...] = ()

    if TYPE_CHECKING:  # other attributes

        def __getattr__(self, name: str) -> Any: ...

        def __setattr__(self, name: str, value: Any) -> None: ...

    def __init__(self) -> None:
        self._saved: tuple[Any, ...] = ()
        self._sparse: dict[int, Tensor] = {}  # the sparse ones among them, by place
        # Once recorded, for each of what is saved: None, the node of an input, the number of an output, or CONSTANT.
        self._origins: tuple[Any, ...] | None = None
        # The record holds this ctx, so this is no strong reference.
        self._node: weakref.ref[Node] | None = None
        self._places: tuple[int, ...] = ()  # of the Tensors among the arguments
        self._arguments = 0  # how many there are
        self._outputs: tuple[Any, ...] = ()  # shape and dtype of each, None for what is no Tensor
        self._materialize = True
        self._no_gradient: tuple[Any, ...] = ()
        self._dirty: tuple[Any, ...] = ()

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keeps Tensors (inputs or outputs) for `saved_tensors`; a later change in place is an error."""
        for t in tensors:
            if t is not None and not isinstance(t, Tensor):
                raise TypeError(
                    f"save_for_backward can only save Tensors and None, got {type(t).__name__}; "
                    "set anything else as an attribute of ctx"
                )
        self._saved = tensors
        if DOORS.armed:  # else none is sparse
            self._sparse = {i: t for i, t in enumerate(tensors) if t is not None and t._sparse}
            self._saved = tuple(map(_dense, tensors))

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """Keeps nothing: forward mode differentiates `Function.backward` here, and calls no ``jvp``."""

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Names inputs that forward changes in place, which it must return; views only if it has one output."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Names outputs that carry no gradient."""
        self._no_gradient = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward gets zeros (True, the default) or None for outputs that were not used."""
        self._materialize = value

    @property
    def saved_tensors(self) -> tuple[Tensor, ...]:
        """The Tensors given to `save_for_backward`. RuntimeError after the graph was freed."""
        if self._origins is None:
            return self._with_sparse(self._saved)
        node = self._node() if self._node is not None else None
        if node is None:
            raise RuntimeError("saved_tensors: the record that this ctx belongs to is gone")
        if isinstance(node.saved, Freed):
            raise errors.freed(node)
        if isinstance(node.saved, Packed):
            arrays = iter(node.saved.arrays(node))
        else:
            check_unchanged(node)
            arrays = iter(node.saved)
        tensors: list[Any] = [o if o is None else self._restore(o, next(arrays), node) for o in self._origins]
        return self._with_sparse(tensors)

    def _with_sparse(self, tensors: Sequence[Any]) -> tuple[Any, ...]:
        return (
            tuple(self._sparse.get(i, t) for i, t in enumerate(tensors)) if self._sparse else tuple(tensors)
        )

    @property
    def saved_variables(self) -> tuple[Tensor, ...]:
        """The older name of `saved_tensors`, with a DeprecationWarning."""
        errors.warn("'saved_variables' is deprecated; use 'saved_tensors'", DeprecationWarning)
        return self.saved_tensors

    def _restore(self, origin: Any, array: Any, node: Node) -> Tensor:
        if isinstance(origin, int):
            return wrap(array, node if len(self._outputs) == 1 else _pick(node, origin, array))
        return wrap(array, None if origin is CONSTANT else origin)


class Function:
    """An operation of your own, with the derivative that you write; see PyTorch's ``torch.autograd.Function``.

    Subclasses define static methods ``forward(ctx, *args)``, or ``forward(*args)`` with
    ``setup_context(ctx, inputs, output)``, and ``backward(ctx, *grads)``, which returns one gradient (or None)
    per argument of forward.  Call it with ``apply``.
    """

    # Each class has its own, from its first record on; it goes with the class.
    _op: ClassVar[Any] = None

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Computes the result from Tensors."""
        raise NotImplementedError("a Function must define forward")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Saves for backward, when forward takes no ctx."""
        raise NotImplementedError

    @staticmethod
    def backward(*args: Any, **kwargs: Any) -> Any:
        """The gradients of the arguments of forward, from ``ctx`` and the gradients of what forward returned."""
        raise not_implemented_error("a Function must define backward, a static method, to be differentiated")

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
        given = args  # forward gets them; to the record a sparse Tensor is no Tensor
        if DOORS.armed:
            args = tuple(map(_dense, args))
        tensors = [t for t in args if isinstance(t, Tensor)]
        for t in tensors:
            refresh(t)
        ctx._places = tuple(i for i, t in enumerate(args) if isinstance(t, Tensor))
        ctx._arguments = len(args)
        ctx.needs_input_grad = tuple(isinstance(t, Tensor) and _wants(t) for t in args)
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
            return result
        _check_dirty(cls, dirty, len(outputs), mode.recorder is not None)
        node = _record(cls, ctx, args, tensors, outputs, dirty)
        inner = [t._node if isinstance(t, Tensor) else None for t in outputs]
        recorded = [_output(node, ctx, tensors, dirty, t, i) for i, t in enumerate(outputs)]
        if mode.recorder is not None:
            # The tape has what forward did, and the value of an output comes from there.
            mode.recorder.function(recorded, inner)
        ctx._dirty = ctx._no_gradient = ()
        return tuple(recorded) if isinstance(result, tuple) else recorded[0]


def _dense(t: Any) -> Any:
    """An argument, None for a sparse Tensor. NotImplementedError for one that requires grad."""
    if not isinstance(t, Tensor) or not t._sparse:
        return t
    if t.requires_grad:
        raise errors.not_implemented_error(
            "a Function takes sparse Tensors without gradient; give it .indices() and .values(), and make the sparse "
            "Tensor inside"
        )
    return None


def _among(t: Any, tensors: Sequence[Any]) -> bool:
    return any(t is x for x in tensors)


def _changed(
    cls: type[Function], ctx: FunctionCtx, inputs: list[Any], outputs: tuple[Any, ...]
) -> list[Tensor]:
    """The inputs that forward changed in place. RuntimeError if it does not return one of them."""
    dirty = [t for t in inputs if _among(t, ctx._dirty)]
    if any(not _among(t, inputs) for t in ctx._dirty):
        warnings.warn(
            f"{cls.__name__}: mark_dirty() names a Tensor that is no input; there is no need to name others",
            stacklevel=3,
        )
    if any(not _among(t, outputs) for t in dirty):
        raise runtime_error(
            f"Some elements marked as dirty during the forward method were not returned as output: {cls.__name__} must "
            "return every input that it changes in place and names in mark_dirty()"
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


def _wants(t: Tensor) -> bool:
    return t._node is not None and t._node.requires_grad


class _UserOp(Op):
    """The operation of a `Function`; not part of the table."""

    opaque = True

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
    return CONSTANT if _among(t, constants) else next((i for i, o in enumerate(outputs) if o is t), CONSTANT)


# One of several outputs.
_PICK = Op(
    "pick",
    lambda x, i: x[i],
    "x; i",
    lambda g, i: Part(i, g),
    listed=False,
    grad_fn=lambda n: n.inputs[0].name(),
)
_PICK.opaque = True


def _pick(node: Node, i: int, array: Any) -> Node:
    """The record of one of the outputs of a record."""
    return new_node(_PICK, (node,), {"i": i}, array.shape, array.dtype, _PICK.layout((True,)))


def _output(node: Node, ctx: FunctionCtx, inputs: list[Any], dirty: list[Any], t: Any, i: int) -> Any:
    """An output with its record; an input that was returned as it is becomes a Tensor of its own."""
    if not isinstance(t, Tensor):
        return t
    if _among(t, ctx._no_gradient) or t._array.dtype.kind not in "fcV":
        return wrap(t._array) if _among(t, inputs) else t
    own = node if len(ctx._outputs) == 1 else _pick(node, i, t._array)
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
    returned = cls.backward(ctx, *cotangents)
    gradients = list(returned) if isinstance(returned, (tuple, list)) else [returned]
    while len(gradients) > ctx._arguments and gradients[-1] is None:
        gradients.pop()
    if len(gradients) != ctx._arguments:
        raise runtime_error(
            f"function {cls.__name__}Backward returned an incorrect number of gradients (expected "
            f"{ctx._arguments}, got {len(gradients)}): backward returns one for each argument of forward behind ctx, "
            "None for what is no Tensor"
        )
    node = ctx._node() if ctx._node is not None else None
    for k, place in enumerate(ctx._places):
        _check_gradient(cls, gradients[place], place, None if node is None else node.inputs[k])
    of_tensors = [gradients[place] for place in ctx._places]
    return [d if d is None or create else d._array for d in of_tensors]


def _check_gradient(cls: type[Function], d: Any, place: int, source: Node | None) -> None:
    """RuntimeError for what is no Tensor or None, is complex for a real input, or does not sum to its shape."""
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
