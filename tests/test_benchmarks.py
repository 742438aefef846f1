"""The benchmarks run and print their tables; nothing is timed here."""

import importlib
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(*arguments):
    command = [sys.executable, str(ROOT / "benchmarks" / "run.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A run with tiny sizes against NumPy alone, and the page that it filled in."""
    page = tmp_path_factory.mktemp("benchmarks") / "speed.md"
    page.write_text("before\n<!-- benchmarks -->\nwhat stood here\n<!-- /benchmarks -->\nafter\n")
    return run("--tiny", "--peers", "by hand", "--update-docs", page), page.read_text()


def test_every_row_prints_its_table(tiny):
    finished, _ = tiny
    assert (finished.returncode, finished.stderr) == (0, "")
    for words in (
        "chain: ",
        "float64, batch 3",
        "cumsum, 1,000 × 1,000",
        "embedding and MLP, batch 32",
        "1,000 operations",
        "peak, float64",
        "minigrad over NumPy",
    ):
        assert words in finished.stdout
    assert "| best / this |" in finished.stdout
    assert "its result differs" not in finished.stdout
    assert "bounds" in finished.stdout.splitlines()[-2]


def test_facts_that_do_not_depend_on_the_clock(tiny):
    finished, _ = tiny
    found = {
        line.split("|")[1].strip(): line for line in finished.stdout.splitlines() if line.count("|") == 5
    }
    assert "| right " in found["backward of 1,000"]
    assert "gone at once" in found["the graph after `del y`, without the collector"].split("|")[2]
    assert found["kept beside what rules name, float64"].split("|")[4].strip() == "met"
    assert found["memory after 50 replays, compiled, float64, batch 32"].split("|")[4].strip() == "met"
    assert "the first call, in eager steps, float64, batch 3" in found


def test_compiled_step_has_its_bounds(tiny):
    finished, page = tiny
    [section] = [part for part in finished.stdout.split("\n\n\n") if part.startswith("compiled: ")]
    [by_hand] = [line for line in section.splitlines() if "| by hand " in line and "≤ 0.6" in line]
    assert "compiled " in by_hand.split("|")[-2]
    [line] = [line for line in page.splitlines() if "compiled / by hand" in line]
    assert line.startswith("| float64, batch 1, ms ")
    assert line.count("**") == 2  # around the best


def test_other_ways_to_compile_take_part_where_they_are_installed():
    packages = {"numba": "numba", "threads": "threadpoolctl"}
    peers = [peer for peer, package in packages.items() if importlib.util.find_spec(package)]
    finished = run("--tiny", "--only", "compiled:float64:3", "--peers", ",".join(["by hand", *peers]))
    assert (finished.returncode, finished.stderr) == (0, "")
    assert [peer for peer in packages if f"| {peer} " in finished.stdout] == peers
    assert ("The first call with Numba takes " in finished.stdout) == ("numba" in peers)
    assert "batch 1 " not in finished.stdout


def test_only_some_rows_and_the_list_of_them():
    listed = run("--list").stdout.splitlines()
    assert "compiled" in listed
    assert {"peer compiled: installed", "peer by hand: installed"} <= set(listed)
    assert any(line.startswith("peer numba: ") for line in listed)
    finished = run("--tiny", "--only", "compiled:replays", "--peers", "by hand")
    assert (finished.returncode, finished.stderr) == (0, "")
    assert "memory after 50 replays, compiled" in finished.stdout
    assert "median" not in finished.stdout


def test_page_gets_the_tables_between_its_markers(tiny):
    _, page = tiny
    before, _, rest = page.partition("<!-- benchmarks -->")
    tables, _, after = rest.partition("<!-- /benchmarks -->")
    assert (before, after) == ("before\n", "\nafter\n")
    assert "what stood here" not in tables
    assert "## Step\n\nA training step" in tables
    assert "| by hand" in tables


def test_the_page_lists_what_is_missed_by_kinds(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    reasons = importlib.import_module("reasons")
    page = (ROOT / "docs" / "speed.md").read_text(encoding="utf-8")
    tables, _, end = page.partition("## Missed\n\n")
    case = r"  - (.+?): (\D*[\d.]+ (?:×|of|µs|ms|\().*), bound (.+)"
    missed = [reasons.Miss(*m.groups()) for line in end.splitlines() if (m := re.fullmatch(case, line))]
    assert len(missed) == tables.count("MISSED")
    assert end.startswith(f"Of {tables.count(' met') + len(missed)} bounds {len(missed)} are missed.")
    assert reasons.grouped(missed) in end
    assert "Others" not in end
    assert reasons.why(reasons.Miss("import", "40 ms", "≤ 30 ms"))[0] == "Others"


def test_absent_peers_are_named(tiny):
    finished, page = tiny
    for text in (finished.stdout, page):
        assert "not asked for: " in text or "absent, so not measured: " in text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--only", "speed"], "no row 'speed'; there are chain, step"),
        (["--peers", "tensorflow"], "no peer 'tensorflow'; there are minigrad"),
        (["--update-docs", "nowhere.md"], "argument --update-docs: nowhere.md"),
    ],
)
def test_bad_arguments_get_a_sentence(arguments, sentence):
    finished = run(*arguments)
    assert finished.returncode == 2
    assert sentence in finished.stderr
    assert "Traceback" not in finished.stderr
