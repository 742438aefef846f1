"""The command line of ``python -m minigrad``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

_ABOUT = """\
Runs a script written for PyTorch, unmodified, with minigrad in the place of
torch and of its submodules. What minigrad lacks is an error at the line of the
script that asks for it, which names the nearest thing that exists."""


def main(argv: Sequence[str] | None = None) -> None:
    """Runs a script, or tells what it uses. SystemExit with its exit code, or with 2 for what cannot be read."""
    options, arguments = _parse(sys.argv[1:] if argv is None else argv)
    script: str = options.script
    try:
        with open(script, "rb") as file:
            source = file.read()
    except OSError as error:
        _stop(f"can't open file {script!r}: {error.strerror}")
    if options.coverage:
        from minigrad.standin import coverage

        try:
            report = coverage.report(source, script)
        except SyntaxError as error:
            _stop(f"{script}:{error.lineno}: {error.msg}: this is not Python, so its names cannot be told")
        except ValueError as error:  # null bytes, in some versions
            _stop(f"{script}: {error}: this is not Python, so its names cannot be told")
        print(report.text())
        sys.exit(int(bool(report.missing)))
    from minigrad.standin import run

    try:
        run.prepare(script, arguments)
    except RuntimeError as error:
        _stop(str(error))
    run.run(source, script, options.time)


def _parse(argv: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """What stands before the script is for us, what follows it is for the script."""
    parser = argparse.ArgumentParser(
        prog="python -m minigrad",
        usage="python -m minigrad [--coverage] [--time] script.py [its arguments]",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--coverage", action="store_true", help="list the names of torch in the script, and which are here"
    )
    parser.add_argument("--time", action="store_true", help="print time and memory at the end, on stderr")
    parser.add_argument("script", help="a Python file that imports torch")
    at = next((i for i, word in enumerate(argv) if not word.startswith("-")), len(argv))
    return parser.parse_args(argv[: at + 1]), list(argv[at + 1 :])


def _stop(why: str) -> NoReturn:
    print(f"{os.path.basename(sys.executable)} -m minigrad: {why}", file=sys.stderr)
    sys.exit(2)
