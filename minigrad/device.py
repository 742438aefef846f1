"""The only device."""

from __future__ import annotations

from importlib import import_module
from typing import Any, TypeAlias

from minigrad.errors import assertion_error, runtime_error

# The names that `device` takes. ``with torch.device("meta")`` adds its own.
TAKEN = ["cpu"]


class device:
    """Where data lives: always the CPU. Compares with its name and prints as PyTorch's.

    AssertionError for a graphics card, as in a PyTorch without, RuntimeError for any other device; whatever takes a
    device makes one of these of it.
    """

    __slots__ = ("index", "type")
    __module__ = "minigrad"

    def __init__(self, type: device | str = "cpu", index: int | None = None) -> None:
        name, colon, number = str(getattr(type, "type", type)).partition(":")
        if name == "cpu" and colon and not number.isdecimal():
            raise runtime_error(f"Invalid device string: '{type}'")
        if name not in TAKEN:
            card = name in ("cuda", "xpu")
            words = f"Torch not compiled with {name.upper()} enabled: " if card else ""
            known = name.rstrip("0123456789") in (
                "bool", "complex", "double", "float", "half", "int", "long", "uint",
            )  # fmt: skip
            hint = f"; for the element type write minigrad.{name}" if known else ""
            if name == "meta":
                hint = ". Tensors without values are not there; nn.utils.skip_init() makes a module without drawing any"
            raise (assertion_error if card else runtime_error)(
                f"{words}minigrad runs on the CPU only, got device {type!r}; the only device is 'cpu'{hint}"
            )
        self.type, self.index = "cpu", index

    def __repr__(self) -> str:
        return f"device(type='{self.type}')"

    def __str__(self) -> str:
        return self.type

    def __eq__(self, other: object) -> bool:
        return (other.type if isinstance(other, device) else other) == "cpu"

    def __hash__(self) -> int:
        return hash("cpu")

    def __enter__(self) -> device:
        """In ``with``: what is made in it is made on the CPU."""
        return device(self)

    def __exit__(self, *caught: object) -> None:
        """Nothing: it is made there after it too."""

    def __reduce__(self) -> Any:
        # by its name, under which the stand-in for torch has a class of its own
        return import_module("minigrad").device, (self.type, self.index)


DeviceLike: TypeAlias = "device | str | None"


def check_device(name: DeviceLike) -> None:
    """The errors of `device` for another than the CPU; None is that."""
    if name is not None:
        device(name)


def check_place(name: DeviceLike) -> None:
    """`check_device` for what files and generators are for: RuntimeError for a graphics card too, as in PyTorch."""
    try:
        check_device(name)
    except AssertionError as error:
        raise RuntimeError(*error.args) from None
