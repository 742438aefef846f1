"""The gamma function, its relatives, and Bessel functions, by SciPy, which is imported when one is first called."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def _scipy(name: str) -> Any:
    """A function of ``scipy.special``. ImportError where SciPy is missing."""
    try:
        from scipy import special
    except ImportError as error:
        raise ImportError(
            f"{name} of scipy.special needs SciPy (the extra `scipy`): pip install scipy"
        ) from error
    return getattr(special, name)


def _called(name: str, *operands: Any) -> Any:
    """The function in the element type of the operands."""
    return np.asarray(_scipy(name)(*operands), np.result_type(*operands))


def lgamma(x: Array) -> Any:
    y = _called("gammaln", x)
    return np.where(x == -np.inf, -x, y)  # as in C; SciPy has -inf there


def digamma(x: Array) -> Any:
    return _called("psi", x)


def polygamma(x: Array, n: int) -> Any:
    y = _scipy("polygamma")(n, x.astype(np.float64))
    # PyTorch's series is nan where it begins at infinity: from the second derivative on; the first one's at -inf.
    return np.asarray(np.where(x == (np.inf if n > 1 else -np.inf), np.nan, y), x.dtype)


def zeta(x: Any, q: Any) -> Any:
    return np.where((q == np.inf) & (np.asarray(x) > 1), np.nan, _called("zeta", x, q))  # as PyTorch


def gammainc(a: Any, x: Any) -> Any:
    return _called("gammainc", a, x)


def gammaincc(a: Any, x: Any) -> Any:
    return _called("gammaincc", a, x)


def i0(x: Array) -> Any:
    return _called("i0", x)


def i0e(x: Array) -> Any:
    return _called("i0e", x)


def i1(x: Array) -> Any:
    return _called("i1", x)


def i1e(x: Array) -> Any:
    return _called("i1e", x)


def bessel(x: Array, name: str) -> Any:
    """One of SciPy's functions; of Airy's four the first."""
    if name == "spherical_j0":
        return np.asarray(_scipy("spherical_jn")(0, x), x.dtype)
    return _called(name, x) if name != "airy" else np.asarray(_scipy("airy")(x)[0], x.dtype)
