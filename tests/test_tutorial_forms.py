"""Forms of calls that tutorials and small language models have, beside those of `test_script_forms`."""

from __future__ import annotations

import array
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import minigrad.nn.functional as F
from minigrad import func, nn
from minigrad.autograd import forward_ad
from minigrad.nn.attention import flex_attention as flex
from minigrad.nn.attention.bias import causal_lower_right, causal_upper_left


def test_buffers_become_vectors_over_their_memory() -> None:
    memory = bytearray(b"abcdefgh")
    t = mg.frombuffer(memory, dtype=mg.uint8)
    t[0] = 65
    assert memory == b"Abcdefgh"
    assert t.tolist() == list(memory)
    assert mg.frombuffer(memory, dtype=mg.int32).tolist() == np.frombuffer(memory, np.int32).tolist()
    part = mg.frombuffer(memory, dtype=mg.int16, count=2, offset=1)
    assert part.tolist() == np.frombuffer(memory, np.int16, 2, 1).tolist()
    assert mg.frombuffer(array.array("f", [1, 2]), dtype=mg.float32, requires_grad=True).requires_grad
    copied = mg.frombuffer(b"ab", dtype=mg.uint8)
    copied[0] = 0
    assert copied.tolist() == [0, 98]
    with pytest.raises(RuntimeError):
        mg.frombuffer(memoryview(b"ab"), dtype=mg.uint8)[0] = 0
    refused: list[tuple[Any, dict[str, Any], str]] = [
        (bytearray(7), {}, r"buffer length \(7 bytes\) .* must be a multiple of element size \(4\)"),
        (b"", {}, r"both buffer length \(0\) and count \(-1\) must not be 0"),
        (bytearray(8), {"count": 0}, "must not be 0"),
        (bytearray(8), {"count": 7}, r"requested buffer length \(7 \* 4 bytes\)"),
        (bytearray(8), {"offset": 8}, r"offset \(8 bytes\) must be non-negative"),
        (bytearray(8), {"offset": -1}, "must be non-negative"),
        ([1], {}, "does not implement Python buffer protocol"),
    ]  # fmt: skip
    for buffer, options, sentence in refused:
        with pytest.raises(ValueError, match=sentence):
            mg.frombuffer(buffer, dtype=mg.int32, **options)


def test_rows_and_values_meet_in_one_dtype() -> None:
    whole = mg.tensor([73, 76, 79])
    assert mg.bucketize(mg.tensor([70.0, 73.0, 73.5, 79.0]), whole, right=True).tolist() == [0, 1, 1, 3]
    assert mg.searchsorted(mg.tensor([1.5, 2.5]), mg.tensor([1, 2, 3])).tolist() == [0, 1, 2]
    assert mg.searchsorted(mg.tensor([1, 200], dtype=mg.uint8), mg.tensor([-5, 300])).tolist() == [0, 2]
    # float32 holds no 2**24 + 1
    large = mg.tensor([2**24 + 1])
    assert mg.searchsorted(large, mg.tensor([2.0**24]), right=True).tolist() == [1]
    rows = mg.searchsorted(mg.tensor([[1, 2], [3, 4]]), mg.tensor([[1.5], [4.5]], dtype=mg.float64))
    assert rows.tolist() == [[1], [2]]


def test_numbers_come_after_tensors_in_next_functions() -> None:
    x = mg.ones(2, requires_grad=True)
    for y in (2 * x.sin(), x.sin() * 2, 1 + x.sin(), x.sin() + 1):
        (first, _), (second, _) = y.grad_fn.next_functions
        assert first.name() == "SinBackward0"
        assert second is None
    (before, _), (after, _) = (x.sin() * x.cos()).grad_fn.next_functions
    assert (before.name(), after.name()) == ("SinBackward0", "CosBackward0")


def test_arguments_that_may_be_named_or_left_out() -> None:
    x = mg.linspace(0.0, 1.0, 5)
    counts, edges = mg.histogram(x, density=True)
    assert counts.shape == (100,)
    assert edges.shape == (101,)
    assert mg.ones(2).copy_(mg.zeros(2), non_blocking=True).tolist() == [0, 0]
    assert mg.ones(2).copy_(other=mg.zeros(1)).tolist() == [0, 0]
    assert x.gather(0, mg.tensor([4, 0]), sparse_grad=False).tolist() == [1, 0]
    assert mg.vdot(x, other=x) == x.vdot(other=x) == x.dot(x)


def test_the_state_of_several_modules_is_stacked() -> None:
    modules = [nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).eval() for _ in range(3)]
    params, buffers = func.stack_module_state(modules)
    assert params.keys() == dict(modules[0].named_parameters()).keys()
    assert buffers.keys() == dict(modules[0].named_buffers()).keys()
    assert all(t.is_leaf and t.requires_grad and t.shape[0] == 3 for t in params.values())
    assert not any(t.requires_grad for t in buffers.values())
    x = mg.randn(4, 3)
    run = func.vmap(lambda p, b: func.functional_call(modules[0], (p, b), (x,)))
    together = run(params, buffers)
    assert mg.allclose(together, mg.stack([m(x) for m in modules]))
    together.sum().backward()
    assert all(t.grad is not None for t in params.values())
    other = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).eval()
    other[0].weight.requires_grad_(False)
    refused: list[tuple[list[nn.Module], str]] = [
        ([], "Expected at least one model, got 0"),
        ([modules[0], nn.Linear(3, 2).eval()], "the same class"),
        ([nn.Linear(3, 2), nn.Linear(3, 2).eval()], "the same training/eval mode"),
        ([modules[0], other], "Expected 0.weight from each model to have the same .requires_grad"),
        ([nn.Linear(3, 2), nn.Linear(2, 2)], "weight has another shape"),
        ([nn.Linear(3, 2, bias=False), nn.Linear(3, 2)], "have the same names"),
        ([nn.Linear(3, 2), nn.Linear(3, 2, bias=False)], "have the same names"),
    ]
    for several, sentence in refused:
        with pytest.raises(RuntimeError, match=sentence):
            func.stack_module_state(several)


def test_batch_norms_go_by_their_batch() -> None:
    model = nn.Sequential(
        nn.Linear(3, 2),
        nn.BatchNorm1d(2),
        nn.ModuleDict({"n": nn.InstanceNorm1d(2, track_running_stats=True)}),
    )
    assert func.replace_all_batch_norm_modules_(model) is model
    assert [name for name, _ in model.named_buffers()] == [
        "2.n.running_mean",
        "2.n.running_var",
        "2.n.num_batches_tracked",
    ]
    x = mg.randn(4, 5, 3)
    each = mg.vmap(lambda x: func.functional_call(model[:2], dict(model[:2].named_parameters()), x))(x)
    assert mg.allclose(each[1], model[:2].eval()(x[1]), atol=1e-6)
    lone = nn.BatchNorm2d(2)
    assert func.replace_all_batch_norm_modules_(lone).running_var is None


def test_a_view_of_a_dtype_reads_the_same_memory() -> None:
    x = mg.tensor([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]])
    bits = x.view(mg.int32)
    assert bits.tolist() == x.numpy().view(np.int32).tolist()
    bits[0, 0] = 5
    assert x[0, 0] == np.int32(5).view(np.float32)
    assert x.view(dtype=mg.uint8).shape == (2, 12)
    assert x.T.view(mg.int32).tolist() == x.numpy().T.view(np.int32).tolist()
    assert (
        mg.arange(8, dtype=mg.uint8).view(mg.float32).tolist()
        == np.arange(8, dtype=np.uint8).view("f4").tolist()
    )
    assert not mg.ones(2, requires_grad=True).view(mg.int32).requires_grad
    y = mg.ones(2, requires_grad=True) * 2.0
    square = y * y
    y.detach().view(mg.int32).zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        square.sum().backward()
    refused: list[tuple[Any, str]] = [
        (lambda: x.view(mg.float64), r"self.size\(-1\) must be divisible by 2 .* but got 3"),
        (lambda: mg.tensor(1.0).view(mg.uint8), r"self.dim\(\) cannot be 0"),
        (lambda: x.T.view(mg.uint8), r"self.stride\(-1\) must be 1 .* but got 3"),
        (
            lambda: mg.arange(5, dtype=mg.int8)[1:].view(mg.int16),
            r"self.storage_offset\(\) must be divisible by 2",
        ),
    ]
    for call, sentence in refused:
        with pytest.raises(RuntimeError, match=sentence):
            call()
    with pytest.raises(TypeError, match="takes sizes or a dtype"):
        x.view(mg.int32, 2)


def test_a_tensor_is_resized_in_its_memory() -> None:
    x = mg.arange(1.0, 7.0)
    assert x.resize_(2, 3) is x
    assert x.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert x.resize_((2,)).tolist() == [1, 2]
    assert x.resize_(6).tolist() == [1, 2, 3, 4, 5, 6]
    larger = mg.arange(3).resize_(2, 2)
    assert larger.flatten()[:3].tolist() == [0, 1, 2]
    base = mg.arange(6)
    part = base[2:4]
    part.resize_(3)[2] = 9
    assert base.tolist() == [0, 1, 2, 3, 9, 5]
    assert mg.arange(6).view(2, 3).T.resize_(6).tolist() == [0, 1, 2, 3, 4, 5]
    assert mg.arange(6).resize_as_(mg.zeros(2, 2)).tolist() == [[0, 1], [2, 3]]
    for t in (mg.ones(2, requires_grad=True), mg.ones(2, requires_grad=True) * 2.0):
        with pytest.raises(RuntimeError, match="cannot resize variables that require grad"):
            t.resize_(1)
    with pytest.raises(RuntimeError, match="sizes are at least 0"):
        base.resize_(-1, 2)


def test_a_tensor_is_resized_in_a_format() -> None:
    row, behind = mg.arange(16), mg.ones(1, 2, 2, 4).to(memory_format=mg.channels_last)
    assert mg.arange(4).view(2, 2).T.resize_(2, 2, memory_format=mg.contiguous_format).tolist() == [
        [0, 1],
        [2, 3],
    ]
    for x in (
        row.clone().resize_(1, 2, 2, 4, memory_format=mg.channels_last),
        row.clone().resize_as_(behind, memory_format=mg.preserve_format),
    ):
        assert (x.shape, x.stride(), x[0, :, 0, 0].tolist()) == ((1, 2, 2, 4), (16, 1, 8, 2), [0, 1])
    assert row.clone().resize_as_(behind, memory_format=mg.contiguous_format).stride() == (16, 8, 4, 1)
    assert row.resize_as_(behind).stride() == (16, 8, 4, 1)
    with pytest.raises(RuntimeError, match="Unsupported memory format Preserve"):
        row.resize_(2, memory_format=mg.preserve_format)
    with pytest.raises(RuntimeError, match="required rank 4"):
        row.resize_(2, 8, memory_format=mg.channels_last)
    for name in ("char", "cfloat", "cdouble"):
        assert getattr(row, name)(memory_format=mg.preserve_format).shape == row.shape


def test_asarray_copies_and_wants_gradients_on_request() -> None:
    x = mg.ones(2)
    assert mg.asarray(x) is x
    assert mg.asarray(x, copy=True).data_ptr() != x.data_ptr()
    assert mg.asarray([1, 2], dtype=mg.float32, requires_grad=True).requires_grad
    array = np.ones(2)
    assert mg.asarray(array, copy=False).data_ptr() == array.ctypes.data
    w = mg.ones(2, requires_grad=True)
    assert not mg.asarray(w, requires_grad=False).requires_grad
    y = w * 2.0
    assert mg.asarray(y, requires_grad=True) is y
    assert mg.asarray(x, requires_grad=True) is x
    assert x.requires_grad
    with pytest.raises(ValueError, match="can't alias arbitrary sequence into a tensor"):
        mg.asarray([1], copy=False)
    with pytest.raises(ValueError, match="can't alias tensor with dtype"):
        mg.asarray(mg.ones(2), dtype=mg.float64, copy=False)


def test_einsum_takes_lists_of_numbers() -> None:
    a, b = mg.rand(3, 2, 5), mg.rand(3, 5, 4)
    assert mg.equal(
        mg.einsum(a, [..., 0, 1], b, [..., 1, 2], [..., 0, 2]), mg.einsum("...ij,...jk->...ik", a, b)
    )
    assert mg.equal(mg.einsum(a, [2, 0, 51]), mg.einsum("CAz", a))
    with pytest.raises(ValueError, match=r"valid range \[0, 52\)"):
        mg.einsum(a, [0, 1, 60])
    with pytest.raises(TypeError, match="needs a list of numbers"):
        mg.einsum(a, [0, 1, 2], b, b)


def test_a_hook_after_accumulation_may_return_its_tensor() -> None:
    x = mg.zeros(3, requires_grad=True)
    x.register_post_accumulate_grad_hook(lambda p: p.add_(p.grad, alpha=-0.5))
    x.backward(mg.tensor([1.0, 2.0, 4.0]))
    assert x.tolist() == [-0.5, -1.0, -2.0]
    assert isinstance(mg.gradient(mg.arange(4.0)), tuple)


def test_attention_by_functions_of_places() -> None:
    q, k, v = (mg.randn(2, heads, n, 4, requires_grad=True) for heads, n in ((4, 5), (2, 6), (2, 6)))
    with pytest.raises(ValueError, match="with enable_gqa=True"):
        flex.flex_attention(q, k, v)
    plain = F.scaled_dot_product_attention(q, k, v, enable_gqa=True)
    assert mg.allclose(flex.flex_attention(q, k, v, enable_gqa=True), plain, atol=1e-6)
    slopes = mg.tensor([0.1, 0.2, 0.3, 0.4])
    far = mg.arange(6) - mg.arange(5).unsqueeze(1)
    y = flex.flex_attention(
        q, k, v, lambda s, b, h, i, j: s + slopes[h] * (j - i), scale=0.3, enable_gqa=True
    )
    bias = slopes.reshape(4, 1, 1) * far
    assert mg.allclose(
        y, F.scaled_dot_product_attention(q, k, v, bias, scale=0.3, enable_gqa=True), atol=1e-6
    )

    def causal(b: Any, h: Any, i: Any, j: Any) -> Any:
        return i >= j

    def late(b: Any, h: Any, i: Any, j: Any) -> Any:
        return j > 0

    mask = flex.create_block_mask(flex.and_masks(causal, late), None, None, 5, 6, BLOCK_SIZE=2)
    seen = np.tri(5, 6, dtype=bool) & (np.arange(6) > 0)
    assert mask.mask.tolist() == [[seen.tolist()]]
    assert (mask.shape, mask.numel()) == ((1, 1, 5, 6), 30)
    assert mask.to_dense().tolist() == [[[[1, 0, 0], [1, 1, 0], [1, 1, 1]]]]
    assert abs(mask.sparsity() - 100 / 3) < 1e-4
    y, lse = flex.flex_attention(q, k, v, block_mask=mask, enable_gqa=True, return_lse=True)
    expected = F.scaled_dot_product_attention(q, k, v, mg.from_numpy(seen), enable_gqa=True)
    assert mg.allclose(y, expected, atol=1e-6)
    assert y[:, :, 0].abs().max() == 0
    assert mg.isinf(lse[:, :, 0]).all()
    got = mg.autograd.grad(y.sin().sum(), (q, k, v))
    for a, b in zip(got, mg.autograd.grad(expected.sin().sum(), (q, k, v)), strict=True):
        assert mg.allclose(a, b, atol=1e-5)
    with pytest.raises(RuntimeError, match="callable mask_mods"):
        flex.and_masks(causal, 3)  # type: ignore[arg-type]
    assert flex.create_mask(causal, 0, None, 2, 2).shape == (0, 1, 2, 2)
    either = flex.create_mask(flex.or_masks(causal, late), 2, None, 3, 3)
    assert either[1, 0].tolist() == (np.tri(3, dtype=bool) | (np.arange(3) > 0)).tolist()
    far_mask = flex.create_block_mask(late, 3, None, 5, 6)
    refused: list[tuple[str, tuple[Any, ...], Any]] = [
        ("but got q_len=4 and kv_len=6", (q[:, :, :4], k, v), mask),
        ("with 2 batches and 4 heads", (q, k, v), far_mask),
        ("the same embedding dimension", (q, k[..., :3], v), None),
        ("must be 4D tensors", (q[0], k[0], v[0]), None),
        ("the same batches, heads and lengths", (q, k, v[:, :, :5]), None),
        ("the same dtype", (q, k.double(), v), None),
    ]
    for sentence, tensors, block_mask in refused:
        with pytest.raises(ValueError, match=sentence):
            flex.flex_attention(*tensors, block_mask=block_mask, enable_gqa=True)


def test_scores_of_functions_have_the_shape_and_the_precision_of_scores() -> None:
    q, k, v = (mg.randn(2, 2, n, 4, dtype=mg.float16) for n in (5, 6, 6))
    # the shape (1, 1, 5, 6) and whole numbers, beside float16
    y, lse = flex.flex_attention(q, k, v, lambda s, b, h, i, j: i - j, return_lse=True)
    scores = (mg.arange(5).unsqueeze(1) - mg.arange(6)).float()
    assert (y.dtype, lse.dtype, lse.shape) == (mg.float16, mg.float32, (2, 2, 5))
    assert mg.allclose(y.float(), scores.softmax(-1) @ v.float(), atol=1e-2)
    # float16 ends at 65504
    assert flex.flex_attention(q.fill_(200.0), k.fill_(200.0), v).isfinite().all()


def test_causal_masks_from_either_corner() -> None:
    assert causal_upper_left(3, 2).tolist() == np.tri(3, 2, dtype=bool).tolist()
    assert causal_lower_right(2, 4).tolist() == [[True, True, True, False], [True] * 4]
    for causal in (causal_upper_left, causal_lower_right):
        for sizes in ((4,), (2, 3, 1)):
            with pytest.raises(ValueError, match="only supports 2D tensors"):
                causal(*sizes)
    q, k = mg.randn(1, 2, 3), mg.randn(1, 4, 3)
    y = F.scaled_dot_product_attention(q, k, k, causal_lower_right(2, 4))
    assert mg.allclose(y[0, 0], F.scaled_dot_product_attention(q[:, :1], k[:, :3], k[:, :3])[0, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("corners", "gradient"),
    [
        (False, [[-3491.0, 104.0, -20034.0], [120.0, -5756.0, -2646.0]]),
        (True, [[-6802.0, -5178.3, -1014.0], [-235.4, -2488.0, -4656.0]]),
    ],
)
def test_points_on_pixels_lie_on_the_side_where_pytorch_has_them(corners: bool, gradient: Any) -> None:
    image = (mg.arange(98.0) * 37 % 11).reshape(1, 1, 7, 14)
    theta = mg.tensor([[[1.0, 0, 0], [0, 1, 0]]], requires_grad=True)
    points = F.affine_grid(theta, list(image.shape), align_corners=corners)
    F.grid_sample(image, points, align_corners=corners).pow(2).sum().backward()
    assert theta.grad is not None
    assert mg.allclose(theta.grad, mg.tensor([gradient]), atol=0.1)


class Halves(mg.autograd.Function):
    """Two results, and tangents alone."""

    @staticmethod
    def forward(x: Any, k: float, y: Any) -> Any:
        return x * k * y, y.sin()

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        x, ctx.k, y = inputs
        ctx.once = True
        ctx.save_for_forward(x, y)

    @staticmethod
    def jvp(ctx: Any, tx: Any, tk: Any, ty: Any) -> Any:
        assert tk is None
        del ctx.once
        x, y = ctx.saved_tensors
        return tx * ctx.k * y + x * ctx.k * ty, y.cos() * ty


class Quarter(Halves):
    """With a tangent for the first result alone."""

    @staticmethod
    def jvp(ctx: Any, tx: Any, tk: Any, ty: Any) -> Any:
        return Halves.jvp(ctx, tx, tk, ty)[0]


class Named(Halves):
    """With the other name of backward, of what was saved for it."""

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        Halves.setup_context(ctx, inputs, output)
        ctx.save_for_backward(inputs[0], inputs[2])

    @staticmethod
    def vjp(ctx: Any, a: Any, b: Any) -> Any:
        x, y = ctx.saved_tensors
        return a * ctx.k * y, None, a * x * ctx.k + b * y.cos()


class Both(Named):
    """Under both names."""

    @staticmethod
    def backward(ctx: Any, a: Any, b: Any) -> Any:
        return a, None, b


@pytest.mark.parametrize("function", [Halves, Named])
def test_functions_with_a_jvp_have_tangents(function: Any) -> None:
    x, y, tx, ty = (mg.tensor([a, a + 1]) for a in (0.5, 1.5, 2.0, 3.0))
    for _ in range(2):
        (a, b), (ta, tb) = func.jvp(lambda x, y: function.apply(x, 2.0, y), (x, y), (tx, ty))
        assert mg.equal(a, x * 2 * y)
        assert mg.equal(b, y.sin())
        assert mg.allclose(ta, 2 * (tx * y + x * ty))
        assert mg.allclose(tb, y.cos() * ty)

    def wave(x: mg.Tensor) -> mg.Tensor:
        first: mg.Tensor = function.apply(x, 2.0, y)[0]
        return first.sin()

    jacobian = func.jacfwd(wave)(x)
    assert mg.allclose(jacobian, ((2 * x * y).cos() * 2 * y).diag())
    with forward_ad.dual_level():
        a, _ = function.apply(forward_ad.make_dual(x, tx), 2.0, y)
        for _ in range(2):
            tangent = forward_ad.unpack_dual(a).tangent
            assert tangent is not None
            assert mg.allclose(tangent, tx * 2 * y)
    leaf = x.clone().requires_grad_()
    if function is Halves:
        with pytest.raises(NotImplementedError, match="You must implement either the backward or vjp"):
            function.apply(leaf, 2.0, y)[0].sum().backward()
    else:
        function.apply(leaf, 2.0, y)[0].sum().backward()
        assert leaf.grad is not None
        assert mg.equal(leaf.grad, 2 * y)
    with pytest.raises(
        RuntimeError, match=r"expected 2 but got 1\): Quarter\.jvp returns one for each result"
    ):
        func.jvp(lambda x, y: Quarter.apply(x, 2.0, y), (x, y), (tx, ty))
    with pytest.raises(RuntimeError, match="Implementing both 'backward' and 'vjp'"):
        Both.apply(leaf, 2.0, y)[0].sum().backward()


def test_one_of_two_functions_is_called() -> None:
    x = mg.ones(2, requires_grad=True)
    for pred, expected in ((True, [2.0, 2.0]), (mg.tensor([0.0]), [3.0, 3.0]), (x.sum() > 1, [2.0, 2.0])):
        y = mg.cond(pred, lambda a, b: a["x"] * b, lambda a, b: a["x"] * b + 1, ({"x": x}, mg.tensor(2.0)))
        assert y.tolist() == expected
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [2.0, 2.0]
    assert mg.cond(False, lambda: 1, lambda: 2) == 2

    def same(*a: Any) -> Any:
        return a

    for arguments in (
        (1, same, same),
        (mg.ones(2), same, same),
        (True, 1, same),
        (True, same, same, x),
        (True, same, same, (1,)),
    ):
        with pytest.raises(RuntimeError, match="Expect"):
            mg.cond(*arguments)


# As PyTorch 2.13 has them. The query is (2, 5, 3, 4) with two dimensions changed.
LAYOUTS: dict[str, tuple[dict[str, Any], Any]] = {
    "plain": ({}, (60, 4, 12, 1)), "causal": ({"is_causal": True}, (60, 4, 12, 1)),
    "mask": ({"attn_mask": mg.ones(5, 7).bool()}, (60, 4, 12, 1)),
    "mask of heads": ({"attn_mask": mg.zeros(3, 5, 7)}, (60, 20, 4, 1)),
    "mask to be learned": ({"attn_mask": mg.zeros(5, 7, requires_grad=True)}, (60, 20, 4, 1)),
    "dropout": ({"dropout_p": 0.1}, (60, 20, 4, 1)),
}  # fmt: skip


@pytest.mark.parametrize("case", LAYOUTS)
def test_attention_lies_in_memory_as_its_query(case: str) -> None:
    options, strides = LAYOUTS[case]
    query = mg.randn(2, 5, 3, 4).transpose(1, 2).requires_grad_()
    key, value = mg.randn(2, 3, 7, 4), mg.randn(2, 3, 7, 4)
    y = F.scaled_dot_product_attention(query, key, value, **options)
    assert y.stride() == strides
    if case == "plain":
        assert y.transpose(1, 2).view(2, 5, 12).shape == (2, 5, 12)
        contiguous = F.scaled_dot_product_attention(query.contiguous(), key, value)
        assert contiguous.is_contiguous()
        assert mg.allclose(contiguous, y)
        y.sum().backward()
        assert query.grad is not None
        assert F.scaled_dot_product_attention(query, key[:, :1], value[:, :1]).is_contiguous()
        heads = F.scaled_dot_product_attention(query, key[:, :1], value[:, :1], enable_gqa=True)
        assert heads.stride() == strides
        assert F.scaled_dot_product_attention(query, key, value[..., :3]).is_contiguous()
        assert F.scaled_dot_product_attention(query[0], key[0], value[0]).is_contiguous()
        assert (
            F.scaled_dot_product_attention(query.bfloat16(), key.bfloat16(), value.bfloat16()).stride()
            == strides
        )
