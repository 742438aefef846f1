"""Files of safetensors, by its package."""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path
from typing import Any

import pytest

import minigrad as mg
from minigrad import nn, standin
from minigrad.serialization.safetensors import load, load_file, load_model, save, save_file, save_model


def written(header: dict[str, Any], data: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "safetensors", None)
    for call in (lambda: save({}), lambda: load(b"")):
        with pytest.raises(ImportError, match=r'pip install "minigrad-tape\[safetensors\]"'):
            call()


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    package = pytest.importorskip("safetensors.numpy")
    path = tmp_path / "a.safetensors"
    complex_too = [mg.complex64] * ("C64" in package._TYPES)  # later releases have them
    tensors = {
        str(d): mg.tensor([[1, 0], [3, 4]]).to(d)
        for d in (
            mg.float64,
            mg.float32,
            mg.float16,
            mg.int64,
            mg.int32,
            mg.int16,
            mg.int8,
            mg.uint8,
            mg.bool,
            *complex_too,
        )
    }
    tensors |= {"turned": mg.arange(6.0).reshape(2, 3).T, "none": mg.ones(0, 2), "one": mg.tensor(2.0)}
    save_file(tensors, path, {"format": "pt"})
    for name, t in load_file(str(path), device="cpu").items():
        assert t.dtype is tensors[name].dtype
        assert t.tolist() == tensors[name].tolist()
        assert t.shape == tensors[name].shape
    assert b'"format":"pt"' in path.read_bytes()
    with pytest.raises(RuntimeError):
        load_file(path, device="cuda")
    with pytest.raises(RuntimeError):
        load_file(path, device=0)


def test_what_is_not_saved(tmp_path: Path) -> None:
    pytest.importorskip("safetensors")
    path = tmp_path / "a.safetensors"
    save_file({"a": mg.ones(2)}, path)
    before = path.read_bytes()
    x = mg.arange(6.0)
    for bad, kind, says in (
        ({"a": x, "b": x[2:4]}, RuntimeError, "Some tensors share memory, 'a' and 'b'"),
        ([x], ValueError, "Expected a dict"),
        ({"a": [1.0]}, ValueError, "Key `a` is invalid"),
        ({1: x}, ValueError, "Key `1` is invalid"),
    ):
        with pytest.raises(kind, match=says):
            save_file(bad, path)  # type: ignore[arg-type]
    assert path.read_bytes() == before
    save_file({"a": x[:3], "b": x[3:]}, path)


def header(path: Path) -> Any:
    data = path.read_bytes()
    return json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])


def test_a_model_with_shared_parameters(tmp_path: Path) -> None:
    pytest.importorskip("safetensors")
    path = tmp_path / "a.safetensors"

    def model() -> Any:
        net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
        net[1].weight = net[0].weight
        return net

    net, other = model(), model()
    save_model(net, path)
    assert set(load_file(path)) == {"0.weight", "0.bias", "1.bias"}
    assert header(path)["__metadata__"] == {"1.weight": "0.weight"}
    save_model(net, path, {"1.weight": "as its neighbour"})  # what the caller says stands
    assert header(path)["__metadata__"] == {"1.weight": "as its neighbour"}
    assert load_model(other, path) == (set(), [])
    assert other[1].weight is other[0].weight
    assert other[0].weight.tolist() == net[0].weight.tolist()
    wrong = nn.Sequential(nn.Linear(2, 2))
    with pytest.raises(RuntimeError, match="Unexpected"):
        load_model(wrong, path)
    assert load_model(wrong, path, strict=False) == (set(), ["1.bias"])


def test_other_types_and_damage() -> None:
    pytest.importorskip("safetensors")
    narrow = written({"a": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}, b"\x80\x3f\x20\xc0")
    a = load(narrow)["a"]
    assert (a.dtype, a.tolist()) == (mg.bfloat16, [1.0, -2.5])
    assert load(save({"a": a}))["a"].tolist() == a.tolist()
    with pytest.raises(RuntimeError, match=r"'a' is of type U64; minigrad has minigrad\.float64"):
        load(written({"a": {"dtype": "U64", "shape": [1], "data_offsets": [0, 8]}}, bytes(8)))
    whole = save({"a": mg.arange(4.0)})
    for bad in (b"", whole[:-1], whole[:20], struct.pack("<Q", 1 << 60) + whole[8:], b"PK\x03\x04" + whole):
        with pytest.raises(RuntimeError, match="not a file of safetensors, or it is damaged"):
            load(bad)


def test_scripts_import_it_as_for_pytorch() -> None:
    pytest.importorskip("safetensors")
    standin.install()
    try:
        from safetensors.torch import load as found

        assert found is load
    finally:
        standin.uninstall()
    assert "safetensors.torch" not in sys.modules
