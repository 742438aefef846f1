"""Gradients: `backward`, `grad`, grad modes, user-written functions and anomaly mode."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, overload

import numpy as np

from minigrad.autograd.edges import GradientEdge, end_of
from minigrad.autograd.grad_mode import _flag, enable_grad, inference_mode, no_grad, set_grad_enabled
from minigrad.core import engine
from minigrad.core.gradients import accumulate
from minigrad.core.mode import MODE
from minigrad.core.node import ONES, Node
from minigrad.core.tensor import Tensor, leaf, wrap
from minigrad.dtypes import OF_NUMPY
from minigrad.errors import runtime_error, type_error, value_error, warn, warn_once
from minigrad.gate import public
from minigrad.hints import module_getattr

if TYPE_CHECKING:
    from minigrad.autograd import forward_ad, functional, graph
    from minigrad.autograd.anomaly_mode import detect_anomaly, set_detect_anomaly
    from minigrad.autograd.function import Function, once_differentiable
    from minigrad.autograd.grad_mode import set_multithreading_enabled
    from minigrad.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck
    from minigrad.autograd.variable import Variable

__all__ = [
    "Function", "GradcheckError", "Variable", "backward", "detect_anomaly", "enable_grad", "forward_ad",
    "functional", "grad", "gradcheck", "gradgradcheck", "graph", "inference_mode", "no_grad",
    "once_differentiable", "set_detect_anomaly", "set_grad_enabled", "set_multithreading_enabled",
]  # fmt: skip


K = TypeVar("K")
# What gradients are asked of, and for.
Ends: TypeAlias = "Tensor | GradientEdge | Iterable[Tensor | GradientEdge]"


def _list(value: Any) -> list[Any]:
    """One Tensor, or all that an iterable gives; what is neither is refused where Tensors are looked for."""
    one = isinstance(value, (Tensor, GradientEdge)) or not isinstance(value, Iterable)
    return [value] if one else list(value)


def _inputs(name: str, value: Any) -> list[Any]:
    if isinstance(value, Mapping) and type(value) is not dict:
        raise type_error(
            f"`inputs` argument to `{name}()` must be a dict, not {type(value).__name__}. Other Mapping types are not "
            "supported."
        )
    found = _list(value.values() if isinstance(value, dict) else value)
    if not found:
        raise runtime_error(f"`inputs` argument to `{name}()` cannot be empty.")
    return found


_NOTHING = (None,)


def _roots(outputs: Sequence[Any], grads: Sequence[Any], create: bool) -> tuple[list[Node], list[Any]]:
    """The records to start from, and the gradients given or implied."""
    create = create or MODE.get().recorder is not None
    if len(grads) != len(outputs):
        raise runtime_error(f"got {len(outputs)} tensors and {len(grads)} gradients")
    nodes, seeds = [], []
    for i, (t, g) in enumerate(zip(outputs, grads, strict=True)):
        node, shape, dtype = end_of(t, "can only differentiate Tensors")
        if node is None or not node.requires_grad:
            raise runtime_error(
                f"element {i} of tensors does not require grad and does not have a grad_fn: nothing that it was "
                "computed from requires grad (call requires_grad_() before it), or detach() or no_grad() cut it off, "
                "or it is a gradient taken without create_graph=True"
            )
        if g is None:
            if math.prod(shape) != 1:
                raise runtime_error(
                    f"grad can be implicitly created only for scalar outputs, but this one has shape "
                    f"{list(shape)}; pass its gradient, or reduce it with .sum() or .mean()"
                )
            if dtype.kind == "c":
                raise runtime_error(
                    f"grad can be implicitly created only for real scalar outputs but got {OF_NUMPY[dtype]}; pass its "
                    "gradient, or take abs() or the real part"
                )
            seed: Any = np.ones(shape, dtype) if shape else np.array(1.0, dtype)  # the second is quicker
        else:
            if not isinstance(g, Tensor):
                raise type_error(f"gradients can be either Tensors or None, but got {type(g).__name__}")
            if g._array.shape != shape:
                raise runtime_error(
                    f"Mismatch in shape: grad_output[{i}] has a shape of {list(g._array.shape)} and output[{i}] has a "
                    f"shape of {list(shape)}."
                )
            if (g._array.dtype.kind == "c") != (dtype.kind == "c"):
                raise runtime_error(
                    "For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in "
                    f"dtype: grad_output[0] has a dtype of {g.dtype} and output[0] has a dtype of {OF_NUMPY[dtype]}."
                )
            seed = g.to(OF_NUMPY[dtype]) if create else g._array.astype(dtype, copy=False)
        if create and not isinstance(seed, Tensor):
            seed = wrap(seed)
            leaf(seed).params = ONES
        nodes.append(node)
        seeds.append(seed)
    return nodes, seeds


def backward(
    tensors: Ends,
    grad_tensors: Tensor | Iterable[Tensor | None] | None = None,
    retain_graph: bool | int | None = None,
    create_graph: bool = False,
    grad_variables: Tensor | Iterable[Tensor | None] | None = None,
    inputs: Ends | Mapping[Any, Tensor] | None = None,
) -> None:
    """Adds gradients to ``.grad`` of the leaves, or of ``inputs``; see `Tensor.backward`.

    ``tensors``, ``grad_tensors`` and ``inputs`` are a Tensor or an iterable of them, ``inputs`` may be a dict.
    ``grad_variables`` is an older name of ``grad_tensors``, with a FutureWarning; RuntimeError for both.
    """
    if grad_variables is not None:
        warn("`grad_variables` is deprecated. Use `grad_tensors` instead.", FutureWarning)
        if grad_tensors is not None:
            raise runtime_error(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to `backward()`. Please only "
                "use `grad_tensors`."
            )
        grad_tensors = grad_variables
    if create_graph is not False:
        create_graph = _flag(create_graph)
    keep = create_graph if retain_graph is None else _flag(retain_graph)
    if create_graph:
        warn_once(
            "Using backward() with create_graph=True will create a reference cycle between the parameter and its "
            "gradient in PyTorch, which can cause a memory leak. autograd.grad avoids that"
        )
    elif MODE.get().transform:
        raise runtime_error(
            "backward() inside of a function that minigrad.func differentiates leaves gradients that are constants to "
            "it; use func.grad or func.vjp there, or create_graph=True"
        )
    if grad_tensors is None and inputs is None and isinstance(tensors, Tensor):
        nodes, seeds = _roots((tensors,), _NOTHING, create_graph)  # the usual call, without lists
        engine.run(nodes, seeds, None, keep, create_graph)
        return
    outputs = _list(tensors)
    grads = [None] * len(outputs) if grad_tensors is None else _list(grad_tensors)
    nodes, seeds = _roots(outputs, grads, create_graph)
    if inputs is None:
        engine.run(nodes, seeds, None, keep, create_graph)
        return
    wanted = _inputs("backward", inputs)
    targets = _targets(wanted)
    found = engine.run(nodes, seeds, targets, keep, create_graph)
    for node, t in dict(zip(targets, wanted, strict=True)).items():  # a Tensor may be named twice
        if not isinstance(t, Tensor) and (node.op is not None or (t := node.variable) is None):
            raise runtime_error(
                "backward(): an edge among the inputs must be that of a leaf, which has a .grad"
            )
        if node in found and not t.retains_grad:  # what retains its gradient has it already
            accumulate(lambda t=t: t, found[node])
        t.retain_grad()  # as in PyTorch: a result's is kept by later passes too


def _targets(inputs: Sequence[Any]) -> list[Node]:
    nodes = []
    for t in inputs:
        node = end_of(t, "inputs must be Tensors")[0]
        if node is None or not node.requires_grad:
            raise runtime_error(
                "One of the differentiated Tensors does not require grad; call requires_grad_() before it is used"
            )
        nodes.append(node)
    return nodes


# A dict of names is read for its values; one of Tensors would be an iterable of its keys.
@overload
def grad(  # type: ignore[overload-overlap]
    outputs: Ends, inputs: dict[K, Tensor], *args: Any, **kwargs: Any
) -> dict[K, Tensor]: ...


@overload
def grad(
    outputs: Ends,
    inputs: Ends,
    grad_outputs: Tensor | Iterable[Tensor | None] | None = ...,
    retain_graph: bool | None = ...,
    create_graph: bool = ...,
    only_inputs: bool = ...,
    allow_unused: bool | None = ...,
    is_grads_batched: bool = ...,
    materialize_grads: bool = ...,
) -> tuple[Tensor, ...]: ...


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> Any:
    """The gradients of ``outputs`` (weighted by ``grad_outputs``) with respect to ``inputs``; ``.grad`` is untouched.

    One Tensor per input, of its shape and dtype.  All three may be a Tensor or any iterable of them, such as
    ``net.parameters()``; for a dict of inputs there is a dict of gradients.  An input that the outputs do not
    depend on is a RuntimeError, None with ``allow_unused``, zeros with ``materialize_grads``.  No inputs are a
    RuntimeError too.  ``only_inputs`` is always True: for False there is a FutureWarning.

    With ``is_grads_batched`` each of ``grad_outputs`` has one dimension more in front, over which there is one pass
    for each index; the gradients have it too.
    """
    if not only_inputs:
        what = (
            "only_inputs argument is deprecated and is ignored now (defaults to True); call backward instead"
        )
        warn(what, FutureWarning)
    if is_grads_batched:
        again = (inputs, retain_graph, create_graph, allow_unused, materialize_grads)
        return import_module("minigrad.autograd.batched").grads(outputs, grad_outputs, *again)
    if materialize_grads and allow_unused is False:
        raise value_error("Expected allow_unused to be True or not passed when materialize_grads=True")
    create_graph, materialize_grads = _flag(create_graph), _flag(materialize_grads)
    allow_unused = None if allow_unused is None else _flag(allow_unused)
    retain_graph = None if retain_graph is None else _flag(retain_graph)
    results, wanted = _list(outputs), _inputs("grad", inputs)
    grads = [None] * len(results) if grad_outputs is None else _list(grad_outputs)
    create_graph = create_graph or MODE.get().transform == "forward"  # reverse passes stand for it
    nodes, seeds = _roots(results, grads, create_graph)
    targets = _targets(wanted)
    keep = create_graph if retain_graph is None else retain_graph
    found = engine.run(nodes, seeds, targets, keep, create_graph)
    answer: list[Any] = []
    for i, (t, node) in enumerate(zip(wanted, targets, strict=True)):
        g = found.get(node)
        if g is None:
            if materialize_grads:
                g = wrap(np.zeros(*end_of(t, "")[1:])).requires_grad_(create_graph)
            elif not allow_unused:
                raise runtime_error(
                    f"The differentiated Tensor at index {i} appears to not have been used in the graph. Set "
                    f"allow_unused=True if this is the desired behavior. Its shape is {list(end_of(t, '')[1])}"
                )
        answer.append(g if g is None or isinstance(g, Tensor) else wrap(g))
    return dict(zip(inputs, answer, strict=True)) if type(inputs) is dict else tuple(answer)


plain_backward = backward  # without the gate, for Tensor.backward, which has one
public(globals(), ("backward", "grad"), check="none")

if not TYPE_CHECKING:
    # A module has the name of one of its functions, whose place its import would take: so it is loaded now.
    import minigrad.autograd.gradcheck

    del gradcheck, minigrad

    # Checks of gradients, and what else few programs need, are loaded when they are first asked for.
    module_getattr(
        globals(),
        {
            "anomaly_mode": "detect_anomaly set_detect_anomaly",
            "function": "Function once_differentiable",
            "gradcheck": "GradcheckError gradcheck gradgradcheck",
            "variable": "Variable",
            "grad_mode": "set_multithreading_enabled",
            **dict.fromkeys(("forward_ad", "functional", "graph", "profiler"), ""),
        },
    )
