"""Texts of errors: places in the user's code, and sentences that name shapes and what to try."""

from __future__ import annotations

import contextlib
import copy
import functools
import os
import re
import sys
import types
import warnings
from collections.abc import Sequence
from types import CodeType, FrameType
from typing import Any

import numpy as np

# ---------------------------------------------------------------- the user's place

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_NUMPY = os.path.dirname(os.path.abspath(np.__file__)) + os.sep


class _Inside(dict[str, bool]):
    """Whether a file belongs to the package, remembered by its name."""

    def __missing__(self, file: str) -> bool:
        # Code that was typed in (<stdin>, <string>) is not a file, whatever the working directory is.
        inside = self[file] = not file.startswith("<") and _absolute(file).startswith(_PACKAGE)
        return inside


def _absolute(file: str) -> str:
    try:
        return os.path.abspath(file)
    except OSError:  # the working directory is gone
        return file


def of_python(file: str) -> bool:
    """Whether a file stands in the folders of Python's own library. In a browser most of that lies in an archive."""
    import sysconfig  # here: it takes time, and few programs ask

    paths = sysconfig.get_paths()
    folders = os.path.dirname(types.__file__), paths["stdlib"], paths["platstdlib"]
    return _absolute(file).startswith(tuple(folder + os.sep for folder in folders))


# Where the functions stand that users call; what has another place may call functions of the user's.
_ROOMS = tuple(os.path.join(_PACKAGE, room) for room in ("functions", "nn", "linalg.py", "tensor", "optim"))
# What calls functions of the package for the user, such as `with` and `deepcopy`, has no place of the user's either,
# nor has what begins a thread.
_THREADS = [
    os.path.join(os.path.dirname(copy.__file__), *f)
    for f in (["threading.py"], ["concurrent", "futures", "thread.py"])
]
INSIDE = _Inside(dict.fromkeys((contextlib.__file__, copy.__file__, functools.__file__, *_THREADS), True))


def user_frame() -> FrameType | None:
    """The innermost frame outside the package, and outside of NumPy, which may call it; None if there is none."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and (INSIDE[name := frame.f_code.co_filename] or name.startswith(_NUMPY)):
        frame = frame.f_back
    return frame


def here() -> tuple[CodeType | None, int]:
    """The user's place now, as a node keeps it."""
    frame = user_frame()
    return (None, -1) if frame is None else (frame.f_code, frame.f_lasti)


class BadValue(Exception):
    """What the check of an operation says of values, in the words of the error that a user gets, and its kind."""

    def __init__(self, message: str, kind: type[Exception] = RuntimeError) -> None:
        super().__init__(message)
        self.kind = kind


class LinAlgError(RuntimeError):
    """A matrix is singular, not positive-definite, or otherwise not what a function of linear algebra needs."""

    __module__ = "minigrad.linalg"


def runtime_error(message: str) -> RuntimeError:
    """A RuntimeError whose message ends with the user's file and line, and what was called there."""
    return RuntimeError(_placed(message))


def type_error(message: str) -> TypeError:
    """A TypeError whose message ends with the user's file and line, and what was called there."""
    return TypeError(_placed(message))


def index_error(message: str) -> IndexError:
    """An IndexError whose message ends with the user's file and line, and what was called there."""
    return IndexError(_placed(message))


def value_error(message: str) -> ValueError:
    """A ValueError whose message ends with the user's file and line, and what was called there."""
    return ValueError(_placed(message))


def not_implemented_error(message: str) -> NotImplementedError:
    """A NotImplementedError whose message ends with the user's file and line, and what was called there."""
    return NotImplementedError(_placed(message))


def overflow_error(message: str) -> OverflowError:
    """An OverflowError whose message ends with the user's file and line, and what was called there."""
    return OverflowError(_placed(message))


def assertion_error(message: str) -> AssertionError:
    """An AssertionError whose message ends with the user's file and line, and what was called there."""
    return AssertionError(_placed(message))


def _placed(message: str) -> str:
    """A message with the user's place, and what is called there."""
    return f"{message} (at {place(*here())}{_within(message)})"


def _within(message: str) -> str:
    """``, in softmax``: the function or module that the user's line calls; "" where the message names it."""
    frames: list[FrameType] = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and INSIDE[frame.f_code.co_filename]:
        frames.append(frame)
        frame = frame.f_back
    called = next(filter(None, map(_public, reversed(frames))), "")
    return "" if not called or re.search(rf"\b{called}\b", message, re.IGNORECASE) else f", in {called}"


def _public(frame: FrameType) -> str:
    """What users call the function that a frame runs; "" where it is no public one."""
    code = frame.f_code
    name, of_module = code.co_name, code.co_name in ("__init__", "forward")
    if not code.co_filename.startswith(_ROOMS):
        return ""
    if of_module and code.co_varnames[:1] == ("self",):
        cls = type(frame.f_locals["self"])
        # A row of modules says less than the one in it.
        known = (
            str(cls.__module__).startswith("minigrad.")
            and cls.__name__[0] != "_"
            and cls.__name__ != "Sequential"
        )
        return str(cls.__name__) if known else ""
    method = code.co_varnames[:1] in (("self",), ("input",)) and hasattr(sys.modules["minigrad"].Tensor, name)
    gated = hasattr(frame.f_globals.get(name), "__wrapped__") and name not in ("getitem", "setitem")
    return name if (method or gated) and name[0] != "_" else ""


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """A warning at the user's line, however many functions of the package lie between."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and INSIDE[frame.f_code.co_filename]:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


TOLD: set[str] = set()


def warn_once(message: str) -> None:
    """As `warn`, but once in a process, as PyTorch warns of what is deprecated."""
    if message not in TOLD:
        TOLD.add(message)
        warn(message)


# ---------------------------------------------------------------- texts


def line_of(code: CodeType | None, lasti: int) -> int | None:
    """The line of an instruction."""
    if code is None:
        return None
    for start, end, line in code.co_lines():
        if start <= lasti < end:
            return line
    return code.co_firstlineno


def place(code: CodeType | None, lasti: int) -> str:
    """``file.py:12``, or ``cell 3, line 1`` in a notebook."""
    line = line_of(code, lasti)
    return "unknown place" if code is None or line is None else spot(code.co_filename, line)


def spot(file: str, line: int) -> str:
    """A line of a file, which is relative to the working directory where that is shorter, or of a notebook's cell."""
    cell = _cell(file)
    if cell is not None:
        return f"cell {cell}, line {line}"
    if os.path.isabs(file):
        with contextlib.suppress(ValueError, OSError):  # on another drive; no working directory
            file = min(file, os.path.relpath(file), key=len)
    return f"{file}:{line}"


def _cell(file: str) -> str | None:
    """The number of the cell that code comes from: in its file's name, or known to IPython."""
    number = re.match(r"<ipython-input-(\d+)-", file)
    if number is None and "IPython" in sys.modules:
        with contextlib.suppress(Exception):  # versions differ, and there may be no shell
            label = sys.modules["IPython"].get_ipython().compile.format_code_name(file)  # ("Cell", "In[3]")
            number = re.fullmatch(r"In\[(\d+)\]", label[1])
    return number[1] if number else None


def describe(t: Any) -> str:
    """An operand in an error: its shape and dtype, or the number itself."""
    array = getattr(t, "_array", t)
    if not hasattr(array, "shape"):
        return repr(t)
    name = getattr(t, "name", None)
    text = f"{list(array.shape)} {array.dtype}"
    return f"{name} {text}" if isinstance(name, str) else text


def explain(
    op: Any,
    operands: Sequence[Any],
    error: Exception,
    at: tuple[CodeType | None, int],
    cause: Exception | None,
) -> Exception:
    """PyTorch's kind of exception for what a kernel raised, with shapes, place and what to try."""
    # A generator's, for an element type or bounds; an optional package that is missing; another's.
    drawn = op.draws and isinstance(error, RuntimeError)
    if drawn or isinstance(error, (NotImplementedError, ImportError)) or not _a_kernels(error):
        return error
    said = _explained(op, operands, error, at)
    said.__cause__ = cause
    return said


def _explained(
    op: Any, operands: Sequence[Any], error: Exception, at: tuple[CodeType | None, int]
) -> Exception:
    where = place(*at)
    if isinstance(error, BadValue):
        return error.kind(f"{error} (at {where})")
    texts = " and ".join(describe(t) for t in operands)
    shapes = [t._array.shape for t in operands if hasattr(t, "_array")]
    message = str(error)
    if isinstance(error, np.linalg.LinAlgError):
        return LinAlgError(f"{message} (operands: {texts}; at {where})")
    kind: type[Exception] = IndexError if isinstance(error, IndexError) else RuntimeError  # PyTorch's kinds
    if op.cast in ("bits", "shifts") and isinstance(error, TypeError):
        kind, message = NotImplementedError, "not implemented for floats; convert with .int() first"
    if message.startswith("shape mismatch: indexing arrays"):
        sizes = ", ".join(f"[{s}]" for s in re.findall(r"\(([\d, ]*?),?\)", message))
        message = f"shape mismatch: indexing tensors could not be broadcast together with shapes {sizes}"
    if isinstance(error, ValueError) and (op.elementwise or op.parts):
        message = clash(shapes) or message
    name = _called(op)
    text = message if message.startswith(f"{name} ") else f"{name}: {message}"
    within = _within(f"{text} {op.public}")
    return kind(f"{text} (operands: {texts}; at {where}{within})")


def _a_kernels(error: Exception) -> bool:
    """Whether kernels raise it: the handler of a signal may run within one, and raise what the program catches."""
    home = type(error).__module__.partition(".")[0]
    return home in ("builtins", "numpy", "scipy", "minigrad") and not (
        isinstance(error, OSError) or type(error) is Exception
    )


def _called(op: Any) -> str:
    """The name of an op; where that is not public, of the outermost function that leads to it."""
    if op.public:
        return str(op.name)
    name, frame = op.name, sys._getframe(1)
    while (back := frame.f_back) is not None and INSIDE[(code := back.f_code).co_filename]:
        if code.co_filename.startswith(_ROOMS) and code.co_name[0] != "_" and code.co_name in back.f_globals:
            name = code.co_name
        frame = back
    return str(name)


def clash(shapes: Sequence[tuple[int, ...]]) -> str | None:
    """Which sizes, the first from the right, keep shapes from broadcasting; None where they do."""
    rank = max(map(len, shapes), default=0)
    for back in range(1, rank + 1):
        sizes = [s[-back] for s in shapes if len(s) >= back]
        big = [n for n in sizes if n != 1]
        if len(set(big)) > 1:
            other = next(n for n in big if n != big[0])
            return (
                f"The size of tensor a ({big[0]}) must match the size of tensor b ({other}) at non-singleton "
                f"dimension {rank - back}; use unsqueeze() or reshape() so that the dimensions line up from the right"
            )
    return None


def changed_in_place(node: Any, array: Any, change: Any) -> RuntimeError:
    """A saved array was written to between forward and backward."""
    op = node.op.name if node.op else "leaf"
    return RuntimeError(
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"{op} at {node.where} saved an array of shape {list(array.shape)}, which was changed in place at "
        f"{place(change.last.code, change.last.lasti)}. Use an operation out of place there, or clone() "
        "before it; where an optimizer takes a step there, compute the result again after it."
    )


CARRIED = ", or detach() what one step of a loop passes to the next"


def freed(node: Any, reader: str = "") -> RuntimeError:
    """A second backward, or what a ``reader`` does, through a graph whose arrays are gone."""
    op = node.op.name if node.op else "leaf"
    first = f"Call {reader} before it, or pass" if reader else "Pass"
    return RuntimeError(
        "Trying to backward through the graph a second time: the arrays saved by "
        f"{op} at {node.where} were freed by the backward pass at {place(node.saved.code, node.saved.lasti)}. "
        f"{first} retain_graph=True to that one if you need both{'' if reader else CARRIED}."
    )


def no_result(reader: str, value: object) -> TypeError:
    """A reader of the tape was given something else than a Tensor."""
    hint = ""
    if hasattr(value, "forward"):
        hint = f"; a network has a tape when it is called: {reader}(net(x), net)"
    elif isinstance(value, (int, float, np.ndarray)):
        hint = "; what .item() or .numpy() returns has no tape, the Tensor itself has"
    return type_error(f"{reader}() takes a Tensor, got {type(value).__name__}{hint}")
