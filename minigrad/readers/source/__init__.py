"""A result and its gradients as the source of a NumPy program."""

from __future__ import annotations

import keyword
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from minigrad import errors
from minigrad.core.changes import value_changed
from minigrad.core.contents import contents, named_tensors
from minigrad.core.node import Node, tape
from minigrad.core.tensor import Tensor
from minigrad.core.views import refresh
from minigrad.readers import notebook, places, values
from minigrad.readers.source.program import Program
from minigrad.readers.source.text import Text

if TYPE_CHECKING:
    from minigrad.nn import Module

__all__ = ["source"]


class Printed(str):
    """The text of a program: a str, which a notebook shows highlighted."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return notebook.python(self)


def source(
    result: Tensor | Callable[..., object],
    params: Module | Mapping[str, Tensor] | None = None,
    *,
    inputs: Mapping[str, Tensor] | None = None,
    wrt: Sequence[str | Tensor] | None = None,
    name: str = "run",
) -> str:
    """The computation of ``result`` and of its gradients, forward and backward, as the text of a NumPy program.

    The text is a module that imports NumPy alone and defines one function, ``name``.  It takes the leaves of
    the computation: ``inputs``, a dict of names to Tensors, then ``params``, a Module or such a dict, then any
    others, by the name that a variable of the caller has for them or by what they are: ``mask_1``, ``input_1``,
    ``parameter_1``, ...  Qualified names become identifiers: ``0.weight`` becomes ``weight_0``.  The gradient of a
    result of more than one element is the last parameter.  The function returns the result and a dict of
    gradients under the names of the leaves: of ``wrt`` (names or Tensors), or of all leaves that require grad;
    None for one that no gradient flows to.

    On arrays of the recorded shapes and element types, also others than the recorded ones, it gives bit for
    bit what minigrad gives.  What was computed before recording began, or where no gradient flows to, was not
    recorded and is a parameter.

    RuntimeError for a Tensor without a record, names that do not occur in it, a graph that a backward pass
    freed, an array changed in place since; NotImplementedError for an `autograd.Function`.

    Of a compiled function it is the text of what its last recording runs; then it takes nothing else.
    """
    printed = getattr(type(result), "printed_program", None)
    if printed is not None:
        if params is not None or inputs is not None or wrt is not None or name != "run":
            raise errors.type_error(
                "source() of a compiled function takes no other argument: it prints what is run"
            )
        return Printed(printed(result))
    if not isinstance(result, Tensor):
        raise errors.no_result("source", result)
    if not name.isidentifier() or keyword.iskeyword(name):
        raise errors.value_error(f"source(): {name!r} cannot be the name of a function")
    refresh(result)
    root = result._node
    if root is None or root.op is None:
        raise errors.runtime_error(
            "source(): this Tensor has no record: it was not computed from Tensors that require grad, or detach() "
            "or no_grad() cut it off"
        )
    records = tape([root])
    for node in records:
        if (node.op is not None and node.op.opaque) or node.shape is None:
            raise NotImplementedError(
                f"source(): {values.name_of(node)} at {node.where} is an autograd.Function: what it does is known to "
                "Python only, so it cannot be printed. Write it with minigrad's operations, and remove() the backward "
                "hooks of modules; what a compiled function runs is printed by source(function)"
            )
    _check_values(records)
    leaves = [n for n in records if n.op is None]
    named, path_of = _names(params, inputs or {}, leaves)
    nodes = {node for _, node in named}
    named += _variables([n for n in leaves if n not in nodes])
    named += [(key, n) for n, key in places.numbered(records, {n: key for key, n in named}).items()]
    targets = _targets(wrt, named, leaves, root)
    program = Program(root, targets)
    return Printed(Text(program, named, path_of).module(name, _title(root)))


def _check_values(records: list[Node]) -> None:
    """RuntimeError if a value was changed between its uses: the program would have one name for two values."""
    last_use: dict[Node, Node] = {}
    first_use: dict[Node, int] = {}
    for node in records:
        for n in node.inputs:
            if isinstance(n, Node):
                first_use.setdefault(n, node.seq)
                last_use[n] = node
    for n, use in last_use.items():
        since = first_use[n] if n.op is None else n.seq
        if value_changed(n, since, use.seq):
            what = f"the result of {n.op.name} at {n.where}" if n.op is not None else "a Tensor"
            raise errors.runtime_error(
                f"source(): {what}, of shape {list(n.shape)}, was changed in place between its uses, the last of which "
                f"is {use.op.name if use.op else ''} at {use.where}, and no record tells of the change. Change a "
                "clone() of it, or where it is recorded"
            )


def _names(
    params: Any, inputs: Mapping[str, Any], leaves: list[Node]
) -> tuple[list[tuple[str, Node]], dict[Node, str]]:
    """The leaves that have names, and for each parameter of a module the module's name."""
    optional: list[tuple[str, Any]] = []
    if params is None:
        pairs = []
    elif contents(params) is not None:
        pairs, optional = list(named_tensors(params, "parameters")), list(named_tensors(params, "buffers"))
    elif isinstance(params, Mapping):
        pairs = list(params.items())
    else:
        raise errors.type_error(
            f"params must be a Module or a dict of names to Tensors, got {type(params).__name__}"
        )
    if not isinstance(inputs, Mapping):
        raise errors.type_error(f"inputs must be a dict of names to Tensors, got {type(inputs).__name__}")
    known = set(leaves)
    name_of: dict[Node, str] = {}
    path_of: dict[Node, str] = {}
    missing = []
    for kind, group in (("inputs", inputs.items()), ("params", pairs), ("", optional)):
        for key, t in group:
            if not isinstance(t, Tensor):
                raise errors.type_error(f"{kind}: {key!r} must be a Tensor, got {type(t).__name__}")
            refresh(t)
            if t._node not in known:
                missing += [repr(str(key))] * bool(kind)
            else:
                name_of.setdefault(t._node, str(key))
                if kind != "inputs" and "." in str(key):
                    path_of[t._node] = str(key).rpartition(".")[0]
    if missing:
        raise errors.runtime_error(
            f"source(): {', '.join(missing)} {'does' if len(missing) == 1 else 'do'} not occur in the computation of "
            "this result. Either it does not depend on them; or it was computed from other Tensors (copies, views, "
            "results of operations that no gradient flows through); or they have become leaves anew since, by "
            "requires_grad_() or an assignment to .data"
        )
    return [(key, node) for node, key in name_of.items()], path_of


def _variables(nodes: list[Node]) -> list[tuple[str, Node]]:
    """The names that variables of the caller have for leaves."""
    held = places.variables(errors.user_frame(), parts=False)
    return [(held[n][0], n) for n in nodes if n in held]


def _targets(wrt: Any, named: list[tuple[str, Node]], leaves: list[Node], root: Node) -> list[Node]:
    """The leaves to differentiate with respect to."""
    if wrt is None:
        targets = [node for _, node in named if node.requires_grad]
        return (
            targets + [n for n in leaves if n.requires_grad and n not in targets]
            if root.requires_grad
            else []
        )
    by_name = dict(named)
    targets = []
    for item in wrt if isinstance(wrt, (list, tuple)) else [wrt]:
        node = item._node if isinstance(item, Tensor) else by_name.get(item)
        if node is None or node not in leaves or not node.requires_grad:
            what = "a Tensor" if isinstance(item, Tensor) else repr(item)
            raise errors.runtime_error(
                f"source(): wrt has {what} that is not a leaf of this computation that requires grad; there are "
                f"{', '.join(key for key, n in named if n.requires_grad) or 'none with a name'}"
            )
        targets.append(node)
    return targets


def _title(root: Node) -> str:
    where = os.path.basename(root.where) if root.code is not None else "an unknown place"
    return f"{where} and its gradients in NumPy, printed by minigrad."
