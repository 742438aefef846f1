"""PyTorch's CPU random numbers: the same seed draws the same values.

The engine is NumPy's MT19937; what is PyTorch's own is how its 32-bit words become numbers. The reference is
PyTorch 2.13 on x86-64 with AVX2 or AVX-512 (one code path there). Where PyTorch calls the C library (float64
``normal``, ``exponential``, ...), this module does so too, through :mod:`math`.

The drawing methods of :class:`Generator` take a shape and a dtype and return a new ndarray. Nothing is seeded
or drawn before the first use, and ``numpy.random`` is not loaded before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, SupportsInt

from minigrad.core.tensor import Tensor
from minigrad.device import device
from minigrad.hints import module_getattr
from minigrad.random.generator import Generator

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "Generator", "default_generator", "fork_rng", "get_rng_state", "initial_seed", "manual_seed", "seed",
    "set_rng_state",
]  # fmt: skip

# As in PyTorch, each run draws other numbers unless it sets a seed.
default_generator = Generator.unforeseeable()


def manual_seed(seed: SupportsInt | str) -> Generator:
    """Seeds the default generator, as :meth:`Generator.manual_seed` does, and returns it."""
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Gives the default generator a random seed, and returns that."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed that the default generator started from."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The default generator's state, as :meth:`Generator.get_state`."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor | npt.ArrayLike) -> None:
    """Sets the default generator's state, as :meth:`Generator.set_state`."""
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(
    devices: Iterable[object] | None = None, enabled: bool = True, device_type: str | None = None
) -> Iterator[None]:
    """A context after which the default generator goes on as if nothing had been drawn inside.

    Args:
        devices: other devices whose generators to fork; there are none here, so None or empty.
        enabled: False makes the block do nothing.
        device_type: accepted, as in PyTorch, and ignored.

    Raises:
        AssertionError: `devices` names a graphics card; RuntimeError for another device than the CPU.
    """
    if not enabled:
        yield
        return
    for other in devices or ():
        device("cuda" if isinstance(other, int) else other)  # type: ignore[arg-type]
    state = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)


module_getattr(globals())
