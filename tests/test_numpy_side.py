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
MASK = B > -0.5
HOLES = np.where(B.max(axis=0) == B, np.nan, A)
STEPS = np.array([0.0, 0.5, 2.0, 2.5])

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
    "quantile": (lambda a: (np.quantile(a, 0.3, axis=1), np.percentile(a, [20, 50]), np.quantile(a, [[0.1]], 0)), (A,)),
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
        lambda a: (
            np.pad(a, 2, "reflect"), np.pad(a, 9, "symmetric"), np.pad(a, 4, "wrap"), np.pad(a, (5, 0), "reflect"),
            np.pad(a, 1, constant_values=((1, 2), (3.5, 4))),
        ),
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
    "where=": (
        lambda a: (
            np.sum(a, where=MASK), np.prod(a, 0, where=MASK[:, :1]), np.mean(a, axis=1, where=MASK, keepdims=True),
            np.std(a, where=MASK), np.var(a, axis=0, ddof=-1, where=MASK), np.max(a, initial=-0.1, where=MASK),
        ),
        (A,),
    ),
    "initial=": (
        lambda a: (
            np.sum(a, 0, initial=2.5), np.prod(a, initial=2.0), np.max(a, 1, initial=0.0), np.min(a, initial=-9.0),
            np.max(a[:0], initial=-1.0), np.max(a[:, :0], 1, initial=0.5), np.min(a[:0], 0, initial=2),
            np.std(a, 1, mean=np.mean(a, 1, keepdims=True)), *np.average(a, 0, weights=[1, 2, 3], returned=True),
        ),
        (A,),
    ),
    "several axes": (
        lambda c: (
            np.median(c, axis=(0, 2)), np.quantile(c, [0.2, 0.7], axis=(1, -3), keepdims=True),
            np.percentile(c, 30, axis=(0, 1, 2)), np.nanmedian(c, (0, 1), keepdims=True),
        ),
        (CUBE,),
    ),
    "without nan": (
        lambda a: [
            f(np.where(np.isnan(HOLES), np.nan, a), **axis)
            for f in (np.nanmax, np.nanmin, np.nansum, np.nanprod, np.nanmean, np.nanstd, np.nanvar, np.nanmedian)
            for axis in ({}, {"axis": 0}, {"axis": (0, 1), "keepdims": True})
        ],
        (A,),
    ),
    "more without nan": (
        lambda a: (
            np.nancumsum(np.where(MASK, a, np.nan), 1), np.nancumprod(np.where(MASK, a, np.nan)),
            np.nanquantile(a, 0.3, axis=1),
            np.nanpercentile(np.where(MASK, a, np.nan), [20, 60], axis=0), np.nanvar(a, 1, ddof=1),
        ),
        (A,),
    ),
    "along ufuncs": (
        lambda a: (
            np.add.reduce(a), np.multiply.reduce(a, axis=1), np.maximum.reduce(a, axis=None), np.minimum.reduce(a, 1),
            np.add.accumulate(a), np.multiply.accumulate(a, 1), np.maximum.accumulate(a), np.minimum.accumulate(a, 1),
            np.logaddexp.reduce(a), np.logaddexp.accumulate(a, 1), np.fmax.reduce(a), np.add.reduce(a, keepdims=True),
        ),
        (A,),
    ),
    "outer of ufuncs": (
        lambda a, v: (np.subtract.outer(a, v), np.multiply.outer(v, V), np.hypot.outer(v, a), np.add.outer(1.0, v)),
        (A, V),
    ),
    "other ufuncs": (
        lambda a: (
            np.fabs(a), np.cbrt(a), np.float_power(a, 2), np.ldexp(a, 3), *np.modf(a)[:1], *np.divmod(a, 0.7)[1:],
            np.vecdot(a, B), np.sinc(a), np.i0(a), np.frexp(a)[0], np.fix(a) + a, np.real_if_close(a),
        ),
        (A,),
    ),
    "select": (
        lambda a: (
            np.select([a > 0.5, a < 0], [a * 2, B], a**2), np.choose(ORDER % 2, [a, B]),
            np.choose(ORDER % 2, [a, ORDER]),
            np.piecewise(a, [A < 0, A > 1], [lambda x: x * x, lambda x: -x, 0.5]),
            np.piecewise(a, [A > 0], [2, lambda x: x]),
        ),
        (A,),
    ),
    "interp": (
        lambda x, y: (
            np.interp(x, STEPS, y), np.interp(x, STEPS, y, left=-3.0, right=7), np.interp(x, STEPS, y, period=2.2),
            np.interp(0.7, y[np.argsort(V)], STEPS), np.interp(x, [1.0], [2.0]) + np.interp(x, [1.0, 3.0], [2.0, 4.0]),
        ),
        (A, V),
    ),
    "polynomials": (lambda p, a: (np.polyval(p, a), np.polyval(p, 2.0), np.vander(p), np.vander(p, 3, True)), (V, A)),
    "convolve": (
        lambda a, v: [
            f(*each, mode)
            for f in (np.convolve, np.correlate)
            for each in ((a[0], v[:2]), (v[:2], a[0]), (a[1], v[:3]), (v[:3], a[1]), (v, v), (v[:1], a[0]))
            for mode in ("full", "same", "valid")
        ],
        (A, V),
    ),
    "gradient": (
        lambda a: (
            *np.gradient(a), np.gradient(a, axis=1), np.gradient(a[0], STEPS), np.gradient(a, 2.0, axis=0),
            *np.gradient(a, 0.5, STEPS), *np.gradient(a, 2.0, axis=(1, 0), edge_order=2), np.ediff1d(a),
            np.ediff1d(a, to_begin=[1.0, 2.0], to_end=9.0), np.diff(a, prepend=0.0), np.diff(a, 2, 0, append=B[:1]),
        ),
        (A,),
    ),
    "distances": (lambda a, v: (*np.gradient(a, v[0], v[1]), np.gradient(V, v[2]), np.diff(a[:0], axis=0)), (A, V)),
    "some elements": (
        lambda a: (
            np.compress([True, False, True], a, axis=0), np.extract(MASK, a), np.delete(a, 1), np.delete(a, [0, -1], 1),
            np.delete(a, slice(0, 2), axis=0), np.partition(a, 2), np.partition(a, 1, axis=0), np.partition(a, 3, None),
        ),
        (A,),
    ),
    "insert": (
        lambda a, v: (
            np.insert(a, 1, 2.0), np.insert(a, 1, v, axis=0), np.insert(a, [0, 2], v[:2], axis=1),
            np.insert(a, -1, 5, 1),
            np.insert(a, 1, B, axis=0), np.insert(a, [1], B[:, :2], axis=1), np.insert(v, 1, [7.0, 8.0]),
            np.insert(v, [1, 1, 4], v[:3]), np.insert(a, slice(0, 3, 2), 6.0, axis=0),
        ),
        (A, V),
    ),
    "cov": (
        lambda a, v: (
            np.cov(a), np.cov(a, rowvar=False), np.cov(a, v, bias=True), np.corrcoef(a), np.corrcoef(v, a[0]),
            np.cov(v),
            np.cov(a, ddof=0, aweights=[1.0, 2.0, 0.5, 1.0]), np.bincount([0, 2, 2, 5], weights=v, minlength=8),
        ),
        (A, V),
    ),
    "linspace": (
        lambda a, v: (
            np.linspace(a, 2.0, 5), np.linspace(0, v, 4, endpoint=False, axis=-1), *np.linspace(a, B, 3, retstep=True),
            np.linspace(v, 1.0, 1), np.logspace(v, 1, 3), np.logspace(v, v + 1, 3, base=2.0, axis=1),
            np.geomspace(v**2 + 1, 9.0, 4), np.geomspace(-(a**2) - 1, -2.0, 3, endpoint=False),
        ),
        (A, V),
    ),
    "block": (
        lambda a, v: (
            np.block([[a, a[:, :2]], [v, v[:2]]]), np.block([v, 1.0, v]), np.block([[a], [a * 2]]), np.block(a),
        ),
        (A, V),
    ),
    "order F": (
        lambda c: (
            np.ravel(c, "F"), np.reshape(c, (4, -1), order="F"), np.reshape(c, -1, order="F"), np.rollaxis(c, 2),
            np.rollaxis(c, 0, 3), np.rollaxis(c, 1, -1), np.diagflat(c[0]), np.diagflat(c[0, 0], -1),
        ),
        (CUBE,),
    ),
    "einsum by numbers": (
        lambda a, c: (np.einsum(a, [0, 1], c, [2, 0, 1], [2]), np.einsum(c, [..., 3], [3, ...]), np.einsum(a, [1, 0])),
        (A, CUBE),
    ),
    "names of the array API": (
        lambda a, c: (
            np.linalg.matmul(a, c[0].T), np.linalg.outer(a[0], a[1]), np.linalg.trace(c, offset=1),
            np.linalg.diagonal(c),
            np.linalg.vecdot(c, a), np.linalg.vecdot(a, a, axis=0), np.linalg.cross(a[:, :3], a[:, 1:]),
            np.linalg.tensordot(a, c, axes=([0, 1], [1, 2])), np.linalg.matrix_transpose(c), np.concat([a, a]),
        ),
        (A, CUBE),
    ),
    "systems": (
        lambda a, b: (
            np.linalg.lstsq(b.T, [1.0, 2, 3, 4], rcond=None)[0], np.linalg.lstsq(b.T, A.T, rcond=None)[1],
            np.linalg.cond(a),
            np.linalg.cond(a, 1), np.linalg.tensorsolve(a, [1.0, 2, 3]), np.linalg.eigvals(a @ a.T).real.sum(),
            np.linalg.tensorinv(np.reshape(a, (3, 3)), ind=1),
        ),
        (SQUARE, B),
    ),
    "values that are Tensors": (
        lambda s, a: (
            np.full_like(s, s[0]), np.full_like(a, s * 2), np.nan_to_num(np.where(MASK, a, np.nan), nan=s[1]),
            np.pad(a, 1, constant_values=s[0]), np.pad(s, 2, constant_values=(s[0], 2)), np.trapezoid(a, dx=s[3] ** 2),
            np.gradient(a, s[2], axis=1), np.percentile(a, s**2), np.quantile(a[0], s[0] ** 2 / 9),
            np.piecewise(a, [A > 0, A < 0], [s[0], lambda x: s[1] * x]), np.diff(a, prepend=s[0]),
            np.interp(a, STEPS, STEPS, left=s[0], right=s[1]), np.max(a, initial=s[0] + 9), np.insert(a, 1, s[2]),
        ),
        (V, A),
    ),
    "products of mixed types": (
        lambda a, v: (
            np.dot(a, v + 0j).real, np.matmul(1j * v, a.T).imag, np.einsum("ij,j->i", a, 1j * V).imag,
            np.tensordot(a, B + 1j, 2).real, np.inner(v, 2j * V).imag, np.vdot(1j * v, V).imag,
            np.vecdot(a, V + 1j).real,
            np.linalg.multi_dot([a, (B + 1j).T, a]).imag, V.astype(np.float32) @ a.T,
            np.cross(a[:, :3], SQUARE * 1j).imag,
        ),
        (A, V),
    ),
    "cross along": (
        lambda a: (np.cross(a[:, :3], SQUARE, axisa=0, axisc=0), np.cross(a, B, axis=0), np.cross(a[:, 0], A, axisb=0)),
        (A,),
    ),
    "NumPy's defaults": (
        lambda a: (
            np.vstack([a, a], casting="same_kind"), np.linalg.pinv(a, hermitian=False),
            np.copy(a, order="K", subok=False),
            np.stack([a, a], 1, None, casting="same_kind"),
        ),
        (A,),
    ),
    "windows": (
        lambda c: (
            np.lib.stride_tricks.sliding_window_view(c, 2, axis=1),
            np.lib.stride_tricks.sliding_window_view(c[0], (2, 3)),
            np.lib.stride_tricks.sliding_window_view(c[0, 0], 3, writeable=False),
        ),
        (CUBE,),
    ),
    "rows by a function": (
        lambda c: (
            np.apply_along_axis(lambda v: v / np.sum(v), 1, c), np.apply_along_axis(np.sum, 0, c),
            np.apply_along_axis(lambda v, k: np.outer(v, v) * k, -2, c, 2.0),
            np.apply_along_axis(lambda v: v[0], 0, c[0]),
        ),
        (CUBE,),
    ),
    "unwrap": (lambda a: (np.unwrap(9 * a), np.unwrap(5 * a, axis=0), np.unwrap(a, 0.7, period=1.0)), (A,)),
    "coefficients": (
        lambda p, x: (
            np.polyadd(p, x[:2]), np.polysub(x[:1], p), np.polymul(p, [0.0, 1.0, 2.0]), np.polyder(p), np.polyder(p, 2),
            np.polyint(p), np.polyint(p, 2, [3.0, 4.0]), np.polyint(p, k=2.0), np.polyfit(x, p, 2),
            np.polyfit(x, np.outer(p, p), 1, w=[1.0, 2.0, 3.0, 1.0]), np.polyfit([0, 1, 2, 3], p, 3),
        ),
        (V, np.sort(A[0])),
    ),
    "places in a triangle": (
        lambda a: (a[np.tril_indices_from(a)], a[np.triu_indices_from(a, 1)], a[:, :3][np.diag_indices_from(a[:, :3])]),
        (A,),
    ),
    "a mean among the elements": (
        lambda v: (np.var(v, where=[True] * 3), np.nanvar(v, ddof=1), np.nanstd(v), np.var(v, mean=v[1:2])),
        (np.array([1.0, 2.0, 3.0]),),
    ),
    "numbers of NumPy's": (
        lambda a: (
            np.tensordot(a, a, np.int64(2)), np.tensordot(a, a, (np.int64(0), np.int64(-2))), np.sum(a, 0, keepdims=1),
            np.mean(a, np.int64(1), keepdims=True), np.reshape(a, np.array([6, 2])), np.quantile(a, 0.3, ()),
            np.average(a, (1, 0), A.T + 9), np.average(a, (-1,), [1, 2, 3, 4]), np.trapezoid(a, dx=[1.0, 2.0, 3.0]),
        ),
        (A,),
    ),
    "none and at the end": (
        lambda v: (
            np.polyder(v, 9) + np.sum(v), np.unwrap(v[:0]) + v[0], np.cumsum(v[:0]) + v[0], np.linspace(v, 1.0, 0),
            np.nan_to_num(v + np.array([0.0, np.inf, 0.0, np.nan]), copy=False, posinf=2.0, neginf=3.0),
            *np.linspace(v, 1.0, 1, retstep=True)[:1],
        ),
        (np.array([0.3, 1.2, -0.5, 2.0]),),
    ),
    "lists beside ufuncs": (
        lambda v: (
            np.maximum(v, [0.5, 2, 1]), np.power([1, 2, 3], v), np.matmul([[1.0, 0, 2]], v),
            np.arctan2((1.0, 2.0, 3.0), v), np.add.outer(v, [1.0, 2.0]), np.multiply([v[0], 2.0, v[1]], v),
        ),
        (V[:3],),
    ),
    "arguments by name": (
        lambda a: (
            np.apply_along_axis(lambda v, k: v * k, 0, a, k=3.0),
            np.piecewise(a, [A < 0], [lambda x, k: x * k, 2], k=3.0),
            np.linalg.qr(a, "r"), np.linalg.pinv(a, 1e-9),
        ),
        (A,),
    ),
    "atleast": (lambda v: (np.atleast_1d(v[0]), np.atleast_2d(v), np.atleast_3d(v), *np.atleast_1d(v, v[0])), (V,)),
}  # fmt: skip


def bytes_of(a: Any) -> Any:
    """Small whole numbers of one byte, as what is given."""
    array = np.arange(12, dtype=np.uint8).reshape(3, 4) % 3
    return mg.tensor(array) if isinstance(a, mg.Tensor) else array


# Without a gradient.
FLAT: dict[str, Callable[[Any], Any]] = {
    "argmax": lambda a: (np.argmax(a), np.argmin(a, axis=1), np.argmax(a, 0, keepdims=True)),
    "any": lambda a: (np.any(a > 1), np.all(a > -9, axis=0), np.all(a, keepdims=True)),
    "argsort": lambda a: (np.argsort(a), np.argsort(a, axis=0), np.argsort(a, None)),
    "isclose": lambda a: (np.isclose(a, A + 1e-9), np.isclose(a, 0)),
    "asks": lambda a: (np.allclose(a, A), np.array_equal(a, A), np.array_equal(a, A[0]), np.iscomplexobj(a)),
    "texts": lambda a: (np.array_repr(a) == np.array_repr(A), np.einsum_path("ij,ik", a, a)[0][1] == (0, 1)),
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
    "numbers of elements": lambda a: (
        *np.histogram(a, 4), np.digitize(a, [-1, 0, 1]), np.bincount([1, 1, 4]), np.linalg.matrix_rank(a),
        np.isin(np.round(a), [1.0, 0.0]), np.flatnonzero(a > 0), np.isreal(a), np.isposinf(a * np.inf),
        np.nanargmax(a, 1),
        np.intersect1d(a, A[0]), np.union1d(a[0], a[1]), np.lexsort((a[0], a[1])), np.argpartition(a, 2, axis=1)[:, 2],
    ),
    "rounded down": lambda a: (
        np.linspace(a[0, 0] * 0 - 1, 1.0, 4, dtype=int), np.round(np.argsort(a), 2), np.rint(np.argsort(a)),
        *np.divmod([7, 8, 9], np.argmax(a, 1) + 2), np.linspace(np.argmax(a), 1.0, 0, retstep=True)[1],
        np.any(bytes_of(a), 0), np.all(bytes_of(a), -1, where=[True, False, True, True]), *np.modf(bytes_of(a)),
        np.heaviside(bytes_of(a), 1), np.polyadd(bytes_of(a), bytes_of(a)),
        np.linalg.pinv(a.detach() if isinstance(a, mg.Tensor) else a, 0.5),
    ),
    "whole numbers": lambda a: (np.mean(a > 0), np.std(a > 0, axis=1)),
}  # fmt: skip


def as_tuple(result: Any) -> tuple[Any, ...]:
    return tuple(result) if isinstance(result, (tuple, list)) else (result,)


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
        assert np.asarray(result).dtype.kind == np.asarray(value).dtype.kind


def test_element_types_are_minigrads_and_arrays_keep_theirs() -> None:
    t = mg.ones(2, requires_grad=True)
    kinds = {
        "sum": np.sum(t), "mean of bools": np.mean(t > 0), "list": np.append(t, [0.5, 1.5]),
        "where": np.where(t > 0, t, 0.5), "number": np.dot(t, 2.5), "nested": np.stack([t, [1.0, 2.0]]),
    }  # fmt: skip
    assert {name: result.dtype for name, result in kinds.items()} == dict.fromkeys(kinds, mg.float32)
    assert np.concatenate([t, np.ones(2)]).dtype == np.stack([t, np.ones(2)]).dtype == mg.float64
    assert np.sum(t, dtype=np.float64).dtype == np.zeros_like(t, dtype="float64").dtype == mg.float64
    assert np.interp(t, STEPS, STEPS).dtype == np.convolve(t, np.ones(2)).dtype == mg.float64
    assert np.sum(t > 0).dtype == np.argmax(t).dtype == mg.int64


def test_arrays_of_types_that_no_tensor_has() -> None:
    t = mg.tensor([2.0, 3.0])
    for kind, dtype in (
        ("u2", mg.int32),
        ("u4", mg.int64),
        ("u8", mg.int64),
        (">i4", mg.int32),
        (">f8", mg.float64),
    ):
        array = np.array([1, 0], kind)
        assert (t > 2).mul(array).dtype == (array * (t > 2)).dtype == dtype
        assert (t * array).tolist() == [2.0, 0.0]
        if dtype != mg.float64:
            assert t[array].tolist() == [3.0, 2.0]


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


MASKED: Any = np.ma.masked_less(A, 0.0)
REFUSED: dict[str, tuple[Callable[[mg.Tensor], Any], list[str]]] = {
    "weights": (lambda t: np.histogram(A, weights=t), ["np.histogram is not recorded", "t.detach().numpy()"]),
    "weights by position": (lambda t: np.histogram(A, 3, None, None, t), ["np.histogram is not recorded"]),
    "weights of quantiles": (lambda t: np.median(t, out=np.zeros(())), ["np.median is recorded", "not with out="]),
    "a ufunc's option": (lambda t: np.logaddexp.reduce(t, keepdims=True), ["np.logaddexp.reduce", "with keepdims="]),
    "a ufunc's method": (lambda t: np.add.reduceat(t[0], [0, 2]), ["np.add.reduceat is not recorded"]),
    "a ufunc's sums": (lambda t: np.subtract.reduce(t), ["np.subtract.reduce is not recorded"]),
    "out": (lambda t: np.sum(t, out=np.zeros(())), ["not with out=; write t = np.sum(...)"]),
    "by position": (lambda t: np.cumsum(t, 0, None, np.zeros(3)), ["np.cumsum is recorded", "out="]),
    "a Tensor as out": (lambda t: np.sum(A, out=t), ["np.sum is recorded", "not with out="]),
    "order": (lambda t: np.ravel(t, "K"), ["order C, F or A, not K"]),
    "mode": (lambda t: np.pad(t, 1, "median"), ["np.pad is recorded", "not with mode='median'"]),
    "bools": (lambda t: np.einsum("ij->i", t > 0), ["np.einsum of bools"]),
    "another": (lambda t: np.trim_zeros(t[0]), ["np.trim_zeros is not recorded", "t.detach().numpy()"]),
    "into a Tensor": (lambda t: np.copyto(t, A), ["np.copyto does not write into a Tensor", "t[...] = x"]),
    "a Tensor into an array": (lambda t: np.full_like(A, t[0, 0]), ["np.copyto would write", "np.broadcast_to"]),
    "a mask": (lambda t: np.multiply(t, MASKED), ["a masked array would lose its mask"]),
    "a mask, of an operator": (lambda t: t + MASKED, ["a masked array would lose its mask"]),
    "a mask, of a function": (lambda t: np.where(A > 0, t, MASKED), ["a masked array would lose its mask"]),
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
    assert type(np.trim_zeros(t[0])) is np.ndarray
    np.testing.assert_array_equal(np.interp(t, [0, 1], [2, 3]), np.interp(A, [0, 1], [2, 3]))
    np.testing.assert_allclose(t, A)
    roots: Any = np.cbrt(t)  # type: ignore[call-overload]
    assert isinstance(roots, mg.Tensor)
    np.testing.assert_array_equal(roots.numpy(), np.cbrt(A))
    assert t[:, ::2].strides == A[:, ::2].strides
    mixed: Any = np.broadcast_arrays(t, None)  # type: ignore[arg-type]
    assert [type(x) for x in mixed] == [np.ndarray] * 2
    with pytest.raises(TypeError, match="take numbers, not None"):
        np.broadcast_arrays(mg.tensor(A, requires_grad=True), None)  # type: ignore[arg-type]
    parts: Any = np.modf(t)  # type: ignore[call-overload]
    assert [part.tolist() for part in parts] == [part.tolist() for part in np.modf(A)]
    assert [part.tolist() for part in np.modf(mg.tensor(1.5))] == [0.5, 1.0]  # type: ignore[call-overload]
    with pytest.raises(TypeError, match=r"np\.spacing is not recorded"):
        np.spacing(t.requires_grad_())  # type: ignore[call-overload]
    for ufunc in (np.degrees, np.radians, np.rint, np.positive, np.conjugate):
        y: Any = ufunc(t)  # type: ignore[call-overload]
        assert y.requires_grad
        np.testing.assert_allclose(y.detach().numpy(), ufunc(A))


@pytest.mark.filterwarnings("ignore:All-NaN", "ignore:Degrees of freedom", "ignore:Mean of empty")
def test_where_all_are_nan() -> None:
    t, nothing = mg.full((2, 3), np.nan, dtype=mg.float64).requires_grad_(), np.full((2, 3), np.nan)
    for f in (np.nanmax, np.nanmin, np.nanmean, np.nanvar, np.nanstd, np.nanmedian, np.nansum, np.nanprod):
        for axis in (None, 1):
            np.testing.assert_array_equal(f(t, axis=axis).detach(), f(nothing, axis=axis))
    np.testing.assert_array_equal(np.nanvar(mg.tensor([2.0, np.nan]), ddof=1), np.nan)
    with pytest.raises(ValueError, match=r"np\.max with where= has no value"):
        np.max(mg.tensor(A), where=MASK)


def test_what_takes_no_such_arguments_says_so() -> None:
    t = mg.tensor(A).requires_grad_()
    calls: list[tuple[Callable[[], Any], str]] = [
        (lambda: np.select([t > 0], [t, t]), "a choice for each of the conditions, not 2 for 1"),
        (lambda: np.tril_indices_from(t[0]), r"takes a matrix, not an array of shape \[\d\]"),
        (lambda: np.triu_indices_from(t[None]), r"np\.triu_indices_from takes a matrix"),
        (lambda: np.diag_indices_from(t[0]), "takes an array of equal sizes"),
        (lambda: np.diag_indices_from(t[:1, :2]), r"equal sizes, two or more, not of shape \[1, 2\]"),
        (
            lambda: np.piecewise(t, [t > 0], [1, 2, 3]),
            "takes 1 functions for as many conditions, or one more, not 3",
        ),
        (lambda: np.convolve(t[0], t[1], "half"), "full, same or valid as mode, not 'half'"),
        (lambda: np.cumulative_sum(t), "of 2 dimensions needs axis="),
    ]
    for call, message in calls if hasattr(np, "cumulative_sum") else calls[:-1]:
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(
        TypeError, match=r"'ddof'\. It takes .* NumPy's function takes it: np\.std\(x, ddof=\.\.\.\)"
    ):
        t.std(ddof=1)  # type: ignore[call-overload]
    with pytest.raises(RuntimeError, match=r"test_numpy_side\.py:"):
        np.r_[t, t]
    with pytest.raises(TypeError, match="takes no distance, one, or one for each of 2 axes, not 3"):
        np.gradient(t, 1.0, 2.0, 3.0)


def test_places_in_tensors_and_copies() -> None:
    t, places = mg.tensor(A).requires_grad_(), mg.tensor([0, 2])
    functions: list[Any] = [np.delete, lambda a, at, axis: np.insert(a, at, 7.0, axis)]
    for f in functions:
        np.testing.assert_array_equal(f(t, places, 1).detach(), f(A, [0, 2], 1))
    least: Any = np.partition(t, places, 1)
    np.testing.assert_array_equal(least.detach()[:, 2], np.partition(A, [0, 2], 1)[:, 2])
    with pytest.raises(RuntimeError, match="out of bounds"):
        np.choose([0, 1, -1], [t[0, :3], t[1, :3]])
    given = mg.tensor([np.nan, 1.0])
    again: Any = (
        np.reshape(given, (2, 1), copy=True) if np.lib.NumpyVersion(np.__version__) >= "2.1.0" else None
    )
    assert np.nan_to_num(given, copy=False) is given
    assert given.tolist() == [0.0, 1.0]
    assert again is None or np.isnan(again[0].item())


def test_ufuncs_of_scipy() -> None:
    special = pytest.importorskip("scipy.special")
    inside = np.array([0.2, 0.5, 0.8])
    for name in (
        "expit",
        "logit",
        "erf",
        "erfinv",
        "gammaln",
        "psi",
        "i0",
        "xlogy",
        "ndtri",
        "entr",
        "gammainc",
    ):
        ufunc = getattr(special, name)
        t = mg.tensor(inside, requires_grad=True)
        y = ufunc(*([t] if ufunc.nin == 1 else [inside, t]))
        np.testing.assert_allclose(y.detach().numpy(), ufunc(*[inside] * ufunc.nin), rtol=1e-10)
        assert y.requires_grad
    inside = np.array([-2.3, -0.4, 0.6, 4.5])
    for name in ("gamma", "rgamma", "beta", "exp10", "log_expit", "huber", "pseudo_huber", "kl_div", "rel_entr",
    "betaln",
                 "binom", "erfcinv", "loggamma"):  # fmt: skip
        ufunc, x = (
            getattr(special, name),
            inside if name in ("gamma", "rgamma", "beta", "exp10") else abs(inside) / 3,
        )
        t = mg.tensor(x, requires_grad=True)
        others = [np.array([0.7, 1.2, 0.4, 2.6])] * (ufunc.nin - 1)
        np.testing.assert_allclose(ufunc(t, *others).detach().numpy(), ufunc(x, *others), rtol=1e-10)
        assert gradcheck(lambda t, ufunc=ufunc, others=others: ufunc(t, *others), [t], allow_numpy=True)
    edges = np.array([-2.0, 0.0, 1.0, np.inf, -np.inf, np.nan])
    for name, rest in {
        "gamma": (),
        "rgamma": (),
        "log_expit": (),
        "pseudo_huber": (np.array([0.0, 1.0] * 3),),
    }.items():
        ufunc = getattr(special, name)
        np.testing.assert_allclose(ufunc(mg.tensor(edges), *rest), ufunc(edges, *rest))
    compiled = mg.compile(lambda x: special.gammaln(x).sum())
    assert [compiled(mg.tensor([0.5, s])).item() for s in (2.0, 3.0)] == pytest.approx(
        [0.5724, 1.2655], abs=1e-4
    )
    for ufunc in (special.fresnel, special.k1):
        with pytest.raises(TypeError, match=rf"^{ufunc.__name__} is not recorded by minigrad"):
            ufunc(*[t] * ufunc.nin)


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
    for f in (
        lambda x: np.sum(np.where(x > 0, x, 0.0), axis=0),
        lambda x: np.delete(np.insert(np.pad(x, 2, "edge"), 1, 2.0, axis=0), [0, 1], 1),
    ):
        compiled = mg.compile(f)
        for _ in range(3):
            np.testing.assert_allclose(compiled(mg.tensor(A)).numpy(), f(A))


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
    listed = re.findall(r"[\w.]+", section.replace("`", "").replace("np.", ""))
    places = {"numpy.linalg": "linalg.", "numpy.fft": "fft.", "numpy.lib.stride_tricks": "lib.stride_tricks."}
    recorded = {places.get(getattr(f, "__module__", ""), "") + f.__name__ for f in FORMS}
    # Younger than the oldest NumPy.
    new = {"astype", "cumulative_prod", "cumulative_sum", "unstack"}
    assert set(listed) - new == recorded - new
