"""PyTorch's ``torch.autograd.gradcheck``: the checks of `minigrad.gradcheck` for functions of Tensors."""

from minigrad.gradcheck import GradcheckError, GradcheckWarning, gradcheck, gradgradcheck

__all__ = ["GradcheckError", "GradcheckWarning", "gradcheck", "gradgradcheck"]
