"""What minigrad has in the place of a name that only PyTorch has."""

from __future__ import annotations

import inspect
import sys
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import numpy as np

from minigrad.hints.theirs import theirs

_PLACES = (
    "minigrad", "minigrad.Tensor", "minigrad.nn", "minigrad.nn.functional", "minigrad.nn.init", "minigrad.optim",
    "minigrad.optim.lr_scheduler", "minigrad.optim.swa_utils", "minigrad.autograd", "minigrad.autograd.functional",
    "minigrad.fft", "minigrad.func", "minigrad.linalg", "minigrad.nn.utils", "minigrad.nn.utils.rnn",
    "minigrad.nn.utils.parametrize", "minigrad.nn.utils.prune", "minigrad.random",
    "minigrad.special", "minigrad.tape", "minigrad.testing", "minigrad.utils", "minigrad.utils.data",
)  # fmt: skip

# Names of PyTorch, in whatever module, and what to say of them.
_SENTENCES = {
    "mps xpu ipu cuda memory accelerator":
        "minigrad computes on the CPU, in float16, bfloat16, float32, float64, complex64 and complex128",
    "minigrad.nested": "nn.utils.rnn.pad_sequence and pack_padded_sequence take sequences of several lengths",
    "to_sparse_bsr to_sparse_bsc sparse_bsr_tensor sparse_bsc_tensor":
        "there are the layouts sparse_coo, sparse_csr and sparse_csc",
    "ao intrinsic qat quantizable quantization quantize_per_channel quantize_per_tensor quantize_per_tensor_dynamic "
    "quantized":
        "weights of one byte are not there; model.half() and model.bfloat16() take half the memory",
    "MaskedTensor as_masked_tensor masked_tensor":
        "the functions of minigrad.masked take a mask, such as masked.mean(x, dim, mask=mask)",
    "minigrad.nn.Module.save minigrad.nn.Module.save_to_buffer":
        "there is no TorchScript, and a scripted module is the module itself. save(model.state_dict(), path) writes "
        "its weights, save(model, path) the whole of it, onnx.export a program that runs without Python",
    "minigrad.nn.Module.code minigrad.nn.Module.graph minigrad.nn.Module.inlined_graph":
        "there is no TorchScript, and a scripted module is the module itself; what minigrad.fx.symbolic_trace makes of "
        "it has code and graph",
    "parallel": "there is one device: nn.parallel.DistributedDataParallel trains in several processes",
    "minigrad.export": "minigrad.compile records a function and replays it, minigrad.onnx.export writes a file of it",
}  # fmt: skip

# Names of micrograd, torchviz, Keras and of NumPy's arrays.
_OTHERS = {
    "Value": "a Tensor of one number does what micrograd's Value does: minigrad.tensor(2.0, requires_grad=True)",
    "draw_dot make_dot": "minigrad.draw draws the graph of a result",
    "astype": "x.to(dtype) converts, and so does np.astype(x, dtype)",
    "copy": "x.clone() copies, and so does np.copy(x)",
    "conjugate": "x.conj() is the conjugate, and so is np.conj(x)",
    "fill": "x.fill_(value) fills",
    "flat": "x.reshape(-1) has the elements in a row",
    "tobytes": "x.numpy().tobytes() gives the bytes",
    "choose compress partition ptp": "NumPy's functions take Tensors: np.ptp(x), np.compress(mask, x), ...",
    "Dense": "a dense layer is nn.Linear(in_features, out_features)",
    "MLP Layer Neuron": "minigrad.nn.Sequential puts layers in a row, such as nn.Linear(3, 4) and nn.Tanh()",
}


def hint(place: str, name: str) -> str:
    """The end of "has no attribute ...", for a name in ``place``; empty where there is nothing to say."""
    others = theirs(place)
    if name in others:
        return f". {instead(place, name)}"
    ours = [n for n in _names(place) if not n.startswith("_")]
    same = [n for n in (*ours, *others) if _plain(n) == _plain(name)]
    same.sort(key=lambda n: n.strip("_") != name.strip("_"))
    other = "" if same and place != "minigrad" else _elsewhere(name)
    # torch.LSTM is a slip for nn.LSTM, whatever torch.lstm is.
    same = [] if other.endswith(f".{name}") else same
    said = next((sentence for names, sentence in _OTHERS.items() if name in names.split()), "")
    if said:
        return f". Here {said}"
    near = same if same or other.endswith(f".{name}") else get_close_matches(name, [*ours, *others], 1, 0.8)
    if not near:
        return f". There is {other}" if other else ""
    return f". Did you mean: {near[0]!r}?" + ("" if near[0] in ours else f" {instead(place, near[0])}")


def _names(place: str) -> list[str]:
    """The names in a module, or of Tensor."""
    if place == "minigrad.Tensor":
        return [name for c in _owner(place).__mro__[:-2] for name in vars(c)]
    return dir(_owner(place)) if place in _PLACES or place in sys.modules else []


def _owner(place: str) -> Any:
    return sys.modules["minigrad"].Tensor if place == "minigrad.Tensor" else import_module(place)


def instead(place: str, name: str) -> str:
    """That only PyTorch has a name, and what there is here in its place."""
    lacking = "PyTorch has it, minigrad does not yet"
    advice = {n: sentence for names, sentence in _SENTENCES.items() for n in names.split()}
    sentence = advice.get(f"{place}.{name}") or advice.get(name) or advice.get(place.rpartition(".")[2])
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


def argument(function: str, name: str, known: list[str]) -> str:
    """What to say of a keyword argument that a function does not take."""
    near = get_close_matches(name, known, 1)
    instead = f"Did you mean '{near[0]}'?" if near else f"It takes {', '.join(known) or 'none'}"
    code = getattr(inspect.unwrap(getattr(np, function, max)), "__code__", None)
    if code is not None and name in code.co_varnames[: code.co_argcount]:
        instead += f". NumPy's function takes it: np.{function}(x, {name}=...)"
    return f"{function}() got an unexpected keyword argument '{name}'. {instead}"
