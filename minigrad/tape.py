"""The tape, for those who read it or declare operations: what `minigrad.core` offers, in one place."""

from minigrad.core.apply import apply as apply
from minigrad.core.mode import MODE as MODE
from minigrad.core.mode import Mode as Mode
from minigrad.core.node import Const as Const
from minigrad.core.node import Node as Node
from minigrad.core.node import tape as tape
from minigrad.core.op import TABLE as TABLE
from minigrad.core.op import Op as Op
