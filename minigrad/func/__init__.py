"""Transforms of functions: ``grad``, ``vjp``, ``jvp``, ``jacrev``, ``hessian``, ``vmap``, ..., as in ``torch.func``.

Arguments and results are trees: tuples (also named ones), lists and dicts of Tensors, nested at will.  A gradient has
the structure of its arguments; a Jacobian has that of the output, with that of the arguments in each place.  Inputs
need not require grad, are not changed, and no ``.grad`` is touched.  Transforms nest to any depth.

*How they nest.*  A function runs on leaves of its own.  Afterwards each of them is tied to the argument it stands
for (it becomes an ``alias`` of it), if that one belongs to another graph: an outer transform's or the user's.  So an
inner derivative never mistakes an outer variable for its own, and an outer one sees through it.  As in PyTorch, a
transform records also under ``no_grad``, but then its results are constants.
"""

from minigrad.func.batching import vmap
from minigrad.func.modules import functional_call, replace_all_batch_norm_modules_, stack_module_state
from minigrad.func.transforms import (
    grad,
    grad_and_value,
    hessian,
    jacfwd,
    jacrev,
    jvp,
    linearize,
    value_and_grad,
    vjp,
)  # fmt: skip
from minigrad.hints import module_getattr

__all__ = [
    "functional_call", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize",
    "replace_all_batch_norm_modules_", "stack_module_state", "value_and_grad", "vjp", "vmap",
]  # fmt: skip
module_getattr(globals())
