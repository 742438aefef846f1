import numpy as np
import pytest

X, W = np.array([0.8, 1.6]), np.array([0.3, 0.6])


def test_neuron(work):
    assert work.neuron(X, W, 0.04) == pytest.approx(1.24)
    assert work.neuron(X, -W, 0.04) == 0, "relu makes 0 of a negative sum"


@pytest.mark.parametrize("b", [0.04, -5.0])
def test_backward_of_neuron(work, check_vjp, b):
    def neuron(x, w, b):
        return 1.0 * work.neuron(x, w, b)  # max(0, ...) is an int where it is shut

    check_vjp(neuron, work.backward_of_neuron, (X, W, np.array(b)))


def test_backward_of_leaky(work, check_vjp):
    check_vjp(work.leaky, work.backward_of_leaky, np.array([-2.0, -0.5, 0.5, 3.0]))
