"""The derivative of a function as one call of it records it: each operation with what goes on to its inputs.

So it can be told of functions of several operations, and of those whose rule depends on sizes or parameters.  The call
is shown with it.  Most calls follow from the signature; `SAMPLES` has the others.
"""

from __future__ import annotations

import functools
import inspect
import sys
import warnings
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
import tables

import minigrad
from minigrad.core.node import tape
from minigrad.readers import places, steps

# Whose functions may be those of one operation, and whose are told with their derivatives.
RECORDS = {"minigrad", "minigrad.nn.functional", "minigrad.linalg", "minigrad.special"}
PLACES = {*RECORDS, "minigrad.Tensor", "minigrad.fft", "minigrad.masked"}
WIDEST = 110  # characters of a line that has an operation and its rule
# Shapes for the Tensors of functions that are not below: the first that the function takes.
SHAPES = [(2, 3), (3, 3), (3,), (1, 2, 4), (1, 2, 4, 4), (1, 2, 4, 4, 4)]
# Parameters that must be given, by name.
USUAL = """dim=0 dims=(1,0) size=(2,3) p=.5 train=True training=True k=2 n=2 output_size=2 kernel_size=2 pad=(1,0)
    chunks=2 split_size=1 split_size_or_sections=1 split_sizes=[1,1] indices_or_sections=1
    normalized_shape=(3,) shifts=1 norm_type=2 step=1 dimension=1 start=0 length=1 source=0 destination=1
    dim0=0 dim1=1 upscale_factor=2 ord=2
    downscale_factor=2 sizes=(1,2) eps=1e-5 groups=2 num_groups=1 quant_min=0 quant_max=9 axis=0 mask=b(2,3)"""
# The arguments of the others. r: Tensors with gradients; u: those between 0 and 1; b: booleans; i: integers below the
# first argument.
SAMPLES = """
addbmm: r(2,4), r(3,2,5), r(3,5,4)
baddbmm: r(3,2,4), r(3,2,5), r(3,5,4)
bmm: r(3,2,5), r(3,5,4)
addmv: r(2), r(2,3), r(3)
mv: r(2,3), r(3)
expand expand_copy broadcast_to: r(1,3), (2,3)
view view_copy reshape: r(2,3), (3,2)
repeat tile: r(2,3), (2,1)
sum_to_size: r(2,3), (1,3)
permute permute_copy: r(2,3), (1,0)
to: r(2,3), minigrad.float32
unfold unfold_copy: r(4), 0, 2, 1
as_strided_copy: r(2,3), (2,2), (1,2)
as_strided_scatter: r(2,3), r(2,2), (2,2), (1,2)
batch_norm: r(3,2), r(2), r(2), r(2).detach(), u(2).detach(), True, .1, 1e-5, True
nn.functional.batch_norm: r(3,2), None, None, r(2), r(2), True
instance_norm: r(2,2,3), r(2), r(2), None, None, True, .1, 1e-5, True
native_batch_norm: r(3,2), r(2), r(2), None, None, True, .1, 1e-5
native_group_norm: r(2,4,3), r(4), r(4), 2, 4, 3, 2, 1e-5
native_layer_norm: r(2,3), (3,), r(3), r(3), 1e-5
nn.functional.group_norm group_norm: r(2,4), 2, r(4), r(4)
nn.functional.layer_norm layer_norm: r(2,3), (3,), r(3), r(3)
nn.functional.instance_norm: r(2,2,3)
multinomial: u(2,3), 1
bernoulli poisson: u(2,3)
sgn: z(2,3)
nn.functional.rrelu rrelu: r(2,3), .1, .3, True
binomial: i(5,2,3)*1., u(2,3)
block_diag cartesian_prod: r(2), r(3)
atleast_1d atleast_2d atleast_3d meshgrid: r(3), r(3)
chain_matmul: r(2,3), r(3,2)
einsum: "ij,jk->ik", r(2,3), r(3,4)
cat stack column_stack dstack hstack vstack row_stack concat: [r(2,3), r(2,3)]
linalg.multi_dot: [r(2,3), r(3,4), r(4,2)]
cholesky linalg.cholesky: s(3)
clamp clip: r(2,3), -.5, .5
conv_transpose1d: r(1,2,3), r(2,3,2)
conv_transpose2d: r(1,2,3,3), r(2,3,2,2)
conv_transpose3d: r(1,2,2,2,2), r(2,1,2,2,2)
nn.functional.conv_tbc: r(4,1,2), r(2,2,3), r(3)
cosine_embedding_loss: r(2,3), r(2,3), v(2)
ctc_loss: log_softmax(r(4,1,3), 2), i(3,1,2)*0+1, (4,), (2,), 0, 1, False
nn.functional.ctc_loss: log_softmax(r(4,1,3), 2), i(3,1,2)*0+1, (4,), (2,)
dsplit: r(2,2,2), 2
hsplit vsplit chunk unsafe_chunk: r(2,4), 2
diagonal_scatter: r(2,2), r(2)
fake_quantize_per_channel_affine: r(2,3), minigrad.tensor([.5,.25]), minigrad.tensor([1,2]), 0, 0, 9
fake_quantize_per_tensor_affine: r(2,3), .5, 1, 0, 9
fill: r(2,3), r()
gather: r(2,3), 0, i(2,1,3)
take_along_dim: r(2,3), i(2,1,3), 0
scatter scatter_add: r(2,3), 0, i(2,1,3), r(1,3)
scatter_reduce: r(2,3), 0, i(2,1,3), r(1,3), "amax"
index_reduce: r(2,3), 0, i(2,2), r(2,3), "amax"
index_add index_copy: r(2,3), 0, i(2,2), r(2,3)
index_fill: r(2,3), 0, i(2,1), 0.
index_select: r(2,3), 0, i(2,2)
index_put: r(2,3), (i(2,2),), r(2,3)
put: r(2,3), i(6,2), r(2)
take: r(2,3), i(6,2)
select: r(2,3), 0, 1
select_scatter: r(2,3), r(3), 0, 1
masked_fill: r(2,3), b(2,3), 0.
masked_select: r(2,3), b(2,3)
masked_scatter: r(2,3), b(2,3), r(6)
grid_sampler grid_sampler_2d: r(1,1,3,3), r(1,2,2,2), 0, 0, False
grid_sampler_3d: r(1,1,2,2,2), r(1,1,1,2,3), 0, 0, False
nn.functional.grid_sample: r(1,1,3,3), r(1,2,2,2)
nn.functional.affine_grid: r(1,2,3), (1,1,2,2)
angle imag real resolve_conj resolve_neg conj conj_physical adjoint view_as_real view_as_real_copy mH H: z(2,3)
view_as_complex view_as_complex_copy: r(3,2)
histogramdd: r(3,2), [2,2]
igamma igammac special.gammainc special.gammaincc special.zeta: u(2,3).detach(), u(2,3)
linalg.householder_product orgqr: r(3,2), r(2)
ormqr: r(3,2), r(2), r(3,2)
linalg.lu_solve: *lu_factor(r(2,2)), r(2,3)
lu_solve: r(2,3), *lu_factor(r(2,2))
lu_unpack: *lu_factor(r(2,2))
linalg.solve_triangular: r(2,2), r(2,2), upper=True
triangular_solve: r(2,2), r(2,2)
linalg.tensorinv: r(2,2,2,2)
linalg.tensorsolve: r(2,2,2,2), r(2,2)
lstm_cell: r(1,2), (r(1,2), r(1,2)), r(8,2), r(8,2)
rnn_tanh rnn_relu: r(2,1,2), r(1,1,2), (r(2,2), r(2,2)), False, 1, 0., False, False, False
matrix_power linalg.matrix_power: r(2,2), 3
nanquantile quantile: r(2,3), .5
logit: u(2,3)
movedim moveaxis: r(2,3), 0, 1
mvlgamma special.multigammaln: over(2,3), 2
acosh arccosh: over(2,3)
narrow narrow_copy: r(2,3), 0, 0, 1
unflatten: r(4), 0, (2,2)
polygamma special.polygamma: 1, r(2,3)
poisson_nll_loss: r(2,3), u(2,3), True, False, 1e-8, 1
renorm: r(2,3), 2., 0, .5
repeat_interleave: r(2,3), 2, 0
rot90: r(2,3)
segment_reduce: r(4), "sum", lengths=i(3,2)*0+2
stft: r(8), 4, window=minigrad.ones(4), return_complex=True
istft: z(3,3), 4, window=minigrad.ones(4)
nn.functional.adaptive_avg_pool1d nn.functional.avg_pool1d nn.functional.max_pool1d adaptive_avg_pool1d: r(1,4), 2
nn.functional.binary_cross_entropy: u(2,3), u(2,3)
nn.functional.gaussian_nll_loss: r(2,3), r(2,3), u(2,3)
nn.functional.alpha_dropout nn.functional.feature_alpha_dropout: r(2,3), .5, True
broadcast_tensors: r(1,3), r(2,1)
nn.functional.bilinear bilinear: r(2,3), r(2,2), r(1,3,2)
nn.functional.cosine_embedding_loss: r(2,3), r(2,3), v(2)
nn.functional.hinge_embedding_loss hinge_embedding_loss: r(3), v(3)
nn.functional.cross_entropy nn.functional.nll_loss nn.functional.multi_margin_loss: r(2,3), i(3,2)
nn.functional.linear_cross_entropy: r(2,3), r(4,3), i(4,2)
nn.functional.multilabel_margin_loss: r(3), i(3,3)
nn.functional.soft_margin_loss: r(3), v(3)
nn.functional.margin_ranking_loss margin_ranking_loss: r(3), r(3), v(3)
nn.functional.embedding: i(4,3), r(4,2), 1
embedding: r(4,2), i(4,3)
nn.functional.embedding_bag: i(4,2,2), r(4,2)
embedding_bag: r(4,2), i(4,4), i(1,2)+minigrad.tensor([0,2])
nn.functional.interpolate nn.functional.upsample: r(1,1,2,2), 4
nn.functional.upsample_nearest nn.functional.upsample_bilinear: r(1,1,2,2), 4
nn.functional.local_response_norm: r(1,3,2), 2
nn.functional.lp_pool1d: r(1,4), 2, 2
nn.functional.lp_pool2d: r(1,4,4), 2, 2
nn.functional.lp_pool3d: r(1,2,4,4), 2, 2
nn.functional.max_unpool1d: r(1,2), i(4,1,2)*0+minigrad.tensor([0,3]), 2
nn.functional.max_unpool2d: r(1,1,2), i(4,1,1,2)*0+minigrad.tensor([0,3]), 2
nn.functional.max_unpool3d: r(1,1,1,2), i(4,1,1,1,2)*0+minigrad.tensor([0,3]), 2
nn.functional.fractional_max_pool2d nn.functional.fractional_max_pool2d_with_indices: r(1,4,4), 2, 2
nn.functional.fractional_max_pool3d nn.functional.fractional_max_pool3d_with_indices: r(1,4,4,4), 2, 2
nn.functional.multi_head_attention_forward: *(r(2,1,2) for _ in "qkv"), 2, 1, r(6,2), *[None]*3, False, 0., r(2,2), r(2)
nn.functional.pad constant_pad_nd: r(2,3), (1,0)
nn.functional.rms_norm rms_norm: r(2,3), (3,), r(3)
masked.cumsum masked.cumprod masked.softmax masked.log_softmax masked.softmin: r(2,3), 1, mask=b(2,3)
masked.normalize: r(2,3), 2., 1, mask=b(2,3)
masked.norm: r(2,3), 2., 1, mask=b(2,3)
masked.sum masked.mean masked.prod masked.amax masked.amin masked.logsumexp: r(2,3), 1, mask=b(2,3)
masked.median masked.std masked.var: r(2,3), 1, mask=b(2,3)
topk kthvalue: r(2,3), 2
channel_shuffle: r(1,4,1), 2
pixel_shuffle: r(4,1,1), 2
pixel_unshuffle: r(1,2,2), 2
roll: r(2,3), 1, 1
"""


class Told(NamedTuple):
    """A call, the shapes of its Tensors, its operations, the last first, each with its rules, and how it was drawn."""

    call: str
    shapes: str
    steps: list[tuple[str, list[str]]]
    records: list[steps.Step]
    drawn: str

    def lines(self) -> list[str]:
        """One line for each operation and its rules, or more where that is too wide."""
        wide = [(step, by) for step, by in self.steps if len(step) + len(", ".join(by)) < WIDEST]
        column = max((len(step) for step, _ in wide), default=0) + 3
        lines: list[str] = []
        for step in self.steps:
            operation, by = step
            if step in wide and column + len(", ".join(by)) <= WIDEST:
                lines.append(operation.ljust(column) + ", ".join(by))
            else:
                lines += [operation, *(f"    {rule}" for rule in by)]
        return lines


def draws(seed: int) -> dict[str, Any]:
    """What the texts of arguments name."""
    rng = np.random.default_rng(seed)
    return {
        "r": lambda *shape: _wanting(rng.normal(size=shape)),
        "u": lambda *shape: _wanting(rng.uniform(0.1, 0.9, shape)),
        "over": lambda *shape: _wanting(rng.uniform(1.1, 2.0, shape)),
        "z": lambda *shape: _wanting(rng.normal(size=shape) + 1j * rng.normal(size=shape)),
        "s": lambda n: _wanting(np.eye(n) * 3 + np.ones((n, n)) * rng.uniform(0.1, 0.9)),
        "b": lambda *shape: minigrad.from_numpy(np.arange(int(np.prod(shape))).reshape(shape) % 3 > 0),
        "i": lambda below, *shape: minigrad.from_numpy(rng.integers(0, below, shape)),
        "v": lambda n: minigrad.from_numpy(np.resize([1.0, -1.0], n)),
        "minigrad": minigrad,
        "log_softmax": lambda x, dim: minigrad.log_softmax(x, dim).detach().requires_grad_(),
        "lu_factor": lambda x: (lambda lu, pivots: (_wanting(lu.detach().numpy()), pivots))(
            *minigrad.linalg.lu_factor(x)
        ),
    }


def _wanting(array: Any) -> minigrad.Tensor:
    return minigrad.from_numpy(np.asarray(array)).requires_grad_()


@functools.cache
def _samples() -> dict[str, str]:
    """The texts of arguments, by the function's name."""
    rows = [line.split(": ", 1) for line in SAMPLES.strip().splitlines()]
    return {name: text for names, text in rows for name in names.split()}


def _candidates(path: str, function: Callable[..., Any]) -> list[str]:
    """The texts of arguments to try: what the table has, or what the signature says."""
    texts = _samples()
    if text := texts.get(path) or texts.get(path.rpartition(".")[2]):
        return [text]
    usual = dict(pair.split("=", 1) for pair in USUAL.split())
    parameters = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    found = []
    for shape in SHAPES:
        of_kind = {p: _of(p, shape, usual) for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD}
        if None in of_kind.values():
            return []
        found.append(", ".join(of_kind.values()))
    return found


def _of(parameter: inspect.Parameter, shape: tuple[int, ...], usual: dict[str, str]) -> str | None:
    tensor = parameter.name == "self" or str(parameter.annotation).startswith(("Tensor", "Operand"))
    return f"r{shape}" if tensor else usual.get(parameter.name)


@functools.cache
def derivative(path: str, function: Callable[..., Any]) -> Told | None:
    """What a sample call of a public function records; None where no call works, or none has a gradient."""
    for text in _candidates(path, function):
        with warnings.catch_warnings(), minigrad.random.fork_rng():
            warnings.simplefilter("ignore")
            minigrad.manual_seed(0)
            try:
                return _told(path, function, text)
            except Exception:  # whatever it raises, it does not take these
                continue
    return None


def called(function: Any, text: str, seed: int = 0) -> tuple[list[str], dict[str, Any]]:
    """The words of a call, and the Tensors in it by the names of the function's parameters."""
    args, keywords = eval(f"(lambda *args, **keywords: (args, keywords))({text})", draws(seed))
    tensors: dict[str, Any] = {}

    def word(name: str, value: Any) -> str:
        if isinstance(value, minigrad.Tensor):
            tensors[name] = value
            return name
        if isinstance(value, (list, tuple)) and any(isinstance(v, minigrad.Tensor) for v in value):
            return f"[{several(name, value)}]"
        return str(value) if isinstance(value, minigrad.dtype) else repr(value)

    def several(name: str, values: Any) -> str:
        one = {"indices": "index"}.get(name, name.removesuffix("s"))
        many = [*values[0]] if isinstance(values[0], tuple) else values
        return ", ".join(word(f"{one}{k}", v) for k, v in enumerate(many, 1))

    signature = inspect.signature(function)
    bound, words, apart = signature.bind(*args, **keywords).arguments, [], False
    for name, kind in signature.parameters.items():
        usual = name not in bound or bound[name] is kind.default
        if kind.kind is kind.VAR_POSITIONAL and not usual:
            words.append(several(name, bound[name]))
        elif not usual:
            plain = kind.default is kind.empty and kind.kind is not kind.KEYWORD_ONLY and not apart
            words.append(word(name, bound[name]) if plain else f"{name}={word(name, bound[name])}")
        apart |= usual
    return words, tensors


def _told(path: str, function: Any, text: str) -> Told | None:
    """Runs a call, as a program whose variables have the names of the parameters, and reads its tape."""
    words, tensors = called(function, text)
    y = "y" if "y" not in tensors else "result"
    scope = {**tensors, "_call": function, "_read": _read, "_y": y, "minigrad": minigrad}
    exec(f"{y} = _call({', '.join(words)})\n_found = _read({y}, _y)", scope)
    if scope["_found"] is None:
        return None
    name = path.rpartition(".")[2]
    call = f"{name}({', '.join(words)})"
    if path.startswith("Tensor."):
        attribute = isinstance(vars(minigrad.Tensor).get(name), property)
        call = f"{words[0]}.{name}" + ("" if attribute else f"({', '.join(words[1:])})")
    return Told(
        call, ", ".join(f"``{n}`` {size(t.shape)}" for n, t in tensors.items()), *scope["_found"], text
    )


def size(shape: tuple[int, ...]) -> str:
    """A shape in words."""
    return {0: "a number", 1: f"of {shape[0] if shape else ''}"}.get(len(shape), " × ".join(map(str, shape)))


def _read(found: Any, y: str) -> tuple[list[tuple[str, list[str]]], list[steps.Step]] | None:
    """The operations of a result or several, with their rules; called by the program that has them."""
    results = [found] if isinstance(found, minigrad.Tensor) else [*found] if isinstance(found, tuple) else []
    results = [t for t in results if isinstance(t, minigrad.Tensor) and t.requires_grad][:3]
    if not results:
        return None
    frame = sys._getframe(1)
    if results[0].is_leaf:
        same = next(name for name, t in frame.f_locals.items() if t is results[0])
        return [(f"{y} = {same}", [f"∂{same} = g"])], []
    given = {t._node: y if len(results) == 1 else f"{y}{k}" for k, t in enumerate(results, 1)}
    named = places.with_variables({}, places.variables(frame, records=tape([*given])))
    derivation, *_ = steps.derivation(results, {**given, **named}, pictured=False)
    every = [derivation.steps[i] for i in derivation.backward]
    told = [(f"{s.name} = {s.expression}", rules((x.name, x.local) for x in s.shares)) for s in every]
    return told, every


def rules(shares: Iterable[tuple[str, str]]) -> list[str]:
    """What goes on to each input; one that is used twice has two."""
    every = [*shares]
    long = ", ".join(f"∂{x}" for x, text in every if not text)
    told = [f"∂{x} = {text}" for x, text in every if text]
    return [*told, f"{long} by many operations, which minigrad.source prints"] if long else told


def functions() -> dict[str, Callable[..., Any]]:
    """The functions, methods and properties that are told with their derivatives, by the end of their path."""
    found = {}
    for entry in sorted(tables.entries()):
        place, _, name = entry.rpartition(".")
        path = entry.removeprefix("minigrad.")
        if place in PLACES and not name.endswith("_"):
            function = attrgetter(path)(minigrad)
            function = function.fget if isinstance(function, property) else function
            if inspect.isroutine(function):
                found[path] = function
    return found


@functools.cache
def recorded() -> dict[str, list[steps.Step]]:
    """The steps of all sample calls, by the operation."""
    found: dict[str, list[steps.Step]] = {}
    for path, function in functions().items():
        if told := derivative(path, function):
            for step in told.records:
                found.setdefault(step.operation, []).append(step)
    return found
