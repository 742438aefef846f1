"""Softmax, the losses of classes, and rows of a table."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import buffers
from minigrad.core.basic import to
from minigrad.core.mode import MODE
from minigrad.core.op import Op
from minigrad.core.tensor import wrap
from minigrad.core.text import Plain
from minigrad.kernels import classes as k
from minigrad.ops import elementwise as e
from minigrad.ops.buffered import LARGE, buffered
from minigrad.ops.carried import Carried
from minigrad.ops.index import quick
from minigrad.ops.printing import plain
from minigrad.ops.reads import hot, mean_of, of_classes, of_loss, of_rows
from minigrad.ops.reduce import sum
from minigrad.ops.shape import expand, reshape


def _by_count(text: str, n: Any) -> str:
    """Rows, divided by how often each is named where that was asked for."""
    return f"{text} / counts[index]" if n.params["by_count"] else text


def _embedding_backward(d: Any, index: Any, rows: int, padding: int, by_count: bool) -> Any:
    shape = (rows, d.shape[-1])
    out = None if rows * shape[1] < LARGE else buffers.empty(shape, d.dtype)
    return k.embedding_backward(d, index, rows, padding, by_count, out)


# The exponentials of rows less their largest element, and their sums: most of the work of a cross entropy.
EXPS = Carried()


def _log_loss(x: Any, target: Any, ignore: int, mean: bool) -> Any:
    found: list[Any] = []
    y = k.log_loss(x, target, ignore, mean, found, buffers.empty)
    EXPS.keep(y, x, found)
    return y


def _log_loss_backward(d: Any, x: Any, target: Any, y: Any, ignore: int, mean: bool) -> Any:
    return k.log_loss_backward(d, x, target, y, ignore, mean, EXPS.take(y, x), buffers.empty)


def _along(x: Any, dim: int) -> Any:
    """The sum along ``dim``, which stays."""
    return sum(x, dim=(dim,) if len(x.shape) else None, keepdim=True)


def _log_loss_backward_d(g: Any, x: Any, target: Any, ignore: int, mean: bool) -> Any:
    kept = e.ne(target, ignore)
    of_rows = e.where(kept, sum(g * softmax(x, dim=1), dim=(1,), keepdim=False), 0.0)
    if mean:
        of_rows = sum(of_rows, dim=None, keepdim=False) / sum(
            to(kept, dtype=g.dtype), dim=None, keepdim=False
        )
    return of_rows + nll(g, target, ignore=ignore, mean=mean)


def _log_loss_backward_x(g: Any, d: Any, x: Any, target: Any, ignore: int, mean: bool) -> Any:
    kept = e.ne(target, ignore)
    if mean:
        d = d / sum(to(kept, dtype=g.dtype), dim=None, keepdim=False)
    factors = reshape(e.where(kept, d, 0.0), shape=(x.shape[0], 1, *x.shape[2:]))
    return softmax_backward(g * factors, softmax(x, dim=1), dim=1)


@quick(1)
def _is_class(x: Any, target: Any, ignore: int, **params: Any) -> None:
    wrong = ((target < 0) | (target >= x.shape[1])) & (target != ignore)
    if wrong.any():
        at = int(wrong.argmax())
        raise IndexError(
            f"Target {target.flat[at]} is out of bounds: target number {at} has to be from 0 to {x.shape[1] - 1}, for "
            f"there are {x.shape[1]} classes, or ignore_index ({ignore})"
        )


def _names_class(target: Any, classes: int) -> None:
    if target.size and target.min() < 0:
        raise RuntimeError("Class values must be non-negative.")
    if target.size and target.max() >= classes:
        raise RuntimeError("Class values must be smaller than num_classes.")


@quick(0)
def _is_row(weight: Any, index: Any, **params: Any) -> None:
    if index.size and (index.min() < 0 or index.max() >= len(weight)):
        wrong = index.min() if index.min() < 0 else index.max()
        raise IndexError(
            f"index out of range in self: there is no row {wrong}, the weight has {len(weight)} rows"
        )


# ---------------------------------------------------------------- losses of many examples, each with rows of its own


def _rows(x: Any) -> Any:
    return reshape(x, shape=(-1, *x.shape[2:]))


def _share(c: Any, target: Any) -> Any:
    """One over the number of rows of each example that count, as a column."""
    kept = to(e.ne(target, c.params["ignore"]), dtype=c.dtype)
    return 1.0 / reshape(sum(kept, dim=tuple(range(1, len(target.shape))), keepdim=False), shape=(c.size, 1))


def _losses(c: Any) -> Any:
    x, target = c.spread()
    y = reshape(c([_rows(x), _rows(target)], mean=False), shape=(c.size, -1))
    if c.params["mean"]:
        return sum(y * _share(c, target), dim=(1,), keepdim=False)
    return reshape(y, shape=target.shape)


def _slopes(c: Any) -> Any:
    d, *x, target = c.spread()[: -1 if len(c.operands) > 2 else None]
    if c.params["mean"]:
        d = reshape(d, shape=(c.size, 1)) * _share(c, target)
        d = expand(reshape(d, shape=(c.size, *(1,) * (len(target.shape) - 1))), shape=target.shape)
    parts = [_rows(d), *map(_rows, x), _rows(target)]
    if x:
        parts.append(log_loss(*parts[1:], ignore=c.params["ignore"], mean=False))
    return reshape(c(parts, mean=False), shape=(c.size, *c.shape))


def _behind(c: Any, index: Any, rows: int) -> Any:
    """Indices of rows that lie behind those of the elements before. IndexError where one may be another's."""
    places = index._array
    if MODE.get().recorder is not None or (places.size and (places.min() < 0 or places.max() >= rows)):
        raise IndexError
    first = wrap(np.arange(c.size).reshape(-1, *[1] * (len(index.shape) - 1)) * rows)
    return index + first


def _of_rows(c: Any) -> Any:
    if not (c.mapped[0] or c.params["by_count"]):  # each element counts its own indices
        return c(c.operands)
    if c.params["padding"] >= 0:  # one row of all
        return c.one_by_one()
    weight, index = c.spread()
    return c([_rows(weight), _behind(c, index, weight.shape[1])])


def _rows_apart(c: Any) -> Any:
    if c.params["padding"] >= 0:
        return c.one_by_one()
    d, index = c.spread()
    rows = c.params["rows"]
    return reshape(c([d, _behind(c, index, rows)], rows=c.size * rows), shape=(c.size, *c.shape))


# fmt: off
softmax: Op = Op("softmax", buffered(k.softmax), "x; dim", lambda g, y, dim: softmax_backward(g, y, dim=dim),
                 order="C", cast="floats", activation=True, text=Plain(k.softmax, "x", plain("softmax")), batch="dims")
safe_softmax = Op("safe_softmax", buffered(k.safe_softmax), "x; dim", lambda g, y, dim: softmax_backward(g, y, dim=dim),
                  order="C", cast="floats", text=Plain(k.safe_softmax, "x", plain("safe_softmax")), batch="dims")
softmax_backward: Op = Op("softmax_backward", buffered(k.softmax_backward), "d p; dim",
                          lambda g, p, dim: softmax_backward(g, p, dim=dim),
                          lambda g, d, p, dim: g * (d - _along(d * p, dim)) - d * _along(g * p, dim), order="C",
                          text=Plain(k.softmax_backward, "g, y", plain("softmax_backward")),
                          reads="(d - sum(d * p, dim={dim}, keepdim=True)) * p", batch="dims")
log_softmax = Op("log_softmax", buffered(k.log_softmax), "x; dim",
                 lambda g, y, dim: log_softmax_backward(g, y, dim=dim), order="C", cast="floats", activation=True,
                 text=Plain(k.log_softmax, "x", plain("log_softmax")), batch="dims")
log_softmax_backward: Op = Op("log_softmax_backward", buffered(k.log_softmax_backward), "d log_p; dim",
                              lambda g, log_p, dim: g - _along(g * e.exp(log_p), dim),
                              lambda g, d, log_p, dim: -(g * e.exp(log_p) * _along(d, dim)), order="C",
                              text=Plain(k.log_softmax_backward, "g, y", plain("log_softmax_backward")),
                              reads="d - exp(log_p) * sum(d, dim={dim}, keepdim=True)", batch="dims")

# Rows of numbers for classes, or columns of them, and the class of each. The last input of `log_loss_backward` follows
# from the others.
log_loss = Op("log_loss", _log_loss, "x target; ignore mean",
              lambda g, x, target, y, ignore, mean: log_loss_backward(g, x, target, y, ignore=ignore, mean=mean), None,
              order="C", check=_is_class, text=Plain(k.log_loss, "x, target", plain("log_loss")),
              grad_fn="NllLossBackward0", follows=True,
              reads=of_loss("cross_entropy"), derives={"x": of_classes}, batch=_losses)
log_loss_backward: Op = Op("log_loss_backward", _log_loss_backward, "d x target loss; ignore mean",
                           _log_loss_backward_d, _log_loss_backward_x, None, None, order="C", raises=True,
                           text=Plain(k.log_loss_backward, "d, x, target, loss", plain("log_loss_backward")),
                           usual={"ignore": -100, "mean": True}, batch=_slopes)
nll: Op = Op("nll", k.nll, "x target; ignore mean",
             lambda g, x_shape, target, ignore, mean: nll_backward(
                 g, target, classes=x_shape[1], ignore=ignore, mean=mean),
             None, order="C", check=_is_class, text=Plain(k.nll, "x, target", plain("nll")), grad_fn="NllLossBackward0",
             reads=of_loss("nll_loss"),
             derives={"x": lambda n: f"-g{mean_of(n)} * {hot(n)}"}, batch=_losses)
nll_backward: Op = Op("nll_backward", k.nll_backward, "d target; classes ignore mean",
                      lambda g, target, ignore, mean: nll(g, target, ignore=ignore, mean=mean), None, order="C",
                      raises=True, text=Plain(k.nll_backward, "d, target", plain("nll_backward")),
                      usual={"ignore": -100, "mean": True}, batch=_slopes)
one_hot = Op("one_hot", k.one_hot, "target; classes", check=_names_class, order="C", batch="leading")

embedding = Op("embedding", k.embedding, "weight index; padding by_count",
               lambda g, weight_shape, index, padding, by_count: embedding_backward(
                   g, index, rows=weight_shape[0], padding=padding, by_count=by_count),
               None, order="C", check=_is_row, text=Plain(k.embedding, "weight, index", plain("embedding")),
               complex="analytic", reads="weight[index]", usual={"padding": -1, "by_count": ...},
               derives={"weight": of_rows}, batch=_of_rows)
embedding_backward: Op = Op("embedding_backward", _embedding_backward, "d index; rows padding by_count",
                            lambda g, index, padding, by_count: embedding_transposed(
                                g, index, padding=padding, by_count=by_count), None, order="C", raises=True,
                            text=Plain(k.embedding_backward, "d, index", plain("embedding_backward")),
                            complex="analytic", reads=lambda n: f"add({_by_count('d', n)}, into=zeros{n.shape}[index])",
                            batch=_rows_apart)
embedding_transposed: Op = Op("embedding_transposed", k.embedding_transposed, "u index; padding by_count",
                              lambda g, u_shape, index, padding, by_count: embedding_backward(
                                  g, index, rows=u_shape[0], padding=padding, by_count=by_count), None, order="C",
                              raises=True, complex="analytic", reads=lambda n: _by_count("u[index]", n), batch=_of_rows)
# fmt: on
