"""What *Check* does on the page of a chapter: pytest runs its tests, and the lines that matter are told."""

import contextlib
import io
import linecache
import os
import re
import traceback
from pathlib import Path

import pytest

from minigrad.testing import GradcheckError

HERE = Path(__file__).parent
# Of pytest's account of how a value came about, what says nothing: addresses of functions, arrays on one line.
FUNCTIONS = re.compile(r"\n +\+ +(?:where|and) +(?:<(?:function|built-in|module|ufunc)|.*\\n).*")
ADDRESS = re.compile(r"<(?:function|built-in function) (?:[\w<>.]*\.)?(\w+|<lambda>)(?: at 0x\w+)?>")

# Of a report on a gradient: how far it is off, and how that was measured.
ROWS = re.compile(r"\n {2}(?:error|measured) .*(?:\n {9,}allowed.*)?")


class Grader:
    """A plugin of pytest that keeps of each test its name and what is wrong, "" where it passes."""

    def __init__(self, work):
        self.work = work
        self.told = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = yield
        if report.failed or report.when == "call":
            self.told[item.name] = self.reason(call.excinfo.value) if report.failed else ""
        return report

    def reason(self, error):
        if isinstance(error, NotImplementedError):
            return f"not done yet. {error}"
        if isinstance(error, SyntaxError) and error.filename == str(self.work):
            return (
                f"line {error.lineno} of this block: {(error.text or '').strip()}\nSyntaxError: {error.msg}"
            )
        lines = []
        for frame, at in traceback.walk_tb(error.__traceback__):
            file = Path(frame.f_code.co_filename)
            text = linecache.getline(str(file), at).strip()
            if file == self.work:
                lines.append(f"line {at} of this block: {text}")
            elif file.parent == HERE and file.name.startswith("test_") and not lines:
                lines.append(f"the test: {text}")
        said = ROWS.sub("", str(error)) if isinstance(error, GradcheckError) else str(error)
        if not isinstance(error, AssertionError):
            said = f"{type(error).__name__}: {said}"
        said = "\n".join(
            [said, *(n for n in getattr(error, "__notes__", ()) if not n.startswith("repeat: "))]
        )
        said = ADDRESS.sub(r"\1", FUNCTIONS.sub("", said)).strip("\n")
        said = re.sub(rf"[^\s(]*\b{self.work.name}:(\d+)", r"line \1 of this block", said)
        return "\n".join([*lines, re.sub(rf"[^\s(]*\b(test_{self.work.name}):(\d+)", r"\1, line \2", said)])


def grade(chapter, text=None):
    """The tests of a chapter by name, and what is wrong with each; ``text`` replaces the file that is graded."""
    work = HERE / f"{chapter}.py"
    if text is not None:
        work.write_text(text, encoding="utf-8")
    linecache.checkcache(str(work))
    grader, said = Grader(work), io.StringIO()
    options = [
        "-q",
        "-s",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:faulthandler",
        f"--rootdir={HERE}",
        "-c",
        os.devnull,
    ]
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        pytest.main([*options, str(HERE / f"test_{chapter}.py")], plugins=[grader])
    reasons = set(grader.told.values()) or {said.getvalue()}
    if len(reasons) == 1 and "not done yet" not in (reason := reasons.pop()) and reason:
        return {chapter: reason}  # it cannot be loaded, say
    return grader.told
