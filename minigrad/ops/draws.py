"""Random draws, as operations: only a recording of a whole function needs records of them."""

from __future__ import annotations

from minigrad.tape import Op

# fmt: off
draw = Op("draw", lambda generator, method, arguments, options: getattr(generator, method)(*arguments, **options),
          "; generator method arguments options")
bernoulli = Op("bernoulli", lambda p, generator: generator.bernoulli(p, p.shape, p.dtype), "p; generator")
# fmt: on
