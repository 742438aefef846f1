"""The run of a function that is recorded: all that it does to Tensors is noted."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from minigrad import errors
from minigrad.compiler.environment import Environment
from minigrad.compiler.scalars import Scalar
from minigrad.core.changes import changed, owner
from minigrad.core.mode import MODE, RECORDERS, Mode, ModeManager
from minigrad.core.node import Node, next_seq, tape
from minigrad.core.op import Array, Params
from minigrad.core.recorder import Recorder
from minigrad.core.tensor import Tensor, leaf, wrap
from minigrad.core.views import refresh


class Trace(Recorder):
    """What the tape does not tell of one run of a function: whose values leaves are, what was written where.

    The records themselves stay on the tape.  A Tensor is an argument, or one that `Environment` reaches, or one that
    the run creates, which is a constant.  Any other is refused, for a replay could not know where it comes from.
    """

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        tensors = environment.tensors.values()
        self.refusal: Exception | None = None
        # The mode that the function left switched, if it did.
        self._left_on: Mode | None = None
        # The ids of Tensors whose gradient was read.
        self.asked: set[int] = set()

        # Leaves: those that the run created, with their values; those whose value another record computed, with that
        # record; those that were there before, with their Tensors.
        self.constants: dict[Node, Array] = {}
        self.follows: dict[Node, Node] = {}
        self.sources: dict[Node, Any] = {}

        # Records of a backward pass, each with the record that it differentiates; records with that of their gradient.
        self.groups: dict[Node, Node] = {}
        self.gradients: dict[Node, Node] = {}
        self.differentiated: set[Node] = set()
        # Records whose second operand, and whose result, does not lie row by row.
        self.by_columns: set[Node] = set()
        self.noncontiguous: set[Node] = set()
        # Records that draw, and those that check values, also where no result needs them.
        self.draws: list[Node] = []
        self.checks: list[Node] = []
        # Bytes of the arrays that eager mode saves for backward, by the id of their memory.
        self.kept: dict[int, int] = {}

        # Tensors that were changed in place, with their last record; their values and records before.
        self.written: dict[int, tuple[Any, Node]] = {}
        self._before: dict[int, tuple[Any, Array, Any]] = {}
        # What the Tensors of the environment had before the run.
        self.grads: dict[int, tuple[Any, Any]] = {id(t): (t, t._grad) for t in tensors}
        self._nodes = [(t, t._node) for t in tensors]
        self._flags = {id(t): t.requires_grad for t in tensors}
        # The ids of their memory, and of that of computed values.
        self._known = {id(owner(t._array)) for t in tensors}
        self._results: dict[int, weakref.ref[Any]] = {}

        self._created: dict[int, tuple[Any, Array]] = {}
        # The record whose rules run, in a backward pass.
        self._current: Node | None = None
        # Random generators with their states before.
        self._generators: list[tuple[Any, Any]] = []
        # Memory of Tensors that one of one number has indexed, and of the results.
        self._picked: set[int] = set()
        self.start = next_seq()
        for t in tensors:
            refresh(t)
            if t._node is not None:
                self.sources[t._node] = t

    def run(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Runs the function and returns what it returns.  An error leaves everything as it was before."""
        try:
            with self.recording(), self.environment.scalars():
                result = function(*args, **kwargs)
            if self.refusal is not None:  # the function has caught it
                raise self.refusal
            self._refuse_switches()
            self.environment.refuse_moves()
            return result
        except BaseException:
            self.undo()
            raise

    def _refuse_switches(self) -> None:
        for t in self.environment.tensors.values():
            if t.requires_grad != self._flags.get(id(t), t.requires_grad) and t._node.op is None:
                raise RuntimeError(
                    "compile(): the function changes requires_grad of "
                    f"{self.environment.paths.get(id(t), 'a Tensor')}, which is not part of a replay. Do that outside "
                    f"(in the function at {self.environment.home})"
                )
        if self._left_on is not None:
            raise RuntimeError(
                "compile(): the function leaves grad mode switched, which is not part of a replay; use it as a context "
                f"manager (in the function at {self.environment.home})"
            )

    @contextlib.contextmanager
    def recording(self) -> Iterator[None]:
        """Operations inside are recorded."""
        mode: Mode = MODE.get()
        inside = mode.replace(everything=True, observer=self._observe, recorder=self)
        RECORDERS.append(self)
        try:
            with ModeManager(inside):
                yield
                self._left_on = MODE.get() if MODE.get().grad != inside.grad else None
        finally:
            RECORDERS.remove(self)

    # ------------------------------------------------------------ told by the tape

    def refused(self, what: str) -> Exception:
        """The error for a use of values."""
        self.refusal = self.refusal or errors.runtime_error(
            f"compile(): {what} needs the values of a Tensor while the function is being recorded, but the recording "
            "serves other values too. Compute with Tensors instead (where(), clamp(), masks), return the Tensor and "
            "read it outside of the compiled function, or leave this part uncompiled"
        )
        return self.refusal

    def made(self, t: Any) -> None:
        """A Tensor that no operation computed."""
        self._created[id(t)] = (t, t._array)

    def leaf(self, node: Node, before: Node | None, t: Any) -> None:
        """A Tensor gets a record without history."""
        if before is not None:
            if before in self.sources:
                self.sources[node] = self.sources[before]
            elif before in self.constants:
                self.constants[node] = self.constants[before]
            else:
                self.follows[node] = before
        elif id(t) in self.environment.tensors:
            self.sources[node] = t
        elif id(t) in self._created:
            memory = id(owner(t._array))
            if memory in self._known or (memory in self._results and self._results[memory]() is not None):
                self.refusal = errors.runtime_error(
                    "compile(): a Tensor is made of the memory of another one behind the tape, as transforms of "
                    "minigrad.func and nn.Parameter(t) do, so a replay could not tell what it holds. Do that outside "
                    "of the function"
                )
                raise self.refusal
            self.constants[node] = t._array.copy()
        else:
            raise self._unknown(t._array, "A Tensor")

    def array(self, array: Array) -> Any:
        """A Tensor over an array of NumPy that takes part."""
        for known in self.environment.arrays.values():
            if known is array:
                t = self.environment.tensor_over(array)
                leaf(t)
                return t
        if self._current is not None:  # a rule has made it from shapes alone
            return wrap(array)
        raise self._unknown(array, "An array of NumPy")

    def _unknown(self, array: Array, what: str) -> Exception:
        return errors.runtime_error(
            f"compile(): {what} of shape {list(array.shape)} takes part that is neither an argument nor found through "
            "the variables, modules and objects that the function mentions, so a later call could not tell whether "
            "it is still the same. Pass it as an argument"
        )

    def draws_from(self, generator: Any) -> None:
        """Numbers are about to be drawn."""
        if all(known is not generator for known, _ in self._generators):
            with ModeManager(MODE.get().replace(recorder=None)):
                self._generators.append((generator, generator.get_state()))

    @contextlib.contextmanager
    def backward(self, roots: Iterable[Node], ends: set[Node]) -> Iterator[None]:
        """A backward pass runs inside, and returns the gradients of ``ends``.

        A Tensor that was changed under no_grad() has several, of which only the last one is asked for.
        """
        changed = {
            id(n.tensor()) for n in ends if n in self.follows and n.op is None and n.tensor is not None
        }
        if changed and any(
            n.op is None and n not in ends and n.tensor is not None and id(n.tensor()) in changed
            for n in tape(roots)
        ):
            raise errors.runtime_error(
                "compile(): the gradient of a Tensor is taken that was changed under no_grad() after it had been used, "
                "which a recording cannot tell apart. Change it after that, or call backward()"
            )
        try:
            yield
        finally:
            self._current = None

    def differentiates(self, node: Node, g: Any) -> None:
        """The rules of a record are run next, on this gradient."""
        if node.seq < self.start:
            raise errors.runtime_error(
                f"compile(): backward() reaches {node.name()} at {node.where}, which was computed before the call. "
                "Compute it inside of the compiled function, or call backward() outside"
            )
        self._current = node
        self.differentiated.add(node)
        self._arrived(node, g)

    def _arrived(self, node: Node, g: Any) -> None:
        if isinstance(g, Tensor) and g._node is not None:
            self.gradients[node] = g._node

    def parameters(self, params: Params) -> Params:
        """Numbers that a kernel needs as such are those of this run alone."""
        return {k: p.__copy__() if type(p) is Scalar else p for k, p in params.items()}

    def function(self, outputs: list[Any], made: list[Node | None]) -> None:
        """An `autograd.Function` has returned ``outputs``, whose values the records ``made`` computed."""
        for t, node in zip(outputs, made, strict=True):
            if not isinstance(t, Tensor) or t._node is None or t._node is node:
                continue
            if node is None:
                self.constants[t._node] = t._array.copy()
            else:
                self.follows[t._node] = node

    def picked(self, source: Any, t: Any) -> None:
        """A Tensor of one number has picked ``t``, which eager mode would make a view of the source."""
        self._picked |= {id(owner(source._array)), id(owner(t._array))}

    def asks(self, t: Any) -> None:
        """The gradient of a Tensor is looked at."""
        self.asked.add(id(t))

    def accumulates(self, t: Any, g: Any) -> bool:
        """A gradient reaches a leaf; whether it is still to be put there."""
        if t._node is not None:
            self._arrived(t._node, g)
        before = t._grad
        self.asked.add(id(t))
        if before is None:
            return True
        total = before + g
        if (before._node is not None and before._node.requires_grad) or total.requires_grad:
            t._grad = total
            return False
        changed(before._array)
        self._keep(before)
        before._array[...] = total._array
        before._node = self._wrote(before, total._node)
        return False

    def stores(self, t: Any) -> None:
        """The memory of a Tensor is about to be changed."""
        if id(owner(t._array)) in self._picked:
            raise self.refused("a change in place of what was indexed with a Tensor of one number")
        base = t if t._view is None else t._view.base
        self._keep(base if id(base) in self.environment.tensors else t)

    def wrote(self, t: Any, node: Node) -> Node:
        """A Tensor was changed in place to what ``node`` computed; the record that it gets."""
        return self._wrote(t, node)

    def _keep(self, t: Any) -> None:
        if id(t) in self.environment.tensors and id(t) not in self._before:
            self._before[id(t)] = (t, t._array.copy(), t._node)

    def _wrote(self, t: Any, node: Node) -> Node:
        if id(t) in self.environment.tensors:
            self.written[id(t)] = (t, node)
        elif id(t) not in self._created and self._outside(t):
            raise self._unknown(t._array, "A Tensor that is changed in place")
        before = t._node
        if before is None or not before.requires_grad or MODE.get().grad:
            return node
        # What is changed under no_grad() keeps its place in the graph: here, a record with the new value.
        if before.op is not None:
            raise errors.runtime_error(
                "compile(): a computed Tensor that requires grad is changed under no_grad(); clone() it first"
            )
        kept: Node = before.copy()
        kept.seq = next_seq()
        node.requires_grad = False
        self.follows[kept] = node
        return kept

    def _outside(self, t: Any) -> bool:
        node = t._node
        return node is None or node.seq < self.start

    def _observe(self, record: Node, arrays: list[Any]) -> None:
        if self._current is not None:
            self.groups[record] = self._current
        y = arrays[-1]
        memory = y if y.base is None else owner(y)
        self._results[id(memory)] = weakref.ref(memory)
        if not y.flags.c_contiguous:
            self.noncontiguous.add(record)
        op = record.op
        if op is not None:
            if op.draws:
                self.draws.append(record)
            if op.check is not None and self._current is None:
                self.checks.append(record)
            if op.depends is not None and (what := op.depends(*arrays[:-1], **record.params)):
                raise self.refused(what)
            second = arrays[1] if len(arrays) > 2 else None
            if second.__class__ is np.ndarray and not second.flags.c_contiguous:
                self.by_columns.add(record)
        if record.requires_grad:
            for a in record.saved:
                if a.__class__ is np.ndarray:
                    memory = a if a.base is None else owner(a)
                    if id(memory) not in self._known:
                        self.kept[id(memory)] = a.nbytes
        for n in record.inputs:
            if n.__class__ is Node and n.seq < self.start and n not in self.sources:
                array = arrays[record.inputs.index(n)]
                raise self._unknown(
                    array, "A Tensor" if n.op is None else "The result of an earlier computation"
                )

    # ------------------------------------------------------------ afterwards

    def undo(self) -> None:
        """Restores everything as it was before the run."""
        for t, array, node in reversed(self._before.values()):  # in reverse, since some may share memory
            changed(t._array)
            t._array[...] = array
            t._node = node
        for t, node in self._nodes:
            t._node = node
        for t, grad in self.grads.values():
            t._grad = grad
        for generator, state in self._generators:
            generator.set_state(state)
        self.environment.restore()

    def settle(self) -> None:
        """Takes the records of the run from Tensors that outlive it, as eager mode would have made none."""
        for t, node in self.written.values():
            original = self._before[id(t)][2] if id(t) in self._before else None
            if node.requires_grad and t._node is node:
                raise errors.runtime_error(
                    "compile(): a Tensor from outside becomes part of the graph by a change in place. Compute a new "
                    "Tensor and return it"
                )
            t._node = original
        for t in self.environment.tensors.values():
            if (
                t._node is not None
                and t._node.op is None
                and t._node.seq >= self.start
                and not t._node.requires_grad
            ):
                t._node = None

    def let_go(self) -> None:
        """Drops the Tensors, arguments among them; of the leaves stays which stand for the same Tensor."""
        marks: dict[int, object] = {}
        self.sources = {n: marks.setdefault(id(t), object()) for n, t in self.sources.items()}
        self.written, self._before, self.grads, self._created, self._results = {}, {}, {}, {}, {}
        self._nodes = []
