"""Random draws, as operations: only a recording of a whole function needs records of them."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from minigrad.core.op import Op
from minigrad.errors import BadValue, not_implemented_error
from minigrad.kernels import implicit
from minigrad.ops import reduce
from minigrad.ops.elementwise import underived, zero


def _draw(generator: Any, method: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    return getattr(generator, method)(*arguments, **options)


def _bernoulli(p: Any, generator: Any) -> Any:
    p = np.asarray(p)  # a number would be compared with numbers of another type
    return generator.bernoulli(p, p.shape, p.dtype)


def _multinomial(weights: Any, generator: Any, num_samples: int, replacement: bool) -> Any:
    return generator.multinomial(np.asarray(weights), num_samples, replacement)


def _normal(mean: Any, std: Any, generator: Any) -> Any:
    if np.iscomplexobj(std):
        raise BadValue("normal expects standard deviation to be non-complex")
    if np.any(np.less(std, 0)):
        raise BadValue("normal expects all elements of std >= 0.0")
    arrays = np.ndarray, np.generic  # numbers of NumPy, as a reduction gives them in a plan
    kind = next(x.dtype for x in (mean, std) if isinstance(x, arrays))
    shape = np.broadcast_shapes(np.shape(mean), np.shape(std))
    if not isinstance(std, arrays):
        return (generator.normal(shape, kind, 0.0, std) + mean).astype(kind, "C")
    return (generator.normal(shape, kind) * std + mean).astype(kind, "C")


def _of(method: str) -> Any:
    """A kernel that draws by a method of the generator."""

    def kernel(*arguments: Any, generator: Any) -> Any:
        return getattr(generator, method)(*(np.asarray(x) for x in arguments))

    kernel.__name__ = method
    return kernel


def _slopes(x: Any, generator: Any, lower: float, upper: float) -> Any:
    """1; where x is not positive a number between the bounds, drawn in float64, as PyTorch does, for these alone."""
    below = x <= 0
    y = np.ones(x.shape, x.dtype)
    y[below] = generator.uniform((int(below.sum()),), np.float64) * (upper - lower) + lower
    return y


def _no_second(g: object) -> NoReturn:
    raise not_implemented_error(
        "the derivative of the gradient of a drawn gamma or Dirichlet number is not implemented"
    )


def _flat(g: Any) -> Any:
    return zero(g)


def _dirichlet_vjp(g: Any, alpha: Any, y: Any) -> Any:
    total = reduce.sum(alpha, dim=(-1,), keepdim=True)
    return dirichlet_slope(y, alpha, total) * (g - reduce.sum(g * y, dim=(-1,), keepdim=True))


# fmt: off
gamma_slope = Op("gamma_slope", implicit.gamma_slope, "a x", _no_second, _no_second, new=True, order="C")
dirichlet_slope = Op("dirichlet_slope", implicit.dirichlet_slope, "x a total", _no_second, _no_second, _no_second,
                     new=True, order="C")
standard_gamma = Op("standard_gamma", _of("standard_gamma"), "alpha; generator",
                    lambda g, alpha, y: g * gamma_slope(alpha, y), draws=True, raises=True, order="C")
dirichlet = Op("dirichlet", _of("dirichlet"), "alpha; generator", _dirichlet_vjp, draws=True, raises=True, order="C")
poisson = Op("poisson", _of("poisson"), "rate; generator", _flat, draws=True, raises=True, order="C")
binomial = Op("binomial", _of("binomial"), "count prob; generator", underived("binomial"), underived("binomial"),
              draws=True, raises=True, order="C")
draw = Op("draw", _draw, "; generator method arguments options", draws=True,
          order="C")
normal = Op("normal", _normal, "mean std; generator", _flat, _flat, draws=True, raises=True, order="C", typed=True,
            complex="own")
bernoulli = Op("bernoulli", _bernoulli, "p; generator", _flat, draws=True, raises=True, order="C", typed=True)
slopes = Op("slopes", _slopes, "x; generator lower upper", draws=True, order="C")
multinomial = Op("multinomial", _multinomial, "weights; generator num_samples replacement", draws=True,
                 raises=True, order="C")
# fmt: on
