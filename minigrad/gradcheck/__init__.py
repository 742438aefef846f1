"""Gradient checks: derivatives by rules, or written by hand, against measured ones.

`minigrad.testing` and `minigrad.autograd` are the doors for users.  What runs a check (`plain` for functions of arrays,
`checking` for functions of Tensors) is loaded by the first one: it is not needed to import minigrad.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from minigrad.gradcheck.outcome import GradcheckError, GradcheckWarning

if TYPE_CHECKING:
    from minigrad.core.tensor import Tensor

__all__ = ["GradcheckError", "GradcheckWarning", "check_jvp", "check_vjp", "gradcheck", "gradgradcheck"]


def check_vjp(
    f: Callable[..., Any],
    vjp: Callable[..., Any],
    args: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-6,
    rtol: float = 1e-5,
    nondet_tol: float = 0.0,
    fast_mode: bool = False,
    seed: int = 0,
    cotangent: str | None = None,
    raise_exception: bool = True,
) -> bool:
    """Compares a backward pass written by hand with central differences: ``f(*args)``, ``vjp(*args, cotangent)``.

    The float arrays (and floats) in ``args`` are checked, also inside tuples, lists and dicts; anything else is
    passed on.  ``vjp`` gets the gradient of what f returns, in f's structure, and returns a gradient per
    argument: a tuple, or for a single argument just the gradient; None stands for zeros.  The arguments are
    never written to.

    ``cotangent`` says where vjp takes it: ``"last"``, ``"first"``, or ``"only"``, for the ``vjp(cotangent)`` of a
    layer that keeps what it needs (f was last called at the same point).  By default it is the last argument, or the
    only one, or the first where the others are called as those of f.  Tolerances are those of a float64 function with
    values around 1, tight enough that a relative error of 1e-4 does not pass.  True, or GradcheckError with a report
    (False without ``raise_exception``).  TypeError for Tensors: those are for `gradcheck`.
    """
    from minigrad.gradcheck import plain

    settings = (eps, rtol, atol, nondet_tol, fast_mode, seed)
    return plain.check(plain.Vjp, f, vjp, args, settings, cotangent, raise_exception)


def check_jvp(
    f: Callable[..., Any],
    jvp: Callable[..., Any],
    args: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-6,
    rtol: float = 1e-5,
    nondet_tol: float = 0.0,
    fast_mode: bool = False,
    seed: int = 0,
    tangent: str | None = None,
    raise_exception: bool = True,
) -> bool:
    """As `check_vjp`, for a derivative in the direction of the inputs: ``jvp(*args, tangent)``.

    ``tangent`` is one array for a single argument, otherwise a tuple with one entry per argument, None for those
    that are not floats; ``jvp`` returns the change of what f returns, in f's structure.  The option ``tangent`` says
    where jvp takes it, as ``cotangent`` does there.
    """
    from minigrad.gradcheck import plain

    settings = (eps, rtol, atol, nondet_tol, fast_mode, seed)
    return plain.check(plain.Jvp, f, jvp, args, settings, tangent, raise_exception)


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
    require grad are checked; of complex numbers both parts.  An element passes if
    ``|analytic - numeric| <= atol + rtol |numeric|``, which is
    PyTorch's rule and, by its defaults, lets an error of a thousandth pass: what passes with an error that
    measuring cannot explain gives a `GradcheckWarning`, and ``rtol=1e-5, atol=1e-7`` refuses it.  A failure
    raises `GradcheckError` with a report, or returns False without ``raise_exception``.  ``seed`` is that of
    all random vectors.  Gradients always have their input's dtype and no Tensor is sparse, so
    ``check_grad_dtypes`` and ``masked`` change nothing.

    On a Tensor, NumPy's functions record minigrad's own derivatives, and a backward pass written by hand beside them
    is not called.  So a function of NumPy's functions does not pass: `minigrad.testing.check_vjp` checks it.
    ``allow_numpy`` says that minigrad's derivatives are meant.
    """
    from minigrad.gradcheck import checking
    from minigrad.gradcheck.arguments import of_parts

    checking.check_options(
        check_forward_ad, check_backward_ad, check_batched_grad, check_batched_forward_grad
    )
    settings = (eps, rtol, atol, nondet_tol, fast_mode, seed)
    subject = checking.function(*of_parts(func, inputs), allow_numpy)
    return checking.run(subject, settings, check_undefined_grad, raise_exception)


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
    from minigrad.gradcheck import checking
    from minigrad.gradcheck.arguments import of_parts

    if not (check_fwd_over_rev or check_rev_over_rev):
        raise ValueError("Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True")
    if check_undefined_grad and not check_rev_over_rev:
        raise ValueError("Setting check_undefined_grad=True requires check_rev_over_rev to be True")
    checking.check_options(check_fwd_over_rev, check_rev_over_rev, check_batched_grad, False)
    settings = (eps, rtol, atol, nondet_tol, fast_mode, seed)
    func, inputs = of_parts(func, inputs)
    subject = checking.gradients(func, inputs, grad_outputs, seed, gen_non_contig_grad_outputs, allow_numpy)
    return checking.run(subject, settings, check_undefined_grad, raise_exception)
