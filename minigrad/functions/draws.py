"""Tensors of random numbers, under PyTorch's names.

Sizes are given one by one or as one sequence.  ``dtype`` None means the default float, int64 for whole numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from minigrad import dtypes, random
from minigrad.core.apply import apply, cast, needs_value
from minigrad.core.mode import MODE, ModeManager
from minigrad.core.node import next_seq
from minigrad.core.op import Op
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.types import Sizes
from minigrad.device import DeviceLike
from minigrad.dtypes import DTypeLike
from minigrad.errors import not_implemented_error, runtime_error, type_error, value_error
from minigrad.functions.creation import _dtype, _finish, _shape, empty_like, like
from minigrad.functions.elementwise import broadcast
from minigrad.gate import case, public
from minigrad.ops import draws, elementwise

if TYPE_CHECKING:
    from minigrad.random import Generator

__all__ = [
    "bernoulli", "binomial", "multinomial", "normal", "poisson", "rand", "rand_like", "randint", "randint_like",
    "randn", "randn_like", "randperm",
]  # fmt: skip


def drawn(generator: Any, method: str, *arguments: Any, **options: Any) -> Tensor:
    """What a method of the generator (the default one, if None) draws."""
    source = random.default_generator if generator is None else generator
    if MODE.get().recorder is None:
        return wrap(getattr(source, method)(*arguments, **options))
    return apply(
        draws.draw, (), {"generator": source, "method": method, "arguments": arguments, "options": options}
    )


def _random(
    name: str, *size: Sizes, generator: Generator | None = None, dtype: DTypeLike | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    method = "normal" if name == "randn" else "uniform"
    return _finish(drawn(generator, method, _shape(name, size), _dtype(dtype)), requires_grad, device)


rand = case(_random, "rand", """
    A new Tensor of this size: numbers drawn uniformly from [0, 1).

    Of the default float unless ``dtype`` says another.
    """)  # fmt: skip
randn = case(_random, "randn", """
    A new Tensor of this size: numbers drawn from the normal distribution with mean 0 and variance 1.

    Of the default float unless ``dtype`` says another.
    """)  # fmt: skip


@overload
def randint(
    high: int, size: Sequence[int], /, *, generator: Generator | None = None, dtype: DTypeLike | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor: ...  # fmt: skip


@overload
def randint(
    high: int, /, *, size: Sequence[int], generator: Generator | None = None, dtype: DTypeLike | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor: ...  # fmt: skip


@overload
def randint(
    *, high: int, size: Sequence[int], generator: Generator | None = None, dtype: DTypeLike | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor: ...  # fmt: skip


@overload
def randint(
    low: int, high: int, size: Sequence[int], *, generator: Generator | None = None,
    dtype: DTypeLike | None = None, device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor: ...  # fmt: skip


def randint(
    low: Any = None, high: Any = None, size: Any = None, *, generator: Generator | None = None,
    dtype: DTypeLike | None = None, device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Whole numbers from ``low`` (0 unless given) to ``high``, which is left out; int64 unless ``dtype`` is given.

    TypeError if the bound or the size is missing.
    """
    if size is None:
        low, high, size = None, low, high
    if high is None:
        low, high = None, low
    if high is None or not isinstance(size, (tuple, list)):
        raise type_error(
            "randint() takes high and size, or low, high and size, as in randint(0, 10, (3,)) or "
            "randint(10, size=(3,))"
        )
    kind = dtypes.I64 if dtype is None else dtypes.as_numpy(dtype)
    array = drawn(generator, "integers", 0 if low is None else low, high, _shape("randint", (size,)), kind)
    return _finish(array, requires_grad, device)


def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """0 to n - 1 in random order, int64."""
    kind = dtypes.I64 if dtype is None else dtypes.as_numpy(dtype)
    return _finish(drawn(generator, "permutation", n, kind), requires_grad, device)


def _as_number(x: Any) -> Any:
    if not isinstance(x, Tensor):
        return x
    if x._array.ndim:
        raise runtime_error(
            f"normal(): with a size, mean and std are numbers, got a Tensor of shape {list(x._array.shape)}"
        )
    needs_value("normal() of 0-d Tensors and a size")
    return x._array.item()


def normal(
    mean: Tensor | float, std: Tensor | float = 1.0, size: Sizes | None = None, *,
    generator: Generator | None = None, dtype: DTypeLike | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Normal with that mean and deviation: numbers with a ``size``, or Tensors that broadcast."""
    if size is not None:
        mean, std = (_as_number(x) for x in (mean, std))
        array = drawn(generator, "normal", _shape("normal", (size,)), _dtype(dtype), mean, std)
        return _finish(array, requires_grad, device)
    if not (isinstance(mean, Tensor) or isinstance(std, Tensor)):
        raise type_error("normal(): with two numbers a size is needed, as in normal(0.0, 1.0, (3,))")
    broadcast("normal", *(np.shape(x._array) for x in (mean, std) if isinstance(x, Tensor)))
    kind = 2 if not isinstance(mean, Tensor) else 3 if isinstance(std, Tensor) else 1
    return _finish(_flat(draws.normal, kind, mean, std, generator=generator), requires_grad, device)


def bernoulli(input: Tensor, p: float | None = None, *, generator: Any = None) -> Tensor:
    """1 with the probability that each element states, or with ``p`` for all, else 0, in its dtype."""
    if p is not None:
        return empty_like(input).bernoulli_(p, generator=generator)
    return _flat(draws.bernoulli, 0, input, generator=generator)


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Any = None
) -> Tensor:
    """Places (int64) drawn by the weights in a vector, or in each row of a matrix, which need not sum to 1.

    RuntimeError for weights that are negative or not finite, for a row of zeros, and for more samples than there are
    weights without ``replacement``.
    """
    weights = input._array
    if weights.ndim not in (1, 2):
        raise runtime_error("prob_dist must be 1 or 2 dim")
    if weights.dtype.kind not in "fV":
        raise runtime_error(f"multinomial only supports floating-point dtypes for input, got: {input.dtype}")
    if num_samples <= 0:
        raise runtime_error("cannot sample n_sample <= 0 samples")
    if not replacement and num_samples > weights.shape[-1]:
        raise runtime_error("cannot sample n_sample > prob_dist.size(-1) samples without replacement")
    source = random.default_generator if generator is None else generator
    params = {"generator": source, "num_samples": int(num_samples), "replacement": replacement}
    return apply(draws.multinomial, (input,), params)


@overload
def randint_like(
    input: Tensor, high: int, /, *, dtype: DTypeLike | None = None, requires_grad: bool = False,
    device: DeviceLike = None,
) -> Tensor: ...  # fmt: skip


@overload
def randint_like(
    input: Tensor, *, high: int, dtype: DTypeLike | None = None, requires_grad: bool = False,
    device: DeviceLike = None,
) -> Tensor: ...  # fmt: skip


@overload
def randint_like(
    input: Tensor, low: int, high: int, *, dtype: DTypeLike | None = None, requires_grad: bool = False,
    device: DeviceLike = None,
) -> Tensor: ...  # fmt: skip


def randint_like(
    input: Tensor, low: Any = None, high: Any = None, *, dtype: DTypeLike | None = None,
    requires_grad: bool = False, device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """`randint` in the shape and dtype of ``input``: from ``low`` (0 unless given) to ``high``, which is left out."""
    if high is None:
        low, high = None, low

    def make(size: Sequence[int], **options: Any) -> Tensor:
        return randint(low, high, size, **options)

    return like(make, input, dtype=dtype, requires_grad=requires_grad, device=device)


def _draws(op: Op, *inputs: Any, generator: Generator | None = None) -> Tensor:
    """What an op of `draws` makes of Tensors, recorded if they want gradients."""
    return apply(op, inputs, {"generator": random.default_generator if generator is None else generator})


def _flat(op: Op, number: int, *inputs: Any, generator: Generator | None) -> Tensor:
    """As `_draws`, with gradients of 0: on the tape the numbers are data, so that programs of it can be printed.

    ``number`` is that of the record's name in PyTorch.
    """
    mode = MODE.get()
    wanted = [x for x in inputs if isinstance(x, Tensor) and x.requires_grad]
    if mode.recorder is not None or not mode.grad or not (wanted or mode.everything):
        return _draws(op, *inputs, generator=generator)
    with ModeManager(mode.recording(False)):
        y = _draws(op, *inputs, generator=generator)
    since = next_seq()
    for x in wanted:
        y = apply(elementwise.flat_in, (y, cast(x, y._array.dtype)))
    if wanted and y._node is not None:
        y._node.outer = f"{op.name.title()}Backward{number}", since
    return y


def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Counts with the rate that each element states, in its dtype. RuntimeError for a negative rate."""
    if input._array.dtype.kind not in "fV":
        raise not_implemented_error(
            f"\"poisson_cpu\" not implemented for '{dtypes.scalar(input.dtype)}'; use a float"
        )
    return _flat(draws.poisson, 0, input, generator=generator)


def binomial(count: Tensor, prob: Tensor, generator: Generator | None = None) -> Tensor:
    """Successes among ``count`` trials of chance ``prob``, in their dtype; they broadcast.

    ValueError for integers, RuntimeError for unlike dtypes.
    """
    if count.dtype != prob.dtype:
        raise runtime_error(f"Found dtype {prob.dtype} but expected {count.dtype}")
    if count._array.dtype.kind not in "fV":
        raise value_error(
            f"binomial only supports floating-point dtypes for count, got: {dtypes.scalar(count.dtype)}"
        )
    shape = broadcast("binomial", count.shape, prob.shape)
    return _draws(draws.binomial, count.expand(shape), prob.expand(shape), generator=generator)


def standard_gamma(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Gamma numbers with the shapes that ``input`` states, and scale 1; its gradient is the implicit one."""
    return _draws(draws.standard_gamma, input, generator=generator)


def sample_dirichlet(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Points of the simplex with the concentrations in the last dimension; its gradient is the implicit one."""
    return _draws(draws.dirichlet, input, generator=generator)


rand_like = case(like, "rand_like", "`rand` in the shape and dtype of ``input``.", rand)


def randn_like(
    input: Tensor, *, dtype: DTypeLike | None = None, requires_grad: bool = False, device: DeviceLike = None
) -> Tensor:
    """`randn` in the shape and dtype of ``input``."""
    if input._array.flags.c_contiguous:
        return like(randn, input, dtype=dtype, requires_grad=requires_grad, device=device)
    # PyTorch draws what does not lie row by row one by one.
    return empty_like(input, dtype=dtype, device=device).normal_().requires_grad_(requires_grad)


_standard_gamma, _sample_dirichlet = standard_gamma, sample_dirichlet  # by PyTorch's names
METHODS = "bernoulli multinomial"
public(globals(), __all__, home="minigrad")
