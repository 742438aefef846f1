"""Random draws, as operations: only a recording of a whole function needs records of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core.op import Op


def _deviation(std: Any) -> Any:
    """RuntimeError if a standard deviation is negative; else that, in an array of its own."""
    if np.any(np.less(std, 0)):
        raise RuntimeError("normal expects all elements of std >= 0.0")
    return np.array(std)


# fmt: off
draw = Op("draw", lambda generator, method, arguments, options: getattr(generator, method)(*arguments, **options),
          "; generator method arguments options", draws=True, order="C")
deviation = Op("deviation", _deviation, "std", order="K")
bernoulli = Op("bernoulli", lambda p, generator: generator.bernoulli(p, p.shape, p.dtype), "p; generator",
             draws=True, order="C")
# fmt: on
