"""The benchmarks run and print their tables; nothing is timed here."""

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
    """A run with tiny sizes against NumPy alone, and the README that it filled in."""
    readme = tmp_path_factory.mktemp("benchmarks") / "README.md"
    readme.write_text("before\n<!-- benchmarks -->\nold\n<!-- /benchmarks -->\nafter\n")
    return run("--tiny", "--peers", "by hand", "--update-readme", readme), readme.read_text()


def test_every_row_prints_its_table(tiny):
    finished, _ = tiny
    assert (finished.returncode, finished.stderr) == (0, "")
    for words in ("chain: ", "float64, batch 3", "1,000 operations", "peak, float64", "minigrad over NumPy"):
        assert words in finished.stdout
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


def test_readme_gets_the_tables_between_its_markers(tiny):
    _, readme = tiny
    before, _, rest = readme.partition("<!-- benchmarks -->")
    tables, _, after = rest.partition("<!-- /benchmarks -->")
    assert (before, after) == ("before\n", "\nafter\n")
    assert "old" not in tables
    assert "**step**" in tables
    assert "| by hand" in tables


def test_absent_peers_are_named(tiny):
    finished, readme = tiny
    for text in (finished.stdout, readme):
        assert "not asked for: " in text or "absent, so not measured: " in text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--only", "speed"], "no row 'speed'; there are chain, step"),
        (["--peers", "tensorflow"], "no peer 'tensorflow'; there are minigrad"),
        (["--update-readme", "nowhere.md"], "argument --update-readme: nowhere.md"),
    ],
)
def test_bad_arguments_get_a_sentence(arguments, sentence):
    finished = run(*arguments)
    assert finished.returncode == 2
    assert sentence in finished.stderr
    assert "Traceback" not in finished.stderr
