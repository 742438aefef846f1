import numpy as np

SCORES = np.array([2.0, 1.0, -1.0])


def cross_entropy(scores, label):
    return np.log(np.exp(scores).sum()) - scores[label]


def test_softmax(work):
    expected = np.exp(SCORES) / np.exp(SCORES).sum()
    np.testing.assert_allclose(work.softmax(SCORES), expected, err_msg="of the scores 2, 1 and -1")
    expected = np.exp([1.0, 0.0]) / np.exp([1.0, 0.0]).sum()
    np.testing.assert_allclose(
        work.softmax(np.array([1e3, 999])), expected, err_msg="of the scores 1,000 and 999"
    )


def test_cross_entropy(work, check_vjp):
    check_vjp(
        lambda scores: cross_entropy(scores, 1),
        lambda scores, g: work.backward_of_cross_entropy(scores, 1, g),
        SCORES,
    )
