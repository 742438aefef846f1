"""Exercises on the engine. Replace each `raise` by your answer.

With pytest: `pytest docs/exercises -k engine`.

A Tensor's record is `y.grad_fn`. A record has `inputs`, `op` (None for a leaf), `saved`, and `layout.keep`: for each
saved array the number of the input, or the count of inputs for the result.
"""

import inspect


def in_order(y):
    """The records behind y, each once and after its inputs; without `seq` and `tape`."""
    raise NotImplementedError("in_order: a record is done when all of its inputs are")


def backward(y):
    """The gradients of the leaves by their records, for a result of one number made of mul, add and tanh."""
    raise NotImplementedError("backward: the last record first, and add what the rules return")


def kept(y):
    """The bytes of the arrays that the records keep, each array once."""
    raise NotImplementedError("kept: the same array may be saved by two records")
