"""The instructions of a function that reach what a recording cannot guard, and how they are watched."""

from __future__ import annotations

import builtins
import contextlib
import sys
import threading
import types
from collections.abc import Callable, Collection, Iterator
from operator import attrgetter
from typing import Any

from minigrad.compiler.guards import MISSING
from minigrad.compiler.kinds import REFLECTION, SECRET, both
from minigrad.readers.places import instructions


def suspects_in(
    world: Any, code: types.CodeType, space: dict[str, Any], cells: dict[str, Any]
) -> dict[int, Any]:
    """What must not be reached, by the instruction of a code object that reaches it; opaque defaults too."""
    rows: dict[int, Any] = {}
    module: Any = None
    reflects = not REFLECTION.isdisjoint(code.co_names)
    defaults = world.defaults.get(code, {})
    local: dict[str, Any] = {}
    listed = instructions(code)
    for i, (offset, operation, name) in enumerate(listed):
        reason = ""
        value: Any = MISSING
        if asks(operation, name) and not asks_for_a_constant(listed, i):
            asked = (
                module if name == "__dict__" else _next_module(listed[i + 1 : i + 12], space, cells, local)
            )
            if asked is not None or world.hidden:
                what = f"the module {asked.__name__}" if asked is not None else world.hidden
                rows[offset] = f"{name}, which may reach {what}"
                module = None
                continue
        if operation == "LOAD_CONST" and reflects and isinstance(name, str):
            reason = world.refused_names.get(name, "")
        elif operation in LOCAL and (known := [n for n in both(name) if n in defaults]):
            rows[offset] = [(n, *defaults[n]) for n in known]
            continue
        elif operation in ("LOAD_ATTR", "LOAD_METHOD"):
            if module is not None:
                value = vars(module).get(name, MISSING)
            reason = world.refused_names.get(name, "") if module is None or name in SECRET else ""
        elif operation == "IMPORT_NAME" and name not in sys.modules:
            reason = f"the module {name}, which is not yet imported"
        else:
            value = loaded(operation, name, space, cells, local)
        if value is not MISSING:
            what = world.follow(value, name)
            reason = what and (what if what.startswith(("the ", f"{name}(")) else f"{name}, {what}")
        if reason:
            rows[offset] = reason
        if operation == "STORE_FAST" and isinstance(module, types.ModuleType):
            local[name] = module
        if operation not in ("PUSH_NULL", "CACHE", "PRECALL"):
            module = value if isinstance(value, types.ModuleType) else None
    return rows


def _next_module(rows: Any, space: Any, cells: Any, local: Any) -> Any:
    """The module that the next instructions load, if they do."""
    module: Any = None
    for _, operation, name in rows:
        if operation in ("PUSH_NULL", "CACHE", "PRECALL"):
            continue
        if isinstance(module, types.ModuleType):
            if operation not in ("LOAD_ATTR", "LOAD_METHOD"):
                return module
            module = vars(module).get(name)
        else:
            module = loaded(operation, name, space, cells, local)
    return None


@contextlib.contextmanager
def instructions_watched(
    codes: Collection[types.CodeType], look: Callable[[types.FrameType, int], None]
) -> Iterator[None]:
    """Calls ``look`` with the frame and the offset before each instruction of these codes that this thread runs."""
    if sys.version_info >= (3, 12):
        monitoring, thread = sys.monitoring, threading.get_ident()
        event = monitoring.events.INSTRUCTION
        tool = next((i for i in (4, 3, 5, 2, 1, 0) if _takes(i)), None)
        if tool is None:
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


def _takes(tool: int) -> bool:
    """Whether a number of a tool that monitors was free; it is taken then."""
    try:
        sys.monitoring.use_tool_id(tool, "minigrad.compile")  # type: ignore[attr-defined, unused-ignore]
    except ValueError:
        return False
    return True


_dict_of, _mro_of = attrgetter("__dict__"), attrgetter("__mro__")


LOCAL = (
    "LOAD_FAST",
    "LOAD_FAST_CHECK",
    "LOAD_FAST_LOAD_FAST",
    "LOAD_DEREF",
    "LOAD_CLOSURE",
    "STORE_FAST_LOAD_FAST",
)
LOADS = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_ATTR", "LOAD_METHOD", "LOAD_FROM_DICT_OR_GLOBALS")


def asks(operation: str, name: Any) -> bool:
    """Whether an instruction loads what may ask for any attribute."""
    return operation in LOADS and name in REFLECTION


def loaded(
    operation: str, name: Any, space: dict[str, Any], cells: dict[str, Any], local: dict[str, Any]
) -> Any:
    """What an instruction loads by a name; MISSING if that is not known."""
    if operation in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"):
        return space.get(name, getattr(builtins, name, MISSING))
    if operation in ("LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF"):
        return cells.get(name, MISSING)
    if operation == "IMPORT_NAME":
        return sys.modules.get(name, MISSING)
    return local.get(name, MISSING) if operation == "LOAD_FAST" else MISSING


def asks_for_a_constant(rows: list[tuple[int, str, Any]], i: int) -> bool:
    """Whether what an instruction loads asks for constant names: ``getattr(a.b, "c")``, ``copy.copy(a)``."""
    name = rows[i][2]
    if name in ("copy", "fields"):  # modules and attributes have these names too
        return rows[i][1] in ("LOAD_ATTR", "LOAD_METHOD")
    if name not in ("getattr", "hasattr"):
        return False
    seen = [(operation, value) for _, operation, value in rows[i + 1 : i + 16] if operation not in SKIPPED]
    k = 0
    while k < len(seen) and seen[k][0].startswith(
        ("LOAD_FAST", "LOAD_DEREF", "LOAD_GLOBAL", "LOAD_NAME", "LOAD_ATTR")
    ):
        k += 1
    constant = k and k < len(seen) and seen[k][0] == "LOAD_CONST" and isinstance(seen[k][1], str)
    rest = [operation for operation, _ in seen[k + 1 : k + 3]]
    return bool(constant) and any(operation.startswith("CALL") for operation in rest)


SKIPPED = ("PUSH_NULL", "CACHE", "PRECALL", "EXTENDED_ARG")
