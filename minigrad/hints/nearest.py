"""What minigrad has in the place of a name that only PyTorch has."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from minigrad.hints.names import NAMES

_PLACES = (
    "minigrad", "minigrad.Tensor", "minigrad.nn", "minigrad.nn.functional", "minigrad.nn.init", "minigrad.optim",
    "minigrad.autograd", "minigrad.autograd.functional", "minigrad.func", "minigrad.random",
)  # fmt: skip

# Names of PyTorch, in whatever module, and what to write instead; x is the input, y another.
_FORMULAS = {
    "norm vector_norm": "x.square().sum().sqrt()",
    "diff": "x[..., 1:] - x[..., :-1]",
    "hypot": "(x.square() + y.square()).sqrt()",
    "trace": "(x * minigrad.eye(n)).sum()",
    "tril": "x * (minigrad.arange(n)[:, None] >= minigrad.arange(n))",
    "triu": "x * (minigrad.arange(n)[:, None] <= minigrad.arange(n))",
}  # fmt: skip
_SENTENCES = {
    "ASGD Adadelta Adafactor Adagrad Adam AdamW Adamax LBFGS Muon NAdam RAdam RMSprop Rprop SparseAdam":
        "the optimizer here is minigrad.optim.SGD, which has momentum, nesterov and weight_decay",
    "lr_scheduler LRScheduler StepLR ExponentialLR CosineAnnealingLR LambdaLR ReduceLROnPlateau OneCycleLR":
        "set the rate in the loop, optimizer.param_groups[0]['lr'] = ...",
    "cuda mps xpu ipu is_cuda bfloat16 autocast amp backends accelerator set_default_device":
        "minigrad computes on the CPU, in float16, float32 and float64",
    "minigrad.utils": "batches are parts of a shuffled order, for i in minigrad.randperm(len(x)).split(32): x[i], y[i]",
    "clip_grad_norm_ clip_grad_value_": "to clip gradients, p.grad.mul_(rate) for p in net.parameters()",
    "save load": "pickle.dump and pickle.load take a module, or its state_dict()",
    "jit": "minigrad.compile records a function and replays it",
    "Variable": "a Tensor with requires_grad=True has been all of it since PyTorch 0.4",
    "FloatTensor DoubleTensor LongTensor IntTensor BoolTensor HalfTensor ByteTensor":
        "minigrad.tensor(data, dtype=...) makes one",
    "sort argsort topk median quantile":
        "numpy.argsort(x.detach().numpy()) gives an order, and x[minigrad.from_numpy(order)] is recorded",
    "einsum": "minigrad.matmul and minigrad.bmm sum products, (x[:, None] * y).sum(dim) does others",
    "roll": "minigrad.cat of two slices does it",
}  # fmt: skip


def hint(place: str, name: str) -> str:
    """The end of "has no attribute ...", for a name in ``place``; empty where there is nothing to say."""
    theirs = NAMES.get(place.replace("minigrad", "torch", 1), "").split()
    if name in theirs:
        return f". {_instead(place, name)}"
    ours = [n for n in _names(place) if not n.startswith("_")]
    same = [n for n in (*ours, *theirs) if _plain(n) == _plain(name)]
    same.sort(key=lambda n: n.strip("_") != name.strip("_"))
    near = same or get_close_matches(name, [*ours, *theirs], 1, 0.8)
    if not near:
        other = _elsewhere(name)
        return f". There is {other}" if other else ""
    return f". Did you mean: {near[0]!r}?" + ("" if near[0] in ours else f" {_instead(place, near[0])}")


def _names(place: str) -> list[str]:
    """The names in a module, or of Tensor."""
    if place == "minigrad.Tensor":
        return [name for c in _owner(place).__mro__[:-2] for name in vars(c)]
    return dir(_owner(place)) if place in _PLACES or place in sys.modules else []


def _owner(place: str) -> Any:
    return sys.modules["minigrad"].Tensor if place == "minigrad.Tensor" else import_module(place)


def _instead(place: str, name: str) -> str:
    lacking = "PyTorch has it, minigrad does not yet"
    advice = {n: sentence for names, sentence in _SENTENCES.items() for n in names.split()}
    advice |= {n: f"write {code}" for names, code in _FORMULAS.items() for n in names.split()}
    sentence = advice.get(f"{place}.{name}") or advice.get(name)
    if sentence:
        return f"{lacking}: {sentence}"
    if name.endswith("_") and name[:-1] in _names("minigrad.Tensor"):
        return f"{lacking}: write x = x.{name[:-1]}(...)"
    other = _elsewhere(name)
    return f"PyTorch has it, minigrad has {other}" if other else lacking


def _elsewhere(name: str) -> str:
    """The same name in another place, exactly or but for case and underscores, such as a function for a module."""
    for spelling in (str, _plain):
        for other in _PLACES:
            for n in _names(other):
                same = spelling(n) == spelling(name) and not n.startswith("_")
                if same and callable(getattr(_owner(other), n)):
                    return f"{other}.{n}"
    return ""


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
