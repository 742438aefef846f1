"""Module: a tree of named parameters, buffers and submodules with a forward function."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, Protocol, Self, TypeVar

from minigrad.autograd import no_grad
from minigrad.autograd.hooks import RemovableHandle
from minigrad.device import DeviceLike
from minigrad.dtypes import dtype as DType
from minigrad.dtypes import float16, float32, float64
from minigrad.hints import lacking
from minigrad.nn._backward import BackwardHooks
from minigrad.nn.parameter import Buffer, Parameter
from minigrad.tensor import Tensor

if TYPE_CHECKING:
    P = ParamSpec("P")
    R = TypeVar("R", covariant=True)

    class _HasForward(Protocol[P, R]):
        def forward(self, *args: P.args, **kwargs: P.kwargs) -> R: ...


__all__ = ["Module", "RemovableHandle"]

V = TypeVar("V")
_EXTRA_STATE = "_extra_state"


class _IncompatibleKeys(NamedTuple):
    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


class _ForwardHook(NamedTuple):
    call: Callable[..., Any]
    with_kwargs: bool
    always: bool = False


class Module:
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
    _non_persistent_buffers_set: set[str]
    _modules: dict[str, Module | None]
    _forward_pre_hooks: OrderedDict[int, _ForwardHook]
    _forward_hooks: OrderedDict[int, _ForwardHook]
    _backward_pre_hooks: OrderedDict[int, Callable[..., Any]]
    _backward_hooks: OrderedDict[int, Callable[..., Any]]

    def __init__(self) -> None:
        self.__dict__.update(
            training=True,
            _parameters={},
            _buffers={},
            _non_persistent_buffers_set=set(),
            _modules={},
            _forward_pre_hooks=OrderedDict(),
            _forward_hooks=OrderedDict(),
            _backward_pre_hooks=OrderedDict(),
            _backward_hooks=OrderedDict(),
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        # A pickle may be older than hooks on the backward pass.
        self.__dict__.update(
            {"_backward_pre_hooks": OrderedDict(), "_backward_hooks": OrderedDict(), **state}
        )

    # ---------------------------------------------------------------- running

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The computation; every subclass writes its own. Call the module itself, which also runs hooks."""
        raise NotImplementedError(
            f'Module [{type(self).__name__}] is missing the required "forward" function'
        )

    def __call__(self: _HasForward[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        module: Any = self  # to a type checker it has the signature of its `forward`
        try:
            if (
                module._forward_hooks
                or module._forward_pre_hooks
                or module._backward_hooks
                or module._backward_pre_hooks
            ):
                return module._call_with_hooks(args, kwargs)  # type: ignore[no-any-return]
            return module.forward(*args, **kwargs) if kwargs else module.forward(*args)  # type: ignore[no-any-return]
        except Exception as error:
            _note_place(module, error)
            raise

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result: Any = None
        waiting = {i: hook for i, hook in self._forward_hooks.items() if hook.always}

        def run(hook: _ForwardHook) -> Any:
            given = (args, kwargs, result) if hook.with_kwargs else (args, result)
            changed = hook.call(self, *given)
            return result if changed is None else changed

        try:
            for pre in list(self._forward_pre_hooks.values()):
                if pre.with_kwargs:
                    changed = pre.call(self, args, kwargs)
                    if changed is None:
                        continue
                    if not (isinstance(changed, tuple) and len(changed) == 2):
                        raise RuntimeError(
                            "forward pre-hook must return None or a tuple of (new_args, new_kwargs), "
                            f"but got {changed}."
                        )
                    args, kwargs = changed
                else:
                    changed = pre.call(self, args)
                    if changed is not None:
                        args = changed if isinstance(changed, tuple) else (changed,)
            backward: BackwardHooks | None = None
            if self._backward_hooks or self._backward_pre_hooks:
                hooks, pre_hooks = self._backward_hooks.values(), self._backward_pre_hooks.values()
                backward = BackwardHooks(self, list(hooks), list(pre_hooks))
                args = backward.arguments(args)
            result = self.forward(*args, **kwargs)
            for i, hook in list(self._forward_hooks.items()):
                waiting.pop(i, None)
                result = run(hook)
            if backward is not None:
                if not isinstance(result, (Tensor, tuple)):
                    warnings.warn(
                        "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but "
                        f"received {type(result)}",
                        stacklevel=3,
                    )
                result = backward.results(result)
            return result
        except Exception:
            for hook in waiting.values():
                try:
                    result = run(hook)
                except Exception as second:  # the first error is the one to report
                    warnings.warn(
                        "module forward hook with ``always_call=True`` raised an exception that was silenced "
                        f"as another error was raised in forward: {second}",
                        stacklevel=2,
                    )
            raise

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Has ``hook(module, args)`` called before ``forward``; what it returns (not None) replaces ``args``.

        With ``with_kwargs`` it is ``hook(module, args, kwargs)``, returning None or both anew. ``prepend``
        puts it before the hooks already there.
        """
        return _register(self._forward_pre_hooks, _ForwardHook(hook, with_kwargs), prepend)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Has ``hook(module, args, output)`` called after ``forward``; a result not None replaces the output.

        With ``with_kwargs`` it is ``hook(module, args, kwargs, output)``. ``always_call`` has it called also
        when ``forward`` raised (with output None). ``prepend`` puts it before the hooks already there.
        """
        return _register(self._forward_hooks, _ForwardHook(hook, with_kwargs, always_call), prepend)

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Has ``hook(module, grad_output)`` called when the gradients of the module's results are known.

        ``grad_output`` is a tuple with an entry for each result, None for what got no gradient. A tuple that the
        hook returns (not None) replaces it; RuntimeError for another length or shape. ``prepend`` puts the hook
        before those already there.
        """
        return _register(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Has ``hook(module, grad_input, grad_output)`` called when gradients have passed the module.

        ``grad_input`` is a tuple with an entry for each positional argument, None for what is no Tensor; a tuple that
        the hook returns (not None) replaces it. Where no argument requires grad, it holds None only, and the hook is
        called as soon as ``grad_output`` is known. Results must be a Tensor or a tuple, and neither they nor the
        arguments may be changed in place. RuntimeError in backward for a tuple of another length or shape.
        """
        return _register(self._backward_hooks, hook, prepend)

    # ---------------------------------------------------------------- attributes

    def __getattr__(self, name: str) -> Any:
        # Only called where ordinary lookup found nothing.
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
                message += lacking("minigrad.nn.Module", name) or _did_you_mean(name, dir(self))
            else:
                message += _NOT_INITIALISED
        elif name in Module.__annotations__:
            message += _NOT_INITIALISED
        # obj=None keeps the interpreter from printing a second "Did you mean" behind ours.
        raise AttributeError(message, name=name, obj=None)

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if isinstance(value, (Parameter, Module, Buffer)):
            self._set_member(name, value)
        elif "_parameters" not in own:
            object.__setattr__(self, name, value)
        elif name in self._parameters:
            if value is not None:
                raise _wrong_kind(value, "parameter", name)
            self._parameters[name] = None
        elif name in self._modules:
            if value is not None:
                raise _wrong_kind(value, "child module", name)
            self._modules[name] = None
        elif name in self._buffers:
            if value is not None and not isinstance(value, Tensor):
                raise _wrong_kind(value, "buffer", name)
            self._buffers[name] = value
        else:
            object.__setattr__(self, name, value)

    def _set_member(self, name: str, value: Parameter | Module | Buffer) -> None:
        kind = _KINDS[next(cls for cls in _KINDS if isinstance(value, cls))]
        if "_parameters" not in self.__dict__:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
        if name in self._parameters and kind != "parameters":
            raise _wrong_kind(value, "parameter", name)
        if name in self._modules and kind == "buffer":
            raise _wrong_kind(value, "child module", name)
        for table, its_kind in (
            (self.__dict__, None),
            (self._parameters, "parameters"),
            (self._buffers, "buffer"),
            (self._modules, "module"),
        ):
            if its_kind != kind:  # in its own table it keeps its place, which is the order of parameters()
                table.pop(name, None)
        if isinstance(value, Buffer):
            self.register_buffer(name, value, value.persistent)
            return
        self._non_persistent_buffers_set.discard(name)
        if isinstance(value, Module):
            self._modules[name] = value
        else:
            self.register_parameter(name, value)

    def __delattr__(self, name: str) -> None:
        for table in (self._parameters, self._buffers, self._modules):
            if name in table:
                del table[name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        names = {*dir(type(self)), *self.__dict__, *self._parameters, *self._buffers, *self._modules}
        return sorted(name for name in names if not name[:1].isdigit())

    # ---------------------------------------------------------------- registering

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Adds a parameter under ``name`` (None: a name that is taken, with no parameter).

        Raises TypeError for anything else, KeyError for a name that is taken, empty or has a dot, ValueError
        for a Tensor that was computed, AttributeError before ``Module.__init__()``.
        """
        self._check_new(name, "parameter", "_parameters")
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{_type_name(param)}' object to parameter '{name}' "
                "(minigrad.nn.Parameter or None required)"
            )
        if param is not None and param.grad_fn is not None:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created "
                f"explicitly. To express '{name}' as a function of another Tensor, compute the value in the "
                "forward() method."
            )
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Adds a Tensor that belongs to the module's state but is not trained (a running mean, say).

        With ``persistent=False`` it is left out of ``state_dict()``. Raises as ``register_parameter`` does.
        """
        self._check_new(name, "buffer", "_buffers")
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{_type_name(tensor)}' object to buffer '{name}' "
                "(minigrad.Tensor or None required)"
            )
        self._buffers[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Adds a submodule under ``name``. Raises as ``register_parameter`` does."""
        self._check_new(name, "module", "_modules")
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{_type_name(module)} is not a Module subclass")
        self._modules[name] = module

    def register_module(self, name: str, module: Module | None) -> None:
        """The same as ``add_module``."""
        self.add_module(name, module)

    def _check_new(self, name: str, kind: str, table: str) -> None:
        if "_parameters" not in self.__dict__:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {_type_name(name)}")
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain ".", got: {name}')
        own = self.__dict__
        tables = (own, own["_parameters"], own["_buffers"], own["_modules"])
        if name not in own[table] and (hasattr(type(self), name) or any(name in t for t in tables)):
            raise KeyError(f"attribute '{name}' already exists")

    # ---------------------------------------------------------------- walking the tree

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it with their dotted names, parents first; shared ones once.

        With ``remove_duplicate=False`` shared ones come under each name: ValueError if a module contains itself,
        whose names would have no end.
        """
        memo = set() if memo is None else memo
        todo: list[Iterator[tuple[str, Module | None]]] = [iter([(prefix, self)])]
        around: dict[Module, None] = {}
        while todo:  # an explicit stack: modules may be nested as deep as they like
            path, module = next(todo[-1], (None, None))
            if path is None:
                todo.pop()
                if around:
                    around.popitem()
            elif module is not None and module not in memo:
                if remove_duplicate:
                    memo.add(module)
                elif module in around:
                    raise ValueError(
                        f"{type(module).__name__} contains itself as `{path}`, which gives its modules endlessly many "
                        "names; keep it there in a list or tuple, which registers nothing"
                    )
                yield path, module
                around[module] = None
                todo.append(iter([(_join(path, name), child) for name, child in module._modules.items()]))

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """This module and all below it, parents first; shared ones once."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The direct submodules with their names; shared ones once."""
        return _once(self._modules.items(), set())

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
        return self._members(lambda m: m._parameters, prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, each once, in the order of assignment; ``recurse``: also those of submodules."""
        for _, param in self.named_parameters(recurse=recurse):
            yield param

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers with their dotted names; the arguments are those of ``named_parameters``."""
        return self._members(lambda m: m._buffers, prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers, each once; ``recurse``: also those of submodules."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def _members(
        self,
        table: Callable[[Module], dict[str, V | None]],
        prefix: str,
        recurse: bool,
        remove_duplicate: bool,
    ) -> Iterator[tuple[str, V]]:
        seen: set[int] = set()
        modules: Iterable[tuple[str, Module]] = [(prefix, self)]
        if recurse:
            modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        for path, module in modules:
            for name, member in _once(table(module).items(), seen if remove_duplicate else None):
                yield _join(path, name), member

    def get_submodule(self, target: str) -> Module:
        """The module at a dotted path such as ``"encoder.0"``; ``""`` is this one. AttributeError if none."""
        module = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                near = _did_you_mean(name, [k for k, m in module._modules.items() if m is not None])
                raise AttributeError(f"{type(module).__name__} has no attribute `{name}`{near}")
            found = getattr(module, name)
            if not isinstance(found, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
            module = found
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Puts ``module`` at a dotted path; with ``strict`` only where there is one already.

        Raises ValueError for an empty path or no Module, AttributeError where the path does not exist.
        """
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
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
        found = self._get_member(target, "_parameters")
        if not isinstance(found, Parameter):
            raise AttributeError(f"`{target.rpartition('.')[2]}` is not an nn.Parameter")
        return found

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted path. AttributeError if there is none."""
        found = self._get_member(target, "_buffers")
        path, _, name = target.rpartition(".")
        if name not in self.get_submodule(path)._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        buffer: Tensor = found
        return buffer

    def _get_member(self, target: str, table: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            near = _did_you_mean(name, module.__dict__[table])
            raise AttributeError(f"{type(module).__name__} has no attribute `{name}`{near}")
        return getattr(module, name)

    # ---------------------------------------------------------------- changing all at once

    def train(self, mode: bool = True) -> Self:
        """Sets training mode (or with False evaluation mode) here and in all submodules; returns self."""
        if not isinstance(mode, bool):
            raise ValueError(f"training mode is expected to be boolean, got {mode!r}")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Sets evaluation mode: the same as ``train(False)``."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Has all parameters require grad, or with False freezes them; returns self."""
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

    def _apply(self, fn: Callable[[Tensor], Tensor]) -> Self:
        """Puts ``fn(t)`` for the data of each parameter, gradient and buffer; Parameters stay themselves."""
        for module in self.children():
            module._apply(fn)
        with no_grad():
            for p in self._parameters.values():
                if p is None:
                    continue
                grad, p.grad = p.grad, None  # a gradient has its parameter's dtype, so both change together
                p.data = fn(p.data)
                p.grad = None if grad is None else fn(grad)
            for name, buffer in self._buffers.items():
                if buffer is not None:
                    self._buffers[name] = fn(buffer)
        return self

    def to(self, *args: DType | DeviceLike | Tensor | bool, **kwargs: Any) -> Self:
        """Converts floating-point parameters and buffers in place; returns self.

        ``to(dtype)``, ``to(device)``, ``to(device, dtype)``, ``to(tensor)``, or the keywords ``device``,
        ``dtype``, ``non_blocking``. The only device is the CPU. Raises TypeError for a dtype that does not
        float, RuntimeError for another device.
        """
        dtype = _parse_to(*args, **kwargs)
        if dtype is None:
            return self
        if not dtype.is_floating_point:
            raise TypeError(f"nn.Module.to only accepts floating point dtypes, but got desired dtype={dtype}")
        return self._to_float(dtype)

    def _to_float(self, dtype: DType) -> Self:
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)

    def cpu(self) -> Self:
        """Returns self: the CPU is the only device."""
        return self

    def float(self) -> Self:
        """Converts floating-point parameters and buffers to float32; returns self."""
        return self._to_float(float32)

    def double(self) -> Self:
        """Converts floating-point parameters and buffers to float64; returns self."""
        return self._to_float(float64)

    def half(self) -> Self:
        """Converts floating-point parameters and buffers to float16; returns self."""
        return self._to_float(float16)

    def type(self, dst_type: DType) -> Self:
        """Converts all parameters and buffers, also those of integers, to ``dst_type``; returns self."""
        return self._apply(lambda t: t.to(dst_type))

    # ---------------------------------------------------------------- saving and loading

    def get_extra_state(self) -> Any:
        """Override (with ``set_extra_state``) to have more than tensors in the ``state_dict``."""
        raise NotImplementedError("get_extra_state is called only where a subclass defines it")

    def set_extra_state(self, state: Any) -> None:
        """Override (with ``get_extra_state``) to restore what ``get_extra_state`` returned."""
        raise NotImplementedError("set_extra_state is called only where a subclass defines it")

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        for name, tensor in self._state().items():
            destination[prefix + name] = tensor if keep_vars else tensor.detach()
        if type(self).get_extra_state is not Module.get_extra_state:
            destination[prefix + _EXTRA_STATE] = self.get_extra_state()

    def _state(self) -> dict[str, Tensor]:
        """This module's own parameters and persistent buffers."""
        state: dict[str, Tensor] = {k: p for k, p in self._parameters.items() if p is not None}
        for k, b in self._buffers.items():
            if b is not None and k not in self._non_persistent_buffers_set:
                state[k] = b
        return state

    def state_dict(
        self, *, destination: dict[str, Any] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Any]:
        """All parameters and persistent buffers under their dotted names, in an OrderedDict.

        The values share memory with the module (copy.deepcopy the dict for a snapshot); they are detached
        unless ``keep_vars``. A shared parameter stands under each of its names. Names begin with ``prefix``;
        they are written into ``destination`` where one is given.
        """
        if destination is None:
            destination = OrderedDict()
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=prefix + name + ".", keep_vars=keep_vars)
        return destination

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> _IncompatibleKeys:
        """Copies the values of ``state_dict`` into the parameters and buffers of the same names.

        ``strict``: the names must be exactly this module's. ``assign``: take over the given Tensors (their
        memory and dtype) instead of copying their values; ``requires_grad`` stays the module's.

        Returns ``(missing_keys, unexpected_keys)``. Raises TypeError if ``state_dict`` is no mapping, and
        RuntimeError listing all that is missing, unexpected or of another shape; then nothing was changed.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        expected: set[str] = set()
        missing: list[str] = []
        errors: list[str] = []
        tensors: list[tuple[Module, str, Tensor, Tensor]] = []
        extras: list[tuple[Module, Any]] = []
        for path, module in self.named_modules(remove_duplicate=False):
            for name, own in module._state().items():
                key = _join(path, name)
                expected.add(key)
                if key not in state_dict:
                    missing.append(key)
                    continue
                given = state_dict[key]
                if not isinstance(given, Tensor):
                    errors.append(
                        f'While copying the parameter named "{key}", expected minigrad.Tensor from '
                        f"checkpoint but received {type(given)}; wrap arrays in minigrad.from_numpy"
                    )
                elif own.shape != given.shape:
                    errors.append(
                        f"size mismatch for {key}: copying a param with shape {given.shape} from checkpoint, "
                        f"the shape in current model is {own.shape}."
                    )
                else:
                    tensors.append((module, name, own, given))
            if type(module).set_extra_state is not Module.set_extra_state:
                key = _join(path, _EXTRA_STATE)
                expected.add(key)
                if key in state_dict:
                    extras.append((module, state_dict[key]))
                else:
                    missing.append(key)
        unexpected = [key for key in state_dict if key not in expected]
        if strict and unexpected:
            errors.insert(
                0, "Unexpected key(s) in state_dict: {}. ".format(", ".join(f'"{k}"' for k in unexpected))
            )
        if strict and missing:
            errors.insert(
                0, "Missing key(s) in state_dict: {}. ".format(", ".join(f'"{k}"' for k in missing))
            )
        if errors:
            raise RuntimeError(
                "Error(s) in loading state_dict for {}:\n\t{}".format(
                    type(self).__name__, "\n\t".join(errors)
                )
            )

        with no_grad():
            for module, name, own, given in tensors:
                if not assign:
                    own.copy_(given)
                elif isinstance(own, Parameter):
                    if not isinstance(given, Parameter):
                        given = Parameter(given, requires_grad=own.requires_grad)
                    module._parameters[name] = given.requires_grad_(own.requires_grad)
                else:
                    module._buffers[name] = given
        for module, state in extras:
            module.set_extra_state(state)
        return _IncompatibleKeys(missing, unexpected)

    # ---------------------------------------------------------------- printing

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What stands between the parentheses of ``repr``; override it to tell a module's settings."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        if len(lines) == 1 and not self._modules:
            return f"{self._get_name()}({extra})"
        lines += [f"({name}): " + _indent(repr(module)) for name, module in self._modules.items()]
        return _block(self._get_name(), lines)


_KINDS: dict[type, str] = {Parameter: "parameters", Buffer: "buffer", Module: "module"}
_EXPECTED = {
    "parameter": "minigrad.nn.Parameter",
    "child module": "minigrad.nn.Module",
    "buffer": "minigrad.nn.Buffer, minigrad.Tensor",
}
_NOT_INITIALISED = ": Module.__init__() was not called; begin your __init__ with super().__init__()"


def clear_grad(p: Tensor, set_to_none: bool) -> None:
    """Drops a gradient, or zeroes it in place and cuts it from any graph that it came from."""
    grad = p.grad
    if grad is None:
        return
    if set_to_none:
        p.grad = None
        return
    if grad.grad_fn is not None:
        grad = p.grad = grad.detach()
    grad.requires_grad_(False)
    grad.zero_()


def check_device(device: object) -> None:
    """RuntimeError unless ``device`` is None or names the CPU, the only one there is."""
    if device is not None and str(device).partition(":")[0] != "cpu":
        raise RuntimeError(
            f"minigrad runs on the CPU only, got device {str(device)!r}; use 'cpu' or leave it out"
        )


def _parse_to(
    *args: Any,
    device: Any = None,
    dtype: Any = None,
    non_blocking: bool = False,
    copy: bool = False,
    **other: Any,
) -> DType | None:
    for x in args:
        if isinstance(x, Tensor):
            dtype = x.dtype
        elif isinstance(x, DType):
            dtype = x
        elif not isinstance(x, bool) and x is not None:  # a bool is non_blocking, which changes nothing here
            device = x
    other.pop("memory_format", None)
    if other or not (dtype is None or isinstance(dtype, DType)):
        raise TypeError(
            f"to() received an invalid combination of arguments: {args}, dtype={dtype!r}, {other}; "
            "expected a dtype such as minigrad.float64, a device ('cpu'), both, or a Tensor"
        )
    if device is not None and not isinstance(device, str) and not hasattr(device, "type"):
        raise TypeError(f"to() expects a dtype, a device or a Tensor, got {_type_name(device)}")
    check_device(device)
    return dtype


def _register(hooks: OrderedDict[int, V], hook: V, prepend: bool) -> RemovableHandle:
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def _once(items: Iterable[tuple[str, V | None]], seen: set[int] | None) -> Iterator[tuple[str, V]]:
    # By identity: Tensors compare element by element.
    for name, value in items:
        if value is None or (seen is not None and id(value) in seen):
            continue
        if seen is not None:
            seen.add(id(value))
        yield name, value


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def _did_you_mean(name: str, names: Iterable[str]) -> str:
    from difflib import get_close_matches  # only needed on the way to an error

    near = get_close_matches(name, [n for n in names if not n.startswith("_")], n=1)
    return f". Did you mean: '{near[0]}'?" if near else ""


def _wrong_kind(value: object, kind: str, name: str) -> TypeError:
    return TypeError(
        f"cannot assign '{_type_name(value)}' as {kind} '{name}' ({_EXPECTED[kind]} or None expected); "
        "to use the name for something else, del it first"
    )


def _type_name(value: object) -> str:
    cls = type(value)
    if isinstance(value, Tensor):
        return f"minigrad.{cls.__name__}"
    return cls.__name__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__name__}"


def _indent(text: str) -> str:
    return text.replace("\n", "\n  ")


def _block(name: str, lines: list[str]) -> str:
    return f"{name}(\n  " + "\n  ".join(lines) + "\n)" if lines else f"{name}()"


def _note_place(module: Module, error: Exception) -> None:
    """Adds to an exception where among the modules it arose, as a note that grows on its way out."""
    inner, path, text = getattr(error, "_minigrad_place", (None, "", ""))
    notes = getattr(error, "__notes__", [])
    if inner is None:
        text = type(module).__name__ if module._modules else repr(module)
    else:
        name = next((n for n, m in module._modules.items() if m is inner), None)
        if name is not None:
            path = f"{name}.{path}" if path else name
        if text in notes:
            notes.remove(text)
        text = text.partition(" (module ")[0]
    text = f"{text} (module {path!r} of {type(module).__name__})" if path else text
    if not text.startswith("in "):
        text = f"in {text}"
    error.add_note(text)
    error._minigrad_place = (module, path, text)  # type: ignore[attr-defined]
