"""L-BFGS, with a line search for the strong Wolfe conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from minigrad.autograd.grad_mode import enable_grad, is_compiling, no_grad
from minigrad.errors import runtime_error, value_error
from minigrad.functions.parts import cat
from minigrad.gate import constructor
from minigrad.optim.optimizer import Optimizer, ParamsT
from minigrad.optim.options import check_rate, chosen
from minigrad.tensor import Tensor

__all__ = ["LBFGS"]

Number = Any  # a float, or a Tensor of one number


@constructor(check="none")
class LBFGS(Optimizer):
    """L-BFGS (Nocedal 1980; Nocedal and Wright 2006, algorithm 7.4), as PyTorch has it. `step` needs a closure.

    A step is up to ``max_iter`` iterations. Each goes by ``lr`` along ``d = -H g``, where H, an estimate of the
    inverse of the second derivative, comes from the last ``history_size`` changes of parameters and gradients; the
    very first one goes by ``lr * min(1, 1 / sum(abs(g)))``. With ``line_search_fn="strong_wolfe"`` a line search
    by cubic interpolation finds a length that satisfies the strong Wolfe conditions.

    A step ends early when no gradient is above ``tolerance_grad``, when the parameters or the loss change by no
    more than ``tolerance_change``, or after ``max_eval`` calls of the closure (1.25 times ``max_iter`` by default).

    All state is in ``state[first parameter]``. Raises ValueError for a negative rate and for several groups.
    `minigrad.compile` refuses a step, whose course depends on values of the loss.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_rate(lr)
        max_eval = max_iter * 5 // 4 if max_eval is None else max_eval
        options = "lr max_iter max_eval tolerance_grad tolerance_change history_size line_search_fn"
        super().__init__(params, chosen(locals(), options))
        if any(p.is_complex() for group in self.param_groups for p in group["params"]):
            raise value_error("LBFGS does not support complex parameters; give it view_as_real() of them")
        if len(self.param_groups) != 1:
            raise value_error("LBFGS doesn't support per-parameter options (parameter groups)")

    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        """Calls ``closure`` as often as needed, and returns its first loss.

        It clears the gradients, computes a loss, calls its backward and returns it.

        RuntimeError for an unknown line search. If the closure raises, parameters and state are as they were before.
        """
        if is_compiling():
            raise runtime_error(
                "compile(): LBFGS goes by the values of the loss, which a recording cannot. Compile the closure alone"
            )
        group = self.param_groups[0]
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise runtime_error(f"only 'strong_wolfe' is supported, but got {group['line_search_fn']!r}")
        params: list[Tensor] = group["params"]
        with no_grad():
            before = [p.clone() for p in params]
            try:
                loss, state = _Descent(self.state.get(params[0]) or {}, group, params, closure).run()
            except BaseException:
                for p, old in zip(params, before, strict=True):
                    p.copy_(old)
                raise
        self.state[params[0]] = state
        return loss


class _Descent:
    """The iterations of a step, over all parameters as one vector."""

    def __init__(
        self, state: dict[str, Any], group: dict[str, Any], params: list[Tensor], closure: Callable[[], Any]
    ) -> None:
        self.state = {"func_evals": 0, "n_iter": 0, **state}
        self.options, self.params, self.closure = group, params, closure

    def run(self) -> tuple[Any, dict[str, Any]]:
        """The first loss, and the new state."""
        state, options = self.state, self.options
        lr, small, little = _number(options["lr"]), options["tolerance_grad"], options["tolerance_change"]
        with enable_grad():
            first = self.closure()
        loss, g = float(_number(first)), self._gradient()
        state["func_evals"] += 1
        evaluations = 1
        if _largest(g) <= small:
            return first, state
        for k in range(1, options["max_iter"] + 1):
            state["n_iter"] += 1
            d = state["d"] = self._direction(g)
            state["prev_flat_grad"], state["prev_loss"] = g.clone(), loss
            t = (g.abs().sum().reciprocal().clamp(max=1.0) * lr) if state["n_iter"] == 1 else lr
            state["t"] = t
            slope = g.dot(d)
            if slope > -little:
                break
            calls = 0
            if options["line_search_fn"] is not None:
                start = [p.clone() for p in self.params]

                def at(t: Number, start: list[Tensor] = start, d: Tensor = d) -> tuple[float, Tensor]:
                    self._move(t, d)
                    values = self._evaluate()
                    for p, old in zip(self.params, start, strict=True):
                        p.copy_(old)
                    return values

                most = options["max_eval"] - evaluations
                loss, g, t, calls = _search(at, d, _Point(0, loss, g, slope), t, most, little)
                state["t"] = t
                self._move(t, d)
            else:
                self._move(t, d)
                if k != options["max_iter"]:
                    loss, g = self._evaluate()
                    calls = 1
            evaluations += calls
            state["func_evals"] += calls
            if (
                evaluations >= options["max_eval"]
                or _largest(g) <= small
                or _largest(d * t) <= little
                or abs(loss - state["prev_loss"]) < little
            ):
                break
        return first, state

    def _direction(self, g: Tensor) -> Tensor:
        """-H g, by the two loops of the algorithm, after the last change has been added to the history."""
        state = self.state
        if state["n_iter"] == 1:
            state["old_dirs"], state["old_stps"], state["ro"], state["H_diag"] = [], [], [], 1
            return -g
        changes, steps, inverse = (list(state[name]) for name in ("old_dirs", "old_stps", "ro"))
        state["old_dirs"], state["old_stps"], state["ro"] = changes, steps, inverse
        y = g - state["prev_flat_grad"]
        s = state["d"] * state["t"]
        ys = y.dot(s)
        if ys > 1e-10:
            if len(changes) == self.options["history_size"]:
                for column in (changes, steps, inverse):
                    del column[0]
            changes.append(y)
            steps.append(s)
            inverse.append(1.0 / ys)
            state["H_diag"] = ys / y.dot(y)
        size = len(changes)
        al = state["al"] = [*state.get("al", [None] * self.options["history_size"])]
        q = -g
        for i in reversed(range(size)):
            al[i] = steps[i].dot(q) * inverse[i]
            q = q - changes[i] * al[i]
        r = q * state["H_diag"]
        for i in range(size):
            r = r + steps[i] * (al[i] - changes[i].dot(r) * inverse[i])
        return r

    def _gradient(self) -> Tensor:
        """All gradients as one vector; that of a parameter without one is 0."""
        grads = [
            p.new_zeros(p.numel()) if p.grad is None else p.grad.to_dense().reshape(-1) for p in self.params
        ]
        return cat(grads).detach()

    def _evaluate(self) -> tuple[float, Tensor]:
        with enable_grad():
            loss = float(_number(self.closure()))
        return loss, self._gradient()

    def _move(self, t: Number, d: Tensor) -> None:
        end = 0
        for p in self.params:
            start, end = end, end + p.numel()
            p.add_((d[start:end] * t).reshape(p.shape))


class _Point(NamedTuple):
    """A point on the line: how far it is, the loss, the gradient, and the slope along the line."""

    t: Number
    loss: float
    g: Tensor
    slope: Tensor


def _search(
    at: Callable[[Number], tuple[float, Tensor]],
    d: Tensor,
    start: _Point,
    t: Number,
    most: int,
    little: float,
    c1: float = 1e-4,
    c2: float = 0.9,
) -> tuple[float, Tensor, Number, int]:
    """The loss, gradient and length of a step that satisfies the strong Wolfe conditions, and the calls that it took.

    Nocedal and Wright 2006, algorithms 3.5 and 3.6.
    """
    reach = _largest(d)
    calls = 0

    def point(t: Number) -> _Point:
        nonlocal calls
        calls += 1
        loss, g = at(t)
        return _Point(t, loss, g, g.dot(d))

    def too_high(p: _Point) -> bool:
        return bool(p.loss > start.loss + c1 * p.t * start.slope)

    def flat(p: _Point) -> bool:
        return bool(abs(p.slope) <= -c2 * start.slope)

    # Longer and longer steps, until one satisfies the conditions, or two enclose a point that does.
    before, now = start, point(t)
    rounds = 0
    done = False
    while rounds < most:
        if too_high(now) or (rounds > 1 and now.loss >= before.loss):
            bracket = [before, now]
            break
        if flat(now):
            bracket, done = [now], True
            break
        if now.slope >= 0:
            bracket = [before, now]
            break
        bounds = now.t + 0.01 * (now.t - before.t), now.t * 10
        before, now = now, point(_cubic(before, now, bounds))
        rounds += 1
    else:
        bracket = [start, now]

    # The bracket is narrowed; `low` is the place of its better end.
    stuck = False
    low, high = (0, 1) if bracket[0].loss <= bracket[-1].loss else (1, 0)
    while not done and rounds < most:
        if abs(bracket[1].t - bracket[0].t) * reach < little:
            break
        left, right = sorted(float(p.t) for p in bracket)
        t = _cubic(bracket[0], bracket[1], None)
        margin = 0.1 * (right - left)
        stuck_now = bool(min(right - t, t - left) < margin)
        if stuck_now and (stuck or t >= right or t <= left):
            t = right - margin if abs(t - right) < abs(t - left) else left + margin
            stuck_now = False
        stuck = stuck_now
        now = point(t)
        rounds += 1
        if too_high(now) or now.loss >= bracket[low].loss:
            bracket[high] = now
            low, high = (0, 1) if bracket[0].loss <= bracket[1].loss else (1, 0)
        else:
            if flat(now):
                done = True
            elif now.slope * (bracket[high].t - bracket[low].t) >= 0:
                bracket[high] = bracket[low]
            bracket[low] = now
    best = bracket[low]
    return best.loss, best.g, best.t, calls


def _cubic(a: _Point, b: _Point, bounds: tuple[Number, Number] | None) -> Number:
    """The minimum of the cubic through two points with their slopes, within bounds (Nocedal and Wright, 3.59)."""
    if a.t > b.t:
        a, b = b, a
    left, right = (a.t, b.t) if bounds is None else bounds
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:
        return (left + right) / 2.0
    d2 = square.sqrt()
    t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    return min(max(t, left), right)


# The same under the names and with the arguments that optimizers outside of PyTorch take from its file.


def _strong_wolfe(
    obj_func: Callable[[Any, Number, Tensor], tuple[float, Tensor]],
    x: Any,
    t: Number,
    d: Tensor,
    f: float,
    g: Tensor,
    gtd: Tensor,
    c1: float = 1e-4,
    c2: float = 0.9,
    tolerance_change: float = 1e-9,
    max_ls: int = 25,
) -> tuple[float, Tensor, Number, int]:
    """`_search` from ``x`` along ``d``; ``obj_func(x, t, d)`` gives loss and gradient of ``x + t d``."""

    def at(t: Number) -> tuple[float, Tensor]:
        loss, gradient = obj_func(x, t, d)
        return loss, gradient.clone()  # the function may write every gradient into the same memory

    return _search(at, d, _Point(0, f, g.clone(), gtd), t, max_ls, tolerance_change, c1, c2)


def _cubic_interpolate(
    x1: Number, f1: Number, g1: Number, x2: Number, f2: Number, g2: Number,
    bounds: tuple[Number, Number] | None = None,
) -> Number:  # fmt: skip
    """`_cubic` of two points, with their losses and slopes."""
    return _cubic(_Point(x1, f1, g1, g1), _Point(x2, f2, g2, g2), bounds)


def _largest(x: Tensor) -> Any:
    return x.abs().max()


def _number(x: Any) -> Any:
    return x.item() if isinstance(x, Tensor) else x
