"""The run of a function that is recorded: what it does to Tensors is noted, and undone afterwards."""

from __future__ import annotations

import contextlib
import functools
import operator
import weakref
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from itertools import chain, starmap
from typing import Any, NamedTuple

import numpy as np

from minigrad import errors
from minigrad.compiler.guards import refilling, same_record
from minigrad.compiler.kinds import OWN
from minigrad.compiler.scalars import plain
from minigrad.compiler.watch import not_repeated
from minigrad.compiler.world import World
from minigrad.core.changes import changed, owner
from minigrad.core.mode import MODE, RECORDERS, Mode, ModeManager
from minigrad.core.node import Node, next_seq, tape
from minigrad.core.op import Array, Params
from minigrad.core.promote import as_operand
from minigrad.core.recorder import Recorder
from minigrad.core.tensor import Tensor, View, wrap
from minigrad.core.views import DETACHED, refresh
from minigrad.kernels.order import by_steps


def at_once(*calls: Iterable[tuple[Any, ...]]) -> None:
    """Calls functions of C, each with its arguments, so that no interrupt comes before the last one has ended.

    Python looks for interrupts between its own instructions, and here is only one.
    """
    deque(starmap(operator.call, chain(*calls)), 0)


class _Way(functools.partial[None]):
    """The way out of a run: its end undoes what an interrupted `__exit__` did not. See `minigrad.core.mode`."""

    def __del__(self) -> None:
        self()


class Before(NamedTuple):
    """A Tensor, and what it was before a run, with its attributes and the hooks of its record."""

    tensor: Any
    node: Node | None
    view: View | None
    grad: Any
    own: dict[str, Any]
    hooks: dict[int, Any]


class Run(Recorder):
    """What the tape does not tell of one run of a function: whose values leaves are, what was written where.

    The records themselves stay on the tape.  A Tensor is known before (``tensors``, by id, with ``paths``), or the run
    creates it, and it is a constant.  Any other is refused, for a replay could not know where it comes from.  The run
    is a context: when it is left, everything is as it was before.
    """

    def __init__(self, world: World, tensors: dict[int, Any], paths: dict[int, str]) -> None:
        self.world, self.tensors, self.paths = world, tensors, paths
        self.refusal: Exception | None = None
        # Leaves: those that the run created, with their values; those whose value another record computed, with that
        # record; records of what was there before, with the Tensor.
        self.constants: dict[Node, Array] = {}
        self.follows: dict[Node, Node] = {}
        self.sources: dict[Node, Any] = {}
        self._first: dict[int, Node] = {}
        # Records of a backward pass, each with the record that it differentiates; records with that of their gradient.
        self.groups: dict[Node, Node] = {}
        self.gradients: dict[Node, Node] = {}
        # Records whose second operand, and whose result, does not lie row by row.
        self.by_columns: set[Node] = set()
        self.noncontiguous: dict[Node, tuple[int, ...]] = {}
        # Records that draw or check values, also where no result needs them.
        self.acts: list[Node] = []
        # Bytes of the arrays that eager mode saves for backward, by the id of their memory.
        self.kept: dict[int, int] = {}
        # Tensors that were changed in place, with their last record.
        self.written: dict[int, tuple[Any, Node]] = {}
        # What kernels of the user have returned: the first replay takes it, so that they run once in a call.
        self.returned: dict[Node, Array] = {}
        self.before = [
            Before(t, t._node, t._view, t._grad, dict(vars(t)), dict((t._node and t._node.hooks) or {}))
            for t in tensors.values()
        ]
        # The values of changed Tensors.
        self._values: dict[int, tuple[Any, Array]] = {}
        self._generators: list[tuple[Any, Any]] = []  # with their states
        self._over = False
        # The ids of the memory of what is known, and of computed values.
        self._known = {id(owner(t._array)) for t in tensors.values()}
        self._results: dict[int, weakref.ref[Any]] = {}
        self._created: dict[int, tuple[Any, Array]] = {}
        # The record whose rules run, in a backward pass.
        self._current: Node | None = None
        self._lent: list[Array] = []  # copies of known arrays
        # Memory of Tensors that one of one number has indexed, and of the results.
        self._picked: set[int] = set()
        # Tensors from outside that are detached in place, which no view may be.
        self.detached: list[Any] = []
        # Views whose bases take no part, by the id of the Tensor.
        self._apart: dict[int, Any] = {}
        for t in tensors.values():
            refresh(t)
            if t._view is not None and id(t._view.base) not in tensors:
                self._apart[id(t)], t._view = t._view, None  # nothing else of its memory takes part
            if t._node is not None:
                self.stands_for(t, t._node)
        self.start = next_seq()

    __exit__ = property(lambda run: _Way(Run.undo, run))

    def __enter__(self) -> Run:
        return self

    def undo(self, *exc: object) -> None:
        """Restores everything as it was before the run; once."""
        if self._over:
            return
        # First, for it takes out single entries, also of Tensors, which get all of their attributes again.
        rows: list[tuple[Any, ...]] = [*self.world.guards.undoing()]
        for t, array in reversed(self._values.values()):  # in reverse, since some may share memory
            rows.append((np.copyto, t._array, array))
        for b in self.before:
            known = ("_node", b.node), ("_view", b.view), ("_grad", b.grad)
            rows += [(setattr, b.tensor, name, v) for name, v in known if getattr(b.tensor, name) is not v]
            rows += refilling(vars(b.tensor), b.own)
            if b.node is not None and b.node.hooks is not None:  # handles hold the table
                rows += refilling(b.node.hooks, b.hooks)
        rows.append((setattr, self, "_over", True))
        try:
            for generator, position in self._generators:
                # Parts on threads may not set it either.
                if not np.array_equal(generator._dump(), position._array):
                    generator.set_state(position)
            changed(*(t._array for t, _ in self._values.values()))  # which may refuse what parts do at once
        finally:
            at_once(rows)

    @contextlib.contextmanager
    def recording(self) -> Iterator[None]:
        """Operations inside are recorded."""
        mode: Mode = MODE.get()
        inside = mode.replace(everything=True, observer=self._observe, recorder=self)
        RECORDERS.append(self)
        try:
            with ModeManager(inside):
                try:
                    yield
                except Exception as error:
                    if not str(error).startswith("compile():"):
                        self._refuse_grown()
                    raise
                if self.refusal is not None:  # the function has caught it
                    raise self.refusal
                now = MODE.get()
                modes = "grad", "inference", "autocast", "anomaly"
                if any(getattr(now, mode) is not getattr(inside, mode) for mode in modes):
                    raise not_repeated(self.world, "leaves grad mode, autocast or anomaly mode switched")
        finally:
            RECORDERS.remove(self)
            self.refusal = None  # whose frames hold the run

    def _requires_other(self) -> str:
        """What is said of a Tensor that was there before and has another ``requires_grad`` now, if there is one."""
        for t, node, *_ in self.before:
            now = t._node
            grown = id(t) in self.written and now is not None and now.op is not None and now.requires_grad
            if not (same_record(node, now) or grown):
                return f"changes requires_grad of {self.path(t)}, or detaches it in place"
        return ""

    def check(self) -> None:
        """RuntimeError for what the function did and no replay could repeat."""
        if what := self._requires_other():
            raise not_repeated(self.world, what)
        for b in self.before:
            t, node, now = b.tensor, b.node, b.tensor._node
            before, after = ({n: id(v) for n, v in own.items() if n not in OWN} for own in (b.own, vars(t)))
            if before != after:
                raise not_repeated(self.world, f"sets an attribute of {self.path(t)}")
            # `retain_grad` goes along to the record that a view gets when its base changes.
            added = now is not None and not {*(now.hooks or ())} <= b.hooks.keys()
            if added or (node is not None and (node.hooks or {}) != b.hooks):
                raise not_repeated(self.world, "adds or removes a hook of a Tensor that it gets")
        self._refuse_grown()

    def _refuse_grown(self) -> None:
        for t, node in self.written.values():
            if node.requires_grad and t._node is node:
                raise RuntimeError(
                    f"compile(): {self.path(t)}, a Tensor from outside, becomes part of the graph by a change in "
                    f"place. Compute a new Tensor and return it (in the function at {self.world.home})"
                )

    def path(self, t: Any) -> str:
        """The name of a Tensor that was there before."""
        return self.paths.get(id(t), "a Tensor")

    def stands_for(self, t: Any, node: Node) -> None:
        """Notes a record of a Tensor that was there before."""
        self.sources[node] = t
        self._first.setdefault(id(t), node)

    def record_of(self, t: Any) -> Node:
        """The first record of a Tensor that was there before; one that was never read gets one."""
        if id(t) not in self._first:
            self.stands_for(t, Node.leaf(t._array.shape, t._array.dtype, tensor=t))
        return self._first[id(t)]

    # ------------------------------------------------------------ told by the tape

    def refuse(self, message: str) -> Exception:
        """The error, which also comes after the run where the function catches it; of several the first one."""
        self.refusal = self.refusal or errors.runtime_error(f"compile(): {message}")
        return self.refusal

    def refused(self, what: str) -> Exception:
        return self.refuse(
            f"{what} needs the values of a Tensor while the function is being recorded, but the recording "
            "serves other values too. Compute with Tensors instead (where(), clamp(), masks), return the Tensor and "
            "read it outside of the compiled function, or leave this part uncompiled"
        )

    def failed(self, what: str) -> None:
        self.refused(f"an error of {what}, which the function catches,")

    def _unknown(self, array: Array, what: str) -> Exception:
        return self.refuse(
            f"{what} of shape {list(array.shape)} takes part that is neither an argument nor found through "
            "the variables, modules and objects that the function mentions, so a later call could not tell whether "
            "it is still the same. Pass it as an argument, or make it outside of the function or by minigrad"
        )

    def made(self, t: Any) -> None:
        self._created[id(t)] = (t, t._array)

    def leaf(self, node: Node, before: Node | None, t: Any) -> None:
        if before is None and id(t) in self.tensors:
            self.stands_for(t, node)
        elif before in self.sources:
            self.stands_for(self.sources[before], node)
        elif before in self.constants:
            self.constants[node] = self.constants[before]
        elif before is not None:
            self.follows[node] = before
        elif id(t) in self._created:
            memory = id(owner(t._array))
            if memory in self._known or (memory in self._results and self._results[memory]() is not None):
                raise self.refuse(
                    "a Tensor is made of the memory of another one behind the tape, as transforms of minigrad.func "
                    "and nn.Parameter(t) do, so a replay could not tell what it holds. Do that outside of the function"
                )
            self.constants[node] = t._array.copy("K")
        else:
            raise self._unknown(t._array, "A Tensor")

    def array(self, array: Array) -> Any:
        if self._current is not None:  # a rule has made it from shapes alone
            return wrap(array)
        if self.world.knows(array):  # guards see its elements
            self._lent.append(copy := as_operand(array).copy("K"))
            return wrap(copy)
        raise self._unknown(array, "A NumPy array")

    def reads(self, setting: Any) -> None:
        known = len(self.world.codes)
        self.world.guards.table(setting, "a setting of the process")
        for value in setting.values():  # such as functions of the user's for a kind of object
            self.world.follow(value, "a setting of the process")
        if len(self.world.codes) > known:
            self.world.settle_names()
            self.world.watch(self.world.codes[known:])

    def draws(self, generator: Any) -> None:
        raise self.refuse(
            "a random generator is made, or seeded, or asked for numbers by its own methods, which is not part of a "
            "replay. Do that outside, and draw with rand(), randn() and the like"
        )

    @contextlib.contextmanager
    def backward(self, roots: Iterable[Node], ends: set[Node]) -> Iterator[None]:
        """A Tensor that was changed under no_grad() has several records, of which only the last one is asked for."""
        again = {id(n.tensor()) for n in ends if n in self.follows and n.op is None and n.tensor is not None}
        order = tape(roots) if self.follows else []
        leaves = [(n, id(n.tensor())) for n in order if n.op is None and n.tensor is not None]
        records = Counter(t for _, t in leaves)
        if any(n.hooks and records[t] > 1 for n, t in leaves):
            raise self.refuse(
                "a Tensor with a hook is changed under no_grad() between two uses, so a recording has two "
                "gradients of it, and the hook takes their sum. Change it before or after"
            )
        if any(t in again for n, t in leaves if n not in ends):
            raise self.refuse(
                "the gradient of a Tensor is taken that was changed under no_grad() after it had been used, "
                "which a recording cannot tell apart. Change it after that, or call backward()"
            )
        try:
            yield
        finally:
            self._current = None

    def differentiates(self, node: Node, g: Any) -> None:
        if node.seq < self.start:
            raise self.refuse(
                f"backward() reaches {node.name()} at {node.where}, which was computed before the call. "
                "Compute it inside of the compiled function, or call backward() outside"
            )
        self._current = node
        self._arrived(node, g)

    def _arrived(self, node: Node | None, g: Any) -> None:
        if node is not None and isinstance(g, Tensor) and g._node is not None:
            self.gradients[node] = g._node

    def parameters(self, params: Params) -> Params:
        """Numbers that a kernel needs as such are those of this run alone."""
        if (generator := params.get("generator")) is not None:
            if all(known is not generator for known in self.world.generators):
                self.draws(generator)
            if all(known is not generator for known, _ in self._generators):
                with ModeManager(MODE.get().replace(recorder=None)):
                    self._generators.append((generator, generator.get_state()))
        return {k: plain(p) for k, p in params.items()}

    def function(self, outputs: list[Any], made: list[Node | None]) -> None:
        for t, node in zip(outputs, made, strict=True):
            if isinstance(t, Tensor) and t._node is not None and t._node is not node:
                if node is None:
                    self.constants[t._node] = t._array.copy("K")
                else:
                    self.follows[t._node] = node

    def picked(self, source: Any, t: Any) -> None:
        self._picked |= {id(owner(source._array)), id(owner(t._array))}

    def accumulates(self, t: Any, g: Any) -> bool:
        self._arrived(t._node, g)
        before = t._grad
        if before is None:
            return True
        if id(before) not in self.tensors and id(owner(before._array)) in self._known:
            raise self.refuse(
                f"the gradient of {self.path(t)} is added to while a Tensor, that shows the same memory, takes part "
                "too. clone() what is put into .grad"
            )
        total = before + g
        grown = before._node is not None and before._node.requires_grad
        if grown and not total.requires_grad:
            raise self.refuse(
                "a gradient that requires grad stays in .grad, as backward(create_graph=True) leaves it, and is added "
                "to without create_graph; take it by autograd.grad()"
            )
        if grown or total.requires_grad:
            t._grad = total
            return False
        with ModeManager(MODE.get().recording(False)):  # views of it change too
            before.add_(g)
        return False

    def detaches(self, t: Any) -> None:
        if id(t) in self._apart:
            raise errors.runtime_error("Can't detach views in-place. Use detach() instead")
        if id(t) in self.tensors:
            self.detached.append(t)
        if id(owner(t._array)) in self._picked:
            raise self.refused("detach_() of what was indexed with a Tensor of one number")

    def shown(self, t: Any) -> Any:
        view = t._view
        behind = self._apart.get(id(t if view is None else view.base))
        if behind is None or view is None:
            return behind or view
        return view if view.outside in DETACHED else behind._replace(outside=behind.outside or view.outside)

    def shares(self, t: Any) -> None:
        """RuntimeError for a Tensor that stands for a NumPy array, where eager mode has the memory of that."""
        if any(owner(t._array) is copy for copy in self._lent):
            raise self.refuse(
                "a Tensor that shows the memory of a NumPy array is changed in place, or returned. Copy it, as "
                "tensor() does, or pass it as an argument"
            )

    def stores(self, t: Any, result: Any) -> Any:
        self.shares(t)
        if id(owner(t._array)) in self._picked:
            raise self.refused("a change in place of what was indexed with a Tensor of one number")
        base = t if t._view is None else t._view.base
        self._keep(base if id(base) in self.tensors else t)
        array = t._array
        steps = zip(array.shape, array.strides, result._array.strides, strict=True)
        if t._view is not None or all(n < 2 or here == there for n, here, there in steps):
            return result
        # What is read from here on is the written value, so that this has to lie in memory as the Tensor does.
        order = sorted(range(array.ndim), key=lambda d: -abs(array.strides[d]))
        back = [order.index(d) for d in range(array.ndim)]
        return result.permute(order).contiguous().permute(back)

    def _keep(self, t: Any) -> None:
        if id(t) in self.tensors and id(t) not in self._values:
            self._values[id(t)] = (t, t._array.copy())

    def wrote(self, t: Any, node: Node) -> Node:
        if id(t) in self.tensors:
            self.written[id(t)] = (t, node)
        elif id(t) not in self._created and (t._node is None or t._node.seq < self.start):
            raise self._unknown(t._array, "A Tensor that is changed in place")
        before = t._node
        if before is None or not before.requires_grad or MODE.get().grad:
            return node
        # What is changed under no_grad() keeps its place in the graph: here, a record with the new value.
        if before.op is not None:
            raise self.refuse(
                "a computed Tensor that requires grad is changed under no_grad(); clone() it first"
            )
        kept: Node = before.copy()
        kept.seq = next_seq()
        node.requires_grad = False
        self.follows[kept] = node
        return kept

    def _observe(self, record: Node, arrays: list[Any]) -> None:
        if self._current is not None:
            self.groups[record] = self._current
        y = arrays[-1]
        memory = owner(y)
        self._results[id(memory)] = weakref.ref(memory)
        if not y.flags.c_contiguous:
            self.noncontiguous[record] = by_steps(y)
        op = record.op
        if op is not None:
            # Powers and remainders of floats raise nothing.
            fails = op.check is not None or (op.raises and (not op.elementwise or y.dtype.kind != "f"))
            if op.draws or (fails and self._current is None):
                self.acts.append(record)
            if op.home.partition(".")[0] != "minigrad" and not op.view:
                self.returned[record] = y.copy("K")
            if op.depends is not None and (what := op.depends(*arrays[:-1], **record.params)):
                raise self.refused(what)
            second = arrays[1] if len(arrays) > 2 else None
            if second.__class__ is np.ndarray and not second.flags.c_contiguous:
                self.by_columns.add(record)
        if record.requires_grad:
            for a in record.saved:
                if a.__class__ is np.ndarray and id(owner(a)) not in self._known:
                    self.kept[id(owner(a))] = a.nbytes
        for n, array in zip(record.inputs, arrays, strict=False):
            if isinstance(n, Node) and n.seq < self.start and n not in self.sources:
                what = "A Tensor" if n.op is None else "The result of an earlier computation"
                raise self._unknown(array, what)

    def order(self, roots: Iterable[Node]) -> list[Node]:
        """The records behind ``roots``, in recording order, up to those of what was there before."""
        todo = list(dict.fromkeys(roots))
        seen = set(todo)
        for node in todo:
            behind = () if node in self.sources else node.inputs
            for n in (*behind, *([self.follows[node]] if node in self.follows else [])):
                if n not in seen and isinstance(n, Node):
                    seen.add(n)
                    todo.append(n)
        todo.sort(key=operator.attrgetter("seq"))
        return todo
