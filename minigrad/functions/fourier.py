"""Discrete Fourier transforms, as ``torch.fft`` has them, and those of pieces of a signal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from minigrad import dtypes
from minigrad.core.apply import apply, cast
from minigrad.core.quiet import QUIET
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.types import Dim
from minigrad.device import DeviceLike, check_device
from minigrad.dtypes import DTypeLike
from minigrad.errors import runtime_error, warn_once
from minigrad.functions.arranged import roll
from minigrad.functions.complex import conj, view_as_real
from minigrad.functions.creation import ones
from minigrad.functions.dims import one_dim
from minigrad.functions.images import pad
from minigrad.gate import case, public
from minigrad.kernels.fourier import OTHER
from minigrad.ops import complex as ops
from minigrad.ops import strided

FFT = (
    "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "hfft2", "hfftn", "ifft", "ifft2", "ifftn", "ifftshift",
    "ihfft", "ihfft2", "ihfftn", "irfft", "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq", "rfftn",
)  # fmt: skip
__all__ = ["istft", "stft"]
Norm: TypeAlias = "str | None"


# ---------------------------------------------------------------- what transforms share


def _floats(name: str, x: Tensor, complex: bool | None) -> Tensor:
    """The input as numbers that can be transformed: real ones, complex ones, or (None) either."""
    kind = x._array.dtype
    if short := dtypes.short_name(kind):
        raise runtime_error(f"Unsupported dtype {short}; convert it with .float()")
    if complex is False and kind.kind == "c":
        raise runtime_error(f"{name} expects a real input tensor, but got {x.dtype}")
    kind = kind if kind.kind in "fcV" else dtypes.default_float()
    return cast(x, dtypes.complex_of(kind) if complex else kind)


def _norm(norm: str | None) -> Any:
    if norm not in (None, *OTHER):
        raise runtime_error(f'Invalid normalization mode: "{norm}"')
    return norm or "backward"


def _dims(x: Tensor, s: Any, dim: Any) -> tuple[list[int], list[int | None]]:
    """The dimensions, counted from the front, and to which size each is cut or filled up."""
    ndim = x._array.ndim
    sizes = None if s is None else [s] if isinstance(s, int) else [*s]
    given = None if dim is None else [dim] if isinstance(dim, int) else [*dim]
    if given is None:
        given = [*range(ndim)] if sizes is None else [*range(ndim - len(sizes), ndim)]
    if sizes is not None and len(sizes) > ndim:
        raise runtime_error(
            f"Got shape with {len(sizes)} values but input tensor only has {ndim} dimensions."
        )
    if sizes is not None and len(sizes) != len(given):
        raise runtime_error("When given, dim and shape arguments must have the same length")
    dims = [one_dim(d, ndim) for d in given]
    if len({*dims}) < len(dims):
        raise runtime_error("FFT dims must be unique")
    return dims, [None] * len(dims) if sizes is None else [None if n == -1 else n for n in sizes]


def _resized(x: Tensor, dims: list[int], sizes: Sequence[int | None]) -> Tensor:
    """The input, cut off or filled up with zeros at the end of dimensions."""
    for d, n in zip(dims, sizes, strict=True):
        have = x._array.shape[d]
        n = have if n is None else n
        if n < 1:
            raise runtime_error(f"Invalid number of data points ({n}) specified")
        if n < have:
            x = x.narrow(d, 0, n)
        elif n > have:
            x = pad(x, [0, 0] * (x._array.ndim - 1 - d) + [0, n - have])
    return x


def _c2c(x: Tensor, dims: list[int], norm: Any, inverse: bool, last: tuple[int, ...] = ()) -> Tensor:
    if not dims:
        return x
    return apply(ops.c2c, (x,), {"dims": tuple(dims), "norm": norm, "inverse": inverse, "last": last})


def _complex(name: str, x: Tensor, s: Any, dim: Any, norm: Norm, inverse: bool) -> Tensor:
    dims, sizes = _dims(x, s, dim)
    return _c2c(_resized(_floats(name, x, True), dims, sizes), dims, _norm(norm), inverse)


def _to_half(name: str, x: Tensor, s: Any, dim: Any, norm: Any, inverse: bool) -> Tensor:
    """Of real numbers: the first half along the last of the dimensions, then the others."""
    norm = OTHER[_norm(norm)] if inverse else _norm(norm)
    x = _floats(name, x, False)
    dims, sizes = _dims(x, s, dim)
    if not dims:
        raise runtime_error(f"{name} must transform at least one axis")
    x = _resized(x, dims, sizes)
    half = apply(ops.r2c, (x,), {"dim": dims[-1], "norm": norm, "twice": False})
    if inverse:
        return _c2c(conj(half), dims[:-1], OTHER[norm], True)
    return _c2c(half, dims[:-1], norm, False, (dims[-1],))


def _from_half(name: str, x: Tensor, s: Any, dim: Any, norm: Any, forward: bool) -> Tensor:
    """Real numbers from the half of their transform along the last of the dimensions."""
    norm = OTHER[_norm(norm)] if forward else _norm(norm)
    x = _floats(name, x, True)
    dims, sizes = _dims(x, s, dim)
    if not dims:
        raise runtime_error(f"{name} must transform at least one axis")
    last = sizes[-1] if sizes[-1] is not None else 2 * (x._array.shape[dims[-1]] - 1)
    if last < 1:
        raise runtime_error(f"Invalid number of data points ({last}) specified")
    x = _resized(x, dims, [*sizes[:-1], last // 2 + 1])
    x = _c2c(x, dims[:-1], OTHER[norm] if forward else norm, not forward)
    params = {"dim": dims[-1], "size": last, "norm": norm, "half": False}
    return apply(ops.c2r, (conj(x) if forward else x,), params)


# ---------------------------------------------------------------- the transforms

_KINDS = {
    "fft": (_complex, False), "ifft": (_complex, True), "rfft": (_to_half, False), "ihfft": (_to_half, True),
    "irfft": (_from_half, False), "hfft": (_from_half, True),
}  # fmt: skip


def _transform(name: str, x: Tensor, s: Any, dim: Any, norm: Norm) -> Tensor:
    kind, other = _KINDS[name.rstrip("2n")]
    return kind(name, x, s, dim, norm, other)


def _in_one(name: str, input: Tensor, n: int | None = None, dim: int = -1, norm: Norm = None) -> Tensor:
    if n == -1:  # which stands for all of them only where there are several dimensions
        raise runtime_error("Invalid number of data points (-1) specified")
    return _transform(name, input, n, dim, norm)


def _in_two(name: str, input: Tensor, s: Dim = None, dim: Dim = (-2, -1), norm: Norm = None) -> Tensor:
    return _transform(name, input, s, dim, norm)


def _in_all(name: str, input: Tensor, s: Dim = None, dim: Dim = None, norm: Norm = None) -> Tensor:
    return _transform(name, input, s, dim, norm)


fft = case(_in_one, "fft", """
    The transform along ``dim``: ``sum(x[t] * exp(-2j * pi * k * t / n))`` for k = 0 to n - 1, complex.

    The input is cut off or filled up with zeros to ``n``.  ``norm`` tells where it is divided: "backward" (the
    inverse by n), "forward" (the transform by n), or "ortho" (both by the root of n).
    """)  # fmt: skip
ifft = case(_in_one, "ifft", "The inverse of `fft`.")
rfft = case(
    _in_one, "rfft", "The first ``n // 2 + 1`` numbers of `fft` of real ones; the others are conjugates."
)
irfft = case(_in_one, "irfft", "The inverse of `rfft`: ``n`` real numbers, by default an even number.")
hfft = case(_in_one, "hfft", """
    The real transform of a signal of which ``input`` is the first half; the other is its conjugate.
    """)  # fmt: skip
ihfft = case(_in_one, "ihfft", "The inverse of `hfft`.")
fft2 = case(_in_two, "fft2", "`fft` along two dimensions.")
ifft2 = case(_in_two, "ifft2", "The inverse of `fft2`.")
rfft2 = case(_in_two, "rfft2", "`rfft` along the last of two dimensions, `fft` along the other.")
irfft2 = case(_in_two, "irfft2", "The inverse of `rfft2`.")
hfft2 = case(_in_two, "hfft2", "`hfft` along the last of two dimensions, `fft` along the other.")
ihfft2 = case(_in_two, "ihfft2", "The inverse of `hfft2`.")
fftn = case(
    _in_all, "fftn", "`fft` along all dimensions, those of ``dim``, or as many of the last as in ``s``."
)
ifftn = case(_in_all, "ifftn", "The inverse of `fftn`.")
rfftn = case(_in_all, "rfftn", "`rfft` along the last of the dimensions, `fft` along the others.")
irfftn = case(_in_all, "irfftn", "The inverse of `rfftn`.")
hfftn = case(_in_all, "hfftn", "`hfft` along the last of the dimensions, `fft` along the others.")
ihfftn = case(_in_all, "ihfftn", "The inverse of `hfftn`.")


# ---------------------------------------------------------------- frequencies and their order


def _frequencies(
    turns: Callable[[int], Any], n: int, d: float = 1.0, *, dtype: DTypeLike | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    if n < 0:
        raise runtime_error(f"Trying to create tensor with negative dimension {n}: [{n}]")
    check_device(device)
    kind = dtypes.default_float() if dtype is None else dtypes.as_numpy(dtype)
    # As PyTorch: whole numbers, times a number that is rounded once.
    values = np.rint(turns(n or 1) * n).astype(kind)[: n if turns is np.fft.fftfreq else None]
    values = QUIET.run(np.multiply, values, kind.type(QUIET.run(np.divide, 1.0, n * d)))
    return wrap(values.astype(kind)).requires_grad_(requires_grad)


_DOC = "The frequencies of what `{}` gives for ``n`` points at distances ``d``, in cycles per unit of ``d``."
fftfreq = case(_frequencies, "fftfreq", _DOC.format("fft"), np.fft.fftfreq)
rfftfreq = case(_frequencies, "rfftfreq", _DOC.format("rfft"), np.fft.rfftfreq)


def _shifted(way: int, input: Tensor, dim: Dim = None) -> Tensor:
    given = range(input._array.ndim) if dim is None else [dim] if isinstance(dim, int) else dim
    dims = [one_dim(d, input._array.ndim) for d in given]
    sizes = [input._array.shape[d] for d in dims]
    return roll(input, [n // 2 if way > 0 else (n + 1) // 2 for n in sizes], dims)


fftshift = case(_shifted, "fftshift", "The frequency 0 moved to the middle of the dimensions.", 1)
ifftshift = case(_shifted, "ifftshift", "The inverse of `fftshift`.", -1)


# ---------------------------------------------------------------- pieces of a signal


def _window(name: str, window: Tensor | None, n_fft: int, win_length: int | None, like: Tensor) -> Tensor:
    """The weights of a piece, with zeros at both sides up to ``n_fft``."""
    length = n_fft if win_length is None else win_length
    if not 0 < length <= n_fft:
        raise runtime_error(f"{name}: expected 0 < win_length <= n_fft, but got win_length={length}")
    if window is None:
        warn_once(
            "A window was not provided. A rectangular window will be applied, which is known to cause spectral "
            "leakage; give window=hann_window(n_fft), or ones(n_fft) without this warning."
        )
        window = ones(length, dtype=dtypes.real_of(like._array.dtype))
    if window._array.shape != (length,):
        raise runtime_error(
            f"{name}: expected a 1D window tensor of size equal to win_length={length}, but got window with size "
            f"{list(window._array.shape)}"
        )
    left = (n_fft - length) // 2
    return pad(window, [left, n_fft - length - left]) if length < n_fft else window


def stft(
    input: Tensor, n_fft: int, hop_length: int | None = None, win_length: int | None = None,
    window: Tensor | None = None, center: bool = True, pad_mode: str = "reflect", normalized: bool = False,
    onesided: bool | None = None, return_complex: bool | None = None, align_to_window: bool | None = None,
) -> Tensor:  # fmt: skip
    """The transforms of overlapping pieces of a signal (time) or (batch, time): ([batch,] frequency, piece).

    A piece has ``n_fft`` points, ``hop_length`` (a quarter of it) behind the one before, times ``window`` (of
    ``win_length`` points, in the middle).  With ``center`` the signal is extended by half a piece at both ends, by
    ``pad_mode``.  ``onesided`` leaves out the conjugates of a real signal; ``normalized`` divides by the root of
    ``n_fft``.  Without ``return_complex`` parts stand along a last dimension.
    """
    name = "stft()"
    hop = n_fft // 4 if hop_length is None else hop_length
    is_real = input._array.dtype.kind != "c" and (window is None or window._array.dtype.kind != "c")
    if return_complex is None:
        if is_real:
            raise runtime_error(
                "stft requires the return_complex parameter be given for real inputs; give True"
            )
        return_complex = True
    if not return_complex:
        warn_once(
            "stft with return_complex=False is deprecated. In a future pytorch release, stft will return complex "
            "tensors for all inputs, and return_complex=False will raise an error."
        )
    if align_to_window is not None and center:
        raise runtime_error("stft align_to_window should only be set when center = false.")
    if input._array.dtype.kind not in "fcV":
        raise runtime_error(
            f"{name}: expected a tensor of floating point or complex values, got {input.dtype}"
        )
    x = _floats("stft", input, None)
    if x._array.ndim not in (1, 2):
        raise runtime_error(f"{name}: expected a 1D or 2D tensor, but got {x._array.ndim}D")
    flat = x._array.ndim == 1
    x = x.unsqueeze(0) if flat else x
    if hop <= 0:
        raise runtime_error(f"{name}: expected hop_length > 0, but got hop_length={hop}")
    weights = _window(name, window, n_fft, win_length, x)
    if center:
        half = n_fft // 2
        x = pad(x, [half, half], mode=pad_mode)
    if not 0 < n_fft <= x._array.shape[1]:
        raise runtime_error(f"{name}: expected 0 < n_fft <= {x._array.shape[1]}, but got n_fft={n_fft}")
    pieces = apply(strided.sliding, (x,), {"dim": 1, "size": n_fft, "step": hop}) * weights
    norm = "ortho" if normalized else "backward"
    if is_real and onesided is not False:
        y = rfft(pieces, norm=norm)
    elif onesided:
        raise runtime_error("Cannot have onesided output if window or input is complex")
    else:
        y = fft(pieces, norm=norm)
    y = y.transpose(1, 2)
    y = y.squeeze(0) if flat else y
    return y if return_complex else view_as_real(y)


def istft(
    input: Tensor, n_fft: int, hop_length: int | None = None, win_length: int | None = None,
    window: Tensor | None = None, center: bool = True, normalized: bool = False, onesided: bool | None = None,
    length: int | None = None, return_complex: bool = False,
) -> Tensor:  # fmt: skip
    """The signal of which ``input`` ([batch,] frequency, piece) is the `stft`, ``length`` points of it.

    Pieces are added, weighted by the window, over the sum of its squares.  RuntimeError where that is 0 somewhere.
    """
    name = "istft()"
    if input._array.dtype.kind != "c":
        raise runtime_error(
            "istft requires a complex-valued input tensor matching the output from stft with return_complex=True."
        )
    hop = n_fft // 4 if hop_length is None else hop_length
    length_of_window = n_fft if win_length is None else win_length
    if not 0 < hop <= length_of_window:
        raise runtime_error(f"{name}: expected 0 < hop_length <= win_length, but got hop_length={hop}")
    if input._array.ndim not in (2, 3) or not input._array.size:
        raise runtime_error(
            f"{name}: expected a non-empty tensor with 2 or 3 dimensions, got {list(input._array.shape)}"
        )
    flat = input._array.ndim == 2
    x = (input.unsqueeze(0) if flat else input).transpose(1, 2)
    half = n_fft // 2 + 1
    one = x._array.shape[2] == half != n_fft if onesided is None else onesided
    if x._array.shape[2] != (half if one else n_fft):
        raise runtime_error(
            f"{name}: expected the frequency dimension (3rd to the last) of the input tensor to match "
            f"{'n_fft / 2 + 1 when onesided=True' if one else 'n_fft when onesided=False'}, but got {x._array.shape[2]}"
        )
    if return_complex and one:
        raise runtime_error("Cannot have onesided output if window or input is complex")
    weights = _window(name, window, n_fft, win_length, x)
    norm = "ortho" if normalized else "backward"
    # A real signal has a spectrum whose second half mirrors the first: that half decides, as in PyTorch.
    pieces = ifft(x, norm=norm) if return_complex else irfft(x[..., :half], n_fft, norm=norm)
    count = x._array.shape[1]
    total = n_fft + hop * (count - 1)
    added = _added(pieces * weights, (x._array.shape[0], total), hop)
    square = (weights * weights).unsqueeze(0).unsqueeze(0)
    envelope = _added(square.expand(1, count, n_fft), (1, total), hop)
    start = n_fft // 2 if center else 0
    stop = start + length if length is not None else total - n_fft // 2 if center else total
    added, envelope = (t[:, start : min(stop, total)] for t in (added, envelope))
    least = np.abs(envelope._array).min(initial=np.inf)
    if not least > 1e-11:
        raise runtime_error(
            f"{name}: window overlap add min: {least}; the window leaves points without weight"
        )
    y = added / envelope
    if stop > total:
        warn_once(
            "The length of signal is shorter than the length parameter. Result is being padded with zeros in the tail."
        )
        y = pad(y, [0, stop - total])
    return y.squeeze(0) if flat else y


def _added(pieces: Tensor, shape: tuple[int, int], hop: int) -> Tensor:
    """Pieces (batch, piece, point), added where they overlap."""
    return apply(strided.sliding_back, (pieces,), {"shape": shape, "dim": 1, "step": hop})


METHODS = "istft stft"
public(globals(), FFT, home="minigrad.fft")
public(globals(), __all__, home="minigrad")
