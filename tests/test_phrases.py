"""PyTorch's sentences for common mistakes: what people look up, and what tests match."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.nn import functional as F


class _Twice(mg.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: mg.Tensor) -> mg.Tensor:
        return x * 2


class _Saves(mg.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: mg.Tensor) -> mg.Tensor:
        ctx.save_for_backward(x, 1)
        return x * 2


WORLD = {"mg": mg, "nn": nn, "F": F, "np": np, "Decimal": Decimal, "Twice": _Twice, "Saves": _Saves}
WORLD |= {"X": mg.ones(2, 3), "V": mg.ones(3), "LONG": mg.arange(3)}
USUAL = "mat1 and mat2 shapes cannot be multiplied"
SIZES = "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension"
LEAF = "a leaf Variable that requires grad is being used in an in-place operation"

# Of each the program, and a part of what PyTorch says; W requires grad.
ROWS = [
    ("X @ X", f"{USUAL} (2x3 and 2x3)"),
    ("mg.ones(2, 4, 3) @ mg.ones(2, 3)", f"{USUAL} (8x3 and 2x3)"),
    ("X @ mg.ones(2)", "size mismatch, got input (2), mat (2x3), vec (2)"),
    ("mg.ones(2, 4, 3) @ mg.ones(2)", "size mismatch, got input (8), mat (8x3), vec (2)"),
    ("mg.mm(V, X)", "self must be a matrix"),
    ("mg.mm(X, V)", "mat2 must be a matrix"),
    ("mg.bmm(X, X)", "batch1 must be a 3D tensor"),
    ("mg.mm(X, V)", "of shape [3]; use @"),
    ("mg.mv(X, X)", "vector + matrix @ vector expected, got 1, 2, 2: [2, 3] and [2, 3]; use @"),
    ("mg.dot(X, V)", "1D tensors expected, but got 2D and 1D tensors: [2, 3] and [3]; use @"),
    ("mg.outer(X, V)", "outer: Expected 1-D argument self, but got 2-D"),
    ("nn.Linear(3, 2)(X.double())", "mat1 and mat2 must have the same dtype, but got Double and Float"),
    ("F.linear(X, X, mg.ones(2).double())", "self and mat2 must have the same dtype, but got Double and Float"),
    ("F.linear(X, X, mg.ones(2).double())", "convert the bias with .to(float32)"),
    ("X[None] @ X[None]", "Expected size for first two dimensions of batch2 tensor to be: [1, 3] but got: [1, 2]"),
    ("V @ mg.ones(2, 4, 3)", "Expected size for first two dimensions of batch2 tensor to be: [2, 3] but got: [2, 4]"),
    ("mg.ones(3, 2, 4) @ mg.ones(4, 3, 2)", f"{SIZES} 0"),
    ("nn.Conv2d(1, 1, 1)(mg.ones(1, 1, 2, 2).byte())", "Input type (unsigned char) and bias type (float)"),
    ("V.masked_fill(LONG, 0)", "but got mask with dtype long int; use .bool()"),
    ("F.layer_norm(LONG, (3,))", "not implemented for 'Long'"),
    ("F.dropout(LONG)", "result type Float can't be cast to the desired output type Long"),
    ("mg.binomial(LONG, LONG)", "binomial only supports floating-point dtypes for count, got: Long"),
    ("F.grid_sample(X[None, None], mg.ones(1, 1, 1, 2).double(), align_corners=True)", "for the grid; use grid.to("),
    ("X @ X.T.double()", "expected m1 and m2 to have the same dtype, but got: float != double"),
    ("nn.Conv1d(2, 1, 1)(X.double())", "Input type (double) and bias type (float) should be the same"),
    ("V + mg.ones(4)", f"{SIZES} 0"),
    ("V.clone().copy_(mg.ones(4))", f"{SIZES} 0"),
    ("F.cosine_similarity(X, mg.ones(2, 4))", f"{SIZES} 1"),
    ("mg.allclose(V, mg.ones(4))", f"{SIZES} 0"),
    ("mg.allclose(V, V.double())", "Float did not match Double"),
    ("LONG.add_(0.5)", "result type Float can't be cast to the desired output type Long"),
    ("mg.add(V, 1, out=LONG)", "result type Float can't be cast to the desired output type Long"),
    ("F.softmax(LONG, 0)", "not implemented for 'Long'"),
    ("V.long() | V", "not implemented for 'Float'"),
    ("mg.bincount(V)", "\"bincount_cpu\" not implemented for 'Float'"),
    ("LONG.std()", "std and var only support floating point and complex dtypes"),
    ("V.masked_fill(V, 0)", "only supports boolean masks, but got mask with dtype float"),
    ("mg.complex(V, V.double())", "Expected object of scalar type Float but got scalar type Double for second"),
    ("F.cross_entropy(X, mg.ones(2))", "expected target dtype to be Long or Byte, but got Float"),
    ("F.binary_cross_entropy(X, X.long())", "Found dtype Long but expected Float"),
    ("mg.cat([])", "expected a non-empty list of Tensors"),
    ("mg.stack([])", "stack expects a non-empty TensorList"),
    ("mg.tensor(1.0)[0:1]", "slice() cannot be applied to a 0-dim tensor."),
    ("X[LONG[:2], LONG]", "shape mismatch: indexing tensors could not be broadcast together with shapes [2], [3]"),
    ("X.index_select(0, LONG)", "index out of range in self"),
    ("X.index_copy(0, LONG[:1], V)", "Source dimensionality (1), destination dimensionality (2)"),
    ("X.gather(1, X)", "gather(): Expected dtype int32/int64 for index"),
    ("mg.tensor([[1, 2], [3]])", "expected sequence of length 2 at dim 1 (got 1)"),
    ("mg.tensor([[[1], [2, 3]]])", "expected sequence of length 1 at dim 2 (got 2)"),
    ("mg.tensor(Decimal(1))", "Could not infer dtype of Decimal"),
    ("mg.tensor([Decimal(1)])", "give a dtype of floats, or use float()"),
    ("mg.tensor([[Decimal(1), None]], dtype=mg.float32)", "a Tensor holds numbers, got NoneType None in a list"),
    ("mg.tensor([1, 'a'])", "new(): invalid data type 'str'"),
    ("mg.from_numpy(np.array([None]))", "can't convert np.ndarray of type numpy.object_"),
    ("mg.einsum('ijk->i', X)", "(3) does not match the number of dimensions (2) for operand 0 and no ellipsis"),
    ("mg.einsum('ij,jk', X, X)", "has size 2 for operand 1 which does not broadcast with previously seen size 3"),
    ("mg.set_default_dtype(mg.int32)", "only floating-point types are supported as the default type"),
    ("mg.randint(5, 5, (2,))", "random_ expects 'from' to be less than 'to', but got from=5 >= to=5"),
    ("W[0].add_(1)", f"a view of {LEAF}"),
    ("W.__setitem__(0, 1)", f"a view of {LEAF}"),
    ("W.__setitem__((0, LONG[:1]), 1)", f"a view of {LEAF}"),
    ("W.add_(1)", LEAF),
    ("mg.autograd.grad(V.sum(), V)", "element 0 of tensors does not require grad and does not have a grad_fn"),
    ("mg.autograd.grad(W.sum(), V)", "One of the differentiated Tensors does not require grad"),
    (
        "mg.autograd.grad(W.sum(), [W, W * 1])",
        "The differentiated Tensor at index 1 appears to not have been used in the graph. Set allow_unused=True",
    ),
    ("W.exp().backward(V)", "Mismatch in shape: grad_output[0] has a shape of [3] and output[0] has a shape of [2, 3]"),
    ("setattr(W, 'requires_grad', 1)", "requires_grad must be a bool"),
    ("setattr(W, 'grad', V)", "attempting to assign a gradient of size '[3]' to a tensor of size '[2, 3]'. Please"),
    ("setattr(W, 'grad', X.double())", "assign a gradient with dtype 'double' to a tensor with grad_dtype 'Float'"),
    ("Twice.apply(W).sum().backward()", "You must implement either the backward or vjp method for your custom"),
    ("mg.autograd.Function.apply(V)", "You must implement the forward function for custom autograd.Function"),
    ("Saves.apply(W)", "save_for_backward can only save variables, but argument 1 is of type int"),
]  # fmt: skip


@pytest.mark.parametrize(("program", "says"), ROWS, ids=[program for program, _ in ROWS])
def test_mistakes_are_told_in_pytorch_s_words(program: str, says: str) -> None:
    W = mg.ones(2, 3, requires_grad=True)
    with pytest.raises((RuntimeError, TypeError, ValueError, IndexError)) as told:
        eval(program, {**WORLD, "W": W})
    assert says in str(told.value)
