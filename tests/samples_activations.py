"""Rows of samples for activations, softmax, losses and rows of tables; see op_samples.py."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable


def _phi(x: float) -> float:
    return 0.5 * (1 + math.erf(x / math.sqrt(2)))


def _density(x: float) -> float:
    return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def _tanh_part(x: float) -> tuple[float, float]:
    """tanh of the cubic, and the cubic's derivative."""
    s = math.sqrt(2 / math.pi)
    return math.tanh(s * (x + 0.044715 * x**3)), s * (1 + 3 * 0.044715 * x * x)


def _gelu(x: float, approximate: str) -> float:
    return x * _phi(x) if approximate == "none" else 0.5 * x * (1 + _tanh_part(x)[0])


def _gelu_backward(d: float, x: float, approximate: str) -> float:
    if approximate == "none":
        return d * (_phi(x) + x * _density(x))
    t, inner = _tanh_part(x)
    return d * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner)


def _erfinv(x: float) -> float:
    low, high = -6.0, 6.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if math.erf(middle) < x else (low, middle)
    return low


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def _elu(x: float, alpha: float, scale: float, input_scale: float) -> float:
    return scale * (x if x > 0 else alpha * math.expm1(input_scale * x))


def _softplus(x: float, beta: float, threshold: float) -> float:
    return x if x * beta > threshold else math.log1p(math.exp(x * beta)) / beta


def _ramp(x: float) -> float:
    return min(max(x + 3, 0), 6) / 6


def _logit(x: float, eps: float | None) -> float:
    x = x if eps is None else min(max(x, eps), 1 - eps)
    return math.log(x / (1 - x))


def _threshold(x: float, threshold: float, value: float) -> float:
    return x if x > threshold else value


def _huber(d: float, delta: float) -> float:
    return d * d / 2 if abs(d) <= delta else delta * (abs(d) - delta / 2)


def _bce(x: float, t: float) -> float:
    return -(t * math.log(x) + (1 - t) * math.log(1 - x))


def _probabilities(v: list[float]) -> list[float]:
    total = math.fsum(map(math.exp, v))
    return [math.exp(a) / total for a in v]


def along(f: Callable[..., list[float]]) -> Callable[..., np.ndarray]:
    """A function of lists along a dimension."""

    def value(*arrays: np.ndarray, dim: int) -> np.ndarray:
        if not arrays[0].ndim:
            return np.array(f(*([a.item()] for a in arrays))[0])
        turned = [np.moveaxis(a, dim, -1) for a in arrays]
        out = np.zeros(turned[0].shape)
        for i in np.ndindex(out.shape[:-1]):
            out[i] = f(*(t[i].tolist() for t in turned))
        return np.moveaxis(out, -1, dim)

    return value


def _softmax_backward(d: list[float], p: list[float]) -> list[float]:
    total = math.fsum(a * b for a, b in zip(d, p, strict=True))
    return [b * (a - total) for a, b in zip(d, p, strict=True)]


def _log_softmax_backward(d: list[float], logs: list[float]) -> list[float]:
    return [a - math.exp(b) * math.fsum(d) for a, b in zip(d, logs, strict=True)]


def _log_loss(x: np.ndarray, target: np.ndarray, ignore: int, mean: bool) -> np.ndarray:
    rows = zip(_rows_of_classes(x).tolist(), target.flat, strict=True)
    return _averaged([-math.log(_probabilities(v)[t]) for v, t in rows], target, ignore, mean)


def _rows_of_classes(x: np.ndarray) -> np.ndarray:
    return np.moveaxis(x, 1, -1).reshape(-1, x.shape[1])


def _with_classes(rows: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Rows as those of `_rows_of_classes`."""
    return np.moveaxis(rows.reshape(*target.shape, rows.shape[1]), -1, 1)


def _averaged(losses: list[float], target: np.ndarray, ignore: int, mean: bool) -> np.ndarray:
    kept, losses = target != ignore, np.reshape(losses, target.shape)
    return np.array([np.sum(losses, where=kept) / kept.sum()])[0] if mean else np.where(kept, losses, 0.0)


def _of_each(d: np.ndarray, target: np.ndarray, ignore: int, mean: bool) -> list[float]:
    kept = target != ignore
    return [float(v) for v in np.where(kept, d / kept.sum() if mean else d, 0.0).flat]


def _log_loss_backward(
    d: np.ndarray, x: np.ndarray, target: np.ndarray, ignore: int, mean: bool
) -> np.ndarray:
    rows = _rows_of_classes(x)
    out, classes = np.zeros(rows.shape), np.arange(x.shape[1])
    for i, factor in enumerate(_of_each(d, target, ignore, mean)):
        out[i] = factor * (np.array(_probabilities(rows[i].tolist())) - (classes == target.flat[i]))
    return _with_classes(out, target)


def _with_loss(op: Any, d: Any, x: Any, target: Any, **params: Any) -> Any:
    """The last input is what the loss was."""
    from minigrad.tape import TABLE

    return op(d, x, target, TABLE["log_loss"](x, target, **params), **params)


def _nll(x: np.ndarray, target: np.ndarray, ignore: int, mean: bool) -> np.ndarray:
    rows = zip(_rows_of_classes(x), target.flat, strict=True)
    return _averaged([-row[t] for row, t in rows], target, ignore, mean)


def _nll_backward(d: np.ndarray, target: np.ndarray, classes: int, ignore: int, mean: bool) -> np.ndarray:
    out = np.zeros((target.size, classes))
    for i, factor in enumerate(_of_each(d, target, ignore, mean)):
        out[i, target.flat[i]] = -factor
    return _with_classes(out, target)


def _one_hot(target: np.ndarray, classes: int) -> np.ndarray:
    return np.array([[t == k for k in range(classes)] for t in target.flat], int).reshape(
        (*target.shape, classes)
    )


def _rows(weight: np.ndarray, index: np.ndarray, padding: int, by_count: bool) -> np.ndarray:
    return np.array([weight[k] for k in index.flat]).reshape((*index.shape, weight.shape[1]))


def _rows_backward(d: np.ndarray, index: np.ndarray, rows: int, padding: int, by_count: bool) -> np.ndarray:
    out = np.zeros((rows, d.shape[-1]))
    places = index.ravel().tolist()
    for k, row in zip(places, d.reshape(-1, d.shape[-1]), strict=True):
        if k != padding:
            out[k] += row / (places.count(k) if by_count else 1)
    return out


def _sparse_product(values: Any, dense: Any, row: Any, col: Any, rows: int) -> Any:
    y = np.zeros((rows, dense.shape[1]))
    for v, i, j in zip(values, row, col, strict=True):
        y[i] += v * dense[j]
    return y


def _sampled_product(a: Any, b: Any, row: Any, col: Any) -> Any:
    return np.array([float(a[i] @ b[j]) for i, j in zip(row, col, strict=True)])


def _rows_transposed(u: np.ndarray, index: np.ndarray, padding: int, by_count: bool) -> np.ndarray:
    places = index.ravel().tolist()
    rows = [u[k] * (k != padding) / (places.count(k) if by_count else 1) for k in places]
    return np.array(rows).reshape((*index.shape, u.shape[1]))


def _standardize(x: np.ndarray, dim: tuple[int, ...], eps: float) -> np.ndarray:
    return np.asarray((x - x.mean(dim, keepdims=True)) / np.sqrt(x.var(dim, keepdims=True) + eps))


def _standardize_backward(d: np.ndarray, x: np.ndarray, dim: tuple[int, ...], eps: float) -> np.ndarray:
    """The product with the Jacobian's transpose, which has an entry for each pair of places."""
    groups = [tuple(i[k] for k in range(x.ndim) if k not in dim) for i in np.ndindex(x.shape)]
    r = (
        np.broadcast_to(1 / np.sqrt(x.var(dim, keepdims=True) + eps), x.shape).ravel()
        if x.size
        else x.ravel()
    )
    y, n = _standardize(x, dim, eps).ravel() if x.size else x.ravel(), math.prod(x.shape[k] for k in dim)
    out, ds = np.zeros(x.size), d.ravel()
    for j, i in itertools.product(range(x.size), repeat=2):
        if groups[i] == groups[j]:
            out[j] += ds[i] * r[j] * ((i == j) - 1 / n - y[i] * y[j] / n)
    return out.reshape(x.shape)


def _layer_norm(x: np.ndarray, w: np.ndarray, *b: np.ndarray, eps: float) -> np.ndarray:
    y = _standardize(x, tuple(range(x.ndim - w.ndim, x.ndim)), eps) * w
    return y + b[0] if b else y


def _layer_norm_backward(d: np.ndarray, x: np.ndarray, w: np.ndarray, eps: float, onward: bool) -> np.ndarray:
    dims, rows = tuple(range(x.ndim - w.ndim, x.ndim)), tuple(range(x.ndim - w.ndim))
    parts = [np.sum(d * _standardize(x, dims, eps), rows), np.sum(d, rows)]
    if onward:
        parts.insert(0, _standardize_backward(d * w, x, dims, eps))
    return np.concatenate([p.ravel() for p in parts])


def _by_channel(x: np.ndarray, groups: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The shape with channels in groups, and the dimensions that are brought to mean 0; 0 groups: across examples."""
    count = groups or x.shape[1]
    return (x.shape[0], count, x.shape[1] // count, math.prod(x.shape[2:])), (2, 3) if groups else (0, 2, 3)


def _moments(x: np.ndarray, correction: float) -> np.ndarray:
    dims = (0, *range(2, x.ndim))
    return np.stack([x.mean(dims), x.var(dims, ddof=correction)])


def _channel_norm(x: np.ndarray, w: np.ndarray, *b: np.ndarray, groups: int, eps: float) -> np.ndarray:
    shape, dims = _by_channel(x, groups)
    y = _standardize(x.reshape(shape), dims, eps).reshape(x.shape)
    each = (-1, *(1,) * (x.ndim - 2))
    return y * w.reshape(each) + (b[0].reshape(each) if b else 0)


def _channel_norm_backward(
    d: np.ndarray, x: np.ndarray, w: np.ndarray, groups: int, eps: float, onward: bool
) -> np.ndarray:
    shape, dims = _by_channel(x, groups)
    d, x, others = d.reshape(shape), x.reshape(shape), (0, 3)
    parts = [np.sum(d * _standardize(x, dims, eps), others), np.sum(d, others)]
    if onward:
        parts.insert(0, _standardize_backward(d * w.reshape(1, *shape[1:3], 1), x, dims, eps))
    return np.concatenate([p.ravel() for p in parts])


def _running_norm(x: np.ndarray, mean: Any, var: Any, w: Any, *b: Any, eps: float) -> np.ndarray:
    each = (-1, *(1,) * (x.ndim - 2))
    mean, var, w, b = (a.reshape(each) for a in (mean, var, w, b[0] if b else np.zeros(len(w))))
    return (x - mean) / np.sqrt(var + eps) * w + b


def _running_norm_backward(
    d: np.ndarray, x: np.ndarray, mean: Any, var: Any, w: Any, eps: float, onward: bool
) -> np.ndarray:
    each, others = (-1, *(1,) * (x.ndim - 2)), (0, *range(2, x.ndim))
    r = 1 / np.sqrt(var + eps)
    parts = [(d * (x - mean.reshape(each))).sum(others) * r, d.sum(others)]
    return np.concatenate([p.ravel() for p in [d * (w * r).reshape(each)] * onward + parts])


def rows() -> list[Any]:
    """The rows; a function, because op_samples.py imports this file."""
    from op_samples import Draw, Row, each, inside, nonzero, one, real, two, whole, wide

    def chance(*shape: int) -> Draw:
        return Draw("real", shape, 0.1, 0.9)

    def well_inside(*shape: int) -> Draw:  # numerical gradients take long steps
        return Draw("real", shape, 0.3, 0.7)

    def open_unit(*shape: int) -> Draw:
        return Draw("real", shape, -0.95, 0.95)

    # fmt: off
    table = [
        one("erf",         wide,      math.erf),
        one("erfc",        wide,      math.erfc),
        one("erfinv",      open_unit, _erfinv),
        one("logit",       chance,    _logit, eps=None),
        one("logit",       chance,    _logit, eps=0.3),
        one("gelu",        wide,      _gelu, approximate="none"),
        one("gelu",        wide,      _gelu, approximate="tanh"),
        *(Row("gelu_backward", (wide(*shape), wide(*shape)), each(_gelu_backward), "01", {"approximate": how})
          for shape in ((2, 3), (), (0, 3)) for how in ("none", "tanh")),
        one("silu",        wide,      lambda x: x * _logistic(x)),
        one("mish",        wide,      lambda x: x * math.tanh(math.log1p(math.exp(x)))),
        one("softplus",    wide,      _softplus, beta=1.0, threshold=20.0),
        one("softplus",    wide,      _softplus, beta=2.0, threshold=3.0),
        one("log_sigmoid", wide,      lambda x: math.log(_logistic(x))),
        one("elu",         nonzero,   _elu, alpha=1.0, scale=1.0, input_scale=1.0),
        one("elu",         nonzero,   _elu, alpha=1.5, scale=0.7, input_scale=0.5),
        one("leaky_relu",  nonzero,   lambda x, slope: x if x > 0 else slope * x, slope=0.01),
        one("leaky_relu",  nonzero,   lambda x, slope: x if x > 0 else slope * x, slope=-2.0),
        two("prelu",       nonzero,   nonzero, lambda x, w: x if x > 0 else w * x),
        one("hardtanh",    real,      lambda x, min, max: min if x < min else max if x > max else x, min=-1.0, max=0.5),
        one("hardsigmoid", wide,      _ramp),
        one("hardswish",   wide,      lambda x: x * _ramp(x)),
        one("softshrink",  wide,      lambda x, lambd: math.copysign(max(abs(x) - lambd, 0), x), lambd=0.5),
        one("hardshrink",  wide,      lambda x, lambd: x if abs(x) > lambd else 0.0, lambd=0.5),
        one("threshold",   wide,      _threshold, threshold=0.1, value=-2.0),
        one("huber",       wide,      _huber, delta=1.0),
        one("huber",       wide,      _huber, delta=2.5),
        one("variance",    well_inside, lambda x, eps: x, eps=1e-6),
        one("bounded_below", well_inside, lambda x, eps: x, eps=1e-6),
        two("bce",         well_inside, well_inside, _bce),
        two("bce_with_logits", wide,  inside, lambda x, t: _bce(_logistic(x), t)),

        Row("one_hot", (whole(0, 4, 2, 3),), _one_hot, "", {"classes": 4}, "int64"),
        Row("one_hot", (whole(0, 3),),       _one_hot, "", {"classes": 3}, "int64"),
        Row("one_hot", (whole(0, 3, 0),),    _one_hot, "", {"classes": 3}, "int64"),
    ]
    for ignore, n, mean in [(-100, (4,), False), (1, (4,), False), (-100, (0,), False), (-100, (4,), True),
                            (1, (4,), True), (-100, (2, 4), False), (1, (2, 4), True), (1, (1, 0), False)]:
        d, x, target = real() if mean else real(*n), real(n[0], 3, *n[1:]), whole(0, 3, *n)
        how = {"ignore": ignore, "mean": mean}
        table += [
            Row("log_loss", (x, target), _log_loss, "0", how),
            Row("log_loss_backward", (d, x, target), _log_loss_backward, "01", how, via=_with_loss),
            Row("nll", (x, target), _nll, "0", how),
            Row("nll_backward", (d, target), _nll_backward, "0", {"classes": 3, **how}),
        ]
    for name, backward, of, back in [
        ("softmax", "softmax_backward", _probabilities, _softmax_backward),
        ("safe_softmax", "softmax_backward", _probabilities, _softmax_backward),
        ("log_softmax", "log_softmax_backward", lambda v: [math.log(p) for p in _probabilities(v)],
         _log_softmax_backward),
    ]:
        for shape, dim in [((2, 3), 1), ((2, 3), 0), ((2, 3, 2), 1), ((2, 3, 4, 4), 1), ((33, 16), 0), ((), 0),
                           ((0, 3), 1), ((2, 0), 1)]:
            table.append(Row(name, (real(*shape),), along(of), "0", {"dim": dim}))
            table.append(Row(backward, (real(*shape), real(*shape)), along(back), "01", {"dim": dim}))
    for index in (whole(0, 4, 2, 3), whole(0, 4, 0), whole(0, 4)):
        plain: dict[str, Any] = {"padding": -1, "by_count": False}
        table.append(Row("embedding", (real(4, 2), index), _rows, "0", plain))
        for params in (plain, {"padding": 2, "by_count": False}, {"padding": 2, "by_count": True}):
            table += [
                Row("embedding_transposed", (real(4, 2), index), _rows_transposed, "0", params),
                Row("embedding_backward", (real(*index.shape, 2), index), _rows_backward, "0", {"rows": 4, **params}),
            ]
    for nnz in (5, 0):
        row, col = whole(0, 3, nnz), whole(0, 4, nnz)
        table += [
            Row("sparse_product", (real(nnz), real(4, 2), row, col), _sparse_product, "01", {"rows": 3}),
            Row("sampled_product", (real(3, 2), real(4, 2), row, col), _sampled_product, "01"),
        ]
    for shape, dims in [((2, 3), (1,)), ((3, 2), (0,)), ((3, 2, 2), (0, 2)), ((2, 2, 3), (1, 2)), ((0, 3), (1,)),
                        ((4,), (0,)), ((2, 2, 16), (0, 2))]:
        table.append(Row("standardize", (real(*shape),), _standardize, "0", {"dim": dims, "eps": 0.1}))
        table.append(Row("standardize_backward", (real(*shape), real(*shape)), _standardize_backward, "01",
                         {"dim": dims, "eps": 0.1}))
    for shape, count in [((2, 3), 1), ((2, 1, 3), 2), ((0, 3), 1), ((4,), 1)]:
        w = shape[-count:]
        table.append(Row("layer_norm", (real(*shape), real(*w)), _layer_norm, "01", {"eps": 0.1}))
        table.append(Row("layer_norm", (real(*shape), real(*w), real(*w)), _layer_norm, "012", {"eps": 0.1}))
        for onward in (True, False):
            table.append(Row("layer_norm_backward", (real(*shape), real(*shape), real(*w)), _layer_norm_backward,
                             "012" if onward else "01", {"eps": 0.1, "onward": onward}))
    for shape, groups in [((2, 2, 2), 0), ((2, 4), 2), ((1, 2, 17), 1), ((0, 2, 3), 1)]:
        w, how = shape[1:2], {"groups": groups, "eps": 0.1}
        parts = (real(*shape), real(*w), *[real(*w)] * (groups < 2))
        table.append(Row("channel_norm", parts, _channel_norm, "012"[: len(parts)], how))
        table.append(Row("channel_norm_backward", (real(*shape), real(*shape), real(*w)), _channel_norm_backward,
                         "012" if groups < 2 else "01", {**how, "onward": groups < 2}))
    for shape in [(3, 2), (1, 2, 17), (0, 2, 2)]:
        w = shape[1:2]
        parts = (real(*shape), real(*w), chance(*w), real(*w), *[real(*w)] * (len(shape) > 2))
        table.append(Row("running_norm", parts, _running_norm, "034"[: len(parts) - 2], {"eps": 0.1}))
        onward = len(shape) > 2
        table.append(Row("running_norm_backward", (real(*shape), *parts[:4]), _running_norm_backward,
                         "014" if onward else "01", {"eps": 0.1, "onward": onward}))
    table += [Row("moments", (real(*shape),), _moments, "", {"correction": 1}) for shape in [(3, 2), (2, 1, 17)]]
    # fmt: on
    return table
