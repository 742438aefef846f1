"""What helps with gradients and parameters: lengths, clipping, one vector of all parameters."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.nn import utils


def with_gradients(*gradients: Any) -> list[Any]:
    parameters = [mg.zeros(np.shape(g), requires_grad=True) for g in gradients]
    for p, g in zip(parameters, gradients, strict=True):
        p.grad = mg.tensor(g)
    return [*parameters, mg.zeros(2, requires_grad=True)]  # the last one has no gradient


@pytest.mark.parametrize(
    ("order", "expected"),
    [(2.0, 13.0), (1.0, 19.0), (math.inf, 12.0), (0.5, (3**0.5 + 4**0.5 + 12**0.5) ** 2), (3, 1819 ** (1 / 3))],
)  # fmt: skip
def test_the_length_of_all_gradients(order: float, expected: float) -> None:
    parameters = with_gradients([3.0, -4.0], [[12.0]])
    total = utils.clip_grad_norm_(iter(parameters), 6.5, norm_type=order)
    assert total.shape == ()
    assert total.item() == pytest.approx(expected, rel=1e-6)
    factor = min(1.0, 6.5 / (expected + 1e-6))
    assert parameters[0].grad.tolist() == pytest.approx([3 * factor, -4 * factor])
    assert parameters[1].grad.item() == pytest.approx(12 * factor)
    assert parameters[2].grad is None


def test_short_gradients_stay_and_a_tensor_is_enough() -> None:
    (p, _) = with_gradients([3.0, -4.0])
    assert utils.clip_grad_norm_(p, 10.0).item() == 5.0
    assert p.grad.tolist() == [3.0, -4.0]
    assert utils.clip_grad_norm_([], 1.0).item() == 0.0
    used = nn.Tanh().parameters()
    with pytest.warns(UserWarning, match="is an empty generator, no gradient clipping will occur"):
        assert utils.clip_grad_norm_(used, 1.0).item() == 0.0
    held = nn.ParameterList([p])
    held[0].grad = p.grad
    assert utils.clip_grad_norm_(held, 10.0).item() == 5.0
    assert utils.get_total_norm([mg.tensor([3.0]), mg.tensor([[4.0]])]).item() == 5.0
    utils.clip_grads_with_norm_([p], 1.0, mg.tensor(5.0))
    assert p.grad.tolist() == pytest.approx([0.6, -0.8], rel=1e-6)


def test_lengths_that_are_not_finite() -> None:
    parameters = with_gradients([1.0, math.inf], [2.0])
    with pytest.raises(
        RuntimeError, match=r"The total norm of order 2.0 .* is non-finite, so it cannot be clipped"
    ):
        utils.clip_grad_norm_(parameters, 1.0, error_if_nonfinite=True)
    assert parameters[1].grad.item() == 2.0
    assert utils.clip_grad_norm_(parameters, 1.0).item() == math.inf
    assert parameters[1].grad.item() == 0.0


def test_elements_of_gradients_between_two_values() -> None:
    parameters = with_gradients([3.0, -4.0, 0.25])
    utils.clip_grad_value_(parameters, 0.5)
    assert parameters[0].grad.tolist() == [0.5, -0.5, 0.25]


def test_clipping_in_a_compiled_step_is_clipping() -> None:
    def train(wrap: Any) -> list[float]:
        mg.manual_seed(0)
        net, losses = nn.Linear(3, 2), []

        @wrap
        def step(x: Any) -> Any:
            net.zero_grad()
            loss = (net(x) ** 2).sum()
            loss.backward()
            norm = utils.clip_grad_norm_(net.parameters(), 0.1)
            with mg.no_grad():
                for p in net.parameters():
                    p.sub_(p.grad)
            return loss, norm

        for k in range(4):
            losses += [t.item() for t in step(mg.full((4, 3), float(k + 1)))]
        return losses

    assert train(mg.compile) == train(lambda f: f)


def test_one_vector_of_all_parameters_and_back() -> None:
    net = nn.Linear(2, 3)
    vector = utils.parameters_to_vector(net.parameters())
    assert vector.tolist() == [*net.weight.flatten().tolist(), *net.bias.tolist()]
    (g,) = mg.autograd.grad((vector * vector).sum(), [net.bias])
    assert mg.allclose(g, 2 * net.bias)
    utils.vector_to_parameters(mg.arange(9.0), net.parameters())
    assert net.weight.tolist() == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    assert net.bias.tolist() == [6.0, 7.0, 8.0]
    with pytest.raises(RuntimeError, match=r"have 9 elements, and the vector of shape .8. has 8"):
        utils.vector_to_parameters(mg.zeros(8), net.parameters())
    with pytest.raises(TypeError, match=r"expected minigrad\.Tensor"):
        utils.vector_to_parameters([1.0], net.parameters())
    assert net.bias.tolist() == [6.0, 7.0, 8.0]
