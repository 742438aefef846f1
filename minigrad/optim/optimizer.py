"""The base class of the optimizers: groups of parameters, their options, and their state."""

from __future__ import annotations

import functools
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from types import MappingProxyType
from typing import Any, Final, TypeAlias, TypeVar, overload

from minigrad.autograd.grad_mode import is_compiling
from minigrad.core.changes import RUNNING, part
from minigrad.core.contents import Contents
from minigrad.core.hooks import RemovableHandle, register
from minigrad.errors import not_implemented_error, runtime_error, type_error, value_error, warn
from minigrad.hints import module_getattr
from minigrad.nn._text import type_name
from minigrad.nn.parameter import clear_grad
from minigrad.tensor import Tensor

__all__ = ["Optimizer", "ParamsT", "register_optimizer_step_post_hook", "register_optimizer_step_pre_hook"]

ParamsT: TypeAlias = Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]
_params_t = ParamsT  # its older name
Loss = TypeVar("Loss")


class _Required:
    """Stands in ``defaults`` for an option that every group must have of its own."""

    def __repr__(self) -> str:
        return "<required parameter>"


required: Final = _Required()


# The hooks around the steps of all optimizers.
EVERY_PRE: OrderedDict[int, Callable[..., Any]] = OrderedDict()
EVERY_POST: OrderedDict[int, Callable[..., Any]] = OrderedDict()


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Calls ``hook(optimizer, args, kwargs)`` before each `step` of any optimizer, before the optimizer's own hooks."""
    return register(EVERY_PRE, hook)


def register_optimizer_step_post_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Calls ``hook(optimizer, args, kwargs)`` after each `step` of any optimizer, after the optimizer's own hooks."""
    return register(EVERY_POST, hook)


class Steps:
    """Whether an optimizer has made steps: an object beside it, so that a recording has no changing flag to guard."""

    __slots__ = ("made",)

    def __init__(self) -> None:
        self.made = False


class Optimizer:
    """Base class: a subclass gives ``defaults`` (its options) and writes ``step``.

    ``params`` is an iterable of Tensors, of (name, Tensor) pairs such as ``model.named_parameters()``, or of
    dicts ``{"params": ..., option: value}``, one a group. ``param_groups`` is the list of groups, ``state``
    maps a parameter to what the optimizer remembers about it.

    Raises TypeError for a lone Tensor and for an item that is not a Tensor, ValueError for an empty list, a Tensor that
    was computed (its ``.grad`` stays empty), a parameter in two groups, or a required option that is missing.
    """

    # Of schedulers: whether `step` ran since the first one was made.
    _steps: Steps | None = None
    # An optimizer gets tables of its own with its first hook.  They are neither copied nor pickled, as in PyTorch.
    _step_pre_hooks: Mapping[int, Callable[..., Any]] = MappingProxyType({})
    _step_post_hooks = _state_dict_pre_hooks = _state_dict_post_hooks = _step_pre_hooks
    _load_state_dict_pre_hooks = _load_state_dict_post_hooks = _step_pre_hooks

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "step" in cls.__dict__:
            cls.step = _with_hooks(cls.__dict__["step"])  # type: ignore[method-assign]

    def __init__(self, params: ParamsT, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        given: Any = params
        if isinstance(given, Tensor) or not hasattr(given, "__iter__"):
            hint = (
                "; put a single parameter into a list" if isinstance(given, Tensor)
                else "; pass its parameters()" if hasattr(given, "parameters")
                else f"; call it: {given.__name__}()" if hasattr(given, "__name__") else ""
            )  # fmt: skip
            raise type_error(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                f"but got {type_name(params)}{hint}"
            )
        self.state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        groups: list[Any] = list(params)
        if not groups:
            raise value_error(
                "optimizer got an empty parameter list; was the model built before the optimizer? Layers in a plain "
                "list are not registered: use nn.ModuleList"
            )
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def __minigrad_contents__(self) -> Contents:
        """What readers and `compile` see of an optimizer: the groups, options and state that it works with."""
        return Contents(
            hooks=(self._step_pre_hooks, self._step_post_hooks, EVERY_PRE, EVERY_POST),
            groups=self.param_groups, state=self.state, defaults=self.defaults,
        )  # fmt: skip

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def _patch_step_function(self) -> None:
        """Does nothing: PyTorch wraps ``step`` for its profiler here, and optimizers of packages call it."""

    def __repr__(self) -> str:
        lines = [type(self).__name__ + " ("]
        for i, group in enumerate(self.param_groups):
            lines += [*[""] * bool(i), f"Parameter Group {i}"]
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Adds a group, ``{"params": Tensors, option: value}``; options left out get their defaults.

        Raises as the constructor does; then nothing has been added. Warns if a parameter stands in it twice.
        """
        if not isinstance(param_group, dict):
            raise type_error(f"param_group must be a dict, but got {type(param_group)}")
        if "params" not in param_group:
            raise KeyError("params: a group of parameters is a dict, {'params': Tensors, option: value}")
        params, names = _named(param_group["params"])
        for p in params:
            if not isinstance(p, Tensor):
                hint = (
                    "; pass its parameters()" if hasattr(p, "parameters")
                    else "; of a dict of names to Tensors pass the items()" if isinstance(p, str) else ""
                )  # fmt: skip
                raise type_error(
                    f"optimizer can only optimize Tensors, but one of the params is {type_name(p)}{hint}"
                )
            if not (p.is_leaf or p.retains_grad or self.defaults.get("differentiable")):
                raise value_error(
                    "can't optimize a non-leaf Tensor: it is the result of a computation and gets no .grad; "
                    "give the optimizer the Tensor it was computed from, or x.detach().requires_grad_()"
                )
        group = {**param_group, "params": params}
        if names:
            group["param_names"] = names
        for option, default in self.defaults.items():
            group.setdefault(option, default)
        for option, value in group.items():
            # not `is`: an unpickled one is another object
            if isinstance(value, _Required):
                raise value_error(
                    f"parameter group didn't specify a value of required optimization parameter {option}"
                )
        ids = {id(p) for p in params}
        if len(ids) != len(params):
            warn(
                "optimizer contains a parameter group with duplicate parameters; "
                "the step is applied to them more than once; in PyTorch this will become an error"
            )
        for other in self.param_groups:
            if ("param_names" in group) != ("param_names" in other):
                which = "with names" if "param_names" in group else "without names"
                raise value_error(
                    "all optimizer param groups should be with/without names. "
                    f"cannot add param group {which} to the optimizer"
                )
            if any(id(p) in ids for p in other["params"]):
                raise value_error("some parameters appear in more than one parameter group")
        # the caller's dict becomes the group, as in PyTorch
        param_group.update(group)
        self.param_groups.append(param_group)

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls ``hook(optimizer, args, kwargs)`` before each `step`; the optimizer is the first of ``args``.

        It returns None, or new ``(args, kwargs)``; anything else is a RuntimeError.
        """
        return self._register("_step_pre_hooks", hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls ``hook(optimizer, args, kwargs)`` after each `step`; its result is ignored."""
        return self._register("_step_post_hooks", hook)

    def register_state_dict_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Calls ``hook(optimizer)`` before `state_dict` reads anything."""
        return self._register("_state_dict_pre_hooks", hook, prepend)

    def register_state_dict_post_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Calls ``hook(optimizer, state_dict)`` at the end of `state_dict`; a result that is not None replaces it."""
        return self._register("_state_dict_post_hooks", hook, prepend)

    def register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Calls ``hook(optimizer, state_dict)`` before `load_state_dict`; a result that is not None replaces it."""
        return self._register("_load_state_dict_pre_hooks", hook, prepend)

    def register_load_state_dict_post_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Calls ``hook(optimizer)`` after `load_state_dict`."""
        return self._register("_load_state_dict_post_hooks", hook, prepend)

    def _register(self, name: str, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        return register(self.__dict__.setdefault(name, OrderedDict()), hook, prepend)

    def _pass(self, hooks: Mapping[int, Callable[..., Any]], state_dict: dict[str, Any]) -> dict[str, Any]:
        """The state after all hooks, each of which may return another."""
        for hook in tuple(hooks.values()):
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
        return state_dict

    def state_dict(self) -> dict[str, Any]:
        """PyTorch's format: ``{"state": {index: {...}}, "param_groups": [{..., "params": [index, ...]}]}``.

        Indices count the parameters through all groups. The state's Tensors are the optimizer's own.
        """
        for hook in tuple(self._state_dict_pre_hooks.values()):
            hook(self)
        index: dict[int, int] = {}
        for group in self.param_groups:
            for p in group["params"]:
                index.setdefault(id(p), len(index))
        groups = [
            {
                **{k: v for k, v in group.items() if k != "params"},
                "params": [index[id(p)] for p in group["params"]],
            }
            for group in self.param_groups
        ]
        state = {index[id(k)] if isinstance(k, Tensor) else k: v for k, v in self.state.items()}
        return self._pass(self._state_dict_post_hooks, {"state": state, "param_groups": groups})

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over options and state from ``state_dict()``, parameters matched by their order.

        The state is copied, its Tensors in the dtype of their parameter. ValueError if the groups differ in
        number or size; then nothing has changed.
        """
        state_dict = self._pass(self._load_state_dict_pre_hooks, state_dict.copy())
        saved = deepcopy(state_dict["param_groups"])
        if len(saved) != len(self.param_groups):
            raise value_error(
                "loaded state dict has a different number of parameter groups: "
                f"{len(saved)}, and the optimizer has {len(self.param_groups)}"
            )
        parameter: dict[int, Tensor] = {}
        for new, group in zip(saved, self.param_groups, strict=True):
            if len(new["params"]) != len(group["params"]):
                raise value_error(
                    "loaded state dict contains a parameter group that doesn't match the size of optimizer's "
                    f"group: {len(new['params'])} parameters, and the optimizer has {len(group['params'])}"
                )
            parameter.update(zip(new["params"], group["params"], strict=True))
        state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        for key, value in state_dict["state"].items():
            p = parameter.get(key)
            state[key if p is None else p] = deepcopy(value) if p is None else _cast(value, p)
        for new, group in zip(saved, self.param_groups, strict=True):
            new["params"] = group["params"]
            if "param_names" in group:
                new.setdefault("param_names", group["param_names"])
        self.__setstate__({"state": state, "param_groups": saved})
        for hook in tuple(self._load_state_dict_post_hooks.values()):
            hook(self)

    def _cuda_graph_capture_health_check(self) -> None:
        """Nothing: there is no graphics card. Copies of PyTorch's optimizers ask for it."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drops the gradients of all parameters, or with ``set_to_none=False`` fills them with zeros."""
        # While a function is recorded, it matters whether there was a gradient: `clear_grad` asks.
        plainly = set_to_none and not is_compiling() and not RUNNING
        for group in self.param_groups:
            for p in group["params"]:
                if plainly:
                    p._grad = None
                else:
                    clear_grad(p, set_to_none)

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], Loss]) -> Loss: ...

    def step(self, closure: Callable[[], Loss] | None = None) -> Loss | None:
        """Changes the parameters once; returns the loss that ``closure``, called first, returns."""
        raise not_implemented_error(f"{type(self).__name__} has no step()")


def _with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """The ``step`` of a class, with hooks around it unless a subclass calls it from a ``step`` of its own."""

    @functools.wraps(step)
    def call(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        if RUNNING and (running := part()) is not None:
            raise running.refused("call step()")
        if self._steps is not None:
            self._steps.made = True
        before = self._step_pre_hooks
        if not (before or self._step_post_hooks or EVERY_PRE or EVERY_POST) or type(self).step is not call:
            return step(self, *args, **kwargs)
        args = (self, *args)
        for hook in (*EVERY_PRE.values(), *before.values()):
            changed = hook(self, args, kwargs)
            if changed is not None:
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise runtime_error(
                        f"{step} must return None or a tuple of (new_args, new_kwargs), but got {changed}."
                    )
                args, kwargs = changed
        result = step(*args, **kwargs)
        for hook in (*self._step_post_hooks.values(), *EVERY_POST.values()):
            hook(self, args, kwargs)
        return result

    return call


def _named(params: Iterable[Any]) -> tuple[list[Any], list[str]]:
    if isinstance(params, Tensor):
        return [params], []
    if isinstance(params, (set, frozenset)):
        raise type_error(
            "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in "
            "sets will change between runs. Please use a list instead."
        )
    entries = list(params)
    names = [e[0] for e in entries if isinstance(e, tuple)]
    if names and len(names) != len(entries):
        raise value_error(
            "all optimizer params should be with/without names. Some param names are missing: "
            f"{len(names)} of {len(entries)} have one"
        )
    return [e[1] if isinstance(e, tuple) else e for e in entries], names


def _cast(value: Any, p: Tensor, key: object = None) -> Any:
    """A copy of a parameter's state, its Tensors in the parameter's dtype (``step`` keeps its own)."""
    if isinstance(value, Tensor):
        keeps = key == "step" or not p.is_floating_point()
        return value.detach().clone() if keeps else value.detach().clone().to(p.dtype)
    if isinstance(value, dict):
        return {k: _cast(v, p, k) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_cast(v, p) for v in value)
    return deepcopy(value)


module_getattr(
    globals(),
    {
        "_copied": """
            _capturable_doc _default_to_fused_or_foreach _differentiable_doc _disable_dynamo_if_unsupported
            _foreach_doc _fused_doc _get_scalar_dtype _get_value _maximize_doc _params_doc _stack_if_compiling
            _to_scalar _use_grad_for_differentiable _view_as_real
        """
    },
)
