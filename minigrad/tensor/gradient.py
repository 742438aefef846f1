"""Gradients: which Tensors have one, where it goes, what is called then."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np

from minigrad import autograd, errors
from minigrad.core.apply import needs_value
from minigrad.core.changes import RUNNING, Apart, held_by, part, shows_other, times_changed
from minigrad.core.hooks import RemovableHandle, after_ids, table
from minigrad.core.mode import MODE
from minigrad.core.node import RETAIN, Node
from minigrad.core.tensor import Tensor, extend, leaf
from minigrad.core.views import DETACHED, refresh
from minigrad.dtypes import in_c, scalar
from minigrad.errors import runtime_error, type_error
from minigrad.functions import shape as shapes
from minigrad.gate import methods

_NO_LEAF = (
    "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a subgraph "
    "that doesn't require differentiation use var_no_grad = var.detach()."
)


@extend
@methods
class _Gradient(Tensor):
    """Leaves, records, hooks."""

    @property
    def requires_grad(self) -> bool:
        """Whether operations on it are recorded. May be set on leaves."""
        node = self._node
        if self._view is not None:
            refresh(self)
            node = self._node
        return node is not None and node.requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if not self.is_leaf:
            raise runtime_error(_NO_LEAF)
        if value.__class__ is not bool:
            raise runtime_error(f"requires_grad must be a bool, not {type(value).__name__}")
        Tensor.requires_grad_(self, value)  # a subclass may set this in its own method

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Turns recording on or off for a leaf. RuntimeError for other Tensors and for integers."""
        if requires_grad == self.requires_grad:
            return self
        if self._inference and requires_grad and not MODE.get().inference:
            raise errors.runtime_error(
                "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed; clone() it first"
            )
        if not self.is_leaf:
            raise runtime_error(_NO_LEAF)
        if requires_grad and self._array.dtype.kind not in "fcV":
            raise runtime_error(
                f"only Tensors of floating point and complex dtype can require gradients, this one is {self.dtype}; "
                "convert it with .float() first"
            )
        leaf(self, requires_grad)  # a record of its own: what was recorded before stays as it was
        return self

    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward passes have added up here, None before the first."""
        if RUNNING and (running := part()) is not None:
            running.asks(self)
        if self._grad is None and not self.is_leaf and not self.retains_grad:
            warnings.warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute "
                "won't be populated during autograd.backward(). Call .retain_grad() on it first.",
                stacklevel=2,
            )
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise type_error(
                    f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}; "
                    "None clears it"
                )
            if value is self:
                raise runtime_error("can't assign Variable as its own grad")
            like = value._numbers if value._sparse else value  # type: ignore[attr-defined]
            if (value.shape if value._sparse else value._array.shape) != self._array.shape:
                raise runtime_error(
                    f"attempting to assign a gradient of size '{list(value.shape)}' to a tensor of size "
                    f"'{list(self._array.shape)}'. Please ensure that the gradient and the tensor are the same size"
                )
            if like._array.dtype != self._array.dtype:
                raise runtime_error(
                    f"attempting to assign a gradient with dtype '{in_c(value.dtype)}' to a tensor with "
                    f"grad_dtype '{scalar(self.dtype)}'. The gradient must match the tensor's dtype"
                )
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self.grad = None

    @property
    def is_leaf(self) -> bool:
        """Whether it was not computed from Tensors that require grad."""
        refresh(self)
        node = self._node
        return node is None or node.op is None or not node.requires_grad

    @property
    def grad_fn(self) -> Node | None:
        """The record of the operation that made it, None for a leaf."""
        return None if self.is_leaf else self._node.shown()  # type: ignore[union-attr]

    @property
    def _base(self) -> Tensor | None:
        """The Tensor that this one is a view of, None if it is not a view."""
        needs_value("_base")
        t: Tensor = self
        while t._view is not None:
            t = t._view.base
        return None if t is self else t

    def _is_view(self) -> bool:
        """Whether it shows the memory of another Tensor."""
        needs_value("_is_view()")
        return self._view is not None

    @property
    def _version(self) -> int:
        """How often its memory was changed in place, through whichever Tensor. RuntimeError of inference mode's."""
        needs_value("_version")
        if self.is_inference():
            raise runtime_error("Inference tensors do not track version counter.")
        return times_changed(self._array)

    @property
    def data(self) -> Tensor:
        """A Tensor over the same memory, without history; setting it gives the Tensor other memory.

        No backward pass notices a change in place of it, unlike one of `detach`.
        """
        t = shapes.detach(self)
        if MODE.get().recorder is None:
            t._array = np.asarray(Apart(t._array))
            if self._array.dtype.kind == "V":  # which NumPy's interface of arrays does not know
                t._array = t._array.view(self._array.dtype)
        return t

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise type_error(f"Variable data has to be a tensor, but got {type(value).__name__}")
        needs_value("setting .data")
        node = self._node
        if node is not None and node.requires_grad and value._array.dtype.kind not in "fcV":
            raise runtime_error(
                "data set to a tensor that requires gradients must be floating point or complex dtype, but it is "
                f"{value.dtype}"
            )
        before, self._array = self._array, held_by(value._array)
        self._rows = False
        if node is not None and node.op is None:
            if (before.shape, before.dtype) == (self._array.shape, self._array.dtype):
                shows_other(node, before, self._array)
            else:  # a record is of one shape and element type
                leaf(self, node.requires_grad)
        self._view = None

    @property
    def retains_grad(self) -> bool:
        """Whether `retain_grad` was called on a result."""
        return bool(
            self._node is not None and self._node.op is not None and RETAIN in (self._node.hooks or {})
        )

    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: bool | int | None = None,
        create_graph: bool | int = False,
        inputs: Tensor | Iterable[Tensor] | None = None,
    ) -> None:
        """Adds the gradients of this Tensor to ``.grad`` of the leaves (or ``inputs``) that it was computed from.

        ``gradient``, of the same shape, is needed unless there is one element.  The saved arrays are freed
        unless ``retain_graph``; ``create_graph`` records the pass so that it can be differentiated again.
        RuntimeError if nothing requires grad, the graph was freed, or a saved array was changed in place.
        """
        autograd.plain_backward(self, gradient, retain_graph, bool(create_graph), inputs=inputs)

    def retain_grad(self) -> None:
        """Keeps the gradient of a result in ``.grad`` too, which backward fills of leaves only.

        Nothing happens for a leaf. RuntimeError for a Tensor that does not require grad.
        """
        if not self.requires_grad:
            raise runtime_error("can't retain_grad on Tensor that has requires_grad=False")
        if not self.is_leaf:
            me = weakref.ref(self)

            def keep(g: Tensor) -> None:
                t = me()
                if t is not None:
                    t._grad = g.clone() if t._grad is None else t._grad + g

            self._hooks()[RETAIN] = keep

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Calls ``hook(grad)`` when the gradient is known. What ``hook`` returns, unless None, takes its place."""
        if not self.requires_grad:
            raise runtime_error("cannot register a hook on a tensor that doesn't require gradient")
        hooks = self._hooks()
        handle = RemovableHandle(hooks)
        kept = hooks.pop(RETAIN, None)
        hooks[handle.id] = hook
        if kept is not None:  # the gradient that is kept is the one after all hooks
            hooks[RETAIN] = kept
        return handle

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> RemovableHandle:
        """Calls ``hook(self)`` each time a backward pass has put or added a gradient into ``.grad`` of a leaf.

        `autograd.grad` leaves ``.grad`` alone, and so calls no hook. RuntimeError if it is not a leaf or does not
        require grad.
        """
        if not self.requires_grad:
            raise runtime_error("cannot register a hook on a tensor that doesn't require gradient")
        if not self.is_leaf:
            raise runtime_error("post accumulate grad hooks cannot be registered on non-leaf tensors")
        hooks = self._hooks()
        handle = RemovableHandle(hooks, after_ids)
        hooks[handle.id] = hook
        return handle

    def _hooks(self) -> dict[int, Callable[[Tensor], Any]]:
        node = self._node
        if node is None:
            raise runtime_error("a Tensor without a record has no hooks")
        return table(node)

    def detach_(self) -> Self:
        """Forgets how this Tensor was computed, and returns it: it no longer requires grad. RuntimeError for a view."""
        if self._view is not None and self._view.outside in DETACHED:  # while a function is recorded
            return self.requires_grad_(False) if self.is_leaf else self
        recorder = MODE.get().recorder
        if self._view is not None and (recorder is not None or not self._view.own):
            raise runtime_error("Can't detach views in-place. Use detach() instead")
        if recorder is not None:
            recorder.detaches(self)
            self._node = shapes.detach(self)._node
            return self
        if self._node is not None and self._node.op is None:
            self._node.tensor = None  # of what was computed from it, no gradient arrives any more
        self._node = self._view = None  # views of it keep theirs
        return self
