"""Complex numbers: their parts, their angles, and the discrete Fourier transform.

The gradient of a complex number is PyTorch's: its real part is the slope along the real axis, its imaginary part that
along the imaginary one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core.basic import conj, real
from minigrad.core.op import Array, Op
from minigrad.core.text import Call, Helper, Text
from minigrad.dtypes import complex_of, real_of
from minigrad.kernels import fourier as k
from minigrad.kernels.fourier import OTHER
from minigrad.ops.elementwise import abs as size_of
from minigrad.ops.elementwise import eq, sgn, square, where
from minigrad.ops.reads import by_frequencies

__all__ = ["angle", "as_complex", "as_real", "c2c", "c2r", "conj", "imag", "pair", "r2c", "real", "sgn"]


def _pair(a: Array, b: Array) -> Array:
    y = np.empty(np.broadcast_shapes(np.shape(a), np.shape(b)), complex_of(np.result_type(a, b)))
    y.real, y.imag = a, b
    return y


def _as_complex(x: Array) -> Array:
    lies = x.strides[-1] == x.itemsize
    return (x if lies else np.ascontiguousarray(x)).view(complex_of(x.dtype))[..., 0]


def _pair_text(v: Call) -> Text:
    lines = ("y = np.empty({shape}, {dtype})", "y.real, y.imag = a, b", "return y")
    return "{f}({}, {})", {"f": Helper("_pair", "a, b", lines, {"shape": v.shape, "dtype": v.dtype})}


def _as_complex_text(v: Call) -> Text:
    if v.by_rows(0):
        return "{}.view({dtype})[..., 0]", {"dtype": v.dtype}
    lines = ("lies = x.strides[-1] == x.itemsize", "x = x if lies else np.ascontiguousarray(x)",
             "return x.view({dtype})[..., 0]")  # fmt: skip
    return "{f}({})", {"f": Helper("_as_complex", "x", lines, {"dtype": v.dtype})}


def _angle_vjp(g: Any, x: Any) -> Any:
    none = eq(x, 0)
    return where(none, 0.0, g * (x * 1j / square(where(none, 1.0, size_of(x)))))


# fmt: off
imag: Op = Op("imag", lambda x: x.imag, "x", lambda g: g * 1j, view=True, complex="own", text="{}.imag", order="K",
              batch="leading")
pair: Op = Op("pair", _pair, "a b", lambda g: real(g), lambda g: imag(g), cast="floats", complex="own",
              elementwise=True, new=True, text=_pair_text, grad_fn="ComplexBackward0")
as_real: Op = Op("as_real", lambda x: x[..., None].view(real_of(x.dtype)), "x", lambda g: as_complex(g), view=True,
                 complex="own", text=lambda v: ("{}[..., np.newaxis].view({dtype})", {"dtype": v.dtype}),
                 grad_fn="ViewAsRealBackward0", batch="leading")
as_complex: Op = Op("as_complex", _as_complex, "x", lambda g: as_real(g), view=True, complex="own",
                    text=_as_complex_text, grad_fn="ViewAsComplexBackward0", batch="leading")
angle: Op = Op("angle", np.angle, "x", _angle_vjp,
               complex="own", elementwise=True, new=True)

# Fourier transforms; the adjoint of each is one of them
c2c: Op = Op("c2c", k.c2c, "x; dims norm inverse last",
             lambda g, dims, norm, inverse: c2c(g, dims=dims, norm=OTHER[norm], inverse=not inverse, last=()),
             complex="analytic", order="A", new=True, grad_fn="FftC2CBackward0",
             reads=lambda n: "ifft" if n.params["inverse"] else "fft",
             usual={"norm": "backward", "inverse": ..., "last": ...}, batch="dims")
r2c: Op = Op("r2c", k.r2c, "x; dim norm twice",
             lambda g, x_shape, dim, norm, twice: c2r(
                 g, dim=dim, size=x_shape[dim], norm=OTHER[norm], half=not twice),
             complex="analytic", order="A", new=True, grad_fn="FftR2CBackward0",
             reads="rfft", usual={"norm": "backward"}, derives={"x": by_frequencies}, batch="dims")
c2r: Op = Op("c2r", k.c2r, "x; dim size norm half",
             lambda g, dim, norm, half: r2c(g, dim=dim, norm=OTHER[norm], twice=not half),
             complex="analytic", order="A", new=True, grad_fn="FftC2RBackward0",
             reads="irfft", usual={"norm": "backward"}, derives={"x": by_frequencies}, batch="dims")
# fmt: on
