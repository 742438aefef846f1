"""``torch.jit.annotations`` and ``torch._jit_internal``: where older scripts, and copies of layers, take names from."""
# ruff: noqa: UP035

from typing import Any, Callable, Dict, Final, List, Optional, Tuple, Union

from minigrad.futures import Future
from minigrad.jit import _overload, _overload_method, export, ignore, is_scripting, unused

__all__ = [
    "Any", "BroadcastingList1", "BroadcastingList2", "BroadcastingList3", "Callable", "Dict", "Final", "Future", "List",
    "Optional", "Tuple", "Union", "_copy_to_script_wrapper", "_overload", "_overload_method", "boolean_dispatch",
    "export", "ignore", "is_scripting", "unused",
]  # fmt: skip

_copy_to_script_wrapper = export


class _BroadcastingList:
    """``BroadcastingList2[int]`` annotates what may be a number or a list of two; nothing looks at it here."""

    def __getitem__(self, types: Any) -> None:
        return None


BroadcastingList1, BroadcastingList2, BroadcastingList3 = (_BroadcastingList() for _ in range(3))


def boolean_dispatch(
    arg_name: str,
    arg_index: int,
    default: bool,
    if_true: Any,
    if_false: Any,
    module_name: Any,
    func_name: Any,
) -> Callable[..., Any]:
    """A function that is one of two by an argument: what PyTorch's pooling functions are made with."""

    def function(*args: Any, **named: Any) -> Any:
        chosen = named.get(arg_name, args[arg_index] if arg_index < len(args) else default)
        return (if_true if chosen else if_false)(*args, **named)

    return function
