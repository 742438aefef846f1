"""Modules as ONNX files, which other programs run (the extra `onnx`)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from minigrad.core.apply import needs_value
from minigrad.core.contents import contents, named_tensors, walk
from minigrad.core.mode import MODE, ModeManager
from minigrad.core.node import Const, Node, tape
from minigrad.core.tensor import Tensor, leaf, wrap
from minigrad.errors import runtime_error, type_error, value_error, warn
from minigrad.hints import module_getattr as _module_getattr
from minigrad.onnx.forms import FORMS

__all__ = ["export", "is_in_onnx_export", "register_custom_op_symbolic", "unregister_custom_op_symbolic"]

_exporting: ContextVar[bool] = ContextVar("_exporting", default=False)


def is_in_onnx_export() -> bool:
    """Whether `export` runs the module; a module may do then what ONNX has a form for."""
    return _exporting.get()


def export(
    model: Any, args: Any = (), f: Any = None, *, kwargs: Mapping[str, Tensor] | None = None, verbose: Any = None,
    input_names: Sequence[str] | None = None, output_names: Sequence[str] | None = None,
    opset_version: int | None = None, dynamo: bool = True, external_data: bool = True, dynamic_shapes: Any = None,
    report: bool = False, optimize: bool = True, verify: bool = False, profile: bool = False,
    export_params: bool = True, keep_initializers_as_inputs: bool = False,
    dynamic_axes: Mapping[str, Any] | None = None, do_constant_folding: bool = True,
) -> Any:  # fmt: skip
    """Writes what a module does in evaluation mode, without gradients, as an ONNX file, and returns ONNX's ModelProto.

    The module runs twice, on batches of two sizes; what does not differ is constant, so branches of Python code are
    those that it took there.  The result may be fed batches of any size.

    What is not listed here is accepted for PyTorch's sake.

    Args:
        model: a Module, or a function of Tensors (all other Tensors in it are constants then). It returns a Tensor,
            or nested tuples of them, which are several outputs in the file; None is left out.
        args: a Tensor, or a tuple of Tensors, with the batch along dimension 0.
        f: a path or an open binary file; None writes nothing.
        kwargs: Tensors by the names of the arguments, which are inputs behind ``args``.
        input_names: unless given ``input``, ``input_1`` and so on, and the names in ``kwargs``.
        output_names: unless given ``output``, ``output_1`` and so on.
        dynamic_axes: ``{}`` fixes the size of the batch; axes other than 0 are refused.
        opset_version: 20, unless given; an earlier one is warned of, and becomes 20.

    Raises:
        ImportError: the package onnx is missing.
        NotImplementedError: an operation has no form in ONNX; the error names it, and the line.
        RuntimeError: the two runs differ in more than sizes.
    """
    try:
        import onnx
    except ImportError as error:
        raise ImportError(
            'onnx.export() needs onnx (the extra `onnx`): pip install "minigrad-tape[onnx]"'
        ) from error
    needs_value("onnx.export()")
    several = (args,) if isinstance(args, Tensor) else tuple(args)
    by_name = dict(kwargs or {})
    tensors = (*several, *by_name.values())
    count = len(several)

    def call(*inputs: Any) -> Any:
        return model(*inputs[:count], **dict(zip(by_name, inputs[count:], strict=True)))

    if not tensors or not all(isinstance(t, Tensor) for t in tensors):
        raise type_error("onnx.export(): args must be Tensors")
    opset = max(20, opset_version or 20)
    if opset_version is not None and opset_version < opset:
        warn(
            f"onnx.export() writes opset {opset}, and not {opset_version}, which lacks some of its operators"
        )
    axes = [a for named in (dynamic_axes or {}).values() for a in named]
    if any(axes):
        raise value_error("onnx.export(): only axis 0, the batch, may vary")
    fixed = dynamic_axes is not None and not axes
    with _evaluating(model):
        first = _Run(call, tensors)
        second = first if fixed else _Run(call, [_longer(t, tensors[0]) for t in tensors])
    graph = _Graph(onnx, first, second)
    ins = _given(input_names, "input", count, by_name, by_name)
    outs = _given(output_names, "output", len(first.results), (), ins)
    graph.names.update(zip(first.leaves, ins, strict=True))
    held = contents(model)
    for kind in ("parameters", "buffers") if held is not None else ():
        for name, t in named_tensors(model, kind):
            if t._node is not None:
                graph.named[t._node] = name
    graph.write()
    for t, name in zip(first.results, outs, strict=True):
        if t._node not in graph.names:
            raise runtime_error("onnx.export(): a result does not depend on the inputs")
        graph.nodes.append(onnx.helper.make_node("Identity", [graph.names[t._node]], [name]))
    made = onnx.helper.make_model(
        onnx.helper.make_graph(
            graph.nodes, "minigrad",
            [graph.info(*row) for row in zip(ins, first.inputs, second.inputs, strict=True)],
            [graph.info(*row) for row in zip(outs, first.results, second.results, strict=True)],
            graph.constants,
        ),
        opset_imports=[onnx.helper.make_opsetid("", opset)], ir_version=10, producer_name="minigrad",
    )  # fmt: skip
    onnx.checker.check_model(made)
    if f is not None:
        onnx.save(made, f)
    return made


def _flat(result: Any) -> Iterator[Tensor]:
    """The Tensors of a result in order, such as those of ``y, (h, c)``."""
    if isinstance(result, Tensor):
        yield result
    elif isinstance(result, (tuple, list)):
        for part in result:
            yield from _flat(part)
    elif result is not None:  # the weights of an attention that has none
        raise type_error(
            "onnx.export(): the module must return a Tensor, or a tuple or list of Tensors, not "
            f"{type(result).__name__}"
        )


def _given(
    names: Sequence[str] | None, stem: str, count: int, more: Iterable[str] = (), taken: Iterable[str] = ()
) -> list[str]:
    free = (n for k in itertools.count() if (n := f"{stem}_{k}" if k else stem) not in taken)
    own = [*itertools.islice(free, count), *more]
    names = list(names or own)
    if len(names) != len(own):
        raise value_error(f"onnx.export(): {len(names)} names for {len(own)} Tensors: {names}")
    return names


def _longer(t: Tensor, first: Tensor) -> Tensor:
    """A Tensor with two rows for each, and three more, if it has as many as the first: no size is alike by chance."""
    a, rows = t._array, first._array.shape[:1]
    return wrap(np.concatenate([a, a, *[a[:1]] * 3])) if rows and a.shape[:1] == rows else t


@contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    modules = [] if contents(model) is None else [m for _, m, _ in walk(model)]
    before = [m.training for m in modules]
    for m in modules:
        m.training = False
    token = _exporting.set(True)
    try:
        yield
    finally:
        _exporting.reset(token)
        for m, training in zip(modules, before, strict=True):
            m.training = training


class _Run:
    """What a module records for inputs: its results, and of each record the arrays that it was given."""

    def __init__(self, model: Callable[..., Any], inputs: Sequence[Tensor]) -> None:
        self.arrays: dict[Node, list[Any]] = {}
        mode = MODE.get().replace(grad=True, inference=False, everything=True, observer=self._observe)
        with ModeManager(mode):
            self.inputs = [wrap(t._array) for t in inputs]
            self.leaves = [leaf(t) for t in self.inputs]
            result = model(*self.inputs)
        self.results = list(_flat(result))
        roots = [t._node for t in self.results if t._node is not None]
        self.records = [n for n in tape(roots) if n.op is not None]

    def _observe(self, node: Node, arrays: list[Any]) -> None:
        self.arrays[node] = arrays


class _Graph:
    """The operators and constants of a file; a form is called with it."""

    def __init__(self, onnx: Any, first: _Run, second: _Run) -> None:
        self.onnx, self.first, self.second = onnx, first, second
        self.nodes, self.constants = list[Any](), list[Any]()
        self.names: dict[Node, str] = {}  # of inputs, constants and results
        self.named: dict[Node, str] = {}  # of parameters and buffers, as the module calls them
        self.parts: dict[Node, list[str]] = {}  # of records whose result is a vector of several matrices
        self.batch = ""  # the name of the size of the batch, once it is needed
        self.node: Any = None
        self.twin: Any = None
        self.dtype: Any = None

    def write(self) -> None:
        """Writes all records, which must be the same in both runs, but for sizes."""
        pairs = list(itertools.zip_longest(self.first.records, self.second.records))
        for node, twin in pairs:
            if node is None or twin is None or node.op is not twin.op:
                at = (node or twin).where
                raise runtime_error(
                    f"onnx.export(): what is computed at {at} depends on the size of the batch"
                )
            self.node, self.twin = node, twin
            form = FORMS.get(self.node.op.name)
            if form is None:
                raise self.refuse("it has no form in ONNX here")
            arrays, others = self.first.arrays[node], self.second.arrays[twin]
            if node.dtype.kind == "c":
                raise self.refuse("it is of complex numbers, which ONNX has no operations for")
            # The type of numbers among the operands.
            self.dtype = node.dtype if node.dtype.kind != "b" else np.result_type(*arrays[:-1])
            inputs = [self.operand(*row) for row in zip(node.inputs, arrays[:-1], others[:-1], strict=True)]
            # The type of constants that a form adds.
            self.dtype = next((a.dtype for a in arrays if isinstance(a, np.ndarray)), self.dtype)
            result = self(form, *inputs) if isinstance(form, str) else form(self, *inputs, **node.params)
            if isinstance(result, list):
                self.parts[node] = result
            else:
                self.names[node] = result

    def operand(self, node: Any, value: Any, other: Any) -> str:
        """The name of an operand, with the type that the operation gets it in."""
        dtype = getattr(value, "dtype", self.dtype)
        if node in self.parts:
            if self.node.op.name != "slice":
                raise self.refuse("it takes a result of a recurrent layer as one vector")
            return ""
        if node in self.names:
            name = self.names[node]
            return name if node.dtype == dtype else self("Cast", name, to=self.type(dtype))
        if np.shape(value) != np.shape(other) and np.ndim(value) == np.ndim(other):
            return self.filled(value, other)
        if not np.array_equal(value, other, equal_nan=dtype.kind == "f"):
            raise self.refuse("it takes a constant that depends on the batch")
        if isinstance(node, Const) or node.dtype != dtype:
            return self.array(value, dtype)
        name = self.names[node] = self.array(value, dtype, self.named.get(node, ""))
        return name

    def filled(self, value: Any, other: Any) -> str:
        """A constant with rows for the whole batch, such as the zeros that a recurrent layer begins with."""
        sizes = [
            n if n == m else -1 if self.is_batch(n, m) else None
            for n, m in zip(value.shape, other.shape, strict=True)
        ]
        number = value.flat[0] if value.size else None
        if None in sizes or not value.size or (value != number).any() or (other != number).any():
            raise self.refuse("it takes a constant that depends on the batch")
        return self("Expand", self.array(number, value.dtype), self.sized(sizes))

    def sized(self, sizes: Sequence[Any]) -> str:
        """The name of a vector of sizes, where -1 stands for that of the batch."""
        self.batch = self.batch or self("Shape", self.names[self.first.leaves[0]], start=0, end=1)
        pieces = [self.batch if n == -1 else self.array([n], np.int64) for n in sizes]
        return self("Concat", *pieces, axis=0)

    def is_batch(self, size: int, twin: int) -> bool:
        """Whether a size of both runs is that of the batch."""
        return (size, twin) == tuple(run.inputs[0]._array.shape[0] for run in (self.first, self.second))

    def several(self, operator: str, inputs: Sequence[str], count: int, **attributes: Any) -> list[str]:
        """Adds an operator of several results, and returns their names."""
        names = [f"{operator.lower()}_{len(self.nodes)}_{k}" for k in range(count)]
        self.nodes.append(self.onnx.helper.make_node(operator, inputs, names, **attributes))
        return names

    def __call__(self, operator: str, *inputs: str, **attributes: Any) -> str:
        name = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(operator, inputs, [name], **attributes))
        return name

    def array(self, values: Any, dtype: Any = None, name: str = "") -> str:
        name = name or f"constant_{len(self.constants)}"
        array = np.ascontiguousarray(np.asarray(values, self.dtype if dtype is None else dtype))
        self.constants.append(self.onnx.numpy_helper.from_array(array.reshape(np.shape(values)), name))
        return name

    def type(self, dtype: Any) -> int:
        return int(self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def refuse(self, why: str) -> Exception:
        return NotImplementedError(f"onnx.export(): {self.node.op.name} at {self.node.where}: {why}")

    def info(self, name: str, t: Tensor, twin: Tensor) -> Any:
        """The entry of an input or a result, with sizes that depend on the batch by a name."""
        pairs = zip(t._array.shape, twin._array.shape, strict=True)
        sizes = [n if n == m else f"batch_{k}" if k else "batch" for k, (n, m) in enumerate(pairs)]
        return self.onnx.helper.make_tensor_value_info(name, self.type(t._array.dtype), sizes)


def register_custom_op_symbolic(symbolic_name: str, symbolic_fn: Any, opset_version: int) -> None:
    """Does nothing: packages register compiled operations with PyTorch's exporter; `export` reads the tape."""


def unregister_custom_op_symbolic(symbolic_name: str, opset_version: int) -> None:
    """Does nothing, as `register_custom_op_symbolic`."""


_module_getattr(globals())
