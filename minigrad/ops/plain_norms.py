"""How norms print; see `minigrad.ops.plain`."""

from __future__ import annotations

import math

from minigrad.core.text import Call, Shape
from minigrad.kernels import channels
from minigrad.kernels.norms import LONG, SOME
from minigrad.kernels.sums import ALONE, FEW, MANY, SHORT
from minigrad.ops.plain import total


def _products(x: str, y: str, n: int) -> str:
    """The sums of the products of rows, as `norms._row_products`."""
    if n > SHORT:
        return f"np.sum({x} * {y}, axis=-1, keepdims=True)"
    return f"np.vecdot({x}, {y})[..., np.newaxis]"


def _rows_of(v: Call, x: int) -> tuple[int, int]:
    """How many rows a layer norm has, and their length."""
    n = math.prod(v.shapes[x + 1])
    return math.prod(v.shapes[x]) // n, n


def _deviations(n: int, eps: float) -> list[str]:
    return [
        f"rows = x.reshape(-1, {n})",
        f"c = rows - {total('rows', n)} / {n}",
        f"r = 1.0 / np.sqrt({_products('c', 'c', n)} / {n} + {eps})",
    ]


def layer_norm(v: Call) -> list[str] | None:
    _, n = _rows_of(v, 0)
    y = "c * np.dot(r, w.reshape(1, -1))" if n <= LONG else "c * r * w.reshape(-1)"
    shift = " + b.reshape(-1)" * (len(v.shapes) - 2)
    return [*_deviations(n, v.params["eps"]), f"return ({y}{shift}).reshape({v.shape})"]


def layer_norm_backward(v: Call) -> list[str] | None:
    many, n = _rows_of(v, 1)
    if n > SHORT:
        return None
    lines = [*_deviations(n, v.params["eps"]), f"g = d.reshape(-1, {n})", "gc = g * c"]
    if many < FEW and n > 1:
        lines += ["dw, db = np.dot(r[:, 0], gc), np.dot(np.ones(len(g), g.dtype), g)"]
    elif many % FEW == 0 and many <= FEW * MANY and n <= SOME:
        k = many // FEW
        sums = f"np.matmul(a, b.reshape({k}, {FEW}, {n})).reshape({k}, {n})"
        lines += [
            f"by = r.reshape({k}, 1, {FEW})",
            f"sums = [{sums} for a, b in ((by, gc), (np.ones_like(by), g))]",
            f"dw, db = [np.dot(np.ones({k}, x.dtype), a) for a in sums]",
        ]
    else:
        lines += ["dw, db = {summed}(r, gc), {summed}(np.ones_like(r), g)"]
    if v.params["onward"]:
        factors = "np.dot(r, w[np.newaxis])" if n <= LONG else "r * w"
        lines += [
            "w = w.reshape(-1)",
            f"c *= r * (r * ({_products('gc', 'w', n)} / {n})) * r",
            f"dx = g * {factors} - c - r * ({_products('g', 'w', n)} / {n})",
        ]
    parts = "dx.reshape(-1), dw, db" if v.params["onward"] else "dw, db"
    return [*lines, f"return np.concatenate(({parts}))"]


def _channel_sums(x: str, y: str, n: int, c: int, rest: int, across: bool) -> str | None:
    """The sums of channels of ``x``, or of the products with ``y``, as `kernels.channels` adds up; (1 or n, c).

    None where that takes too many steps to print.
    """
    both = f"({x} * {y})" if y else x
    ones = f"np.ones({rest}, x.dtype)"
    if rest == 1 or (across and rest < channels.FEW):
        flat = both if rest == 1 else f"{both}.reshape({n}, -1)"
        if not across:
            return flat
        of_rows = f"np.dot(np.ones({n}, x.dtype), {flat})" if n <= MANY else f"{{sum_rows}}({flat})"
        return (
            f"{of_rows}[np.newaxis]"
            if rest == 1
            else f"np.dot({of_rows}.reshape(-1, {rest}), {ones})[np.newaxis]"
        )
    if channels.ROW <= rest <= SHORT:
        parts = f"np.vecdot({x}, {y or ones})"
    elif rest < channels.ROW:
        parts = f"np.dot({both}.reshape(-1, {rest}), {ones}).reshape({n}, {c})"
    else:
        return None
    if not across:
        return parts
    if n <= FEW or c == 1:
        return f"np.sum({parts}, axis=0, keepdims=True)"
    return f"np.dot(np.ones({n}, x.dtype), {parts})[np.newaxis]" if n <= MANY and n * c <= ALONE else None


def _channels_of(x: Shape) -> tuple[int, int, int]:
    return x[0], x[1], math.prod(x[2:])


def _channel_means(sums: str, v: Call, x: int) -> str:
    """The means of groups, for each channel."""
    (n, c, rest), groups = _channels_of(v.shapes[x]), v.params["groups"]
    each = c // groups if groups else 1
    if each == 1:
        return f"{sums} / {rest if groups else n * rest}"
    added = f"np.dot(({sums}).reshape(-1, {each}), np.ones({each}, x.dtype))"
    return f"np.repeat({added}.reshape(-1, {groups}) / {each * rest}, {each}, axis=1)"


def _shaped(v: Call, x: int) -> tuple[str, str]:
    """The shape in which channels are taken, and what makes numbers of them broadcast against it."""
    n, c, rest = _channels_of(v.shapes[x])
    return (f"({n}, {c})", "") if rest == 1 else (f"({n}, {c}, {rest})", "[:, :, np.newaxis]")


def _channel_deviations(v: Call, x: int) -> list[str] | None:
    n, c, rest = _channels_of(v.shapes[x])
    across, (shape, spread) = not v.params["groups"], _shaped(v, x)
    first, second = _channel_sums("x", "", n, c, rest, across), _channel_sums("c", "c", n, c, rest, across)
    if first is None or second is None or (not across and n * c * rest > channels.BLOCK):
        return None
    return [
        *[f"x = x.reshape({shape})"] * (str(v.shapes[x]) != shape),
        f"mean = {_channel_means(first, v, x)}",
        f"c = x - mean{spread}",
        f"r = 1.0 / np.sqrt({_channel_means(second, v, x)} + {v.params['eps']})",
    ]


def channel_norm(v: Call) -> list[str] | None:
    lines, (shape, spread) = _channel_deviations(v, 0), _shaped(v, 0)
    shift = f" + b{spread and '[:, np.newaxis]'}" * (len(v.shapes) - 2)
    end = "" if str(v.shape) == shape else f".reshape({v.shape})"
    y = f"c * (r * w){spread}{shift}"
    return lines and [*lines, f"return ({y}){end}" if end else f"return {y}"]


def channel_norm_backward(v: Call) -> list[str] | None:
    n, c, rest = _channels_of(v.shapes[1])
    across = not v.params["groups"]
    lines, many, (shape, spread) = _channel_deviations(v, 1), 1 if across else n, _shaped(v, 1)
    of_d, of_c = _channel_sums("g", "", n, c, rest, across), _channel_sums("g", "c", n, c, rest, across)
    if (
        lines is None
        or of_d is None
        or of_c is None
        or (many > FEW and c > 1 and (many > MANY or many * c > ALONE))
    ):
        return None
    end = ".sum(axis=0)" if many <= FEW or c == 1 else ""
    totals = [f"dw, db = (of_c * r){end}, of_d{end}"]
    if not end:
        totals = [f"ones = np.ones({n}, x.dtype)", "dw, db = np.dot(ones, of_c * r), np.dot(ones, of_d)"]
    lines += [f"g = d.reshape({shape})", f"of_d = {of_d}", f"of_c = {of_c}", *totals]
    if not v.params["onward"]:
        return [*lines, "return np.concatenate((dw, db))"]
    return [
        *lines,
        f"by_c = r * (r * ({_channel_means('of_c * w', v, 1)})) * r",
        f"shift = r * ({_channel_means('of_d * w', v, 1)})",
        f"c = c * by_c{spread} + shift{spread}",
        f"dx = g * (r * w){spread} - c",
        "return np.concatenate((dx.reshape(-1), dw, db))",
    ]


def moments(v: Call) -> list[str] | None:
    n, c, rest = _channels_of(v.shapes[0])
    first, second = _channel_sums("x", "", n, c, rest, True), _channel_sums("c", "c", n, c, rest, True)
    if first is None or second is None:
        return None
    shape, spread = _shaped(v, 0)
    return [
        f"x = x.reshape({shape})",
        f"mean = {first} / {n * rest}",
        f"c = x - mean{spread}",
        f"return np.concatenate((mean, {second} / {float(max(n * rest - v.params['correction'], 0))}))",
    ]


def running_norm(v: Call) -> list[str] | None:
    each = (-1, *(1,) * (len(v.shape) - 2))
    shift = f" + b.reshape({each})" * (len(v.shapes) - 4)
    scale = f"(w / np.sqrt(var + {v.params['eps']})).reshape({each})"
    return [f"return (x - mean.reshape({each})) * {scale}{shift}"]


def running_norm_backward(v: Call) -> list[str] | None:
    n, c, rest = _channels_of(v.shapes[1])
    of_d, of_c = _channel_sums("d", "", n, c, rest, True), _channel_sums("d", "c", n, c, rest, True)
    if of_d is None or of_c is None:
        return None
    each = (1, c, *(1,) * (len(v.shapes[1]) - 2))
    full, spread = _shaped(v, 1)
    factor = f"(w * r){spread and '[:, np.newaxis]'}"
    first = f"(d * {factor}).reshape(-1), " if v.params["onward"] else ""
    return [
        f"r = 1.0 / np.sqrt(var + {v.params['eps']})",
        f"c = (x - mean.reshape({each})).reshape({full})",
        f"d = d.reshape({full})",
        f"dw, db = ({of_c}).reshape(-1) * r, ({of_d}).reshape(-1)",
        f"return np.concatenate(({first}dw, db))",
    ]


# ---------------------------------------------------------------- without a weight


def _by_rows(v: Call) -> tuple[int, int] | None:
    """How many rows there are, and their length, where the dimensions are the last ones."""
    shape, dim = v.shape, v.params["dim"]
    if dim != tuple(range(len(shape) - len(dim), len(shape))):
        return None
    n = math.prod(shape[d] for d in dim)
    return math.prod(shape) // n, n


def _by_channels(v: Call) -> tuple[int, int, int] | None:
    shape, dim = v.shape, v.params["dim"]
    if len(shape) < 3 or dim != (0, *range(2, len(shape))) or math.prod(shape[2:]) < 16:
        return None
    n, c, rest = _channels_of(shape)
    return (n, c, rest) if n <= FEW or c == 1 or (n <= MANY and n * c <= ALONE) else None


def _of_channel(sums: str, n: int, c: int, rest: int) -> str:
    """The mean of each channel by the sums of its rows, a column each."""
    rows = f"{sums}.reshape({n}, {c})"
    added = f"np.sum({rows}, axis=0)" if n <= FEW or c == 1 else f"np.dot(np.ones({n}, x.dtype), {rows})"
    return f"{added}.reshape(1, -1, 1) / {n * rest}"


def _channel_lines(v: Call, sizes: tuple[int, int, int]) -> list[str]:
    n, c, rest = sizes
    mean, var = _of_channel(total("x", rest), n, c, rest), _of_channel(_products("c", "c", rest), n, c, rest)
    return [f"x = x.reshape({sizes})", f"c = x - {mean}", f"r = 1.0 / np.sqrt({var} + {v.params['eps']})"]


def standardize(v: Call) -> list[str] | None:
    if (rows := _by_rows(v)) is not None:
        return [*_deviations(rows[1], v.params["eps"]), f"return (c * r).reshape({v.shape})"]
    if (sizes := _by_channels(v)) is not None:
        return [*_channel_lines(v, sizes), f"return (c * r).reshape({v.shape})"]
    return None


def standardize_backward(v: Call) -> list[str] | None:
    if (rows := _by_rows(v)) is not None:
        n = rows[1]
        return [
            *_deviations(n, v.params["eps"]),
            f"g = d.reshape(-1, {n})",
            f"c *= r * (r * ({_products('g', 'c', n)} / {n}) * r)",
            f"return ((g - {total('g', n)} / {n}) * r - c).reshape({v.shape})",
        ]
    if (sizes := _by_channels(v)) is not None:
        rest = sizes[2]
        by_c, mean = _of_channel(_products("g", "c", rest), *sizes), _of_channel(total("g", rest), *sizes)
        return [
            *_channel_lines(v, sizes),
            f"g = d.reshape({sizes})",
            f"c *= r * (r * ({by_c})) * r",
            f"return ((g - {mean}) * r - c).reshape({v.shape})",
        ]
    return None
