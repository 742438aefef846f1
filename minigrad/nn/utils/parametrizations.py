"""Usual parametrizations: PyTorch's ``nn.utils.parametrizations``."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from minigrad.autograd import no_grad
from minigrad.core.size import Size
from minigrad.functions.creation import eye, from_numpy, zeros_like
from minigrad.functions.draws import randn
from minigrad.functions.parts import cat
from minigrad.linalg import householder_product, matrix_exp, solve
from minigrad.nn import functional as F
from minigrad.nn.conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from minigrad.nn.module import Module
from minigrad.nn.utils._weight_norm import norm_except_dim
from minigrad.nn.utils.parametrize import register_parametrization
from minigrad.tensor import Tensor

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]

M = TypeVar("M", bound=Module)
_MAPS = ("matrix_exp", "cayley", "householder")


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Splits ``module.weight`` (``name``) into a length and a direction, ``g * v / ‖v‖``; returns the module.

    ``original0`` is *g*, with a length for each index of ``dim`` (None: one for all), and ``original1`` is *v*. States
    with the older names ``weight_g`` and ``weight_v`` load too. (Salimans and Kingma, 2016.)
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def rename(state: dict[str, Any], prefix: str, *lists: Any) -> None:
        old = [f"{prefix}{name}_{letter}" for letter in "gv"]
        if all(key in state for key in old):
            for i, key in enumerate(old):
                state[f"{prefix}parametrizations.{name}.original{i}"] = state.pop(key)

    module._register_load_state_dict_pre_hook(rename)
    return module


class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return weight_v * (weight_g / norm_except_dim(weight_v, 2, self.dim))

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return norm_except_dim(weight, 2, self.dim), weight


def spectral_norm(
    module: M, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> M:
    """Divides ``module.weight`` (``name``) by its largest singular value, and returns the module.

    The weight counts as a matrix whose rows are the indices of ``dim`` (0, of transposed convolutions 1). Its singular
    vectors, buffers ``_u`` and ``_v``, are improved by ``n_power_iterations`` each time the weight is computed in
    training mode. (Miyato et al., 2018.) ValueError if there is no such Tensor.
    """
    weight = _tensor(module, name)
    if dim is None:
        dim = int(isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)))
    return register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))


class _SpectralNorm(Module):
    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        rank = weight.ndim
        if not -rank <= dim < rank:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-rank}, {rank - 1}] but got {dim})"
            )
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.dim = dim % rank
        self.eps = eps
        if rank > 1:  # a vector has a length that needs no iterations
            self.n_power_iterations = n_power_iterations
            matrix = self._reshape_weight_to_matrix(weight)
            rows, columns = (matrix.new_empty(n).normal_(0, 1) for n in matrix.shape)
            self.register_buffer("_u", F.normalize(rows, dim=0, eps=eps))
            self.register_buffer("_v", F.normalize(columns, dim=0, eps=eps))
            self._power_method(matrix, 15)

    def _reshape_weight_to_matrix(self, weight: Tensor) -> Tensor:
        return weight.movedim(self.dim, 0).flatten(1)

    def _power_method(self, weight_mat: Tensor, n_power_iterations: int) -> None:
        with no_grad():
            for _ in range(n_power_iterations):
                self._u.copy_(F.normalize(weight_mat.mv(self._v), dim=0, eps=self.eps))
                self._v.copy_(F.normalize(weight_mat.mH.mv(self._u), dim=0, eps=self.eps))

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = self._reshape_weight_to_matrix(weight)
        if self.training:
            self._power_method(matrix, self.n_power_iterations)
        # copies: the next call changes the vectors, and this one may still be differentiated
        u, v = self._u.clone(), self._v.clone()
        return weight / u.vdot(matrix.mv(v))

    def right_inverse(self, value: Tensor) -> Tensor:
        return value


def orthogonal(
    module: M, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> M:
    """Keeps ``module.weight`` (``name``), a matrix or a batch of them, orthogonal, and returns the module.

    A matrix of shape *(n, k)* has orthonormal columns, or rows, if these are fewer. ``orthogonal_map`` is
    ``"matrix_exp"`` (the default of square and complex ones) or ``"cayley"``, of a matrix that is the negative of its
    adjoint, or ``"householder"``, a product of reflections. With ``use_trivialization`` the result is multiplied by a
    fixed orthogonal matrix, the buffer ``base``, so that any orthogonal matrix may be assigned. (Lezcano-Casado, 2019.)

    ValueError if there is no such Tensor, for fewer than two dimensions, or another map, and for complex reflections.
    """
    weight = _tensor(module, name)
    if weight.ndim < 2:
        raise ValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions.")
    if orthogonal_map is None:
        orthogonal_map = (
            "matrix_exp" if weight.size(-2) == weight.size(-1) or weight.is_complex() else "householder"
        )
    if orthogonal_map not in _MAPS:
        raise ValueError(
            f'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: {orthogonal_map}'
        )
    if orthogonal_map == "householder" and weight.is_complex():
        raise ValueError("The householder parametrization does not support complex tensors.")
    function = _Orthogonal(weight.shape, orthogonal_map, use_trivialization)
    return register_parametrization(module, name, function, unsafe=True)


class _Orthogonal(Module):
    base: Tensor

    def __init__(self, shape: Size, orthogonal_map: str, use_trivialization: bool) -> None:
        super().__init__()
        self.shape = shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X: Tensor) -> Tensor:
        turned = X.size(-2) < X.size(-1)
        X = X.mT if turned else X
        n, k = X.size(-2), X.size(-1)
        if self.orthogonal_map == "householder":
            A = X.tril(-1)
            Q = householder_product(A, 2.0 / (1.0 + (A * A).sum(-2)))
            # ones and minus ones, which no gradient changes
            Q = Q * X.detach().diagonal(dim1=-2, dim2=-1).int().unsqueeze(-2)
        else:
            X = X.tril()
            if n != k:
                X = cat([X, X.new_zeros(n, n - k).expand(*X.shape[:-2], -1, -1)], dim=-1)
            A = X - X.mH
            if self.orthogonal_map == "matrix_exp":
                Q = matrix_exp(A)
            else:
                one = eye(n, dtype=A.dtype)
                Q = solve(one - 0.5 * A, one + 0.5 * A)
            Q = Q[..., :k] if n != k else Q
        if hasattr(self, "base"):
            Q = self.base @ Q
        return Q.mT if turned else Q

    def right_inverse(self, Q: Tensor) -> Tensor:
        if Q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape {Q.shape}."
            )
        with no_grad():
            wide = Q.size(-2) < Q.size(-1)
            tall = Q.mT if wide else Q
            n, k = tall.size(-2), tall.size(-1)
            if hasattr(self, "base"):
                if n != k:
                    others = randn(*tall.shape[:-2], n, n - k, dtype=tall.dtype)
                    self.base = _orthogonalized(cat([tall, others], dim=-1))
                else:
                    self.base = tall.clone() if _is_orthogonal(tall) else _orthogonalized(tall)
                # householder(-1) is 1, as the diagonal holds signs
                minus_one = zeros_like(Q)
                minus_one.diagonal(dim1=-2, dim2=-1).fill_(-1.0)
                return minus_one
            if self.orthogonal_map != "householder":
                raise NotImplementedError(
                    "It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
                    "use_trivialization=False."
                )
            A, tau = _reflections(tall)
            diagonal = A.diagonal(dim1=-2, dim2=-1)
            diagonal.sign_()
            diagonal[tau == 0.0] *= -1  # no reflection was needed
            return A.mT if wide else A


def _reflections(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """LAPACK's ``geqrf``: R above the diagonal, the reflections below it, and their factors."""
    h, tau = np.linalg.qr(matrix.detach().numpy(), mode="raw")
    return from_numpy(h.swapaxes(-1, -2).copy()), from_numpy(tau)


def _orthogonalized(matrix: Tensor) -> Tensor:
    """Q of a QR decomposition whose R has a positive diagonal."""
    A, tau = _reflections(matrix)
    return householder_product(A, tau) * A.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)


def _is_orthogonal(Q: Tensor) -> bool:
    product = (Q.mH @ Q).numpy()
    eps = 10.0 * Q.size(-2) * float(np.finfo(product.dtype).eps)
    return np.allclose(product, np.eye(Q.size(-1), dtype=product.dtype), atol=eps)


def _tensor(module: Module, name: str) -> Tensor:
    tensor = getattr(module, name, None)
    if not isinstance(tensor, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return tensor
