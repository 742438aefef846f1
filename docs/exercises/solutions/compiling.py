"""Worked solutions of the exercises on compiling."""

import minigrad as mg


def training_step(net, optimizer):
    def step(x, target):
        optimizer.zero_grad()
        loss = mg.nn.functional.mse_loss(net(x), target)
        loss.backward()
        optimizer.step()
        return loss

    return mg.compile(step)


def huber(x):
    size = x.abs()
    return mg.where(size < 1, x * x / 2, size - 0.5)


def kept(x, k):
    return mg.where(mg.arange(len(x)) < k, x, 0.0)
