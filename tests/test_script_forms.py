"""Forms of calls that programs for PyTorch use, and names that libraries over it ask for."""

from __future__ import annotations

import copy
import importlib
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import minigrad as mg
from minigrad import autograd, hub
from minigrad import distributions as D
from minigrad.distributed import Backend

# ---------------------------------------------------------------- lists of Tensors


def test_operations_on_each_tensor_of_a_list() -> None:
    foreach: Any = mg
    a, b = [mg.ones(2) * 4, mg.ones(3) * 9], [mg.ones(2), mg.ones(3) * 2]
    firsts: dict[str, tuple[Any, list[float]]] = {
        "add": ((a, b), [5, 11]), "mul": ((a, mg.tensor(2.0)), [8, 18]), "sqrt": ((a,), [2, 3]),
        "pow": ((a, [1, 2]), [4, 81]), "lerp": ((a, b, 0.5), [2.5, 5.5]), "maximum": ((a, 5.0), [5, 9]),
        "addcdiv": ((a, a, b, [1.0, 2.0]), [8, 18]), "addcmul": ((a, a, b, mg.tensor([1.0, 2.0])), [8, 45]),
        "clamp_min": ((a, [1.0, 20.0]), [4, 20]), "norm": ((a, 1), [8, 27]), "minimum": ((a, b), [1, 2]),
    }  # fmt: skip
    for name, (args, answer) in firsts.items():
        results = getattr(foreach, f"_foreach_{name}")(*args)
        assert [t.flatten()[0].item() for t in results] == answer, name
    assert [t[0].item() for t in foreach._foreach_pow(2.0, b)] == [2, 4]
    assert [t[0].item() for t in foreach._foreach_sub(a, b, alpha=0.5)] == [3.5, 8]
    foreach._foreach_mul_(a, [2.0, 3.0])
    foreach._foreach_copy_(b, [t + 1 for t in a])
    assert [t[0].item() for t in (*a, *b)] == [8, 27, 9, 28]
    with pytest.raises(AttributeError, match="_foreach_matmul"):
        foreach._foreach_matmul(a, b)
    for args in ((a, b[:1]), (a[:1], b), (a[:1], [1.0, 2.0]), (a, b, b, mg.ones(3)), ([], 1.0)):
        with pytest.raises(RuntimeError, match="Tensor list"):
            getattr(foreach, "_foreach_addcmul" if len(args) == 4 else "_foreach_add")(*args)


# ---------------------------------------------------------------- batches of gradients


def test_a_batch_of_gradients_is_one_pass_for_each() -> None:
    x = mg.randn(3, dtype=mg.float64, requires_grad=True)
    unused = mg.ones(2, requires_grad=True)
    y, total = x.exp(), x.sum()
    (rows,) = autograd.grad(y, x, mg.eye(3, dtype=mg.float64), is_grads_batched=True, retain_graph=True)
    assert mg.allclose(rows, y.diag())
    seeds = (mg.eye(3, dtype=mg.float64)[:2], mg.ones(2, dtype=mg.float64))
    both = autograd.grad(
        (y, total), (x, unused), seeds, is_grads_batched=True, allow_unused=True, create_graph=True
    )
    assert both[1] is None
    assert mg.allclose(both[0], y.diag()[:2] + 1)
    assert both[0].requires_grad
    named = autograd.grad(y, {"x": x}, seeds[0], is_grads_batched=True, materialize_grads=True)
    assert named["x"].shape == (2, 3)
    with pytest.raises(RuntimeError, match=r"second time|freed"):
        autograd.grad(y, x, mg.ones_like(y))
    for bad, says in ((mg.tensor(1.0), "dimension in front"), (None, "needs grad_outputs")):
        with pytest.raises((RuntimeError, ValueError), match=says):
            autograd.grad(x.sum(), x, bad, is_grads_batched=True)
    with pytest.raises(IndexError, match="must not be empty"):
        autograd.grad(x.sum(), x, mg.zeros(0), is_grads_batched=True)


def test_dimensions_one_by_one() -> None:
    x: Any = mg.arange(6.0).reshape(1, 2, 1, 3)
    assert x.squeeze(0, 2).shape == x.squeeze(-2, 0).shape == x.clone().squeeze_(0, 2).shape == (2, 3)
    assert x.count_nonzero(0, 3).equal(x.count_nonzero((0, 3)))
    for name, cut in (("hsplit", (1, 2)), ("vsplit", (0, 1)), ("dsplit", (0, 1, 1))):
        parts, other = getattr(x, name)(*cut), getattr(x, name)(cut)
        assert all(a.equal(b) for a, b in zip(parts, other, strict=True))
    with pytest.raises(RuntimeError, match="dim 0 appears multiple times"):
        x.squeeze(0, 0)
    with pytest.raises(TypeError, match="must be int, not float"):
        x.squeeze(0, 1.5)


# ---------------------------------------------------------------- Tensors like another


def test_what_is_made_like_a_tensor_takes_a_device() -> None:
    x = mg.ones(2, dtype=mg.float64)
    cpu = mg.device("cpu")
    for t in (
        x.new_zeros(2, device=cpu), x.new_ones((2,), device="cpu", layout=mg.strided, pin_memory=False),
        x.new_empty(2, device=cpu), x.new_full((2,), 3.0, device=cpu), x.new_tensor([1, 2], device=cpu),
    ):  # fmt: skip
        assert (t.dtype, t.shape) == (mg.float64, (2,))
    for make in (lambda: x.new_zeros(2, device="cuda"), lambda: x.new_tensor([1], device="cuda")):
        with pytest.raises(AssertionError, match="runs on the CPU only"):
            make()
    with cpu as here:
        assert here == cpu


# ---------------------------------------------------------------- distributions of one's own


class Diagonal(D.Independent):
    """A subclass with a constructor and an `expand` of its own."""

    def __init__(self, loc: Any, scale: Any) -> None:
        super().__init__(D.Normal(mg.as_tensor(loc), mg.as_tensor(scale)), 1)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return super().expand(batch_shape, self._get_checked_instance(Diagonal, _instance))


class Plain(D.Independent):
    def __init__(self) -> None:
        super().__init__(D.Normal(mg.zeros(2), 1.0), 1)


class Ground(D.Gumbel):
    """A family that keeps nothing but its parameters is expanded without the constructor."""

    def __init__(self) -> None:
        super().__init__(0.0, 1.0)
        self.level = "ground"


def test_subclasses_are_expanded_by_what_they_are() -> None:
    wide = Diagonal(mg.zeros(3), mg.ones(3)).expand((4,))
    assert type(wide) is Diagonal
    assert (wide.batch_shape, wide.event_shape) == ((4,), (3,))
    with pytest.raises(NotImplementedError, match=r"Plain has an __init__ of its own"):
        Plain().expand((2,))
    deeper = Ground().expand((2,))
    assert (type(deeper), deeper.level, deeper.batch_shape) == (Ground, "ground", (2,))
    assert deeper.mean.shape == deeper.sample().shape == (2,)
    one = mg.ones(2)
    mixture = D.MixtureSameFamily(D.Categorical(one), D.Normal(one, one))
    for family in (
        D.Gumbel(0.0, one),
        D.Weibull(1.0, one),
        D.Pareto(1.0, one),
        D.Kumaraswamy(one, one),
        mixture,
    ):
        batch = (3, *family.batch_shape)
        assert family.expand(batch).batch_shape == batch
        assert type(family.expand(batch)) is type(family)
    assert D.Weibull(1.0, one).expand((3, 2)).concentration_reciprocal.shape == (3, 2)


def test_classes_of_constraints_can_be_derived_from() -> None:
    class Named(type(D.constraints.lower_cholesky)):  # type: ignore[misc]
        """Derived as libraries do."""

    identity = mg.eye(2)
    assert bool(Named().check(identity))
    assert not bool(Named().check(-identity))
    assert repr(Named()) == "Named()"
    D.transform_to.register(Named, lambda _: D.LowerCholeskyTransform())
    assert isinstance(D.transform_to(Named()), D.LowerCholeskyTransform)
    inverse: Any = D.transforms._InverseTransform
    assert isinstance(D.ExpTransform().inv, inverse)


# ---------------------------------------------------------------- names


def test_types_of_scripts_are_where_pytorch_has_them(torch: Any) -> None:
    assert importlib.import_module("torch.jit").script is torch.jit.script
    assert not hasattr(torch._C, "_cuda_init")
    annotations = importlib.import_module("torch.jit.annotations")
    assert annotations.List[int].__origin__ is list
    assert importlib.import_module("torch.nn.common_types") is torch.nn.common_types


def test_a_script_may_name_a_device_that_is_not_there(torch: Any) -> None:
    card = torch.device("cuda:1")
    assert (card.type, card.index, str(card), repr(card)) == (
        "cuda",
        1,
        "cuda:1",
        "device(type='cuda', index=1)",
    )
    assert card == torch.device("cuda", 1) == pickle.loads(pickle.dumps(card)) == copy.deepcopy(card)
    cpu = torch.zeros(1).device
    assert cpu != card != torch.device("cpu") == cpu
    assert isinstance(cpu, torch.device)
    assert isinstance(card, torch.device)
    assert {torch.device("cpu"): 1}[cpu] == 1
    assert torch.nn.Linear(2, 2, device=torch.device("cpu")).to(torch.device("cpu")).weight.device == cpu
    uses: list[Callable[[], Any]] = [
        lambda: torch.zeros(2, device=card), lambda: torch.zeros(2).to(card), lambda: torch.nn.Linear(2, 2).to(card),
        lambda: torch.nn.Linear(2, 2, device=card), lambda: torch.Generator(card), card.__enter__,
    ]  # fmt: skip
    for use in uses:  # PyTorch's generator says it in another way
        with pytest.raises((AssertionError, RuntimeError), match="runs on the CPU only"):
            use()
    with pytest.raises(RuntimeError, match=r"^Expected one of cpu, cuda"):
        torch.device("gpu")


def test_small_names_of_libraries(tmp_path: Path) -> None:
    assert "NumPy" in mg.__config__.show()
    assert "threads" in mg.__config__.parallel_info()
    types = importlib.import_module("minigrad.nn.common_types")
    assert types._size_2_t == int | tuple[int, int]
    assert Backend("GLOO") == Backend.GLOO == "gloo"
    with pytest.raises(ValueError, match="a string, got 3"):
        Backend(3)  # type: ignore[arg-type]


def test_weights_are_kept_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(hub, "_dir", None)
    assert hub.get_dir() == str(tmp_path / "home" / "hub")
    with pytest.raises(AttributeError, match=r"minigrad\.hub.* has no attribute 'load'"):
        hub.load  # noqa: B018
    mg.save({"w": mg.ones(2)}, tmp_path / "net-00.pt")
    url = (tmp_path / "net-00.pt").as_uri()
    load = mg.utils.model_zoo.load_url
    assert load(url)["w"].tolist() == [1.0, 1.0]
    (tmp_path / "net-00.pt").unlink()
    assert load(url, map_location="cpu")["w"].tolist() == [1.0, 1.0]  # it is in the folder now
    hub.set_dir(tmp_path / "other")
    mg.save({}, tmp_path / "net-0123abcd.pt")
    with pytest.raises(RuntimeError, match="invalid hash value"):
        load((tmp_path / "net-0123abcd.pt").as_uri(), check_hash=True)
    assert not list((tmp_path / "other" / "checkpoints").iterdir())
