"""Which import statement runs now: its place, and whether it is a package's or the script's."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import FrameType

from minigrad.errors import INSIDE, spot


def _asking() -> tuple[str, int]:
    """The file and the line of the import statement that is being executed."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith("<frozen importlib") and not INSIDE[file]:
            return file, frame.f_lineno
        frame = frame.f_back
    return "", 0


def asked() -> str:
    """Where the import statement stands, as errors say it; empty where no file is to be had."""
    file, line = _asking()
    return file and f" (at {spot(file, line)})"


def of_a_package() -> bool:
    """Whether the import that runs now stands in an installed package, neither beside the script nor below it."""
    file = _asking()[0]
    folder = Path(os.path.abspath(file)).parent
    beside = not sys.path[0] or folder.is_relative_to(os.path.abspath(sys.path[0]))
    return bool(file) and os.path.exists(file) and ("site-packages" in folder.parts or not beside)
