"""The loss of connectionist temporal classification."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from minigrad.core.op import Op
from minigrad.core.tensor import Tensor
from minigrad.errors import not_implemented_error
from minigrad.kernels import ctc as k
from minigrad.ops.reduce import sum


def _array(t: Any) -> Any:
    return t._array if isinstance(t, Tensor) else t


def _is_target(x: Any, target: Any, lengths: Any, sizes: Any, blank: int) -> None:
    for name, numbers, most in (("input", lengths, len(x)), ("target", sizes, target.shape[1])):
        for wrong in numbers[(numbers < 0) | (numbers > most)]:
            bound = "at least 0" if wrong < 0 else f"at most {most}"
            raise RuntimeError(f"Expected {name}_lengths to have value {bound}, but got value {wrong}")
    classes = target[np.arange(target.shape[1]) < sizes[:, None]]
    for wrong in classes[(classes < 0) | (classes >= x.shape[2])]:
        raise RuntimeError(f"Expected targets to be classes of log_probs, below {x.shape[2]}, got {wrong}")


def _by_x(g: object) -> NoReturn:
    raise not_implemented_error("the second derivative of ctc_loss() is not implemented, as in PyTorch")


def _by_d(g: Any, x: Any, *rest: Any, blank: int) -> Any:
    return sum(
        g * ctc_backward(np.ones(x.shape[1], _array(x).dtype), x, *rest, blank=blank),
        dim=(0, 2),
        keepdim=False,
    )


# fmt: off
ctc = Op("ctc", k.ctc, "x target lengths sizes; blank",
         lambda g, x, target, lengths, sizes, blank: ctc_backward(g, x, target, lengths, sizes, blank=blank),
         None, None, None, order="C", check=_is_target, reads="ctc_loss", usual={"blank": 0})
ctc_backward: Op = Op("ctc_backward", k.ctc_backward, "d x target lengths sizes; blank",
                      lambda g, x, target, lengths, sizes, blank: _by_d(g, x, target, lengths, sizes, blank=blank),
                      _by_x, None, None, None, order="C", raises=True, usual={"blank": 0})
# fmt: on
