"""Malformed calls: PyTorch's kinds of error, which name the function, the argument and the user's line."""

from __future__ import annotations

import inspect
import pickle
import runpy
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import case

import minigrad as mg
from minigrad import gate, nn
from minigrad.gate import forms, kinds
from minigrad.nn import functional, init

X = mg.tensor([[1.0, -2.0, 3.0], [0.5, 0.0, -1.0]])
I = mg.tensor([0, 1])  # noqa: E741
V = mg.ones(2, 3)


# ---------------------------------------------------------------- every public function, from its signature

GOOD: dict[str, Any] = {
    "ext_tensor": X, "buffer": bytearray(8),
    "input": X, "other": X, "tensor": mg.ones(2, 2), "target": X, "weight": X, "end": X, "tensor1": X, "tensor2": X,
    "mat1": X, "mat2": X, "mat": X, "vec": X, "vec2": X, "batch1": X, "batch2": X, "mask": X > 0, "condition": X > 0,
    "index": I, "indices": I, "values": V, "tensors": [X, X], "dim": 0, "dim0": 0, "dim1": 1, "start": 0, "length": 1,
    "end_dim": 1, "chunks": 2, "split_size_or_sections": 1, "split_size": 1, "source": 0, "destination": 1,
    "indices_or_sections": 2,
    "size": (2,), "n": 3, "steps": 3, "low": 0, "high": 5, "mean": mg.zeros(2), "std": mg.ones(2), "fill_value": 1.0,
    "value": 1.0, "exponent": 2, "data": [1.0], "ndarray": np.ones(2, "f4"), "min": 0.0, "max": 1.0, "sizes": (1, 2),
    "val": 1.0, "sparsity": 0.5, "nonlinearity": "relu", "seed": 1, "d": mg.float32, "type1": mg.float32,
    "type2": mg.int64, "tensor_1": X, "obj": X, "sizes_": (2,),
    "reduce": "amax", "bins": 3, "q": 0.5, "shifts": 1, "split_sizes": [1, 1], "elements": X, "test_elements": X,
    "from_": mg.int32, "to": mg.float32, "device": "cpu",
    "crow_indices": [0, 1, 2], "col_indices": [1, 0], "ccol_indices": [0, 1, 2], "row_indices": [1, 0],
    "compressed_indices": [0, 1, 2], "plain_indices": [1, 0],
    "pad": (1, 1), "theta": X, "grid": X, "output_size": 1,
    "kernel_size": 1, "norm_type": 2.0, "callable": max, "window_length": 4, "s": 1.0, "shape": (2, 2), "x": X, "y": X,
}  # fmt: skip
# For a parameter whose name is not above, by its annotation.
OF_KIND: dict[str, Any] = {
    "Tensor": X, "Tensor | None": X, "Tensor | float": X, "Sequence[int]": [3],
    "Operand": X, "Sequence[Tensor]": [X, X], "Tensor | Sequence[int]": [3], "int": 1, "float": 0.5, "Number": 1.0,
    "NumberLike": 1.0, "bool": True, "Dim": 0, "DType": mg.float32,
}  # fmt: skip
BAD: dict[str, Any] = {
    "None": None, "str": "a", "int": 7, "negative": -5, "float": 2.5, "nan": float("nan"), "huge": 2**70, "bool": True,
    "complex": 1j, "list": [1.0], "empty list": [], "dict": {}, "set": {1}, "bytes": b"a", "object": object(),
    "array": np.ones((2, 3), "f4"), "type": int, "function": len, "slice": slice(0, 1), "Ellipsis": ...,
    "ints": X.int(), "4x5": mg.ones(4, 5), "0-d": mg.tensor(1.5), "module": nn.ReLU(), "tuple of Tensors": (X, X),
}  # fmt: skip
KINDS = (TypeError, RuntimeError, IndexError, ValueError, NotImplementedError, mg.linalg.LinAlgError)
SPACES = {"mg": mg, "F": functional, "init": init, "linalg": mg.linalg, "special": mg.special}


def functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    for space, module in SPACES.items():
        for name in dir(module):
            function = getattr(module, name)
            made = type(function) is types.FunctionType and function.__code__.co_filename == gate.FILE
            if made:
                yield f"{space}.{name}", function
    for name in sorted(vars(mg.Tensor)):
        function = getattr(mg.Tensor, name)
        if type(function) is types.FunctionType and name.endswith("_") and not name.startswith("_"):
            yield f"Tensor.{name}", function


FUNCTIONS = dict(functions())


def arguments(function: Callable[..., Any]) -> list[Any]:
    """Good values for the parameters that must be given."""
    found = []
    for name, parameter in inspect.signature(function).parameters.items():
        if not found and (name in ("self", "t") or function.__name__.endswith("_")):
            found.append(X.clone())
        elif parameter.kind is parameter.VAR_POSITIONAL:
            found.append(
                X if parameter.annotation == "Tensor" else (3, 2) if name in ("shape", "size") else (1, 0)
            )
        elif parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            found.append(GOOD[name] if name in GOOD else OF_KIND[parameter.annotation])
    return found


def error_of(function: Callable[..., Any], args: list[Any]) -> Exception | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            function(*args)
        except Exception as error:  # whatever it is, the test looks at it
            return error
    return None


def test_most_functions_have_a_gate() -> None:
    assert len(FUNCTIONS) > 250


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_argument_of_the_wrong_kind_gives_a_public_kind_of_error(name: str) -> None:
    function = FUNCTIONS[name]
    good = arguments(function)
    for place in range(len(good)):
        for kind, bad in BAD.items():
            error = error_of(function, [*good[:place], bad, *good[place + 1 :]])
            huge = isinstance(error, OverflowError) and "64 bits" in str(error)
            assert error is None or huge or type(error) in KINDS, (name, place, kind)
            assert "object has no attribute" not in str(error), (name, place, kind)


@pytest.mark.parametrize("name", [n for n in FUNCTIONS if not n.endswith("_")])
def test_what_is_no_tensor_is_named(name: str) -> None:
    function = FUNCTIONS[name]
    own = inspect.unwrap(function).__name__
    for place, parameter in enumerate(inspect.signature(function).parameters.values()):
        if parameter.annotation != "Tensor" or parameter.default is not parameter.empty:
            continue
        text = rf"^{own}\(\).*'{parameter.name}' must be Tensor.*test_gate\.py:\d+"
        for bad in ("a", None, object(), np.ones(2, "f4")):
            args = arguments(function)
            args[place] = bad
            with case(f"{parameter.name}={bad!r}"), pytest.raises(TypeError, match=text):
                function(*args)


def test_signatures_names_and_pickles_are_those_of_the_function() -> None:
    for name, function in FUNCTIONS.items():
        with case(name):
            is_the_function(name, function)


def is_the_function(name: str, function: Callable[..., Any]) -> None:
    inner = inspect.unwrap(function)
    assert inspect.signature(function) == inspect.signature(inner)
    own = name.rpartition(".")[2]
    if function.__name__ != inner.__name__:  # the form in place of a function
        assert function.__name__ == own
        assert function.__doc__.startswith(
            f"`{own[:-1]}`, in place.\n\nThe result is written over this Tensor"
        )
    else:
        assert function.__doc__ == inner.__doc__
    if not name.startswith("Tensor."):
        assert pickle.loads(pickle.dumps(function)) is function


def test_an_unknown_keyword_is_refused() -> None:
    for name, function in FUNCTIONS.items():
        if not name.startswith("Tensor."):
            with case(name), pytest.raises(TypeError, match="unexpected keyword argument 'bogus'"):
                function(*arguments(function), bogus=1)


# ---------------------------------------------------------------- what is refused, and what is taken

MALFORMED: list[tuple[str, type[Exception], str]] = [
    ("X.sum(True)", TypeError, "sum.*'dim' must be int, tuple of ints or None, not bool"),
    ("X.sum((0, True))", TypeError, "sum.*'dim' must be"),
    ("X.sum(0, 1)", TypeError, "sum.*'keepdim' must be bool, not int"),
    ("X.argmax(0, object())", TypeError, "argmax.*'keepdim' must be bool, not object"),
    ("X.amax(dim='a')", TypeError, "amax.*'dim' must be"),
    ("mg.cat([X, X], True)", TypeError, "cat.*'dim' must be int, not bool"),
    ("mg.cat([X, 3])", TypeError, "cat.*'tensors' must be tuple of Tensors, not list of Tensor, int"),
    ("mg.cat(X, X)", TypeError, "cat.*not Tensor of shape .*; put the Tensors into a list"),
    ("X.chunk(True)", TypeError, "chunk.*'chunks' must be int, not bool"),
    ("X.select(0, True)", TypeError, "select.*'index' must be int"),
    ("X.size(True)", TypeError, "size.*'dim' must be int or None, not bool"),
    ("X.unsqueeze(2.0)", TypeError, "unsqueeze.*'dim' must be int, not float"),
    ("X.narrow(0, 2.5, 1)", TypeError, "narrow.*'start' must be"),
    ("X.movedim({0}, 1)", TypeError, "movedim.*'source' must be"),
    ("mg.zeros({})", TypeError, "zeros.*must be int, not dict"),
    ("mg.zeros(True)", TypeError, "zeros.*must be int, not bool"),
    ("mg.zeros(2, dtype='float32')", TypeError, "zeros.*'dtype' must be minigrad.dtype or None, not str"),
    ("mg.zeros(2, dtype=False)", TypeError, "zeros.*'dtype' must be"),
    ("mg.zeros(2, requires_grad=1)", TypeError, "zeros.*'requires_grad' must be bool, not int"),
    ("mg.zeros_like(X, dtype={})", TypeError, "zeros_like.*'dtype' must be"),
    ("mg.full(7, 1.0)", TypeError, "full.*'size' must be tuple of ints or None, not int"),
    ("mg.full((2,), [1.0])", TypeError, "full.*'fill_value' must be Number, not list of float"),
    (
        "mg.rand(2, generator=X)",
        TypeError,
        "rand.*'generator' must be minigrad.Generator or None, not Tensor",
    ),
    ("X.requires_grad_(None)", TypeError, "requires_grad_.*must be bool, not NoneType"),
    ("nn.Parameter(X, 'a')", TypeError, "Parameter.*'requires_grad' must be bool, not str"),
    ("mg.set_grad_enabled(1)", TypeError, "set_grad_enabled.*'mode' must be bool, not int"),
    ("X.mul_(None)", TypeError, "^mul_.*NoneType"),
    ("X.mul_('a')", TypeError, "^mul_.*str"),
    ("mg.rsub(X, [])", TypeError, "^rsub.*list"),
    ("X.permute(1, 0, bogus=1)", TypeError, "permute.*unexpected keyword argument 'bogus'"),
    ("mg.nn.Linear(1, 1, use_bias=True)", TypeError, "argument 'use_bias'. Did you mean 'bias'\\? \\(at "),
    ("mg.sum(X, dims=0)", TypeError, "argument 'dims'. Did you mean 'dim'\\?"),
    (
        "mg.optim.SGD([X], learning_rate=1)",
        TypeError,
        "argument 'learning_rate'. It takes params, lr, momentum, ",
    ),
    ("mg.optim.Adam([X], learning_rate=1)", TypeError, "It takes params, lr, betas, "),
    ("mg.arange(mg.tensor([3]))", TypeError, r"must be Numbers, not Tensor of shape \[1\]; use .item"),
    (
        "nn.functional.linear([[1.0, 2.0]], X)",
        TypeError,
        "not list of list; minigrad.tensor.* makes a Tensor of it",
    ),
    ("mg.nn.ReLU().load_state_dict('a.pt')", TypeError, "dict-like.*load\\(\\) reads the file"),
    ("X.long().sqrt_()", RuntimeError, "can't be cast .* \\.float\\(\\) first"),
    ("X.repeat(2)", RuntimeError, "dims can not be smaller .*: \\[2\\] for a tensor of shape"),
    ("X.reshape(3, 2, bogus=1)", TypeError, "reshape.*unexpected keyword argument 'bogus'"),
    ("X.expand(2, 3, bogus=1)", TypeError, "expand.*unexpected keyword argument 'bogus'"),
    ("X.repeat(2, 1, bogus=1)", TypeError, "repeat.*unexpected keyword argument 'bogus'"),
    ("mg.broadcast_to(X, (2, 3), bogus=1)", TypeError, "unexpected keyword argument 'bogus'"),
    ("X.sum(0, axis=1)", TypeError, "sum.*multiple values for argument 'axis'"),
    ("mg.cumsum(X)", TypeError, "cumsum.*missing 1 required argument: 'dim'"),
    ("mg.exp()", TypeError, "exp.*missing 1 required argument: 'input'"),
    ("mg.exp(3)", TypeError, "exp.*'input' must be Tensor, not int"),
    ("mg.isnan(3.0)", TypeError, "isnan.*'input' must be Tensor, not float"),
    ("mg.addcmul(X, 1, X)", TypeError, "addcmul.*'tensor1' must be Tensor, not int"),
    ("mg.tensor([X, X])", ValueError, "only one element"),
    ("X.__contains__('a')", RuntimeError, "only supports Tensor or scalar"),
    ("X.__contains__(np.str_('a'))", RuntimeError, "only supports Tensor or scalar"),
    ("X.clone().__setitem__(0, [1.0, 2.0, 3.0])", TypeError, "can't assign a list"),
    ("X.clone().__setitem__(9, None)", TypeError, "can't assign a NoneType"),
    ("X.clone().__setitem__([0], '2')", TypeError, "can't assign a str"),
    ("X.clone().__setitem__(I > 0, {1})", TypeError, "can't assign a set"),
    ("mg.take_along_dim(X, mg.tensor([-1]))", RuntimeError, "index -1 is out of bounds"),
    ("X.__delitem__(0)", TypeError, "does not support deleting items"),
    ("X['a']", TypeError, "got str"),
    ("X[1.0]", IndexError, "got float"),
    ("X.clone().__setitem__([0], V[:1].double())", RuntimeError, "dtypes match"),
    ("X.clone().__setitem__(I, mg.tensor(1))", RuntimeError, "dtypes match"),
    ("X.clone().__setitem__(X > 0, mg.ones(2).half())", RuntimeError, "dtypes match"),
    ("X.tensor_split(2**70)", ValueError, "64 bits"),
    ("X.tensor_split([1.0])", TypeError, "tensor_split"),
    ("W.sum(dtype=mg.int64)", RuntimeError, "Autograd not support dtype"),
    ("W.sum(0, dtype=mg.int32)", RuntimeError, "Autograd not support dtype"),
    ("W.prod(dtype=int)", RuntimeError, "Autograd not support dtype"),
    ("W.cumsum(0, dtype=mg.int64)", RuntimeError, "Autograd not support dtype"),
    ("W.nansum(dtype=mg.int64)", RuntimeError, "Autograd not support dtype"),
    ("mg.autograd.grad(W.sum(), W, create_graph='a')", TypeError, "grad.*'create_graph'"),
    ("nn.Tanh()(3)", TypeError, "tanh.*'input' must be Tensor, not int"),
    ("nn.Linear(3.0, 2)", TypeError, "Linear.*'in_features' must be int, not float"),
    ("nn.init.zeros_('a')", TypeError, "zeros_.*'tensor' must be Tensor, not str"),
    ("X.clone().random_(None)", TypeError, "random_"),
    ("X.clone().random_(1, 2, 3)", TypeError, "random_"),
    ("X.clone().random_(5, 5)", RuntimeError, "less than 'to'"),
    ("X.to_sparse(blocksize=(1, 1))", RuntimeError, "blocksize"),
    ("X.to_sparse_csr(dense_dim=1)", RuntimeError, r"in the range of \[0, 0\]"),
    ("X.to_sparse(dense_dim=3)", RuntimeError, r"in the range of \[0, 2\]"),
    ("I.clone().reciprocal_()", RuntimeError, "can't be cast"),
    ("mg.rrelu(X, 0.1, float('inf'))", RuntimeError, "upper bound must be finite"),
    ("mg.rrelu(I, training=True)", NotImplementedError, "rrelu"),
    ("mg.prelu(X, X[:1, :1])", RuntimeError, "scalar or 1D tensor"),
    ("mg.svd(X[0], compute_uv=False)", RuntimeError, "at least 2 dimensions"),
    ("mg.lu_unpack(X[0], mg.ones(2).int())", RuntimeError, "at least 2 dimensions"),
    ("mg.lu_unpack(X, mg.tensor([1, 5]).int())", RuntimeError, "between 1 and 2"),
    ("mg.lu_solve(V[0, :2], V[:, :2], mg.ones(2).int())", RuntimeError, "at least 2 dimensions"),
    ("mg.lu_solve(V[:, :2], V[:, :2], mg.ones(3).int())", RuntimeError, "Number of pivots"),
    ("mg.cholesky_solve(V, V[:, :2].double())", RuntimeError, "same dtype"),
    ("mg.cholesky_solve(mg.ones(3, 2, 1), mg.ones(2, 2, 2))", RuntimeError, "cholesky_solve: the batches"),
    ("mg.repeat_interleave(X.sum(), 2, 0)", IndexError, "no dimensions"),
    ("mg.diff(X, 0, append=I)", RuntimeError, "same number of dimensions"),
    ("mg.unique(X.sum(), dim=0)", IndexError, "no dimensions"),
    ("mg.histc(I)", NotImplementedError, "histogram_cpu"),
    ("mg.histogram(X, 2, range=(1,))", RuntimeError, "range should have 2"),
    ("mg.arange(0, 1, float('nan'))", RuntimeError, "nonzero"),
    ("mg.range(0, 1, float('nan'))", RuntimeError, "nonzero"),
    ("mg.histc(I, 0)", RuntimeError, "bins must be"),
    ("mg.full((2,), I)", TypeError, "^full"),
    (
        "mg.tensor(np.array([None]))",
        TypeError,
        r"^tensor\(\): .*no element type dtype\('O'\).*astype\(\) \(at .*:1",
    ),
    (
        "mg.from_numpy(np.array(['a']))",
        TypeError,
        r"^from_numpy\(\): can't convert np.ndarray of type numpy.str_: .*no element type dtype\('<U1'\).*\(at .*:1",
    ),
    ("X.to(object)", TypeError, r"^to\(\): minigrad has no element type.*\(at .*:1"),
    ("X + np.array([2**63], 'u8')", TypeError, r"an array of uint64.*\(at .*:1"),
    ("(X > 0) * np.zeros(3, [('a', 'f4')])", TypeError, r"a type that no Tensor has.*\(at .*:1"),
    ("mg.zeros(np.array([2, 3]))", TypeError, r"each size must be int, not ndarray \(at .*:1"),
    ("X.reshape(np.array(6.0))", TypeError, r"each size must be int, not ndarray \(at .*:1"),
    ("mg.zeros(2**40, 2**40)", RuntimeError, r"Storage size calculation overflowed with sizes=.*\(at .*:1"),
    ("mg.arange(0, [3])", TypeError, r"arange.*must be Numbers, not list \(at .*:1"),
    ("mg.arange(3j)", TypeError, r"^arange\(\): must be real number, not complex \(at .*:1"),
    ("mg.bincount(X)", NotImplementedError, "bincount_cpu"),
    ("mg.bincount(-I)", RuntimeError, "non-negative"),
    ("X.repeat_interleave(X[0], 1)", NotImplementedError, "repeat_interleave_cpu"),
    ("X.cumsum(axis=7)", IndexError, "Dimension out of range .*, but got 7. in cumsum"),
    ("X.scatter(axis=0, index=V.long() + 9, value=1)", RuntimeError, "index 10 is out of bounds"),
    ("I.softmax(axis=0)", NotImplementedError, "not implemented for 'Long'"),
    ("mg.matmul(X, x2=mg.ones(5))", RuntimeError, r"size mismatch, got input \(2\), mat \(2x3\), vec \(5\)"),
    ("mg.softmax(x=X, axis=9)", IndexError, "Dimension out of range"),
    ("mg.softmax(x=X)", TypeError, r"missing 1 required argument: 'dim' \(at .*:1"),
    ("mg.fft.rfft(X.sum())", IndexError, r"^rfft\(\): .*\(at .*:1"),
    ("mg.special.xlogy(1, 2)", TypeError, r"^xlogy\(\): argument 'input' must be Tensor, not int \(at .*:1"),
    ("mg.broadcast_shapes((2,), 2.0)", RuntimeError, "should be of type ints"),
    ("mg.tril_indices(2, 2, dtype=mg.float32)", NotImplementedError, "tril_indices"),
    ("mg.trace(X[:, :2] > 0)", NotImplementedError, "trace"),
    ("mg.slice_scatter(X, X, step=0)", RuntimeError, "must be positive"),
    ("mg.lerp(X, X, 1j)", RuntimeError, "cannot be converted"),
    ("mg.fft.fftshift(X.sum())", RuntimeError, "shifts"),
    ("mg.fft.fftfreq(-1)", RuntimeError, "negative dimension"),
    ("mg.stft(I, 2, window=mg.ones(2), return_complex=True)", RuntimeError, "floating point or complex"),
    ("X.take_along_dim(-I)", RuntimeError, "out of bounds"),
    ("X.index_select(0, I.byte())", RuntimeError, "int32 or int64"),
    ("mg.linalg.norm(X, dtype=mg.complex64)", RuntimeError, "real for real inputs"),
    (
        "nn.functional.grid_sample(mg.ones(1, 1, 2, 2).int(), mg.ones(1, 1, 1, 2).int(), align_corners=False)",
        NotImplementedError,
        "grid_sampler",
    ),
    ("mg.linalg.cross(V, V.double())", RuntimeError, "expected scalar type"),
    ("mg.chain_matmul()", RuntimeError, "one or more matrices"),
    ("mg.addbmm(X, mg.ones(1, 2, 3), mg.ones(2, 3, 3))", RuntimeError, "number of batches"),
    ("mg.addbmm(X, mg.ones(2, 2, 1), mg.ones(2, 3, 3))", RuntimeError, "matrix product"),
    ("mg.addbmm(X.double(), mg.ones(2, 2, 3), mg.ones(2, 3, 3))", RuntimeError, "same dtype"),
    ("mg.fake_quantize_per_tensor_affine(I, 0.5, 0, 0, 4)", NotImplementedError, "fake_quantize"),
    (
        "mg.fake_quantize_per_channel_affine(X, V[0], 0 * V[0].long(), 1, 0, 4)",
        RuntimeError,
        "Zero-point must be",
    ),
    ("mg.fake_quantize_per_channel_affine(X, V[0], 9 * V[0].int(), 1, 0, 4)", RuntimeError, "between"),
    *(
        (f"mg.{call}, device='cuda')", AssertionError, "CPU only")
        for call in (
            "hann_window(3",
            "bartlett_window(3",
            "kaiser_window(3",
            "range(0, 3",
            "scalar_tensor(3",
            "fft.rfftfreq(3",
        )
    ),
]


@pytest.mark.filterwarnings("ignore:.*deprecated:UserWarning")
@pytest.mark.parametrize(("call", "kind", "text"), MALFORMED, ids=[call for call, _, _ in MALFORMED])
def test_what_pytorch_refuses_is_refused(call: str, kind: type[Exception], text: str) -> None:
    names = {"mg": mg, "nn": nn, "np": np, "X": X, "V": V, "I": I, "W": mg.ones(2, requires_grad=True)}
    for _ in range(2):  # also when a good call came between
        with pytest.raises(kind, match=text) as caught:
            eval(call, names)
        assert type(caught.value) is kind
        assert X.sum(0, True).shape == (1, 3)


ARRAY = np.ones((2, 3), "f4")


@pytest.mark.parametrize(
    "call",
    [
        lambda: functional.mse_loss(X, ARRAY), lambda: functional.l1_loss(ARRAY, X), lambda: X.index_select(0, ARRAY),
        lambda: X.clone().copy_(ARRAY), lambda: X.clone().fill_(ARRAY), lambda: X.clamp(ARRAY),
        lambda: X.clone().clamp_(max=ARRAY), lambda: X.masked_fill(X > 0, ARRAY), lambda: mg.exp(ARRAY),
        lambda: X.lerp(X, ARRAY), lambda: mg.matmul(X, ARRAY), lambda: nn.Linear(3, 2)(ARRAY),
    ],
)  # fmt: skip
def test_an_array_where_a_tensor_belongs(call: Callable[[], Any]) -> None:
    with pytest.raises(
        TypeError, match=r"an array was given, use minigrad\.from_numpy.*as_tensor.*test_gate\.py"
    ):
        call()


@pytest.mark.parametrize(
    ("call", "same"),
    [
        (lambda: X.sum(axis=0, keepdims=True), lambda: X.sum(0, True)),
        (lambda: mg.sum(x=X, axis=(0, 1)), lambda: X.sum()),
        (lambda: mg.mean(a=X, axis=-1), lambda: X.mean(-1)),
        (lambda: mg.cumsum(X, axis=1), lambda: X.cumsum(1)),
        (lambda: mg.cat([X, X], axis=1), lambda: mg.cat([X, X], 1)),
        (lambda: mg.exp(x=X), lambda: X.exp()),
        (lambda: mg.add(x1=X, x2=X), lambda: X + X),
        (lambda: X.var(axis=0, keepdims=True, correction=0), lambda: X.var(0, keepdim=True, correction=0)),
        (lambda: X.max(axis=1).indices, lambda: X.max(1).indices),
        (lambda: X.unsqueeze(axis=0), lambda: X[None]),
        (lambda: X.swapaxes(axis0=0, axis1=1), lambda: X.T),
        (lambda: mg.relu_(input=X.clone()), lambda: X.relu()),
        (lambda: mg.fill_(input=X.clone(), value=1), lambda: mg.ones_like(X)),
        (lambda: mg.square_(input=X.clone()), lambda: X.square()),
        (lambda: mg.clip_(input=X.clone(), min=0), lambda: X.clip(0)),
        (lambda: mg.det(input=X[:, :2]), lambda: mg.linalg.det(A=X[:, :2])),
        (lambda: mg.linalg.norm(input=X, ord=1), lambda: mg.linalg.norm(X, 1)),
        (
            lambda: mg.linalg.lstsq(input=X[:, :2], b=X[:, :2])[0],
            lambda: mg.linalg.lstsq(X[:, :2], X[:, :2])[0],
        ),
        (lambda: mg.linalg.vector_norm(input=X, ord=1), lambda: X.abs().sum()),
        (lambda: mg.nn.functional.one_hot(input=I), lambda: mg.nn.functional.one_hot(tensor=I)),
        (lambda: mg.isin(element=1, test_elements=X), lambda: mg.isin(1, X)),
        (lambda: mg.broadcast_to(input=X, size=(4, 2, 3)), lambda: X.expand(4, 2, 3)),
        (lambda: X.reshape(shape=(3, 2)), lambda: X.reshape(3, 2)),
        (lambda: X.permute(dims=(1, 0)), lambda: X.T),
        (lambda: X.expand(size=(4, 2, 3)), lambda: X.expand(4, 2, 3)),
        (lambda: X.repeat(repeats=(2, 1)), lambda: X.repeat(2, 1)),
        (lambda: mg.zeros(size=(2, 3)), lambda: mg.zeros(2, 3)),
        (lambda: mg.ones(size=[2], dtype=mg.int64), lambda: mg.ones(2, dtype=mg.int64)),
        (
            lambda: mg.rand(size=(2, 3), generator=mg.Generator()),
            lambda: mg.rand(2, 3, generator=mg.Generator()),
        ),
        (lambda: X.sum(mg.tensor(1)), lambda: X.sum(1)),
        (lambda: X.sum(np.int64(1), np.bool_(True)), lambda: X.sum(1, True)),
        (lambda: mg.cat(X.chunk(np.int64(2))), lambda: X),
        (lambda: X.movedim(mg.tensor(1), 0), lambda: X.T),
        (lambda: X.add(X, alpha=mg.tensor(2.0)), lambda: X * 3),
        (lambda: X.clamp(np.float32(0.0)), lambda: X.clamp(0.0)),
        (lambda: mg.tensor([mg.ones(1), mg.tensor(2.0)]), lambda: mg.tensor([1.0, 2.0])),
    ],
)
def test_names_of_numpy_and_numbers_of_tensors_are_taken(
    call: Callable[[], Any], same: Callable[[], Any]
) -> None:
    for _ in range(2):
        a, b = call(), same()
        assert (a.dtype, a.shape, a.tolist()) == (b.dtype, b.shape, b.tolist())


@pytest.mark.parametrize(("python", "dtype"), [(float, mg.float64), (int, mg.int64), (bool, mg.bool)])
def test_types_of_python_as_dtypes(python: type, dtype: mg.dtype) -> None:
    makers: list[tuple[Callable[..., Any], Any]] = [
        (mg.zeros, 2), (mg.ones, 2), (mg.empty, 2), (mg.tensor, [1, 0]), (mg.as_tensor, [1]), (mg.ones_like, X),
        (mg.arange if python is not bool else mg.eye, 3), (mg.sum, V), (mg.prod, V), (X.new_zeros, 2),
    ]  # fmt: skip
    for make, argument in makers:
        assert make(argument, dtype=python).dtype is dtype
    assert X.to(python).dtype is dtype
    assert mg.promote_types(python, mg.bool) is dtype


def test_random_draws_whole_numbers_from_the_full_range() -> None:
    # The values are PyTorch's for this seed.
    mg.manual_seed(0)
    assert mg.empty(3).random_().tolist() == [8325664.0, 12888472.0, 1484222.0]
    mg.manual_seed(0)
    assert mg.empty(3).random_(2, None).tolist() == [8325946.0, 12888776.0, 1484590.0]
    mg.manual_seed(0)
    assert mg.empty(3, dtype=mg.int64).random_().tolist() == [
        900450186894289455, 3969543146641149120, 1895649597198586619,
    ]  # fmt: skip
    mg.manual_seed(0)
    assert mg.empty(3).random_(5).tolist() == [4.0, 4.0, 3.0]
    mg.manual_seed(0)
    assert mg.empty(3).random_(**{"from": 2, "to": 5}).tolist() == [4.0, 2.0, 4.0]
    mg.manual_seed(0)
    assert mg.empty(3).random_(to=5).tolist() == [4.0, 4.0, 3.0]


# ---------------------------------------------------------------- what a gate leaves alone


def test_errors_of_functions_that_are_passed_come_through() -> None:
    def wrong(x: mg.Tensor) -> mg.Tensor:
        raise KeyError("mine")

    for call in (mg.autograd.functional.jacobian, mg.autograd.functional.vjp):
        with pytest.raises(KeyError, match="mine"):
            call(wrong, X)
    w = mg.ones(2, requires_grad=True)
    y = (w * 2).sum()
    y.register_hook(lambda g: g.missing)
    with pytest.raises(AttributeError, match="missing"):
        y.backward()


def test_an_array_that_is_a_number_is_looked_at_each_time() -> None:
    x = mg.zeros(2, 1)
    assert [mg.unsqueeze(x, np.array(1)).shape for _ in range(2)] == [(2, 1, 1)] * 2  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="must be"):
        mg.unsqueeze(x, np.array([1, 0]))  # type: ignore[arg-type]
    for data in (np.array([1.5]), np.array([1, 2]), np.array("a")):  # only its class is remembered
        if data.dtype.kind == "U":
            with pytest.raises(TypeError):
                mg.as_tensor(data)
        else:
            assert mg.as_tensor(data).tolist() == mg.tensor(data).tolist() == data.tolist()


def test_a_class_of_the_users_is_not_kept() -> None:
    class Three(int):
        pass

    import gc
    import weakref

    mg.unsqueeze(X, Three(1))
    kept = weakref.ref(Three)
    del Three
    gc.collect()
    assert kept() is None


def test_an_error_inside_is_chained_to_the_one_that_is_told() -> None:
    space: dict[str, Any] = {}
    inside = str(Path(gate.__file__).with_name("tape.py"))
    exec(compile("def broken(input, dim): return {}[dim]", inside, "exec"), space)
    with pytest.raises(RuntimeError, match=r"^broken\(\): 3 \(at .*test_gate\.py") as caught:
        gate.gated(space["broken"])(X, 3)
    assert isinstance(caught.value.__cause__, KeyError)


def test_the_gate_knows_the_annotations() -> None:
    """What is not among its kinds is not looked at, and so is the function's own concern."""
    texts = {
        part
        for function in FUNCTIONS.values()
        for name, text in inspect.unwrap(function).__annotations__.items()
        if name != "return" and name not in kinds.BY_NAME
        for part in text.split(" | ")
    }
    own = {"Any", "Array", "Operand", "Sequence[Tensor", "Sequence[float]", "None]", "Sizes"}
    assert texts - kinds.KINDS.keys() == own


def test_numbers_of_numpy_are_numbers() -> None:
    assert mg.clamp(X, np.float32(0), np.int64(1)).tolist() == [[1, 0, 1], [0.5, 0, 0]]
    assert mg.linspace(np.float64(0), mg.tensor(1), 3).tolist() == [0, 0.5, 1]
    for wrong in (X, np.str_("1")):
        with pytest.raises(TypeError, match=r"^linspace\(\): argument 'end' must be Number, not "):
            mg.linspace(0, wrong, 3)
    with pytest.raises(
        TypeError, match=r"^clamp\(\): argument 'max' must be Tensor or Number or None, not str_"
    ):
        mg.clamp(X, max=np.str_("1"))


@pytest.mark.parametrize("name", ["var", "std", "var_mean", "std_mean"])
def test_a_spread_takes_its_flag_or_dimensions_first(name: str) -> None:
    spread = getattr(mg, name)
    for flag in (False, True):
        assert str(spread(X, flag)) == str(spread(X, unbiased=flag))
    assert str(spread(X, np.int64(1))) == str(spread(X, dim=[1]))
    with pytest.raises(
        TypeError, match=rf"^{name}\(\): argument 'dim' must be int, tuple of ints or None or bool"
    ):
        spread(X, 1.5)


def test_the_forms_of_gates_are_those_that_are_written() -> None:
    """If not, run `python .ci/gates`; a form that is missing there is an error at import."""
    space = runpy.run_path(str(Path(__file__).parent.parent / ".ci" / "gates"))
    assert space["text"]() == Path(forms.__file__).read_text(encoding="utf-8")


# ---------------------------------------------------------------- functions of networks

FLAGS = """
F.batch_norm(x, None, None, training={})
F.dropout(x, training={})
F.rrelu(x, training={})
F.grid_sample(image, grid, align_corners={})
F.affine_grid(theta, (1, 2, 4, 4), align_corners={})
F.interpolate(image, scale_factor=2, mode="bilinear", align_corners={})
F.kl_div(x, x, reduction="sum", log_target={})
F.max_pool2d(image, 2, ceil_mode={})
F.avg_pool2d(image, 2, count_include_pad={})
F.lp_pool2d(image, 2, 2, ceil_mode={})
F.poisson_nll_loss(x, x, log_input={})
F.embedding(i, w, sparse={})
F.instance_norm(image, use_input_stats={})
F.scaled_dot_product_attention(image, image, image, is_causal={})
rnn.pad_sequence([x, x], {})
rnn.pack_padded_sequence(image[0, :, :2], [2, 2], batch_first={})
"""


def test_what_is_no_flag_and_no_number_is_refused_and_numbers_in_tensors_are_taken() -> None:
    image = mg.arange(32.0).reshape(1, 2, 4, 4)
    space = {
        "F": mg.nn.functional, "rnn": mg.nn.utils.rnn, "x": mg.ones(2, 3), "i": mg.tensor([0, 1]), "w": mg.ones(4, 3),
        "image": image, "grid": mg.zeros(1, 2, 2, 2), "theta": mg.ones(1, 2, 3), "mg": mg, "np": np,
    }  # fmt: skip
    for form in FLAGS.strip().splitlines():
        for flag in ("1", "'a'", "x"):
            with pytest.raises(TypeError, match="must be bool"):
                eval(form.format(flag), space)
        eval(form.format("np.False_" if "embedding" in form else "np.True_"), space)
    for call in ("F.threshold(x, 'a', 1.0)", "F.threshold(x, 0.1, w)", "F.threshold(x, None, 1.0)"):
        with pytest.raises(TypeError, match="must be float"):
            eval(call, space)
    for number in ("mg.tensor(2)", "np.float32(2)", "mg.tensor(2.0, requires_grad=True)"):
        for form in ("F.threshold(x, 0.1, {})", "F.softplus(x, {})", "F.huber_loss(x, w[:2], delta={})"):
            assert eval(form.format(number), space).equal(eval(form.format("2.0"), space))
    for module in (mg.nn.LayerNorm(np.int64(3)), mg.nn.RMSNorm(np.int64(3))):
        assert module.normalized_shape == (3,)
    for wrong in (
        "rnn.pad_sequence('a')",
        "rnn.pad_sequence([1.0])",
        "rnn.pack_padded_sequence(None, [2, 1])",
    ):
        with pytest.raises(TypeError, match="Tensor"):
            eval(wrong, space)
    with pytest.raises(RuntimeError):
        mg.vander(mg.ones(3), 2**40)
    assert mg.vander(mg.tensor([1, 2, 3]), 3, True).tolist() == [[1, 1, 1], [1, 2, 4], [1, 3, 9]]
    assert [mg.vander(mg.tensor([1, 2]), n).tolist() for n in (0, 1)] == [[[], []], [[1], [1]]]


def test_a_temperature_may_be_learned() -> None:
    tau = mg.tensor(0.5, requires_grad=True)
    functional.gumbel_softmax(mg.ones(2, 3), tau)[0, 0].backward()
    assert tau.grad is not None
    margin = mg.tensor(2.0, requires_grad=True)
    x, y, z = mg.zeros(1, 2), mg.ones(1, 2), mg.ones(1, 2)
    functional.triplet_margin_with_distance_loss(x, y, z, margin=margin).backward()
    assert margin.grad == 1


@pytest.mark.parametrize(("code", "value", "dtype"), [
    ("add(7, 2)", 9, "int64"), ("add(True, 2)", 3, "int64"), ("sub(7, 2.5, alpha=2)", 2.0, "float32"),
    ("div(-7, 2, rounding_mode='floor')", -4, "int64"), ("true_divide(7, 2)", 3.5, "float32"),
    ("multiply(2, 3j)", 6j, "complex64"), ("floor_divide(input=7, other=2)", 3, "int64"),
])  # fmt: skip
def test_arithmetic_takes_two_numbers(code: str, value: complex, dtype: str) -> None:
    result = eval(f"mg.{code}", {"mg": mg})
    assert (result.item(), result.dtype, result.shape) == (value, getattr(mg, dtype), ())
    for other in ("mg.exp(2)", "mg.pow(2, 3)", "mg.add(2, 'a')", "mg.sub(True, True)"):
        with pytest.raises((TypeError, RuntimeError)):
            eval(other)


def test_a_case_is_a_function_of_its_own() -> None:
    """What differs in a first argument alone is called, told, signed and pickled as a function written out."""
    assert str(inspect.signature(functional.max_pool3d)).startswith("(input: 'Tensor', kernel_size:")
    assert "rank" not in functional.max_pool3d.__annotations__
    assert (functional.max_pool3d.__name__, mg.var.__name__, mg.zeros.__name__) == (
        "max_pool3d",
        "var",
        "zeros",
    )
    assert "`max_pool2d` returns" in functional.max_unpool2d.__doc__
    assert pickle.loads(pickle.dumps(mg.fft.ifft)) is mg.fft.ifft
    x = mg.arange(16.0).reshape(1, 4, 4)
    assert functional.max_pool2d(x, kernel_size=2, stride=4).tolist() == [[[5.0]]]
    assert mg.var(x, axis=(1, 2), keepdims=True).shape == (1, 1, 1)
    with pytest.raises(RuntimeError, match=r"at least 1 at dimension 0.* \(at .*in conv2d\)"):
        functional.conv2d(x, mg.zeros(0, 1, 2, 2))
    with pytest.raises(TypeError, match="Did you mean 'stride'"):
        functional.max_pool2d(x, 2, strid=1)


@pytest.mark.parametrize("code", [
    "X.topk(n)[0]", "X.narrow(1, 0, n)", "mg.eye(n)", "mg.triu(X, n)", "X.kthvalue(n)[0]", "X.select(1, n)",
    "X.roll(n, 0)", "X.split(n, 1)[0]", "functional.max_pool2d(mg.ones(1, 1, 4, 4), n)",
    "mg.bincount(mg.tensor([1]), minlength=n)", "functional.interpolate(mg.ones(1, 1, 2, 2), n)",
])  # fmt: skip
def test_a_tensor_of_one_whole_number_is_an_int_in_any_shape(code: str) -> None:
    there = {"mg": mg, "functional": functional, "X": mg.arange(12.0).reshape(3, 4)}
    expected = eval(code, {**there, "n": 2}).tolist()
    for n in (mg.tensor(2), mg.tensor([2]), mg.tensor([[2]], dtype=mg.int32)):
        assert eval(code, {**there, "n": n}).tolist() == expected
    for bad in (mg.tensor([2.0]), mg.tensor([1, 2])):
        with pytest.raises(TypeError, match="must be int"):
            eval(code, {**there, "n": bad})


@pytest.mark.parametrize("code", [
    "X.split((n, n), 1)[1]", "X.split(n, 1)[1]", "X.split_with_sizes([n, n], 1)[1]", "X.tensor_split((n,), 1)[1]",
    "X[:, n:n + n]", "X[n, n:]", "X.narrow(1, n, n)", "X.select(1, n)", "X.unbind(1)[n]", "X.roll(n, 1)",
    "X.repeat(n, n)", "X.unfold(1, n, 1)", "X.diagonal(n)", "functional.pad(X, (n, n))",
])  # fmt: skip
def test_a_tensor_that_was_an_int_may_change_before_the_gradient(code: str) -> None:
    grads = []
    for n in (2, mg.tensor(2)):
        x = mg.arange(12.0).reshape(3, 4).requires_grad_()
        y = eval(code, {"mg": mg, "functional": functional, "X": x, "n": n})
        n += 3
        (y * mg.arange(float(y.numel())).reshape(y.shape)).sum().backward()
        grads.append(x.grad.tolist())
    assert grads[0] == grads[1]


@pytest.mark.parametrize("code", [
    "X.softmax(n)", "X.argmax(n)", "mg.cat([X, X], n)", "X.transpose(0, n)", "X.chunk(n)", "mg.diag(X, n)",
    "mg.linspace(0, 1, n)", "X.unfold(0, n, 1)", "mg.rot90(X, n)", "X[:3, :3].matrix_power(n)", "X.diff(n)",
    "functional.one_hot(mg.tensor([0]), n)",
])  # fmt: skip
def test_what_is_not_a_size_takes_a_tensor_without_dimensions_alone(code: str) -> None:
    there = {"mg": mg, "functional": functional, "X": mg.arange(12.0).reshape(3, 4)}
    eval(code, {**there, "n": mg.tensor(1)})
    with pytest.raises(TypeError, match=r"must be int.* not Tensor of shape"):
        eval(code, {**there, "n": mg.tensor([1])})
