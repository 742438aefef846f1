"""Operations of one's own, under the names of ``torch.library``: a function of Tensors with a name and a gradient.

`minigrad.autograd.Function` is the plain way to the same end.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from minigrad import autograd
from minigrad.core.mode import MODE
from minigrad.core.tensor import Tensor
from minigrad.errors import runtime_error
from minigrad.hints import module_getattr as _module_getattr

__all__ = ["CustomOpDef", "Library", "custom_op", "register_autograd", "register_fake", "register_kernel"]

_BY_NAME: dict[str, CustomOpDef] = {}


class CustomOpDef:
    """An operation that `custom_op` has made: it is called as its function."""

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self._name, self._function = name, function
        self._backward: Callable[..., Any] = self._refuse
        self._applied: type[autograd.Function] | None = None
        self._setup: Callable[..., Any] | None = None
        _BY_NAME[name] = self

    def __repr__(self) -> str:
        return f"<CustomOpDef({self._name})>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        given = _each((*args, *kwargs.values()))
        if not (MODE.get().grad and any(isinstance(x, Tensor) and x.requires_grad for x in given)):
            return self._function(*args, **kwargs)
        bound = inspect.signature(self._function).bind(*args, **kwargs)
        bound.apply_defaults()
        if self._applied is None:
            self._applied = self._made()
        lists = filter(_is_list, bound.args)
        return self._applied.apply(*bound.args, *_each(lists), (len(bound.args), bound.kwargs))

    def register_autograd(
        self, backward: Callable[..., Any], /, *, setup_context: Callable[..., Any] | None = None
    ) -> None:
        """Sets the gradient: ``backward(ctx, *grads)`` returns one for each argument, None for what has none.

        Of a list or tuple of Tensors it returns a list. ``setup_context(ctx, inputs, output)`` saves what that needs;
        ``inputs`` has defaults too. Arguments that the function takes by name alone come in a dict,
        ``keyword_only_inputs``.
        """
        self._backward, self._setup, self._applied = backward, setup_context, None

    def _refuse(self, ctx: Any, *grads: Any) -> NoReturn:
        raise runtime_error(
            f"Trying to backward through {self._name}.default but no autograd formula was registered. If you need "
            "to use autograd with this custom operator, use torch.library.register_autograd"
        )

    def _made(self) -> type[autograd.Function]:
        """A Function of the arguments, of the items of lists among them, and of what `_arguments` needs."""
        op, user_backward, setup = self, self._backward, self._setup

        class Applied(autograd.Function):
            @staticmethod
            def forward(*flat: Any) -> Any:
                args, named = _arguments(flat)
                return op._function(*args, **named)

            @staticmethod
            def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
                args, named = _arguments(inputs)
                ctx._lists = [len(x) if _is_list(x) else None for x in args]
                tensors = [i for i, x in enumerate(args) if any(isinstance(y, Tensor) for y in _each((x,)))]
                ctx._least = max(tensors, default=-1) + 1
                if setup is not None:
                    more = {"keyword_only_inputs": named} if named else {}
                    setup(ctx=ctx, inputs=args, output=output, **more)

            @staticmethod
            def backward(ctx: Any, *grads: Any) -> Any:
                count, wanted = len(ctx._lists), ctx.needs_input_grad
                of_items = iter(wanted[count:])
                ctx.needs_input_grad = tuple(
                    w if n is None else [next(of_items) for _ in range(n)]
                    for w, n in zip(wanted, ctx._lists, strict=False)
                )
                try:
                    returned = user_backward(ctx, *grads)
                finally:
                    ctx.needs_input_grad = wanted
                returned = returned if isinstance(returned, tuple) else (returned,)
                misfit = any(
                    n is not None and g is not None and not (isinstance(g, (list, tuple)) and len(g) == n)
                    for g, n in zip(returned, ctx._lists, strict=False)
                )
                if misfit or len(returned) < ctx._least or any(g is not None for g in returned[count:]):
                    raise runtime_error(
                        f"{op._name}: backward returns one gradient for each of the {count} arguments, None for what "
                        f"has none, and of a list one for each item in a list, got {_told(returned)}"
                    )
                alone, items = list[Any](), list[Any]()
                for g, n in zip((*returned, *[None] * count), ctx._lists, strict=False):
                    alone.append(g if n is None else None)
                    items += [] if n is None else [None] * n if g is None else g
                return (*alone, *items, None)

        Applied.__name__ = Applied.__qualname__ = self._name.rpartition("::")[2]
        return Applied

    def register_fake(self, fn: Callable[..., Any], /) -> Callable[..., Any]:
        """``fn``, which tells PyTorch's compiler the shapes of results; here the function itself runs."""
        return fn

    def register_kernel(
        self, device_types: str | Iterable[str] | None, func: Callable[..., Any] | None = None, /
    ) -> Any:
        """Sets the function for the CPU; of other devices there are none. Also a decorator."""
        kinds = [device_types] if isinstance(device_types, str) else list(device_types or ["cpu"])

        def register(fn: Callable[..., Any]) -> Callable[..., Any]:
            if "cpu" in kinds:
                self._function = fn
            return fn

        return register if func is None else register(func)


def _is_list(x: Any) -> bool:
    """Whether an argument is a list or tuple with Tensors, or an empty one."""
    return x.__class__ in (list, tuple) and (not x or any(isinstance(y, Tensor) for y in x))


def _told(x: Any) -> str:
    """Gradients by their types, in an error."""
    if isinstance(x, (list, tuple)):
        told = ", ".join(map(_told, x))
        return f"[{told}]" if isinstance(x, list) else f"({told})"
    return type(x).__name__


def _each(args: Iterable[Any]) -> list[Any]:
    """Arguments, with the items of lists in the place of these."""
    return [y for x in args for y in (x if _is_list(x) else (x,))]


def _arguments(flat: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments by place and by name alone; lists hold the items that stand behind the former."""
    count, named = flat[-1]
    items = iter(flat[count:-1])
    return tuple(x.__class__(next(items) for _ in x) if _is_list(x) else x for x in flat[:count]), named


class Library:
    """Operations of a namespace, as packages with compiled ones make them: those for the CPU are `custom_op`.

    What is for other devices, and for PyTorch's compiler, is taken and does nothing.
    """

    def __init__(self, ns: str, kind: str, dispatch_key: str = "") -> None:
        self.ns, self.kind, self.dispatch_key = ns, kind, dispatch_key

    def define(self, schema: str, alias_analysis: str = "", *, tags: Any = ()) -> str:
        """The name in a schema such as ``"scale(Tensor x) -> Tensor"``; `impl` gives it a function."""
        return schema.partition("(")[0]

    def impl(self, op_name: Any, fn: Callable[..., Any], dispatch_key: str = "", **options: Any) -> None:
        """Sets the function of an operation."""
        if (dispatch_key or self.dispatch_key) in (
            "",
            "CPU",
            "CompositeImplicitAutograd",
            "CompositeExplicitAutograd",
        ):
            CustomOpDef(f"{self.ns}::{op_name}", fn)


def custom_op(
    name: str,
    fn: Callable[..., Any] | None = None,
    /,
    *,
    mutates_args: str | Iterable[str],
    device_types: str | Iterable[str] | None = None,
    schema: str | None = None,
    tags: Any = None,
) -> Any:
    """An operation ``"namespace::name"`` of a function, also as a decorator.

    The function must return new Tensors; ``mutates_args`` names arguments that it changes, for which the gradient is
    not noted.  The other options serve PyTorch's compiler.  ValueError for a name without a namespace.
    """
    if name.count("::") != 1:
        raise ValueError(f"custom_op(): the name is 'namespace::name', got {name!r}")
    return CustomOpDef(name, fn) if fn is not None else functools.partial(CustomOpDef, name)


def of_namespace(name: str) -> dict[str, CustomOpDef]:
    """The operations of a namespace, by their names."""
    return {full.partition("::")[2]: op for full, op in _BY_NAME.items() if full.partition("::")[0] == name}


def _op(op: CustomOpDef | str) -> CustomOpDef:
    if isinstance(op, CustomOpDef):
        return op
    if op not in _BY_NAME:
        raise RuntimeError(f"there is no operation {op!r}; custom_op() makes one")
    return _BY_NAME[op]


def register_autograd(
    op: CustomOpDef | str,
    backward: Callable[..., Any],
    /,
    *,
    setup_context: Callable[..., Any] | None = None,
    lib: Any = None,
) -> None:
    """`CustomOpDef.register_autograd` of an operation, or of one by its name."""
    _op(op).register_autograd(backward, setup_context=setup_context)


def register_fake(
    op: CustomOpDef | str, func: Callable[..., Any] | None = None, /, *, lib: Any = None
) -> Any:
    """`CustomOpDef.register_fake` of an operation, or of one by its name, here or not; also a decorator."""
    return (lambda fn: fn) if func is None else func


def register_kernel(
    op: CustomOpDef | str,
    device_types: str | Iterable[str] | None,
    func: Callable[..., Any] | None = None,
    /,
    *,
    lib: Any = None,
) -> Any:
    """`CustomOpDef.register_kernel` of an operation, or of one by its name; also a decorator."""
    return _op(op).register_kernel(device_types, func)


_module_getattr(globals())
