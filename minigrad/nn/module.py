"""Module: a tree of named parameters, buffers and submodules with a forward function."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from types import FunctionType
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, Self, TypeVar

from minigrad.core.contents import Contents, named_tensors, walk
from minigrad.core.hooks import RemovableHandle
from minigrad.errors import not_implemented_error, type_error, value_error
from minigrad.gate import own_constructor
from minigrad.hints import lacking
from minigrad.nn import _hooks, _members, _state, _tensors
from minigrad.nn._registering import *  # noqa: F403 (PyTorch's file of this name has them)
from minigrad.nn._registering import Hooked
from minigrad.nn._state import EXTRA_STATE as _EXTRA_STATE_KEY_SUFFIX  # noqa: F401  # packages name it
from minigrad.nn._state import IncompatibleKeys as _IncompatibleKeys
from minigrad.nn._tensors import Converted
from minigrad.nn._text import block, did_you_mean, html, indent, note_place, told, type_name
from minigrad.nn.parameter import Buffer, Parameter, clear_grad
from minigrad.tensor import Tensor

if TYPE_CHECKING:
    P = ParamSpec("P")
    R = TypeVar("R", covariant=True)

    class _HasForward(Protocol[P, R]):
        def forward(self, *args: P.args, **kwargs: P.kwargs) -> R: ...


__all__ = ["Module", "RemovableHandle"]


# Pickles of modules with hooks know the class by this name.
_ForwardHook = _hooks.ForwardHook


class Module(Hooked, Converted):
    """Base class of everything that has parameters.

    Assign :class:`Parameter`, :class:`Buffer` and Module attributes in ``__init__`` (after
    ``super().__init__()``), and write ``forward``::

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.hidden = nn.Linear(2, 64)
                self.out = nn.Linear(64, 1)

            def forward(self, x):
                return self.out(self.hidden(x).relu())

    Attribute ``training`` tells whether the module is in training mode (``train()``) or not (``eval()``).
    """

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _non_persistent_buffers_set = _members.Names()
    _modules: dict[str, Module | None]
    _version = 1
    # Properties that are attributes in PyTorch: `save` writes them for it.
    _also_saved: tuple[str, ...] = ()
    # Packages annotate arguments of their own `state_dict` with it.
    T_destination = TypeVar("T_destination", bound=dict[str, Any])

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        own_constructor(cls)
        # `act = torch.tanh` in a class: PyTorch's functions, which are not written in Python, do not become methods.
        for name, value in [*vars(cls).items()]:
            if type(value) is FunctionType and value.__module__ == "minigrad":
                setattr(cls, name, staticmethod(value))

    def __init__(self) -> None:
        self.__dict__.update(training=True, _parameters={}, _buffers={}, _modules={})

    def __minigrad_contents__(self) -> Contents:
        """What readers and `compile` see of a module: the tables that it works with."""
        return Contents(
            self._parameters, self._buffers, self._modules, self.__dict__.get("_non_persistent_buffers_set", ()),
            [_hooks.EVERY, *(self.__dict__[name] for name in _hooks.TABLES if name in self.__dict__)],
        )  # fmt: skip

    # ---------------------------------------------------------------- running

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The computation; every subclass writes its own. Call the module itself, which also runs hooks."""
        raise not_implemented_error(
            f'Module [{type(self).__name__}] is missing the required "forward" function'
            f"{did_you_mean('forward', {*vars(type(self))} - {'forward'})}"
        )

    def __call__(self: _HasForward[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        module: Any = self  # to a type checker a call has the signature of `forward`
        try:
            if module._hooked:
                return _hooks.call(module, args, kwargs)
            return module.forward(*args, **kwargs) if kwargs else module.forward(*args)
        except Exception as error:
            note_place(module, error)
            raise

    # What a class with a `__call__` of its own calls.
    _call_impl = _wrapped_call_impl = __call__

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compiles this module's ``forward`` with `minigrad.compile`, in place; the arguments are its options."""
        self.forward = import_module("minigrad.compiler").compile(self.forward, *args, **kwargs)  # type: ignore[method-assign]

    # ---------------------------------------------------------------- attributes

    def __getattr__(self, name: str) -> Any:
        # Called where ordinary lookup has failed.
        own = self.__dict__
        if "_parameters" in own:
            if name in own["_parameters"]:
                return own["_parameters"][name]
            if name in own["_buffers"]:
                return own["_buffers"][name]
            if name in own["_modules"]:
                return own["_modules"][name]
        if hasattr(type(self), name):
            # A property that raised AttributeError: let its own error be seen, not one about the property.
            return object.__getattribute__(self, name)
        message = f"'{type(self).__name__}' object has no attribute '{name}'"
        if not name.startswith("_"):
            if "_parameters" in own:
                message += lacking("minigrad.nn.Module", name) or did_you_mean(name, dir(self))
            else:
                message += _members.NOT_INITIALISED
        elif name in Module.__annotations__:
            message += _members.NOT_INITIALISED
        # obj=None keeps the interpreter from printing a second "Did you mean" behind ours.
        raise AttributeError(message, name=name, obj=None)

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, (Parameter, Module, Buffer)):
            self._set_member(name, value)
            return
        for table, kind in _members.TABLES.items():
            if name in self.__dict__.get(table, ()):
                if value is not None and not (kind == "buffer" and isinstance(value, Tensor)):
                    raise _members.wrong_kind(value, kind, name)
                if _hooks.REGISTRATION[table[1:-1]] and kind != "parameter":
                    value = _hooks.registered(self, table[1:-1], name, value)
                self.__dict__[table][name] = value
                return
        object.__setattr__(self, name, value)

    def _set_member(self, name: str, value: Parameter | Module | Buffer) -> None:
        kind = "buffer" if isinstance(value, Buffer) else "parameters"
        kind = "module" if isinstance(value, Module) else kind
        if "_parameters" not in self.__dict__:
            raise AttributeError(
                f"cannot assign {kind} before Module.__init__() call; begin with super().__init__()"
            )
        if name in self._parameters and kind != "parameters":
            raise _members.wrong_kind(value, "parameter", name)
        if name in self._modules and kind == "buffer":
            raise _members.wrong_kind(value, "child module", name)
        self.__dict__.pop(name, None)
        # In its own table it keeps its place, which is the order of parameters().
        for table in _members.TABLES:
            if not table.startswith(f"_{kind}"):
                self.__dict__[table].pop(name, None)
        if isinstance(value, Buffer):
            self.register_buffer(name, value, value.persistent)
            return
        self.__dict__.get("_non_persistent_buffers_set", set()).discard(name)
        if isinstance(value, Module):
            self._modules[name] = _hooks.registered(self, "module", name, value)
        else:
            self.register_parameter(name, value)

    def __delattr__(self, name: str) -> None:
        for table in (self._parameters, self._buffers, self._modules):
            if name in table:
                del table[name]
                self.__dict__.get("_non_persistent_buffers_set", set()).discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        names = {*dir(type(self)), *self.__dict__, *self._parameters, *self._buffers, *self._modules}
        return sorted(name for name in names if not name[:1].isdigit())

    # ---------------------------------------------------------------- registering

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Adds a parameter under ``name`` (None keeps the name for a parameter to come).

        Raises TypeError for anything else, KeyError for a name that is taken, empty or has a dot, ValueError
        for a Tensor that was computed, AttributeError before ``Module.__init__()``.
        """
        _members.check_name(self, name, "parameter", "_parameters")
        _members.check_parameter(name, param)
        # as in PyTorch hooks are not told of a name that has no parameter yet
        if param is not None:
            param = _hooks.registered(self, "parameter", name, param)
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Adds a Tensor that belongs to the module's state but is not trained (a running mean, say).

        With ``persistent=False`` it is left out of ``state_dict()``. Raises as ``register_parameter`` does.
        """
        _members.check_name(self, name, "buffer", "_buffers")
        _members.check_buffer(name, tensor)
        self._buffers[name] = _hooks.registered(self, "buffer", name, tensor)
        if persistent:
            self.__dict__.get("_non_persistent_buffers_set", set()).discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Adds a submodule under ``name``. Raises as ``register_parameter`` does."""
        _members.check_name(self, name, "module", "_modules")
        if module is not None and not isinstance(module, Module):
            raise type_error(f"{type_name(module)} is not a Module subclass{_members.instead(module)}")
        self._modules[name] = _hooks.registered(self, "module", name, module)

    def register_module(self, name: str, module: Module | None) -> None:
        """The same as ``add_module``."""
        self.add_module(name, module)

    # ---------------------------------------------------------------- walking the tree

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it with their dotted names, parents first; shared ones once.

        With ``remove_duplicate=False`` shared ones come under each name: ValueError if a module contains itself,
        which would have endlessly many names.
        """
        for path, module, _ in walk(self, prefix=prefix, shared=not remove_duplicate, seen=memo):
            yield path, module

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """This module and all below it, parents first; shared ones once."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The direct submodules with their names; shared ones once."""
        seen: set[Module] = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The direct submodules; shared ones once."""
        for _, module in self.named_children():
            yield module

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters with dotted names that begin with ``prefix``, in the order of assignment.

        ``recurse``: also those of submodules. A shared parameter comes once, under its first name, unless
        ``remove_duplicate`` is False.
        """
        return named_tensors(self, "parameters", prefix=prefix, recurse=recurse, shared=not remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, each once, in the order of assignment; ``recurse``: also those of submodules."""
        for _, param in self.named_parameters(recurse=recurse):
            yield param

    def _named_members(
        self, get_members_fn: Any, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        return named_tensors(
            self, get_members_fn, prefix=prefix, recurse=recurse, shared=not remove_duplicate
        )

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers with their dotted names; the arguments are those of ``named_parameters``."""
        return named_tensors(self, "buffers", prefix=prefix, recurse=recurse, shared=not remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers, each once; ``recurse``: also those of submodules."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def get_submodule(self, target: str) -> Module:
        """The module at a dotted path such as ``"encoder.0"``; ``""`` is this one. AttributeError if none."""
        return _members.submodule(self, target, Module)

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Puts ``module`` at a dotted path; with ``strict`` only where there is one already.

        Raises ValueError for an empty path or no Module, AttributeError where the path does not exist.
        """
        if target == "":
            raise value_error("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise value_error(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if hasattr(parent, name):
            if not isinstance(getattr(parent, name), Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        elif strict:
            raise AttributeError(f"{type(parent).__name__} has no attribute `{name}`")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted path such as ``"encoder.0.weight"``. AttributeError if there is none."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        param = _members.attribute(module, name, module._parameters)
        if not isinstance(param, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return param

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted path. AttributeError if there is none."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        buffer: Tensor = _members.attribute(module, name, module._buffers)
        if name not in module._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return buffer

    # ---------------------------------------------------------------- changing all at once

    def train(self, mode: bool = True) -> Self:
        """Sets training mode (or with False evaluation mode) here and in all submodules; returns self.

        ValueError unless ``mode`` is a bool.
        """
        if not isinstance(mode, bool):
            raise value_error(f"training mode is expected to be boolean, got {mode!r}")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Sets evaluation mode: the same as ``train(False)``."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Makes all parameters require grad, or with False freezes them; returns self."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drops the gradients of all parameters, or with ``set_to_none=False`` fills them with zeros."""
        for p in self.parameters():
            clear_grad(p, set_to_none)

    def apply(self, fn: Callable[[Module], object]) -> Self:
        """Calls ``fn(module)`` for every submodule, children first, and for this one; returns self."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Puts ``fn(t)`` for the data of each parameter, gradient and buffer; Parameters stay themselves."""
        for module in self.children() if recurse else ():
            module._apply(fn)
        _tensors.convert(self.__minigrad_contents__(), fn)
        return self

    # ---------------------------------------------------------------- saving and loading

    def get_extra_state(self) -> Any:
        """What the ``state_dict`` holds besides Tensors; override it together with ``set_extra_state``."""
        raise not_implemented_error("get_extra_state is called only where a subclass defines it")

    def set_extra_state(self, state: Any) -> None:
        """Restores what ``get_extra_state`` returned; override both."""
        raise not_implemented_error("set_extra_state is called only where a subclass defines it")

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        for name, tensor in _state.saved(self.__minigrad_contents__()).items():
            destination[prefix + name] = tensor if keep_vars else tensor.detach()
        if type(self).get_extra_state is not Module.get_extra_state:
            destination[prefix + _state.EXTRA_STATE] = self.get_extra_state()

    def state_dict(
        self, *args: Any, destination: dict[str, Any] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Any]:
        """All parameters and persistent buffers under their dotted names, in an OrderedDict.

        The values share memory with the module (copy.deepcopy the dict for a snapshot); they are detached
        unless ``keep_vars``. A shared parameter stands under each of its names. Names begin with ``prefix``;
        they are written into ``destination``, if it is not None. Arguments without a keyword, in this order, are
        deprecated, with a FutureWarning.
        """
        if args:
            destination, prefix, keep_vars = _state.positional(args, destination, prefix, keep_vars)
        return _state.state_dict(self, destination, prefix, keep_vars)

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Loads this module alone, at once, and adds what is wrong to the lists; a subclass may do more."""
        lists = _state.Lists(missing_keys, unexpected_keys, error_msgs)
        _state.carry_out(_state.plan(self, state_dict, prefix, local_metadata, strict, lists))

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> _IncompatibleKeys:
        """Copies the values of ``state_dict`` into the parameters and buffers of the same names.

        ``strict``: the names must be exactly this module's. ``assign``: take over the Tensors themselves (their
        memory and dtype) instead of copying their values; ``requires_grad`` stays the module's.

        Returns ``(missing_keys, unexpected_keys)``. Raises TypeError if ``state_dict`` is not a mapping, and
        RuntimeError with all that is missing, unexpected or of another shape; then nothing has changed (but by hooks
        for when a module is loaded, or by a class with a ``_load_from_state_dict`` of its own).
        """
        return _state.load(self, state_dict, strict, assign)

    # ---------------------------------------------------------------- printing

    _told = ""
    _repr_html_ = html  # for a notebook

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """The settings between the parentheses of ``repr``; override it to tell a module's own."""
        return told(self)

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        if len(lines) == 1 and not self._modules:
            return f"{self._get_name()}({extra})"
        lines += [f"({name}): " + indent(repr(module)) for name, module in self._modules.items()]
        return block(self._get_name(), lines)
