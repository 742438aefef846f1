"""Random draws, as operations: only a recording of a whole function needs records of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core.op import Op


def _draw(generator: Any, method: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    return getattr(generator, method)(*arguments, **options)


def _bernoulli(p: Any, generator: Any) -> Any:
    p = np.asarray(p)  # a number would be compared with numbers of another type
    return generator.bernoulli(p, p.shape, p.dtype)


def _multinomial(weights: Any, generator: Any, num_samples: int, replacement: bool) -> Any:
    return generator.multinomial(np.asarray(weights), num_samples, replacement)


def _not_negative(std: Any) -> None:
    if np.any(np.less(std, 0)):
        raise RuntimeError("normal expects all elements of std >= 0.0")


# fmt: off
draw = Op("draw", _draw, "; generator method arguments options", draws=True,
          order="C")
deviation = Op("deviation", np.array, "std", check=_not_negative,
               order="K")
bernoulli = Op("bernoulli", _bernoulli, "p; generator", draws=True,
               raises=True,
               order="C")
multinomial = Op("multinomial", _multinomial, "weights; generator num_samples replacement", draws=True,
                 raises=True,
                 order="C")
# fmt: on
