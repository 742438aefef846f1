"""The tables of operations, by family. A record is declared once; every reader of the tape uses it.

The families that are imported here are those without which no program runs. `minigrad.ops.later` lists what the others
have; a family is imported when one of its names is first asked for, and all of them when `TABLE` is asked for here.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from minigrad.core import op as _op
from minigrad.ops import elementwise as elementwise
from minigrad.ops import index as index
from minigrad.ops import later as later
from minigrad.ops import linalg as linalg
from minigrad.ops import reduce as reduce
from minigrad.ops import shape as shape

_op.RESERVED.update(name for names in later.OPS.values() for name in names.split())

if TYPE_CHECKING:
    from minigrad.core.op import TABLE as TABLE
else:

    def __getattr__(name):
        if name == "TABLE":
            for family in later.OPS:
                import_module(f"minigrad.ops.{family}")
            return _op.TABLE
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
