"""Checks of derivatives written by hand, for plain NumPy: `check_vjp` and `check_jvp`."""

from minigrad.gradcheck import GradcheckError, GradcheckWarning, check_jvp, check_vjp

__all__ = ["GradcheckError", "GradcheckWarning", "check_jvp", "check_vjp"]
