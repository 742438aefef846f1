"""Formulas of operations whose parameters are those of their kernels, for `Facts.reads` and `Facts.derives`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from minigrad.core.node import Node
from minigrad.kernels.along import table

Reads = Callable[[Node], str]
USUAL = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "output_padding": 0}


def _each(values: Any) -> Any:
    """One number for what is the same along all dimensions."""
    parts = [_each(v) if isinstance(v, (tuple, list)) else v for v in values]
    return parts[0] if len({*parts}) == 1 else tuple(parts)


def _call(name: str, inputs: str, usual: dict[str, Any], **told: Any) -> str:
    told = {k: _each(v) if isinstance(v, (tuple, list)) else v for k, v in told.items()}
    words = [f"{k}={v!r}" for k, v in told.items() if usual.get(k, ()) != v]
    return f"{name}({', '.join([inputs, *words])})"


def of_windows(name: str, inputs: str, *names: str) -> Reads:
    """An operation on windows, with those of its parameters that are named, and what is usual of them left out."""
    kernels = {"kernel_size": "kernel", "padding": "pads", "output_size": "sizes"}

    def reads(n: Node) -> str:
        told = {k: n.params[kernels.get(k, k)] for k in (*names, *USUAL) if kernels.get(k, k) in n.params}
        pads = [pad if isinstance(pad, tuple) else (pad, pad) for pad in told["padding"]]
        told["padding"] = "same" if any(low < high for low, high in pads) else [low for low, _ in pads]
        if "transpose" in name and told["padding"] != "same":
            # How much larger the result is than the smallest that has so many windows.
            counts, lengths = (m.shape[2:] for m in n.inputs)
            rows = zip(
                n.params["sizes"], counts, lengths, told["stride"], told["dilation"], pads, strict=True
            )
            told["output_padding"] = [
                size - ((count - 1) * s - 2 * low + d * (length - 1) + 1)
                for size, count, length, s, d, (low, _) in rows
            ]
        return _call(name.format(len(n.params["stride"])), inputs, USUAL, **told)

    return reads


def pooled(name: str, inputs: str, end: str = "") -> Reads:
    """Pooling and resizing, by the plans of `kernels.along`."""

    def reads(n: Node) -> str:
        plans = n.params["plans"]
        columns = [*zip(*plans, strict=True)]
        kind, rank = plans[0][0], len(plans)
        if kind == "adaptive":
            return _call(f"adaptive_{name}{rank}d{end}", inputs, {}, output_size=columns[2])
        if kind not in ("window", "mean", "sum"):
            return _resized(f"interpolate{end}", inputs, kind.removesuffix("-wide"), plans)
        kernel, stride, padding = map(_each, columns[2:5])
        told = {"kernel_size": kernel, "stride": stride, "padding": padding}
        if kind == "window":
            told |= {"dilation": columns[5]}
        elif kind == "sum":
            told |= {"divisor_override": 1}
        elif padding != 0 and False in columns[6]:
            told |= {"count_include_pad": False}
        # Of the plans of maxima and of means the parts behind `pad` differ.
        gaps, outs = (columns[5], columns[6]) if kind == "window" else ([1] * rank, columns[5])
        rows = zip(*columns[1:5], gaps, outs, strict=True)
        told |= {
            "ceil_mode": any(out > (n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d, out in rows)
        }
        return _call(f"{name}{rank}d{end}", inputs, USUAL | {"stride": kernel, "ceil_mode": False}, **told)

    return reads


def _resized(name: str, inputs: str, kind: str, plans: Any) -> str:
    rank, scales = len(plans), [plan[3] for plan in plans]
    modes = {"linear": ("linear", "bilinear", "trilinear")[rank - 1], "cubic": "bicubic"}
    told: dict[str, Any] = {"size": [plan[2] for plan in plans]}
    if all(scales):
        told = {"scale_factor": [float(f"{1 / scale:.4g}") for scale in scales]}
    told |= {"mode": modes.get(kind, kind)}
    if kind in modes:
        told |= {"align_corners": plans[0][4], "antialias": plans[0][0] != kind}
    return _call(name, inputs, {"align_corners": False, "antialias": False}, **told)


def padded(n: Node) -> str:
    """The sides as users give them: those of the last dimension first."""
    sides = tuple(side for pair in reversed(n.params["pads"]) for side in pair)
    value = n.params["value"]
    return f"pad(x, {sides}, value={value})" if value else f"pad(x, {sides})"


def of_means(n: Node) -> str:
    """Where the gradient of pooling or resizing goes."""
    if n.params["plans"][0][0] not in ("mean", "sum", "adaptive"):
        return "g times the weight of each neighbour"
    counts = [{*t[3]} for plan in n.params["plans"] if (t := table(plan))[3] is not None]
    size = math.prod(int(max(c)) for c in counts) if all(len(c) == 1 for c in counts) else ""
    if counts and not size:
        return "g / (size of a window) for each of its elements"
    return f"g{f' / {size}' if counts else ''} for each element of a window"


def of_matrices(text: str, scale: str = "") -> Reads:
    """A formula for one matrix, and for a batch of them, in which ``scale`` has a number for each."""

    def derives(n: Node) -> str:
        x = n.inputs[0]
        turned = text.replace(".T", ".mH" if x.dtype.kind == "c" else ".mT")
        if len(x.shape) == 2:
            return text if x.dtype.kind != "c" else turned
        each = f"({scale})" if " " in scale else scale
        return turned.replace(scale, f"{each}[..., None, None]" if scale else "", 1)

    return derives


def by_frequencies(n: Node) -> str:
    """The gradient of a transform of real numbers, or to them, whose frequencies stand for two each, but few."""
    from minigrad.kernels.fourier import OTHER  # few programs need it

    p, inverse = n.params, "size" not in n.params
    if p.get("twice") or p.get("half"):
        return ""
    size = f", n={n.inputs[0].shape[p['dim']]}" if inverse else ""
    call = f"{'irfft(g / m' if inverse else 'm * rfft(g'}{size}, dim={p['dim']}, norm={OTHER[p['norm']]!r})"
    return f"{call}, with m 2 where a frequency stands for its mirror image too, else 1"


def at(x: str, value: str = "") -> Reads:
    """Elements by index, read from ``x`` or written to it."""

    def reads(n: Node) -> str:
        k, star, base = 0, n.op.inputs[-1], f"zeros{n.shape}" if x == "zeros" else x  # type: ignore[union-attr]
        parts = [f"{star}{(k := k + 1)}" if here else ":" for here in n.params["pattern"]]
        return value.format(f"{base}[{', '.join(parts)}]") if value else f"{base}[{', '.join(parts)}]"

    return reads


def of_loss(name: str) -> Reads:
    """A loss of classes."""

    def reads(n: Node) -> str:
        told = {"ignore_index": n.params["ignore"], "reduction": "mean" if n.params["mean"] else "none"}
        return _call(name, "x, target", {"ignore_index": -100, "reduction": "mean"}, **told)

    return reads


def mean_of(n: Node) -> str:
    """What the gradient of a mean over classes is divided by: how many are not ignored. Else each row has its own."""
    saved: Any = n.saved if n.saved.__class__ is tuple else ()
    ignored = any(getattr(a, "dtype", None) == "int64" and (a == n.params["ignore"]).any() for a in saved)
    rows = math.prod(n.inputs[1].shape)
    count = f"count(target != {n.params['ignore']})" if ignored else rows
    return f" / {count}" if n.params["mean"] else "[:, None]"


def hot(n: Node) -> str:
    """1 for the class of each row, or of each column of matrices."""
    return "one_hot(target)" if len(n.inputs[1].shape) < 2 else "one_hot(target).mT"


def of_rows(n: Node) -> str:
    """The gradient of the rows that are looked up."""
    text = f"add(g, into=zeros{n.inputs[0].shape}[index])"
    if n.params["by_count"]:
        text = text.replace("g", "g / counts[index]", 1)
    zero = f", 0 in row {n.params['padding']}" if n.params["padding"] >= 0 else ""
    return text + zero + ", with counts how often each row is named" * n.params["by_count"]


def of_classes(n: Node) -> str:
    """The gradient of a cross entropy."""
    slope = f"g{mean_of(n)} * (softmax(x, dim=1) - {hot(n)})"
    return slope + f", 0 where target == {n.params['ignore']}" * ("count" in slope)


def of_ties(n: Node) -> str:
    """The gradient of an extreme, which those that are equal share."""
    dims = "" if n.params.get("dim") is None else " there"
    return f"g where x == y, shared if several are{dims}; else 0"


def of_deviation(n: Node) -> str:
    """The gradient of a standard deviation: the elements that are taken together are counted less the correction."""
    count = math.prod(n.inputs[0].shape or ()) // max(math.prod(n.shape or ()), 1)
    slope, dim = f"g / ({count - n.params['correction']:g} * y)", n.params["dim"]
    if not dim:
        return f"{slope} * (x - mean(x))"
    at = f"dim={_each(dim)}"
    return f"spread({slope}, {at}) * (x - mean(x, {at}, keepdim=True))"


def of_standard(n: Node) -> str:
    """The gradient of what has mean 0 and deviation 1."""
    return f"(g - mean(g) - y * mean(g * y)) / deviation(x), over dim={_each(n.params['dim'])}"


def of_norm(n: Node) -> dict[str, str]:
    """The gradients of layer, batch and group norm: z is what the input becomes before it is scaled."""
    dims, scaled = range(len(n.inputs[0].shape)), len(n.inputs[1].shape)
    own = [*dims[-scaled:]] if "groups" not in n.params else [d for d in dims if d != 1]
    rest = [d for d in dims if d not in own] if "groups" not in n.params else own
    over = "each group of channels" if n.params.get("groups") else f"dim={_each(own)}"
    z = f"z = (x - mean(x)) / deviation(x), over {over}"
    sums = f", dim={_each(rest)}" if rest else ""
    return {
        "x": f"(d - mean(d) - z * mean(d * z)) / deviation(x), with d = g * w and {z}",
        "w": f"sum(g * z{sums}), with {z}" if rest else f"g * z, with {z}",
        "b": f"sum(g{sums})" if rest else "g",
    }


def of_running(n: Node) -> dict[str, str]:
    """The gradients of batch norm by what was measured before."""
    deviation, dims = f"sqrt(var + {n.params['eps']:g})", [d for d in range(len(n.inputs[0].shape)) if d != 1]
    return {
        "x": f"g * w / {deviation}, by channel",
        "w": f"sum(g * (x - mean) / {deviation}, dim={_each(dims)}), by channel",
        "b": f"sum(g, dim={_each(dims)})",
    }


def through_time(n: Node) -> dict[str, str]:
    """The gradients of a recurrent layer: all of its steps are one operation, with their rows in one matrix.

    The last inputs are two biases, if there are any, and the projection of an LSTM, if it has one.
    """
    steps, more = sum(length for length, _ in n.params["runs"]), _last_inputs(n)
    state, before = ("states", f"each of the {steps} steps") if steps > 1 else ("state", "the step")
    back = f"g, back through the {steps} steps in time" if steps > 1 else "g, back through the cell"
    by_input, by_state = "x @ w.T", f"{state} @ u.T"
    told = {
        "x": f"d @ w, with d the gradient of {by_input}",
        "h": back,
        "c": back,
        "w": f"d.T @ x, with d the gradient of {by_input}",
        "u": f"d.T @ {state}, with d the gradient of {by_state}, the {state} before {before}",
    }
    if len(more) % 2:
        last = more.pop()
        told[last] = f"d.T @ outputs, with d the gradient of outputs @ {last}.T, not yet projected"
    sums = zip(more, (by_input, by_state), strict=False)
    return told | {bias: f"sum(d, dim=0), with d the gradient of {term} + {bias}" for bias, term in sums}


def of_layer(n: Node) -> dict[str, tuple[int, ...]]:
    """What the result of a recurrent layer holds."""
    op: Any = n.op
    states = {name: m.shape for name, m in zip(op.inputs, n.inputs, strict=False) if name in ("h", "c")}
    return {"output": (n.inputs[0].shape[0], states["h"][1]), **states}


def of_gradients(**places: int) -> Callable[[Node], dict[str, tuple[int, ...]]]:
    """What a gradient holds that is the gradients of several inputs, that of the first one only if ``onward``.

    ``places``: the inputs that have their shapes. By default they are those of all inputs behind the first two.
    """

    def packs(n: Node) -> dict[str, tuple[int, ...]]:
        op: Any = n.op
        names = [*op.inputs[2 : op.star], *_last_inputs(n)]
        of = places or {name: k for k, name in enumerate(names, 2)}
        pairs = [(f"∂{name}", n.inputs[k].shape) for name, k in of.items()]
        return dict(pairs if n.params["onward"] else pairs[1:])

    return packs


def _last_inputs(n: Node) -> list[str]:
    """The inputs that share the last name of the record."""
    op: Any = n.op
    return [f"{op.inputs[-1]}{k + 1}" for k in range(len(n.inputs) - op.star)] if op.star is not None else []
