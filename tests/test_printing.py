"""Tensors print as in PyTorch. Every golden string here is the ``repr`` that PyTorch 2.13.0 gives."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import minigrad as mg
from minigrad._printing import (
    PRINT_OPTS,
    PrintOptions,
    get_printoptions,
    printoptions,
    set_printoptions,
    tensor_text,
)

nan, inf = np.nan, np.inf
f2, f4, f8 = np.float16, np.float32, np.float64


def lines(*text: str) -> str:
    return "\n".join(text)


@pytest.mark.parametrize(
    ("array", "suffixes", "expected"),
    [
        # no dimension, no elements
        (np.array(3), [], "tensor(3)"),
        (np.array(True), [], "tensor(True)"),
        (np.array(2.5, f4), ["requires_grad=True"], "tensor(2.5000, requires_grad=True)"),
        (np.array(1e-7, f4), [], "tensor(1.0000e-07)"),
        (np.array([], f4), [], "tensor([])"),
        (np.zeros((0, 3), f4), [], "tensor([], size=(0, 3))"),
        (np.zeros((2, 0)), ["dtype=torch.float64"], "tensor([], size=(2, 0), dtype=torch.float64)"),
        # floating numbers: whole, plain, scientific
        (np.array([1.0, 2.0, -3.0], f4), [], "tensor([ 1.,  2., -3.])"),
        (np.array([1.0, 2.5, -3.0], f4), [], "tensor([ 1.0000,  2.5000, -3.0000])"),
        (np.array([0.0, -0.0], f4), [], "tensor([0., -0.])"),
        (np.array([1.0, 1000.0], f4), [], "tensor([   1., 1000.])"),
        (np.array([1.0, 1001.0], f4), [], "tensor([1.0000e+00, 1.0010e+03])"),
        (np.array([0.1, 100.0], f4), [], "tensor([  0.1000, 100.0000])"),
        (np.array([0.1, 101.0], f4), [], "tensor([1.0000e-01, 1.0100e+02])"),
        (np.array([1e-5, 1.0], f4), [], "tensor([1.0000e-05, 1.0000e+00])"),
        (np.array([1e8, 1.5e8], f4), [], "tensor([1.0000e+08, 1.5000e+08])"),
        (np.array([5e-324, 1e300]), [], "tensor([4.9407e-324, 1.0000e+300])"),
        (
            np.array([65504.0, 0.1], f2),
            ["dtype=torch.float16"],
            "tensor([6.5504e+04, 9.9976e-02], dtype=torch.float16)",
        ),
        # not finite: neither chooses the format nor widens the column
        (np.array([nan, inf, -inf, 1.0], f4), [], "tensor([nan, inf, -inf, 1.])"),
        (np.array([nan, inf, 0.5], f4), [], "tensor([   nan,    inf, 0.5000])"),
        (np.array([nan, nan], f4), [], "tensor([nan, nan])"),
        (np.array([nan, 1e-9], f4), [], "tensor([       nan, 1.0000e-09])"),
        # whole numbers and truth values
        (np.array([-1, 200, 3]), [], "tensor([ -1, 200,   3])"),
        (np.array([0, 255], np.uint8), ["dtype=torch.uint8"], "tensor([  0, 255], dtype=torch.uint8)"),
        (np.array([[True, False], [False, False]]), [], "tensor([[ True, False],\n        [False, False]])"),
        (np.array([[[5]]]), [], "tensor([[[5]]])"),
        # lines and dimensions
        (
            np.arange(30),
            [],
            lines(
                "tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,",
                "        18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29])",
            ),
        ),
        (
            np.arange(12, dtype=f4).reshape(2, 2, 3) / 8,
            [],
            lines(
                "tensor([[[0.0000, 0.1250, 0.2500],",
                "         [0.3750, 0.5000, 0.6250]],",
                "",
                "        [[0.7500, 0.8750, 1.0000],",
                "         [1.1250, 1.2500, 1.3750]]])",
            ),
        ),
        # summaries
        (np.arange(1001), [], "tensor([   0,    1,    2,  ...,  998,  999, 1000])"),
        (
            np.arange(2000).reshape(50, 40),
            [],
            lines(
                "tensor([[   0,    1,    2,  ...,   37,   38,   39],",
                "        [  40,   41,   42,  ...,   77,   78,   79],",
                "        [  80,   81,   82,  ...,  117,  118,  119],",
                "        ...,",
                "        [1880, 1881, 1882,  ..., 1917, 1918, 1919],",
                "        [1920, 1921, 1922,  ..., 1957, 1958, 1959],",
                "        [1960, 1961, 1962,  ..., 1997, 1998, 1999]])",
            ),
        ),
        (
            np.arange(1002, dtype=f4).reshape(3, 334),
            [],
            lines(
                "tensor([[0.0000e+00, 1.0000e+00, 2.0000e+00,  ..., 3.3100e+02, 3.3200e+02,",
                "         3.3300e+02],",
                "        [3.3400e+02, 3.3500e+02, 3.3600e+02,  ..., 6.6500e+02, 6.6600e+02,",
                "         6.6700e+02],",
                "        [6.6800e+02, 6.6900e+02, 6.7000e+02,  ..., 9.9900e+02, 1.0000e+03,",
                "         1.0010e+03]])",
            ),
        ),
    ],
)
def test_text_is_pytorchs(array: npt.NDArray[Any], suffixes: Sequence[str], expected: str) -> None:
    assert tensor_text(array, suffixes=suffixes) == expected


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        (
            4,
            lines(
                "tensor([0.0000, 0.3333, 0.6667, 1.0000], dtype=torch.float64,", "       requires_grad=True)"
            ),
        ),
        (
            7,
            lines(
                "tensor([0.0000, 0.3333, 0.6667, 1.0000, 1.3333, 1.6667, 2.0000],",
                "       dtype=torch.float64, requires_grad=True)",
            ),
        ),
        (
            10,
            lines(
                "tensor([0.0000, 0.3333, 0.6667, 1.0000, 1.3333, 1.6667, 2.0000, 2.3333, 2.6667,",
                "        3.0000], dtype=torch.float64, requires_grad=True)",
            ),
        ),
    ],
)
def test_suffixes_wrap(n: int, expected: str) -> None:
    assert tensor_text(np.arange(n) / 3, suffixes=["dtype=torch.float64", "requires_grad=True"]) == expected


def test_prefix_sets_the_indentation() -> None:
    text = tensor_text(np.arange(4).reshape(2, 2), prefix="MyTensor(")
    assert text == lines("MyTensor([[0, 1],", "          [2, 3]])")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"precision": 2},
            "tensor([   0.00,  142.86,  285.71,  428.57,  571.43,  714.29,  857.14, 1000.00])",
        ),
        (
            {"profile": "short"},
            "tensor([   0.00,  142.86,  285.71,  428.57,  571.43,  714.29,  857.14, 1000.00])",
        ),
        ({"edgeitems": 1, "threshold": 5}, "tensor([   0.,  ..., 1000.])"),
        ({"edgeitems": 0, "threshold": 3}, "tensor([...], size=(8,))"),
        (
            {"sci_mode": True},
            lines(
                "tensor([0.0000e+00, 1.4286e+02, 2.8571e+02, 4.2857e+02, 5.7143e+02, 7.1429e+02,",
                "        8.5714e+02, 1.0000e+03])",
            ),
        ),
        (
            {"linewidth": 40},
            lines(
                "tensor([   0.0000,  142.8571,  285.7143,",
                "         428.5714,  571.4286,  714.2857,",
                "         857.1429, 1000.0000])",
            ),
        ),
    ],
)
def test_options(options: dict[str, Any], expected: str) -> None:
    array = np.arange(8, dtype=f4) / f4(7) * f4(1000)
    before = tensor_text(array)
    with printoptions(**options):
        assert tensor_text(array) == expected
    assert tensor_text(array) == before


def test_sci_mode_off() -> None:
    with printoptions(sci_mode=False):
        assert tensor_text(np.array([1e-5, 1e5], f4)) == "tensor([     0.0000, 100000.0000])"


def test_set_printoptions() -> None:
    with printoptions():  # puts everything back
        set_printoptions(precision=2, sci_mode=True)
        assert PrintOptions(precision=2, sci_mode=True) == PRINT_OPTS
        set_printoptions(linewidth=100)  # sci_mode returns to automatic, as in PyTorch
        assert PrintOptions(precision=2, linewidth=100) == PRINT_OPTS
        set_printoptions(profile="full", edgeitems=5)
        assert PrintOptions(threshold=inf, edgeitems=5) == PRINT_OPTS
        assert "..." not in tensor_text(np.arange(1500))
        set_printoptions(profile="default")
        assert PrintOptions() == PRINT_OPTS
        with pytest.raises(ValueError, match="unknown profile 'ful'"):
            set_printoptions(profile="ful")
    assert PrintOptions() == PRINT_OPTS


def test_options_return_after_an_error() -> None:
    before = get_printoptions()
    with pytest.raises(KeyError), printoptions(precision=9):
        raise KeyError
    assert get_printoptions() == before


def test_unknown_option() -> None:
    with pytest.raises(TypeError, match="precison"), printoptions(precison=2):  # type: ignore[call-arg]
        pass


def test_a_view_prints_as_its_values() -> None:
    array = np.arange(6).reshape(2, 3)
    assert tensor_text(array.T) == tensor_text(array.T.copy())
    assert tensor_text(array[::-1, ::-1]) == lines("tensor([[5, 4, 3],", "        [2, 1, 0]])")


def test_the_pair_of_max_and_min_prints_as_pytorch_s() -> None:
    x = mg.tensor([3, 1])
    assert repr(x.max(0)) == "minigrad.return_types.max(\nvalues=tensor(3),\nindices=tensor(0))"
    assert str(x.min(0)) == "minigrad.return_types.min(\nvalues=tensor(1),\nindices=tensor(1))"
    values, indices = mg.max(x, 0)
    assert (values, indices) == x.max(0)


def test_results_of_several_parts_print_as_pytorch_s() -> None:
    eye = mg.eye(1)
    both = "minigrad.return_types.linalg_eigh(\neigenvalues=tensor([1.]),\neigenvectors=tensor([[1.]]))"
    assert repr(mg.linalg.eigh(eye)) == both
    names = {
        "linalg_qr": "Q R",
        "linalg_svd": "U S Vh",
        "linalg_lstsq": "solution residuals rank singular_values",
        "qr": "Q R",
        "svd": "U S V",
        "lu_unpack": "P L U",
        "linalg_slogdet": "sign logabsdet",
    }
    results = (
        mg.linalg.qr(eye), mg.linalg.svd(eye), mg.linalg.lstsq(eye, eye), mg.qr(eye), mg.svd(eye),
        mg.lu_unpack(*mg.linalg.lu_factor(eye)), mg.linalg.slogdet(eye),
    )  # fmt: skip
    for (name, fields), result in zip(names.items(), results, strict=True):
        parts = ",\n".join(f"{field}={getattr(result, field)!r}" for field in fields.split())
        assert str(result) == f"minigrad.return_types.{name}(\n{parts})"
    assert repr(eye.aminmax()) == "minigrad.return_types.aminmax(\nmin=tensor(1.),\nmax=tensor(1.))"


def test_an_expanded_array_is_printed_without_a_copy_of_it() -> None:
    whole = np.broadcast_to(np.float32(1.0), (10**6, 10**6))
    row = "[1., 1., 1.,  ..., 1., 1., 1.]"
    rows = (",\n" + " " * 8).join([row, row, row, "...", row, row, row])
    assert tensor_text(whole) == f"tensor([{rows}])"
