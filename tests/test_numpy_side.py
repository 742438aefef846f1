"""NumPy's functions on Tensors: recorded where they mean the same, and refused where they do not."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.autograd import gradcheck

RNG = np.random.default_rng(3)
A = RNG.normal(size=(3, 4))
B = RNG.normal(size=(3, 4))
SQUARE = RNG.normal(size=(3, 3)) + 3 * np.eye(3)
CUBE = RNG.normal(size=(2, 3, 4))
V = RNG.normal(size=4)
ORDER = np.argsort(B, axis=1)

# Of floats, with a gradient by each of the arrays.
SMOOTH: dict[str, tuple[Callable[..., Any], tuple[np.ndarray, ...]]] = {
    "sum": (lambda a: (np.sum(a), np.sum(a, axis=1, keepdims=True), np.sum(a, (0, 1))), (A,)),
    "mean": (lambda a: (np.mean(a), np.mean(a, 0)), (A,)),
    "var": (lambda a: (np.var(a), np.var(a, axis=1, ddof=1)), (A,)),
    "std": (lambda a: (np.std(a), np.std(a, 0, keepdims=True), np.std(a, axis=1, ddof=1)), (A,)),
    "prod": (lambda a: (np.prod(a), np.prod(a, 1), np.prod(a, axis=(0, 1), keepdims=True)), (A,)),
    "max": (lambda a: (np.max(a), np.amax(a, axis=1), np.max(a, (0, 1), keepdims=True)), (A,)),
    "min": (lambda a: (np.min(a), np.amin(a, 1), np.ptp(a, axis=0)), (A,)),
    "nansum": (lambda a: (np.nansum(a), np.nanmean(a, axis=0)), (A,)),
    "median": (lambda a: (np.median(a), np.median(a, 0), np.median(a, axis=1, keepdims=True)), (A,)),
    "no axes": (lambda a: (np.sum(a, axis=()), np.max(a, ()), np.mean(a, (), keepdims=True), np.prod(a, ())), (A,)),
    "quantile": (lambda a: (np.quantile(a, 0.3, axis=1), np.percentile(a, [20, 50])), (A,)),
    "average": (
        lambda a: (np.average(a), np.average(a, 1, weights=[1, 2, 3, 0.5]), np.average(a, weights=B + 9)),
        (A,),
    ),
    "trapezoid": (lambda a: (np.trapezoid(a), np.trapezoid(a, [1.0, 2.0, 4.0], axis=0)), (A,)),
    "cumsum": (lambda a: (np.cumsum(a), np.cumsum(a, axis=1)), (A,)),
    "cumprod": (lambda a: (np.cumprod(a), np.cumprod(a, 0)), (A,)),
    "diff": (lambda a: (np.diff(a), np.diff(a, n=2), np.diff(a, axis=0)), (A,)),
    "sort": (lambda a: (np.sort(a), np.sort(a, axis=0, kind="stable"), np.sort(a, None)), (A,)),
    "concatenate": (lambda a, b: (np.concatenate([a, b]), np.concatenate((a, b), axis=None)), (A, B)),
    "stack": (lambda a, b: (np.stack([a, b], axis=-1), np.vstack([a, b]), np.hstack([a, b])), (A, B)),
    "dstack": (lambda a, b: (np.dstack([a, b]), np.column_stack([a, b]), np.append(a, b)), (A, B)),
    "stacks of rows": (lambda v: (np.vstack([v, v]), np.hstack([v, v]), np.column_stack([v, v])), (V,)),
    "split": (lambda a: (*np.split(a, 2, axis=1), *np.array_split(a, 3, 1), *np.split(a, [1, 3], 1)), (A,)),
    "splits": (lambda a: (*np.hsplit(a, 2), *np.vsplit(a, [1]), *np.dsplit(a, 2)), (CUBE[:, :2],)),
    "where": (lambda a, b: (np.where(a > 0, a, b), np.where(A > 0, a, 0.0), np.where(a > 0, B, b)), (A, B)),
    "clip": (lambda a: (np.clip(a, -0.5, 0.5), np.clip(a, 0, None), np.clip(a, B - 1, B)), (A,)),
    "dot": (lambda a, v: (np.dot(a, v), np.dot(v, v), np.dot(a, a.T), np.dot(a, 2.0)), (A, V)),
    "dot of more": (lambda a, b: (np.dot(a, b), np.matmul(a, b)), (A[:, :3], CUBE)),
    "inner": (lambda a, v: (np.inner(a, v), np.inner(a, a), np.inner(v, v), np.vdot(v, v)), (A, V)),
    "outer": (lambda a, v: (np.outer(a, v), np.kron(a, v[:2])), (A[:2, :2], V)),
    "tensordot": (lambda a, c: (np.tensordot(a, c, axes=([0, 1], [1, 2])), np.tensordot(a, a, 2)), (A, CUBE)),
    "einsum": (lambda a, c: np.einsum("ij,kij->k", a, c), (A, CUBE)),
    "cross": (lambda a: np.cross(a, B[:, :3]), (A[:, :3],)),
    "trace": (lambda a: (np.trace(a), np.trace(a, offset=1), np.diagonal(a, 1), np.diag(a)), (SQUARE,)),
    "diag": (lambda v: (np.diag(v), np.diag(v, k=1)), (V,)),
    "tril": (lambda a: (np.tril(a), np.triu(a, k=1)), (A,)),
    "reshape": (lambda a: (np.reshape(a, (2, 6)), np.reshape(a, -1), np.ravel(a)), (A,)),
    "transpose": (lambda c: (np.transpose(c), np.transpose(c, (1, 0, 2)), np.swapaxes(c, 0, 2)), (CUBE,)),
    "moveaxis": (lambda c: (np.moveaxis(c, 0, -1), np.expand_dims(c, (0, -1)), np.rot90(c)), (CUBE,)),
    "squeeze": (lambda c: (np.squeeze(c[:1]), np.squeeze(c[:1], axis=0)), (CUBE,)),
    "broadcast_to": (lambda v: (np.broadcast_to(v, (2, 4)), *np.broadcast_arrays(v, A)), (V,)),
    "tile": (lambda a: (np.tile(a, 2), np.tile(a, (2, 1, 1)), np.repeat(a, 2), np.repeat(a, 2, 1)), (A[:2],)),
    "flip": (lambda a: (np.flip(a), np.flip(a, 0), np.fliplr(a), np.flipud(a)), (A,)),
    "roll": (lambda a: (np.roll(a, 1), np.roll(a, (1, 2), axis=(0, 1))), (A,)),
    "take": (lambda a: (np.take(a, [0, -1]), np.take(a, [[0, 2]], axis=1)), (A,)),
    "take_along_axis": (lambda a: np.take_along_axis(a, ORDER - 2, axis=1), (A,)),
    "norm": (lambda a: (np.linalg.norm(a), np.linalg.norm(a, axis=1), np.linalg.norm(a, ord=1)), (A,)),
    "det": (lambda a: (np.linalg.det(a), np.linalg.inv(a), np.linalg.matrix_power(a, 2)), (SQUARE,)),
    "norms": (lambda a: (np.linalg.vector_norm(a, axis=1), np.linalg.matrix_norm(a), np.linalg.norm(a, 2)), (A,)),
    "factors": (
        lambda a: (np.linalg.svd(a, compute_uv=False), *(abs(x) for x in np.linalg.qr(a)), np.linalg.eigvalsh(a + a.T)),
        (SQUARE @ SQUARE.T,),
    ),
    "solve": (lambda a, b: np.linalg.solve(a, b), (SQUARE, A)),
    "nan_to_num": (lambda a: (np.nan_to_num(a), np.copy(a), np.round(a)), (A,)),
    "pad": (
        lambda a: (np.pad(a, 1), np.pad(a, ((0, 1), (2, 0)), constant_values=3.0), np.pad(a, 2, mode="edge")),
        (A,),
    ),
    "pad more": (
        lambda a: (np.pad(a, 2, "reflect"), np.pad(a, 1, "symmetric"), np.pad(a, 4, "wrap")),
        (A,),
    ),
    "meshgrid": (
        lambda v: (*np.meshgrid(v, [1.0, 2.0]), *np.meshgrid(v, V, indexing="ij"), *np.meshgrid(v, V, sparse=True)),
        (V,),
    ),
    "numbers": (
        lambda a: (np.sum(a, np.int64(0)), np.max(a, axis=np.int64(1)), np.std(a, np.int64(0))),
        (A,),
    ),
    "numbers of parts": (
        lambda a: (*np.array_split(a, np.int64(2)), *np.split(a, np.int64(3)), *np.split(a, np.array([1]))),
        (A,),
    ),
    "numbers of sizes": (
        lambda a: (np.tile(a, np.int64(2)), np.broadcast_to(a, np.array((2, *A.shape)))),
        (A,),
    ),
    "triangles of rows": (lambda v: (np.tril(v), np.triu(v, 1)), (V,)),
    "atleast": (lambda v: (np.atleast_1d(v[0]), np.atleast_2d(v), np.atleast_3d(v), *np.atleast_1d(v, v[0])), (V,)),
}  # fmt: skip
# Without a gradient.
FLAT: dict[str, Callable[[Any], Any]] = {
    "argmax": lambda a: (np.argmax(a), np.argmin(a, axis=1), np.argmax(a, 0, keepdims=True)),
    "any": lambda a: (np.any(a > 1), np.all(a > -9, axis=0), np.all(a, keepdims=True)),
    "argsort": lambda a: (np.argsort(a), np.argsort(a, axis=0), np.argsort(a, None)),
    "isclose": lambda a: (np.isclose(a, A + 1e-9), np.isclose(a, 0)),
    "asks": lambda a: (np.allclose(a, A), np.array_equal(a, A), np.array_equal(a, A[0]), np.iscomplexobj(a)),
    "size": lambda a: (np.shape(a), np.ndim(a), np.size(a), np.size(a, 1), np.result_type(a, 1) == np.float64),
    "likes": lambda a: (np.zeros_like(a), np.ones_like(a, dtype=np.int64), np.full_like(a, 2.5)),
    "nonzero": lambda a: (*np.nonzero(a > 0), *np.where(a > 0), np.argwhere(a > 0), np.count_nonzero(a > 0)),
    "count_nonzero": lambda a: (np.count_nonzero(a, axis=1), np.shape(np.empty_like(a))),
    "rows": lambda a: (np.imag(a * np.nan), np.nanmean(a > -9, axis=0)),
    "nan": lambda a: (np.unique(a[0] * np.nan), *np.unique(a[0] * np.nan, return_counts=True, equal_nan=False)),
    "unique": lambda a: (np.unique(a > 0), *np.unique(a, return_inverse=True, return_counts=True)),
    "searchsorted": lambda a: (
        np.searchsorted(np.sort(a[0]), [0.1, 0.3]),
        np.searchsorted(np.sort(a[0]), 0, "right"),
    ),
    "whole numbers": lambda a: (np.mean(a > 0), np.std(a > 0, axis=1)),
}  # fmt: skip


def as_tuple(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)


def leaves(arrays: tuple[np.ndarray, ...]) -> list[mg.Tensor]:
    return [mg.tensor(a).requires_grad_() for a in arrays]


@pytest.mark.parametrize("name", SMOOTH)
def test_a_recorded_function_is_numpys_and_has_its_gradient(name: str) -> None:
    function, arrays = SMOOTH[name]
    inputs = leaves(arrays)
    results = as_tuple(function(*inputs))
    expected = as_tuple(function(*arrays))
    assert len(results) == len(expected)
    for result, value in zip(results, expected, strict=True):
        assert type(result) is mg.Tensor
        np.testing.assert_allclose(result.detach().numpy(), value, rtol=1e-12, atol=1e-12)
    assert any(r.requires_grad for r in results)
    kept = [i for i, r in enumerate(results) if r.requires_grad]
    check = lambda *a: tuple(as_tuple(function(*a))[i] for i in kept)  # noqa: E731
    assert gradcheck(check, inputs, allow_numpy=True, fast_mode=True)


@pytest.mark.parametrize("name", FLAT)
def test_a_function_without_gradient(name: str) -> None:
    results, expected = as_tuple(FLAT[name](leaves((A,))[0])), as_tuple(FLAT[name](A))
    assert len(results) == len(expected)
    for result, value in zip(results, expected, strict=True):
        assert not getattr(result, "requires_grad", False)
        rtol = 1e-6 if name == "whole numbers" else 1e-12  # float32, minigrad's default
        np.testing.assert_allclose(np.asarray(result), value, rtol=rtol)


def test_element_types_are_minigrads_and_arrays_keep_theirs() -> None:
    t = mg.ones(2, requires_grad=True)
    kinds = {
        "sum": np.sum(t), "mean of bools": np.mean(t > 0), "list": np.append(t, [0.5, 1.5]),
        "where": np.where(t > 0, t, 0.5), "number": np.dot(t, 2.5), "nested": np.stack([t, [1.0, 2.0]]),
    }  # fmt: skip
    assert {name: result.dtype for name, result in kinds.items()} == dict.fromkeys(kinds, mg.float32)
    assert np.concatenate([t, np.ones(2)]).dtype == np.stack([t, np.ones(2)]).dtype == mg.float64
    assert np.sum(t, dtype=np.float64).dtype == np.zeros_like(t, dtype="float64").dtype == mg.float64
    assert np.sum(t > 0).dtype == np.argmax(t).dtype == mg.int64


def test_an_array_beside_a_tensor_may_change_later() -> None:
    t, a = mg.ones(2).requires_grad_(), np.array([2.0, 3.0], np.float32)
    y = np.dot(t, a)
    a[:] = 0
    y.backward()
    assert t.grad is not None
    assert t.grad.tolist() == [2.0, 3.0]


def test_names_of_axes_and_defaults_that_are_written_out() -> None:
    t = mg.tensor(A).requires_grad_()
    assert np.sum(t, None, None, None).shape == ()
    assert np.sum(a=t, axis=-1, out=None).shape == np.mean(t, 1, dtype=None, out=None).shape == (3,)
    assert np.reshape(t, (4, 3), order="C").shape == (4, 3)


REFUSED: dict[str, tuple[Callable[[mg.Tensor], Any], list[str]]] = {
    "where": (lambda t: np.sum(t, where=A > 0), ["np.sum is recorded", "not with where=", "t.detach().numpy()"]),
    "initial": (lambda t: np.max(t, initial=3), ["not with initial="]),
    "out": (lambda t: np.sum(t, out=np.zeros(())), ["not with out=; write t = np.sum(...)"]),
    "by position": (lambda t: np.cumsum(t, 0, None, np.zeros(3)), ["np.cumsum is recorded", "out="]),
    "a Tensor as out": (lambda t: np.sum(A, out=t), ["np.sum is recorded", "not with out="]),
    "order": (lambda t: np.ravel(t, "F"), ["order C, not F"]),
    "mode": (lambda t: np.pad(t, 1, "median"), ["np.pad is recorded", "not with mode='median'"]),
    "bools": (lambda t: np.einsum("ij->i", t > 0), ["np.einsum of bools"]),
    "no text": (lambda t: np.einsum(t, [0, 1]), ["np.einsum('ij,jk', a, b)"]),
    "index": (lambda t: np.unique(t, return_index=True), ["np.unique is recorded", "return_index="]),
    "another": (lambda t: np.interp(t, [0, 1], [2, 3]), ["np.interp is not recorded", "t.detach().numpy()"]),
    "another of matrices": (lambda t: np.linalg.eigvals(t[:, :3]), ["np.linalg.eigvals is not recorded"]),
    "into a Tensor": (lambda t: np.copyto(t, A), ["np.copyto does not write into a Tensor", "t[...] = x"]),
    "like": (lambda t: np.zeros(2, like=t.detach()), ["np.zeros does not make"]),  # type: ignore[arg-type]
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_means_another_thing_is_refused_and_says_what_to_do(name: str) -> None:
    call, parts = REFUSED[name]
    with pytest.raises(TypeError) as caught:
        call(mg.tensor(A).requires_grad_())
    for part in [*parts, "test_numpy_side.py:"]:
        assert part in str(caught.value)


def test_without_a_gradient_other_functions_work_on_the_arrays() -> None:
    t = mg.tensor(A)
    assert type(np.unwrap(t)) is np.ndarray
    np.testing.assert_array_equal(np.interp(t, [0, 1], [2, 3]), np.interp(A, [0, 1], [2, 3]))
    np.testing.assert_allclose(t, A)
    roots: Any = np.cbrt(t)  # type: ignore[call-overload]
    assert isinstance(roots, mg.Tensor)
    np.testing.assert_array_equal(roots.numpy(), np.cbrt(A))
    parts: Any = np.modf(t)  # type: ignore[call-overload]
    assert [part.tolist() for part in parts] == [part.tolist() for part in np.modf(A)]
    assert [part.tolist() for part in np.modf(mg.tensor(1.5))] == [0.5, 1.0]  # type: ignore[call-overload]
    with pytest.raises(TypeError, match=r"np\.cbrt is not recorded"):
        np.cbrt(t.requires_grad_())  # type: ignore[call-overload]
    for ufunc in (np.degrees, np.radians, np.rint, np.positive, np.conjugate):
        y: Any = ufunc(t)  # type: ignore[call-overload]
        assert y.requires_grad
        np.testing.assert_allclose(y.detach().numpy(), ufunc(A))


def test_unequal_parts_and_sizes() -> None:
    t = mg.tensor(A).requires_grad_()
    with pytest.raises(ValueError, match=r"use np\.array_split"):
        np.split(t, 3, axis=1)
    with pytest.raises(ValueError, match="not of size 1"):
        np.squeeze(t, axis=0)
    for call in (
        np.sum,
        lambda x, axis: np.take(x, [0], axis),
        lambda x, axis: np.average(x, axis, weights=V),
    ):
        with pytest.raises(IndexError, match="Dimension out of range"):
            call(t, axis=2)


def test_what_other_classes_do_with_numpys_functions_is_theirs() -> None:
    class Other:
        def __array_function__(self, *args: Any) -> str:
            return "theirs"

    assert np.concatenate([mg.ones(2), Other()]) == "theirs"  # type: ignore[list-item, comparison-overlap]


def test_a_compiled_function_has_numpys_functions() -> None:
    compiled = mg.compile(lambda x: np.sum(np.where(x > 0, x, 0.0), axis=0))
    for _ in range(3):
        np.testing.assert_allclose(compiled(mg.tensor(A)).numpy(), np.sum(np.where(A > 0, A, 0.0), axis=0))


# ---------------------------------------------------------------- DLPack


@pytest.mark.parametrize("kind", ["float64", "float32", "float16", "int64", "int32", "uint8", "bool"])
def test_memory_goes_both_ways(kind: str) -> None:
    t = mg.arange(6).to(getattr(mg, kind))[::2]
    array, again = np.from_dlpack(t), mg.from_dlpack(t)  # type: ignore[arg-type]
    assert type(array) is np.ndarray
    assert array.dtype == kind
    assert again.dtype == t.dtype
    t[1] = 1
    assert array.tolist() == again.tolist() == t.tolist()
    assert array.ctypes.data == again.data_ptr() == t.data_ptr()
    if again.numpy().flags.writeable:  # NumPy 2.0 lets nothing be written to
        again[0] = 1
        assert t[0].item() == 1
    else:
        assert np.lib.NumpyVersion(np.__version__) < "2.1.0"
    other = mg.from_dlpack(t, copy=True)
    assert other.data_ptr() != t.data_ptr()


def test_dlpack_of_what_cannot_be_shared() -> None:
    t = mg.ones(2, requires_grad=True)
    for call in (
        lambda: mg.from_dlpack(t),
        lambda: np.from_dlpack(t),
        t.__dlpack__,
        lambda: (t * 2).__dlpack__(),
    ):  # type: ignore[arg-type]
        with pytest.raises(BufferError, match=r"require gradient, use tensor\.detach\(\)"):
            call()
    with pytest.raises(TypeError, match=r"list has no __dlpack__; use minigrad\.tensor"):
        mg.from_dlpack([1.0])
    with pytest.raises(TypeError):
        mg.from_dlpack(np.ones(2, np.uint32))
    with pytest.raises(AssertionError, match="cuda"):
        mg.from_dlpack(np.ones(2), device="cuda")
    fixed = np.ones(2)
    fixed.flags.writeable = False
    with pytest.raises((RuntimeError, BufferError), match=r"read-?only"):  # NumPy 2.0 does not share it
        mg.from_dlpack(fixed)[0] = 2
    capsule = mg.utils.dlpack.to_dlpack(t.detach())
    assert mg.utils.dlpack.from_dlpack(capsule).data_ptr() == t.data_ptr()
    assert t.__dlpack_device__() == (1, 0)


# ---------------------------------------------------------------- the array API, and einops by it


def test_a_namespace_of_the_array_api() -> None:
    t = mg.tensor(CUBE).requires_grad_()
    xp = t.__array_namespace__()
    for result, expected in (
        (xp.permute_dims(t, (2, 0, 1)), CUBE.transpose(2, 0, 1)),
        (xp.concat([t, t], axis=1), np.concatenate([CUBE, CUBE], 1)),
        (xp.expand_dims(t, axis=0), CUBE[None]),
        (xp.reshape(t, (6, -1)), CUBE.reshape(6, -1)),
        (xp.broadcast_to(t, [5, 2, 3, 4]), np.broadcast_to(CUBE, (5, 2, 3, 4))),
        (xp.prod(xp.stack([t, t]), axis=(0, 2)), np.prod(np.stack([CUBE, CUBE]), (0, 2))),
        (xp.exp(xp.asarray(t)), np.exp(CUBE)),
    ):
        assert result.requires_grad
        np.testing.assert_allclose(result.detach().numpy(), expected)
    assert xp.any(t > 0).item() is True
    assert xp.std(t, correction=1).item() == pytest.approx(CUBE.std(ddof=1))
    with pytest.raises(AttributeError, match="fft"):
        xp.fft  # noqa: B018


def test_einops() -> None:
    ein = pytest.importorskip("einops.array_api", reason="einops is not installed: pip install einops")
    t = mg.tensor(CUBE).requires_grad_()
    assert gradcheck(lambda x: ein.rearrange(x, "a b (c d) -> d (a b) c", c=2), t)
    assert gradcheck(lambda x: ein.repeat(x, "a b c -> (a 2) c b"), t)
    for name in ("sum", "mean", "max", "min", "prod"):
        value = ein.reduce(t, "a b c -> b", name)
        np.testing.assert_allclose(value.detach().numpy(), getattr(np, name)(CUBE, axis=(0, 2)))
    whole, shapes = ein.pack([t, t[0]], "* b c")
    first, second = ein.unpack(whole, shapes, "* b c")
    assert (first.shape, second.shape) == (t.shape, t.shape[1:])
    assert ein.rearrange([t, t], "n a b c -> n c (a b)").requires_grad
    step = mg.compile(
        lambda x: ein.reduce(ein.rearrange(x, "a b (c d) -> d (a b) c", c=2), "d n c -> n", "max").sum()
    )
    for _ in range(2):
        t.grad = None
        step(t).backward()
        assert t.grad.sum().item() == len(CUBE) * CUBE.shape[1]


# ---------------------------------------------------------------- the page


def test_the_page_lists_what_is_recorded() -> None:
    from minigrad.tensor.by_numpy import FORMS

    page = (Path(mg.__file__).parent.parent / "docs" / "api" / "tensor.md").read_text(encoding="utf-8")
    section = page.partition("## NumPy's functions")[2].partition("<!-- recorded -->")[2].partition("\n\n")[0]
    listed = re.findall(r"[\w.]+", section.replace("`", ""))
    places = {"numpy.linalg": "linalg.", "numpy.fft": "fft."}
    recorded = {places.get(f.__module__, "") + f.__name__ for f in FORMS}
    new = {"unstack", "matrix_transpose"}  # younger than the oldest NumPy
    assert set(listed) - new == recorded - new
