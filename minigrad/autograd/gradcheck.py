"""PyTorch's ``torch.autograd.gradcheck``: the checks of `minigrad.gradcheck` for functions of Tensors."""

from typing import TYPE_CHECKING

from minigrad.hints import missing

__all__ = ["GradcheckError", "GradcheckWarning", "gradcheck", "gradgradcheck"]

if TYPE_CHECKING:
    from minigrad.gradcheck import GradcheckError, GradcheckWarning, gradcheck, gradgradcheck
else:

    def __getattr__(name):
        if name in __all__:
            from minigrad import gradcheck

            return getattr(gradcheck, name)
        raise missing(__name__, name)
