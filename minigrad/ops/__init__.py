"""The tables of operations, by family. A record is declared once; every reader of the tape uses it."""

from minigrad.core.op import TABLE as TABLE
from minigrad.ops import draws as draws
from minigrad.ops import elementwise as elementwise
from minigrad.ops import index as index
from minigrad.ops import linalg as linalg
from minigrad.ops import nn as nn
from minigrad.ops import reduce as reduce
from minigrad.ops import shape as shape
