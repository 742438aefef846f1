"""What says int64 is int64 also where NumPy's own integer has 32 bits: everything is as where it has 64."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import minigrad as mg

PROBE = Path(__file__).with_name("platform_probe.py")


def probed(bits: int) -> Any:
    done = subprocess.run(
        [sys.executable, str(PROBE), str(bits)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_where_numpys_integer_has_32_bits_everything_is_as_where_it_has_64() -> None:
    narrow, wide = probed(32), probed(64)
    assert narrow.keys() == wide.keys()
    assert len(wide) > 1000
    differing = {name: (narrow[name], wide[name]) for name in wide if str(narrow[name]) != str(wide[name])}
    assert not differing
    for name in ("mg.tensor([1, 2])", "x.argmax(1)", "x.nonzero()", "mg.arange(2**33, 2**33 + 3)"):
        assert wide[name][0][0] == "minigrad.int64"
    assert ["minigrad.int64", [2**33, 2**33 + 1, 2**33 + 2]] in wide["mg.arange(2**33, 2**33 + 3)"]


@pytest.mark.parametrize("name", ["floor", "ceil", "trunc", "round", "floor_", "ceil_", "trunc_", "round_"])
@pytest.mark.parametrize("dtype", [mg.int64, mg.int32, mg.uint8], ids=str)
def test_whole_numbers_stay_whole_also_where_numpys_function_makes_floats_of_them(
    name: str, dtype: Any
) -> None:
    x = mg.tensor([1, 2], dtype=dtype)
    y = getattr(x, name)()
    assert (y.dtype, y.tolist()) == (dtype, [1, 2])
    assert (y.data_ptr() == x.data_ptr()) is name.endswith("_")
