"""``_foreach_*``: one operation on each Tensor of a list, as optimizers written for PyTorch spell it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.core.tensor import Tensor
from minigrad.errors import runtime_error
from minigrad.functions.creation import as_tensor

_PREFIX = "_foreach_"

# Each has a form in place too.
_BOTH = [
    "abs", "acos", "add", "addcdiv", "addcmul", "asin", "atan", "ceil", "clamp_max", "clamp_min", "cos", "cosh",
    "div", "erf", "erfc", "exp", "expm1", "floor", "frac", "lerp", "lgamma", "log", "log10", "log1p", "log2",
    "maximum", "minimum", "mul", "neg", "pow", "reciprocal", "round", "rsqrt", "sigmoid", "sign", "sin", "sinh",
    "sqrt", "sub", "tan", "tanh", "trunc",
]  # fmt: skip
_ONE = ("clone", "copy_", "max", "norm", "zero_")
NAMES = frozenset(_PREFIX + name for name in (*_BOTH, *(f"{name}_" for name in _BOTH), *_ONE))


def made(name: str) -> Callable[..., Any]:
    """The function of a name."""
    operation = name.removeprefix(_PREFIX)

    def each(self: Any, *args: Any, **named: Any) -> Any:
        number = isinstance(self, (int, float))  # as in pow(2.0, exponents)
        scalars = operation.startswith("addc") and len(args) == 3  # numbers, also in one Tensor
        results = []
        count = len(args[0] if number else self)
        _check(name, count, (*args, *named.values()), scalars)
        for i in range(count):
            t, *rest = (_of(i, x) for x in (self, *args))
            others = {key: _of(i, x) for key, x in named.items()}
            if scalars:
                value = rest.pop()
                others["value"] = value[i].item() if isinstance(value, Tensor) else value
            results.append(_one(operation, t, rest, others))
        return self if operation.endswith("_") else tuple(results)

    each.__name__ = each.__qualname__ = name
    each.__doc__ = f"`{operation}` of each Tensor of a list; what else is a list goes along, one by one."
    return each


def _check(name: str, count: int, others: tuple[Any, ...], scalars: bool) -> None:
    """RuntimeError for no Tensors at all, and for lists of other lengths."""
    if not count:
        raise runtime_error(f"{name}(): Tensor list must have at least one tensor")
    lists: list[Any] = [x for x in others if isinstance(x, (list, tuple))]
    if scalars and isinstance(others[2], Tensor):
        lists.append(others[2])
    for x in lists:
        if len(x) != count:
            raise runtime_error(
                f"{name}(): Tensor lists must have the same number of tensors, got {count} and {len(x)}"
            )


def _of(i: int, x: Any) -> Any:
    return x[i] if isinstance(x, (list, tuple)) else x


def _one(operation: str, t: Any, args: list[Any], named: dict[str, Any]) -> Any:
    plain = operation.rstrip("_")
    if plain in ("maximum", "minimum"):
        bound = "clamp_min" if plain == "maximum" else "clamp_max"
        return getattr(t, operation.replace(plain, bound))(*args)
    if plain == "norm" and "ord" in named:
        named["p"] = named.pop("ord")
    if not isinstance(t, Tensor):
        t = as_tensor(t)
    return getattr(t, operation)(*args, **named)
