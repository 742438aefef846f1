"""`gradcheck` and `gradgradcheck`: the tape's derivatives against measured ones. See `minigrad.testing`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minigrad.core.tensor import Tensor
from minigrad.testing import GradcheckError, GradcheckWarning

__all__ = ["GradcheckError", "GradcheckWarning", "gradcheck", "gradgradcheck"]


def gradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
    seed: int = 0,
    allow_numpy: bool = False,
) -> bool:
    """Compares gradients with central differences, at every element or (``fast_mode``) along random vectors.

    ``func(*inputs)`` returns Tensors, alone or in tuples, lists and dicts; so may the inputs be.  Those that
    require grad are checked.  An element passes if ``|analytic - numeric| <= atol + rtol |numeric|``, which is
    PyTorch's rule and, by its defaults, lets an error of a thousandth pass: what passes with an error that
    measuring cannot explain gives a `GradcheckWarning`, and ``rtol=1e-5, atol=1e-7`` refuses it.  A failure
    raises `GradcheckError` with a report, or returns False without ``raise_exception``.  ``seed`` is that of
    all random vectors.  Gradients always have their input's dtype and no Tensor is sparse, so
    ``check_grad_dtypes`` and ``masked`` change nothing.

    A backward pass written by hand beside a NumPy function is not what a Tensor runs: NumPy's functions record
    minigrad's own derivatives on it.  So a function of NumPy's functions, or with such a backward pass, does not
    pass: `minigrad.testing.check_vjp` checks it.  ``allow_numpy`` says that minigrad's derivatives are meant.
    """
    from minigrad.autograd import checking  # only now: it is not needed to import minigrad
    from minigrad.testing import numeric

    checking.options(check_forward_ad, check_backward_ad, check_batched_grad, check_batched_forward_grad)
    s = numeric.Settings(eps, rtol, atol, nondet_tol, fast_mode, seed)
    what = checking.function(func, inputs, allow_numpy)
    return checking.run(what, s, check_undefined_grad, raise_exception)


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    grad_outputs: Tensor | Sequence[Tensor] | None = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
    seed: int = 0,
    allow_numpy: bool = False,
) -> bool:
    """`gradcheck` of the gradients: as functions of ``inputs`` and ``grad_outputs`` (random ones if None)."""
    from minigrad.autograd import checking
    from minigrad.testing import numeric

    if not (check_fwd_over_rev or check_rev_over_rev):
        raise ValueError("Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True")
    if check_undefined_grad and not check_rev_over_rev:
        raise ValueError("Setting check_undefined_grad=True requires check_rev_over_rev to be True")
    checking.options(check_fwd_over_rev, check_rev_over_rev, check_batched_grad, False)
    s = numeric.Settings(eps, rtol, atol, nondet_tol, fast_mode, seed)
    what = checking.gradients(func, inputs, grad_outputs, s, gen_non_contig_grad_outputs, allow_numpy)
    return checking.run(what, s, check_undefined_grad, raise_exception)
