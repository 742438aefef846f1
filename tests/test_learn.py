"""The chapters' programs run, and the exercises fail until they are solved, as the worked solutions show."""

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "docs"))
chapters = importlib.import_module("chapters")

PROGRAMS = sorted(p.stem for p in (ROOT / "examples" / "learn").glob("*.py"))
EXERCISES = sorted(p.stem for p in (ROOT / "docs" / "exercises" / "solutions").glob("*.py"))


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_chapter_quotes_each_cell_of_its_program(program):
    cells = chapters.cells(program)
    page = (ROOT / "docs" / "learn" / f"{program.replace('_', '-')}.md").read_text(encoding="utf-8")
    for name, cell in cells.items():
        assert f"```{{cell}} {program} {name}\n" in page
        assert max(map(len, cell.code.splitlines())) <= 84, "it fits the page"
    pictures = [name for cell in cells.values() for name in cell.pictures]
    assert len(pictures) == len(set(pictures)), "a picture's file has the name of its variable"


def test_what_the_text_says_of_the_programs_is_so():
    assert "tensor(4.7500" in chapters.cells("slope")["tape"].printed
    assert chapters.cells("chain")["twice"].printed == "tensor(26.)\n"
    tape = chapters.cells("scalar_tape")
    assert tape["same"].printed.strip() in tape["neuron"].printed
    wrong = chapters.cells("arrays")["wrong"].printed
    assert wrong.startswith("check_vjp: add (arrays.py:")
    assert "missing sum over a broadcast axis" in wrong
    assert set(chapters.cells("matrices")["both"].printed.split()) == {"True"}
    assert chapters.cells("engine")["saved"].printed.splitlines()[1:2] == ["add keeps []"]
    assert "1/2 (0.5)" in chapters.cells("operation")["wrong"].printed
    assert chapters.cells("reading")["run"].printed.split().count("True") == 4
    assert chapters.cells("reading")["cut"].printed.count(".grad ") == 2
    assert chapters.cells("checking")["ones"].printed.splitlines()[1].endswith("0e+00")
    assert "1/4 (0.25)" in chapters.cells("checking")["faults"].printed
    explained = [
        float(n)
        for n in re.findall(r"([\d.]+)%", "".join(c.printed for c in chapters.cells("later").values()))
    ]
    _, constant, annealed, up_and_down, without, dropped, _, squares, sigmoid, number, softmax = explained
    assert constant < annealed < up_and_down
    assert without < dropped
    assert squares < sigmoid
    assert number < softmax
    compiled = chapters.cells("compiling")
    assert [compiled[name].printed.split()[-2] for name in ("step", "shape", "number")] == ["2", "3", "4"]


def graded(*arguments):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "docs/exercises", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_the_worked_solutions_pass():
    finished = graded("--solutions")
    assert finished.returncode == 0, finished.stdout
    assert all((ROOT / "docs" / "exercises" / f"{name}.py").exists() for name in EXERCISES)


def test_every_chapter_shows_its_exercises():
    for name in EXERCISES:
        page = ROOT / "docs" / "learn" / f"{name.replace('_', '-')}.md"
        assert f"```{{exercises}} {name}\n" in page.read_text(encoding="utf-8")


def test_every_exercise_fails_until_it_is_solved():
    finished = graded("-rA")
    assert finished.returncode == 1
    failed = [line for line in finished.stdout.splitlines() if line.startswith("FAILED")]
    assert {line.partition("::")[0].rpartition("_")[2] for line in failed} >= {
        name.rpartition("_")[2] + ".py" for name in EXERCISES
    }
    assert "PASSED" not in finished.stdout
    assert all("NotImpl" in line for line in failed)


def test_an_exercise_imports_what_its_solution_does():
    for name in EXERCISES:
        task, solution = (
            (ROOT / "docs" / "exercises" / folder / f"{name}.py").read_text(encoding="utf-8")
            for folder in ("", "solutions")
        )
        wanted = re.findall(r"^(?:import|from) .*", solution, re.MULTILINE)
        assert set(wanted) <= set(task.splitlines()), name


HALF_RIGHT = [  # a chapter, and what of its worked solution becomes what; and a part of what is said then
    ("arrays", "(g * x).sum(axis=0)", "g * x", "sum it over axis 0"),
    ("characters", "np.zeros_like(table)", "np.zeros_like(g)", "a derivative of shape [4, 3]"),
    ("characters", "> u", ">= u", "a class with the probability 0 is never drawn"),
    ("checking", "< 1e-6", "< 1e6", "a wrong sign\nassert True is False"),
    ("classes", "scores - scores.max()", "scores.clip(-50, 50)", "of the scores 1,000 and 999"),
    ("compiling", "mg.compile(step)", "step", "what is returned is not compiled"),
    ("compiling", "        return loss\n", "", "a step returns the loss"),
    ("engine", "            if node not in done:\n    ", "", "a record is there twice"),
    ("operation", "3.0 * y * y", "y * y", "analytic = 3 x numeric\n  at"),
    (
        "operation",
        "np.logaddexp(a - b, b - a)",
        "a - b + np.log1p(np.exp(2 * (b - a)))",
        "of a - b = 0.5, 1000 and -1000",
    ),
    ("scalar_tape", "1.0 if x.value > 0 else 0.0", "1.0", "the gradient of x, of relu(x) squared plus"),
    ("second", "slope / curvature", "slope / curvature.abs()", "the step goes to the top"),
]


def test_a_half_right_answer_is_seen_and_told(tmp_path):
    shutil.copytree(ROOT / "docs" / "exercises", tmp_path / "docs" / "exercises")
    shutil.copytree(ROOT / "examples" / "learn", tmp_path / "examples" / "learn")
    program = f"""if True:
        import json
        from grader import grade

        for chapter, right, half, _ in {HALF_RIGHT!r}:
            text = open(f"solutions/{{chapter}}.py", encoding="utf-8").read()
            assert right in text
            print(json.dumps(grade(chapter, text.replace(right, half))))
    """
    finished = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path / "docs" / "exercises",
        capture_output=True,
        text=True,
        check=True,
    )
    for (chapter, *_, said), line in zip(HALF_RIGHT, finished.stdout.splitlines(), strict=True):
        told = "\n".join(json.loads(line).values())
        assert said in told, (chapter, told)
        assert "\\n" not in told, "an array on one line tells nothing"


def test_a_page_is_told_the_lines_that_matter(tmp_path):
    """What *Check* says on the page of a chapter, for a right answer, wrong ones, and one that cannot be read."""
    shutil.copytree(ROOT / "docs" / "exercises", tmp_path, dirs_exist_ok=True)
    program = """if True:
        import json, sys
        from grader import grade

        right = open("solutions/slope.py", encoding="utf-8").read()
        wrong = right.replace("x -= lr", "x += lr").replace("-2 * x", "2 * x").replace("2 * step", "0 * step")
        print(json.dumps([grade("slope"), *(grade("slope", text) for text in (right, wrong, "def lowest(:"))]))
    """
    finished = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    blank, right, wrong, unreadable = json.loads(finished.stdout)
    assert [text.partition(". ")[0] for text in blank.values()] == ["not done yet"] * 3
    assert right == dict.fromkeys(["test_slope_of_bell", "test_measured_slope", "test_lowest"], "")
    bell, measured, lowest = wrong.values()
    assert "bell (line 4 of this block)\n  verdict   wrong sign: analytic = -numeric" in bell
    # Python 3.14 says it without "float".
    assert measured.replace("float division", "division").splitlines()[1:] == [
        "line 14 of this block: return (f(x + step) - f(x - step)) / (0 * step)",
        "ZeroDivisionError: division by zero",
    ]
    assert lowest.splitlines()[1:] == [
        "where the slope is -6, a step goes 0.25 * 6 to the right",
        "assert -1.5 == 1.5", " +  where -1.5 = lowest(<lambda>, start=0.0, lr=0.25, steps=1)"
    ]  # fmt: skip
    assert unreadable == {"slope": "line 1 of this block: def lowest(:\nSyntaxError: invalid syntax"}


def test_a_chapter_is_a_notebook(tmp_path):
    pytest.importorskip("docutils")
    pytest.importorskip("IPython")
    notebooks = importlib.import_module("notebooks")
    page = ROOT / "docs" / "learn" / "slope.md"
    cells = json.loads(notebooks.notebook(page, "https://example.org/", "_static/live/a.whl"))["cells"]
    install, *code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert install == '%pip install -q "minigrad-tape[testing,viz] @ https://example.org/_static/live/a.whl"'
    text = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    assert "[gradient checks](https://example.org/gradcheck.html)" in text
    assert "{cell}" not in text
    assert [
        name
        for name in chapters.cells("slope")
        if chapters.cells("slope")[name].code not in "\n\n".join(code)
    ] == []
    solved = (ROOT / "docs" / "exercises" / "solutions" / "slope.py").read_text(encoding="utf-8")
    program = f"""if True:
        from IPython.core.interactiveshell import InteractiveShell
        from traitlets.config import Config

        shell = InteractiveShell.instance(config=Config({{"HistoryManager": {{"enabled": False}}}}))
        for cell in {code!r}:
            cell = "%%writefile docs/exercises/slope.py\\n" + {solved!r} if cell.startswith("%%writefile") else cell
            shell.run_cell(cell).raise_error()
    """
    command = [sys.executable, "-c", program]
    environment = os.environ | {"IPYTHONDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    finished = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert "Drawing" in finished.stdout
    assert finished.stdout.endswith(
        "test_slope_of_bell: right\ntest_measured_slope: right\ntest_lowest: right\n"
    )
