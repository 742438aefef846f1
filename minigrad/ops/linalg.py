"""Matrix products. Batches in front broadcast; the engine sums over what was broadcast."""

from __future__ import annotations

import numpy as np

from minigrad.tape import Op

# fmt: off
matmul = Op("matmul", np.matmul, "a b", lambda g, b: g @ b.mT, lambda g, a: a.mT @ g, text="{} @ {}", onnx="MatMul")
dot    = Op("dot",    np.dot,    "a b", lambda g, b: g * b,    lambda g, a: g * a,    text="{} @ {}")
# fmt: on
