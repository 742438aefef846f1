"""`functional_call`: a Module with other parameters and buffers than its own; and those of several Modules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from minigrad.core.contents import join, walk
from minigrad.core.tensor import Tensor
from minigrad.errors import runtime_error, type_error, value_error
from minigrad.ops.shape import stack

T = TypeVar("T")


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: Mapping[str, Tensor] | Sequence[Mapping[str, Tensor]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Calls ``module`` with other parameters and buffers, given by name; afterwards the module has its own again.

    Names that are missing keep the module's own value.  Others than those of parameters and buffers are replaced as
    well, and are attributes for the time of the call where there are none: a bias that is None, a Tensor.  With
    ``strict`` either is a RuntimeError.  ``tie_weights``: what the module holds under several names is replaced under
    all of them; different values for them are a ValueError.  TypeError for an attribute that is no Tensor.
    """
    with _reparametrize_module(
        module, _merged(parameter_and_buffer_dicts), tie_weights=tie_weights, strict=strict
    ):
        return module(
            *(args if isinstance(args, tuple) else () if args is None else (args,)), **(kwargs or {})
        )


@contextmanager
def _reparametrize_module(
    module: Any,
    parameters_and_buffers: Mapping[str, Tensor],
    *,
    tie_weights: bool = False,
    strict: bool = False,
) -> Iterator[None]:
    """In ``with``: the module has other parameters and buffers, by name; packages ask for it."""
    values: dict[str, Any] = dict(parameters_and_buffers)
    places: dict[str, tuple[MutableMapping[str, Any], str]] = {}
    for path, _, held in walk(module, shared=True):
        for table in (held.parameters, held.buffers):
            for key, t in table.items():
                if t is not None:
                    places[join(path, key)] = table, key
    if tie_weights:
        values = _tied(values, places)
    if strict and values.keys() != places.keys():
        missing, unexpected = sorted(places.keys() - values), sorted(values.keys() - places)
        raise runtime_error(
            f"Error(s) in functional_call for {type(module).__name__}: missing key(s) {missing}, unexpected key(s) "
            f"{unexpected}"
        )
    for name, t in values.items():
        if t is not None and not isinstance(t, Tensor):
            raise type_error(f"functional_call: {name} must be a Tensor, got {type(t).__name__}")
        if name not in places:
            places[name] = _place(module, name)
    before = {name: table[key] for name, (table, key) in places.items() if name in values and key in table}
    try:
        for name, t in values.items():
            table, key = places[name]
            table[key] = t
        yield
    finally:
        for name in values:
            table, key = places[name]
            if name in before:
                table[key] = before[name]
            else:
                table.pop(key, None)


def _place(module: Any, name: str) -> tuple[MutableMapping[str, Any], str]:
    """Where a Tensor goes whose name no parameter or buffer has: a bias that is None, or an attribute.

    A dual number in the place of a parameter is one.  AttributeError if there is no such module, TypeError for an
    attribute that is no Tensor.
    """
    path, _, key = name.rpartition(".")
    owner = module.get_submodule(path)
    held = owner.__minigrad_contents__()
    for table in (held.parameters, held.buffers):
        if key in table:
            return table, key
    there = getattr(owner, key, None)
    if not (there is None or isinstance(there, Tensor)):
        raise type_error(f"attribute `{name}`: {type(there).__name__} is not an instance of Tensor")
    return vars(owner), key


def _merged(dicts: Any) -> dict[str, Tensor]:
    """All names and values. ValueError for a name in two dicts."""
    if isinstance(dicts, Mapping):
        return dict(dicts)
    if not isinstance(dicts, (list, tuple)):
        raise value_error(
            "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got "
            f"{type(dicts).__name__}"
        )
    merged: dict[str, Tensor] = {}
    for d in dicts:
        if not isinstance(d, Mapping):
            raise value_error("Expected all elements of parameter_and_buffer_dicts to be dictionaries")
        repeated = sorted(merged.keys() & d.keys())
        if repeated:
            raise value_error(
                f"{repeated} appeared in multiple dictionaries; behavior of functional call is ambiguous"
            )
        merged.update(d)
    return merged


def _tied(
    values: dict[str, Tensor], places: Mapping[str, tuple[MutableMapping[str, Any], str]]
) -> dict[str, Tensor]:
    """The values, also under all other names of the Tensors that they replace."""
    groups: dict[int, list[str]] = {}
    for name, (table, key) in places.items():
        groups.setdefault(id(table[key]), []).append(name)
    full = dict(values)
    for names in groups.values():
        several = [values[n] for n in names if n in values]
        if any(v is not several[0] for v in several):
            raise value_error(
                f"functional_call got multiple values for keys {sorted(names)}, which are tied. Consider using "
                "tie_weights=False"
            )
        if several:
            full.update(dict.fromkeys(names, several[0]))
    return full


def replace_all_batch_norm_modules_(root: T) -> T:
    """Takes the running statistics of all batch norms in a Module away, which then go by their batch; returns it.

    `vmap` and the gradients by `grad` cannot update them.
    """
    from minigrad.nn.normalization import _BatchNorm  # loaded where a model is there

    for _, module, _ in walk(root):
        if isinstance(module, _BatchNorm) and module.track_running_stats:
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    return root


def stack_module_state(models: Sequence[Any]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Stacks the parameters and the buffers of Modules of one class, by name: for `vmap` over `functional_call`.

    The stacks are leaves, which require grad where the parameters do. RuntimeError for no Modules, for different
    classes or modes, and where a name is missing in one, or shapes or ``requires_grad`` differ.
    """
    if not models:
        raise runtime_error("stack_module_state: Expected at least one model, got 0.")
    if len({bool(m.training) for m in models}) > 1:
        raise runtime_error("stack_module_state: Expected all models to have the same training/eval mode.")
    if len({type(m) for m in models}) > 1:
        raise runtime_error("stack_module_state: Expected all models to be of the same class.")
    return (
        _stacked([dict(m.named_parameters()) for m in models]),
        _stacked([dict(m.named_buffers()) for m in models]),
    )


def _stacked(states: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    stacks: dict[str, Tensor] = {}
    if any(state.keys() != states[0].keys() for state in states):
        raise runtime_error("stack_module_state: Expected the tensors of all models to have the same names")
    for name in states[0]:
        tensors = [state[name] for state in states]
        if len({t.requires_grad for t in tensors}) > 1:
            raise runtime_error(f"Expected {name} from each model to have the same .requires_grad")
        if len({t._array.shape for t in tensors}) > 1:
            raise runtime_error(f"stack_module_state: {name} has another shape in another model")
        stacks[name] = stack(*tensors, dim=0).detach().requires_grad_(tensors[0].requires_grad)
    return stacks
