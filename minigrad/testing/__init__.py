"""Checks of derivatives written by hand, for plain NumPy: `check_vjp` and `check_jvp`; and `assert_close`."""

from minigrad.gradcheck import GradcheckError, GradcheckWarning, check_jvp, check_vjp
from minigrad.hints import module_getattr
from minigrad.testing.close import assert_close

__all__ = ["GradcheckError", "GradcheckWarning", "assert_close", "check_jvp", "check_vjp"]
__all__ += module_getattr(globals(), {"make": "assert_allclose make_tensor", "numeric": "", "strategies": ""})
