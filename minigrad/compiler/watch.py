"""What the instructions of a function reach by name, and how those that reach what no recording guards are watched."""

from __future__ import annotations

import builtins
import contextlib
import itertools
import math
import operator
import sys
import threading
import types
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, NamedTuple

from minigrad import errors
from minigrad.compiler.guards import MISSING, SIMPLE, rows_of, same
from minigrad.compiler.kinds import (
    PLAIN,
    REFLECTION,
    SECRET,
    TEXTUAL,
    counts_by_name,
    is_key,
    is_state,
    loaded_later,
)
from minigrad.compiler.scalars import plain
from minigrad.readers.places import instructions

GLOBAL = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")
CELL = ("LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF")
ATTRIBUTE = ("LOAD_ATTR", "LOAD_METHOD")
TAKES = (*ATTRIBUTE, "IMPORT_FROM")
LOCAL = ("LOAD_FAST", *CELL)
CONSTANT = ("LOAD_CONST", "LOAD_COMMON_CONSTANT", "LOAD_SMALL_INT")
FORMATS = ("format", "format_map")  # whose texts, such as "{0.name}", ask for attributes
# Operators by the number that an instruction has, those in place 13 further on; and instructions that are operators.
_BINARY = (
    "__add__", "__and__", "__floordiv__", "__lshift__", "__matmul__", "__mul__", "__mod__", "__or__", "__pow__",
    "__rshift__", "__sub__", "__truediv__", "__xor__",
)  # fmt: skip
_OPERATORS = {
    "<": "__lt__", "<=": "__le__", "==": "__eq__", "!=": "__ne__", ">": "__gt__", ">=": "__ge__",
    "UNARY_NEGATIVE": "__neg__", "UNARY_INVERT": "__invert__", "UNARY_POSITIVE": "__pos__",
    "CALL_INTRINSIC_1": "__pos__", "BINARY_SUBSCR": "__getitem__", "BINARY_SLICE": "__getitem__",
    "STORE_SUBSCR": "__setitem__", "STORE_SLICE": "__setitem__", "CONTAINS_OP": "__contains__",
    "BINARY_OP": "__getitem__", "GET_ITER": "__iter__", "GET_YIELD_FROM_ITER": "__iter__",
    "UNPACK_SEQUENCE": "__iter__", "UNPACK_EX": "__iter__", "LIST_EXTEND": "__iter__", "SET_UPDATE": "__iter__",
    "CALL_FUNCTION_EX": "__iter__",
}  # fmt: skip
_TURNED = str.maketrans("<>", "><")
# Functions of Python that are called otherwise than what they do.
_DOES: dict[Any, str] = {
    sum: "__add__", itertools.accumulate: "__add__", math.prod: "__mul__", operator.itemgetter: "__getitem__",
}  # fmt: skip
SAME = {id(operator.is_), id(operator.is_not)}
SKIPPED = ("PUSH_NULL", "CACHE", "PRECALL", "EXTENDED_ARG")


class Step(NamedTuple):
    """An instruction, what it loads by its name (MISSING if that is not known), and the module that it asks for it."""

    offset: int
    operation: str
    name: Any
    value: Any
    module: types.ModuleType | None


def steps_of(code: types.CodeType, space: dict[str, Any], cells: dict[str, Any]) -> list[Step]:
    """The instructions of a code object: ``a.b.c`` is known as far as ``a`` and ``a.b`` are modules."""
    steps: list[Step] = []
    local: dict[str, Any] = {}
    value: Any = MISSING
    source: Any = MISSING  # from which names are imported
    names: Any = None
    for offset, operation, name in instructions(code):
        if operation in SKIPPED:
            continue
        asked = source if operation == "IMPORT_FROM" else value
        module = asked if isinstance(asked, types.ModuleType) else None
        value = MISSING
        if operation in TAKES and module is not None:
            value = vars(module).get(name, MISSING)
            if value is MISSING and name in loaded_later(module):
                value = getattr(module, name, MISSING)
            if operation == "IMPORT_FROM" and not names:  # `import a.b.c as d` takes c from b
                source = value
        elif operation == "STORE_FAST" and module is not None:
            local[name] = module
        elif operation in GLOBAL:
            value = space.get(name, getattr(builtins, name, MISSING))
        elif operation in CELL:
            value = cells.get(name, MISSING)
        elif operation == "IMPORT_NAME":
            level, names = steps[-2].name, steps[-1].name
            if level:  # from here on it has its whole name
                package = (space.get("__package__") or "").rsplit(".", level - 1)[0]
                name = f"{package}.{name}" if name else package
            # `import a.b` gives a, from which names take b.
            value = source = sys.modules.get(
                name if names or name not in sys.modules else name.partition(".")[0], MISSING
            )
        elif operation == "LOAD_FAST":
            value = local.get(name, MISSING)
        steps.append(Step(offset, operation, name, value, module if operation in TAKES else None))
    return steps


def methods_of(step: Step) -> set[str]:
    """The methods by which objects take part in an operator."""
    operation, name, *_ = step[1:]
    keys = (name, name.translate(_TURNED)) if operation == "COMPARE_OP" else (operation,)
    methods = [_OPERATORS.get(key, "") for key in keys]
    if operation == "BINARY_OP" and name < 26:
        method = _BINARY[name % 13]
        methods = [method, f"__r{method[2:]}", f"__i{method[2:]}" if name > 12 else ""]
    return {*methods}


def methods_in(function: Any) -> set[str]:
    """The methods of its arguments that a function of Python calls, such as ``len``, ``sum`` or ``operator.mul``."""
    method = _DOES.get(function) or f"__{function.__name__.strip('_')}__"
    return {method, f"__r{method[2:]}", "__iter__"}


def asks(steps: Sequence[Step], i: int) -> bool:
    """Whether a step loads what may ask for any attribute, and not for a constant name, as ``getattr(a.b, "c")``."""
    operation, name = steps[i].operation, steps[i].name
    if operation not in (*GLOBAL, *ATTRIBUTE) or name not in REFLECTION:
        return False
    if name in ("copy", "fields"):  # modules and attributes have these names too
        return operation in GLOBAL
    if name not in ("getattr", "hasattr"):
        return True
    owner, *rest = [(s.operation, s.name) for s in steps[i + 1 :]]
    while rest and rest[0][0] in ATTRIBUTE:
        del rest[0]
    known = (
        owner[0] in (*GLOBAL, *LOCAL) and rest and rest[0][0] == "LOAD_CONST" and isinstance(rest[0][1], str)
    )
    return not (known and (("CALL", 2) in rest[1:2] or ("CALL", 3) in rest[2:3]))


def counts(steps: Sequence[Step], i: int) -> bool:
    """Whether what a step loads is to be followed: ``type`` not where it is asked of no number.

    That is so of ``self``, and where the answer is compared with a class that no number has.
    """
    owner, called, *rest = *steps[i + 1 : i + 8], steps[i], steps[i]
    if steps[i].value is not type or owner.operation not in LOCAL or called.operation != "CALL":
        return True
    k = next((k for k, s in enumerate(rest) if s.operation not in (*GLOBAL, *ATTRIBUTE)), 0)
    known = rest[k - 1].value if k and rest[k].operation in ("IS_OP", "COMPARE_OP") else None
    numbers = not isinstance(known, type) or issubclass(float, known) or issubclass(int, known)
    return owner.name != "self" and numbers


def is_unique(step: Step) -> bool:
    """Whether a step loads a constant, such as None, or a known object for which no equal one can stand."""
    equals = step.value.__class__ in SIMPLE or isinstance(step.value, tuple)
    known = step.value is not MISSING and not equals
    return known or step.operation in CONSTANT or step.name == "__class__"


def prints_or_compares(steps: Sequence[Step], i: int) -> bool:
    """Whether a step may read all attributes of a namespace: it makes a text of it, or compares it with another."""
    _, operation, name, *_ = steps[i]
    compares = operation == "COMPARE_OP" and name in ("==", "!=") and steps[i - 1].operation not in CONSTANT
    percent = operation == "BINARY_OP" and name in (6, 19)  # % and %=
    return compares or percent or operation.startswith(("FORMAT_", "CONTAINS_OP")) or name in TEXTUAL


def _reason(world: Any, code: types.CodeType, steps: Sequence[Step], i: int) -> str:
    """Why a step must not run, or "" where it may."""
    _, operation, name, value, module = steps[i]
    if world.hidden and asks(steps, i):
        return f"{name}, which may reach {world.hidden}"
    if operation == "LOAD_CONST" and isinstance(name, str) and not REFLECTION.isdisjoint(code.co_names):
        return str(world.refused_names.get(name, ""))
    if operation in ATTRIBUTE and (module is None or name in SECRET) and name in world.refused_names:
        return str(world.refused_names[name])
    if operation == "IMPORT_NAME" and value is MISSING:
        return f"the module {name}, which is not yet imported"
    # The hash of a key that a dict compares too; what `type` is asked of was seen before.
    if value is type or (value is hash and code.co_name == "__hash__"):
        return ""
    what: str = world.follow(value, name) if value is not MISSING else ""
    return f"{name}, {what}" if what and not what.startswith(("the ", f"{name}(")) else what


@contextlib.contextmanager
def watching(world: Any) -> Iterator[None]:
    """Puts what stands for numbers in their places, and refuses what the code must not reach."""
    # By code and instruction; functions of one code may reach different things.
    suspects: dict[types.CodeType, dict[int, str]] = {}
    refused: list[tuple[str, str]] = []  # no errors: one would hold the frames, and these the list

    def look(frame: types.FrameType, offset: int) -> None:
        if what := suspects[frame.f_code].get(offset):
            refused.append((f"reaches {what}", errors.place(frame.f_code, offset)))
            raise unguarded(*refused[-1])

    def watch(codes: Sequence[Any]) -> None:
        before = len(suspects)
        for code, steps in codes:
            for i in range(len(steps)):
                if reason := _reason(world, code, steps, i):
                    suspects.setdefault(code, {})[steps[i].offset] = reason
        if len(suspects) > before:
            running.enter_context(instructions_watched({*suspects}, look))

    placed = list[Any]()
    for row in world.options.values():
        group, key, stand_in, _ = row
        named = world.may_name("param_groups") or world.may_name(key) or id(group) in world.set_in
        if not (world.exact and named):
            group[key] = stand_in
            placed.append(row)
            continue
        plain(stand_in)
    with contextlib.ExitStack() as running:
        watch(world.codes)
        running.callback(setattr, world, "watch", world.watch)
        world.watch = watch
        yield
    now = {i: rows_of(table) for i, table in {id(table): table for table, *_ in placed}.items()}
    for group, key, stand_in, number in placed:
        if now[id(group)].get(key) is stand_in:
            group[key] = number
        else:
            world.written.add((id(group), key))
    if refused:  # the function has caught it
        raise unguarded(*refused[0])


def stored(world: Any) -> tuple[list[Any], set[int]]:
    """What the function has stored (table, key, owner), and the ids of tables whose keys are there in order."""
    stores, grown, exact = list[Any](), set[int](), world.guards.identities
    for i, (table, owner) in world.open.items():
        before, after = rows_of(world.guards.kept[i][1]), rows_of(table)
        for key, now in after.items():
            old = before.get(key, MISSING)
            other = now is not old and (exact or now.__class__ is tuple or not same(now, old))
            if other or (i, key) in world.written:
                stores.append((table, key, owner))
        kept = (
            len(before) == len(after)
            if type(table) is list
            else [*map(id, after)][: len(before)] == [*map(id, before)]
        )
        if kept:
            grown.add(i)
    return stores, grown


def to_find(world: Any, stores: list[Any]) -> dict[int, Any]:
    """What it is known to set, with where it has set Tensors or numbers now; empty if there is nothing new."""
    found: dict[int, Any] = {}
    for i, rows in itertools.groupby(stores, key=lambda row: id(row[0])):
        table, before = world.open[i][0], rows_of(world.guards.kept[i][1])
        known = {*world.own(table)}
        keys = {k for _, k, _ in rows if is_key(k) and k not in known and (i, k) not in world.options}
        if keys := {k for k in keys if is_state(before.get(k), world.tables)}:
            found[i] = table, known | keys
    return found and {**world.set_in, **found}


def unread(world: Any, stores: list[Any]) -> set[tuple[int, str]]:
    """Attributes in which the function stores and that nothing reads: the id of the table, and the name."""
    printed = PLAIN if world.textual else ()
    rows = [(id(t), key) for t, key, o in stores if counts_by_name(o) and type(o) not in printed]
    every = world.may_name("replace")  # as that of dataclasses
    return {row for row in rows if not (every or world.may_name(row[1]))}


def changes(world: Any) -> list[Any]:
    """What the function has stored. RuntimeError if it has changed anything else of Python."""
    stores, grown = stored(world)
    moved = ("the options of an optimizer" for i, _ in world.options if i in world.open and i not in grown)
    if what := world.guards.changed(grown) or next(moved, ""):
        raise not_repeated(world, f"changes {what}")
    return stores


def not_repeated(world: Any, what: str) -> Exception:
    """The error for what the function does and no replay would do."""
    return RuntimeError(
        f"compile(): the function {what}, which is not part of a replay: it repeats what is done to Tensors, gradients "
        "and the state of optimizers, and what is set in attributes, dicts and lists that it reaches by name. Keep it "
        f"in one of these, write into a Tensor, as copy_() does, or do that outside (in the function at {world.home})"
    )


def unguarded(what: str, place: str) -> Exception:
    """The error for what the function reaches and no recording can guard."""
    return RuntimeError(
        f"compile(): the function {what}. A recording cannot guard that: do it outside, and pass what it gives as an "
        f"argument (at {place})"
    )


@contextlib.contextmanager
def instructions_watched(
    codes: Collection[types.CodeType], look: Callable[[types.FrameType, int], None]
) -> Iterator[None]:
    """Calls ``look`` with the frame and the offset before each instruction of these codes that this thread runs."""
    if sys.version_info >= (3, 12):
        monitoring, thread = sys.monitoring, threading.get_ident()
        event = monitoring.events.INSTRUCTION
        for tool in (4, 3, 5, 2, 1, 0):
            with contextlib.suppress(ValueError):  # in use
                monitoring.use_tool_id(tool, "minigrad.compile")
                break
        else:
            raise RuntimeError(
                "compile(): all six tools of sys.monitoring are in use, and recording needs one"
            )

        def before(code: types.CodeType, offset: int) -> None:
            if threading.get_ident() == thread:
                look(sys._getframe(1), offset)

        try:
            monitoring.register_callback(tool, event, before)
            for code in codes:
                monitoring.set_local_events(tool, code, event)
            yield
        finally:
            for code in codes:
                monitoring.set_local_events(tool, code, 0)
            monitoring.register_callback(tool, event, None)
            monitoring.free_tool_id(tool)
    else:

        def trace(frame: types.FrameType, event: str, _: Any) -> Any:
            if frame.f_code not in codes:
                return None
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
            if event == "opcode":
                look(frame, frame.f_lasti)
            return trace

        previous = sys.gettrace()
        try:
            sys.settrace(trace)
            yield
        finally:
            sys.settrace(previous)
