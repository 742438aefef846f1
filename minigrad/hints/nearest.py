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

# Names of PyTorch, in whatever module, and what to write instead; x is the input, y the target, p a probability.
_FORMULAS = {
    "softmax Softmax": "(x - x.logsumexp(dim, keepdim=True)).exp()",
    "log_softmax LogSoftmax": "x - x.logsumexp(dim, keepdim=True)",
    "softmin Softmin": "(-x - (-x).logsumexp(dim, keepdim=True)).exp()",
    "cross_entropy CrossEntropyLoss": "(x.logsumexp(1) - x.gather(1, y[:, None])[:, 0]).mean()",
    "nll_loss NLLLoss": "-x.gather(1, y[:, None]).mean()",
    "binary_cross_entropy BCELoss": "-(y * p.log() + (1 - y) * (1 - p).log()).mean()",
    "binary_cross_entropy_with_logits BCEWithLogitsLoss": "(x.relu() - x * y + (-x.abs()).exp().log1p()).mean()",
    "smooth_l1_loss SmoothL1Loss huber_loss HuberLoss":
        "minigrad.where((x - y).abs() < 1, (x - y).square() / 2, (x - y).abs() - 0.5).mean()",
    "logsigmoid LogSigmoid": "x.clamp(max=0) - (-x.abs()).exp().log1p()",
    "softplus Softplus": "x.relu() + (-x.abs()).exp().log1p()",
    "silu SiLU": "x * x.sigmoid()",
    "hardtanh Hardtanh": "x.clamp(-1, 1)",
    "relu6 ReLU6": "x.clamp(0, 6)",
    "leaky_relu LeakyReLU": "x.relu() + 0.01 * x.clamp(max=0)",
    "elu ELU": "x.relu() + x.clamp(max=0).expm1()",
    "softsign Softsign": "x / (1 + x.abs())",
    "tanhshrink Tanhshrink": "x - x.tanh()",
    "dropout Dropout": "x * (minigrad.rand_like(x) >= 0.5) / 0.5",
    "normalize": "x / x.square().sum(1, keepdim=True).sqrt()",
    "layer_norm LayerNorm":
        "(x - x.mean(-1, keepdim=True)) / (x.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()",
    "one_hot": "(y[..., None] == minigrad.arange(n)).long()",
    "embedding Embedding": "weight[y]",
    "hypot": "(x.square() + y.square()).sqrt()",
}  # fmt: skip
_SENTENCES = {
    "ASGD Adadelta Adafactor Adagrad Adam AdamW Adamax LBFGS Muon NAdam RAdam RMSprop Rprop SparseAdam":
        "the optimizer here is minigrad.optim.SGD, which has momentum, nesterov and weight_decay",
    "lr_scheduler LRScheduler StepLR ExponentialLR CosineAnnealingLR LambdaLR ReduceLROnPlateau OneCycleLR":
        "set the rate in the loop, optimizer.param_groups[0]['lr'] = ...",
    "cuda mps xpu ipu is_cuda bfloat16 autocast amp backends accelerator":
        "minigrad computes on the CPU, in float16, float32 and float64",
    "minigrad.utils": "batches are parts of a shuffled order, for i in minigrad.randperm(len(x)).split(32): x[i], y[i]",
    "minigrad.nn.utils": "to clip gradients, p.grad.mul_(rate) for p in net.parameters()",
    "save load": "pickle.dump and pickle.load take a module, or its state_dict()",
    "jit": "minigrad.compile records a function and replays it",
    "Variable": "a Tensor with requires_grad=True has been all of it since PyTorch 0.4",
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
