import minigrad as mg
from minigrad import nn


def test_training_step(work):
    def trained(make):
        mg.manual_seed(0)
        net = nn.Linear(3, 1)
        step = make(net, mg.optim.SGD(net.parameters(), lr=0.1))
        losses = [step(mg.randn(8, 3), mg.randn(8, 1)) for _ in range(5)]
        assert None not in losses, "a step returns the loss"
        return [loss.item() for loss in losses], net.weight.tolist(), step

    def eager(net, optimizer):
        def step(x, target):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(net(x), target)
            loss.backward()
            optimizer.step()
            return loss

        return step

    *compiled, step = trained(work.training_step)
    losses, weight = trained(eager)[:2]
    assert compiled[0] == losses, "the losses of five steps, beside those of a step without compile"
    assert compiled[1] == weight, "the weight after five steps, beside that of a step without compile"
    assert hasattr(step, "report"), "what is returned is not compiled"
    plans = len(step.report())
    assert plans == 2, "the plans: of the first step, and of those that follow"


def test_huber(work):
    compiled = mg.compile(work.huber)
    for values, expected in (([0.5, -3.0], [0.125, 2.5]), ([2.0, -0.5], [1.5, 0.125])):
        assert compiled(mg.tensor(values)).tolist() == expected
    plans = len(compiled.report())
    assert plans == 1


def test_kept(work):
    compiled = mg.compile(work.kept)
    for k in range(4):
        assert compiled(mg.ones(3), k).tolist() == [1.0] * k + [0.0] * (3 - k)
    plans = len(compiled.report())
    assert plans == 1, "one plan for every k"
