"""The ```python blocks of a page and what stands right after them: what the tests run, and a reader may edit."""

import re
import textwrap
from typing import NamedTuple

BLOCK = re.compile(
    r"^(?P<indent> *)```python\n(?P<code>.*?)^(?P=indent)```\n"
    r"(?:\s*^(?P=indent)```text\n(?P<output>.*?)^(?P=indent)```$)?",
    re.MULTILINE | re.DOTALL,
)


class Snippet(NamedTuple):
    """A block: the line of the page on which it begins, its text, and the text block after it, if there is one."""

    line: int
    code: str
    output: str | None


def file_name(page: str, n: int) -> str:
    """The file that messages name for block ``n`` of a page, from 0: ``tour.py``, then ``tour_2.py`` and so on."""
    return f"{page}_{n + 1}.py" if n else f"{page}.py"


def snippets(text: str) -> list[Snippet]:
    """All of a page, in order."""
    return [
        Snippet(
            text.count("\n", 0, block.start()) + 2,
            textwrap.dedent(block["code"]),
            None if block["output"] is None else textwrap.dedent(block["output"]),
        )
        for block in BLOCK.finditer(text)
    ]
