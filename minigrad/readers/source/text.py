"""A program as text: what gets a line and a name of its own, the comments, the layout."""

from __future__ import annotations

import ast
import functools
import os
import re
import textwrap
from collections.abc import Sequence
from types import CodeType
from typing import Any

from minigrad.core.node import Const, Node
from minigrad.errors import place
from minigrad.readers.places import assigned
from minigrad.readers.source.expressions import (
    Expr,
    Helpers,
    checked,
    constant,
    fill,
    filled,
    literal,
    repeats,
    whole,
)  # fmt: skip
from minigrad.readers.source.layout import WIDTH, laid_out
from minigrad.readers.source.names import Names, identifier
from minigrad.readers.source.program import Program, Value, memory

INSIDE = 44  # characters; what is longer gets a line of its own


class Text:
    """Lays a program out.

    A value gets a line if it is used twice, has a name (a variable's, a module's, or as the gradient of what
    has one), its gradient is used twice, or the line would become too long; others are written where they are
    used, but never across the lines of the user's program, nor across those that backward lines belong to.
    """

    def __init__(self, program: Program, named: Sequence[tuple[str, Node]], path_of: dict[Node, str]) -> None:
        self._begin(program, named, path_of)
        outputs = [program.result, *(g for g in program.gradients.values() if g is not None)]
        self.live = _live(program, outputs)
        self.users: dict[Value, list[Value | None]] = {v: [] for v in self.live}
        for v in self.live:
            for w in v.inputs if v.fill is None else ():
                if w.__class__ is Value:
                    self.users[w].append(v)
        for v in outputs:
            self.users[v].append(None)
        self.parameters = self._name_parameters()
        self._preferred = self._name_forward()
        self._preferred |= {v: v.hint for v in self.live if v.hint and v not in self._preferred}
        if program.result in self._preferred:
            self.names.reserve(self._preferred[program.result])
        self._apart = self._with_a_gradient_used_twice()
        for v in self.live:
            if v.forward:
                self._print(v)
        self._gradient_names()
        for v in self.live:
            if not v.forward:
                self._print(v)

    def _begin(self, program: Program, named: Sequence[tuple[str, Node]], path_of: dict[Node, str]) -> None:
        """What a text starts from, before anything has a name."""
        self.program, self.path_of = program, path_of
        self.helpers, self.names = Helpers(), Names()
        self.keys = {node: name for name, node in named}
        self.name_of: dict[Value, str] = {}
        self.expr_of: dict[Value, Expr] = {}
        self.lines: list[tuple[Value, str]] = []
        self.line_of: dict[Value, str] = {}
        self._apart = set[Value]()  # values that get a line for the sake of their gradients

    # ------------------------------------------------------------ names

    def _name_parameters(self) -> list[Value]:
        self.names.reserve("np")
        needed: set[Any] = {*self.live, self.program.gradient, *(self.program.value_of[n] for n in self.keys)}
        value_of = {
            n: v for v in self.program.values if v in needed and v.is_parameter and v.fill is None
            for n in v.nodes if n in self.keys or v.nodes[0] is n
        }  # fmt: skip
        ordered = [n for n in self.keys if n in value_of]
        rest = [n for n in value_of if n not in self.keys]
        for node in ordered:
            self.name_of[value_of[node]] = self.names.take(self.keys[node])
        for node in rest:
            v = value_of[node]
            seed = v is self.program.gradient
            self.name_of[v] = self.names.take("gradient" if seed else "input", number=not seed)
            self.keys[node] = self.name_of[v]
        last = [] if self.program.gradient is None else [self.program.gradient]
        return [v for v in (value_of[n] for n in (*ordered, *rest)) if v not in last] + last

    def _name_forward(self) -> dict[Value, str]:
        """Names for forward values: the variable's, the module's, or from the value it is computed of."""
        names: dict[Value, str] = {}
        nodes = [n for n in self.program.forward if n.op is not None]
        for n, name in assigned(nodes).items():
            names.setdefault(self.program.value_of[n], name)
        last: dict[str, Value] = {}
        first: dict[str, Any] = {}
        for n in nodes:
            paths = {self.path_of[m]: None for m in n.inputs if m in self.path_of}
            if not paths or all(m in self.path_of or m.__class__ is Const for m in n.inputs):
                continue  # such as a penalty on the weights
            for path in paths:
                if first.setdefault(path, (n.code, n.lasti)) == (n.code, n.lasti):
                    last[path] = self.program.value_of[n]
        for path, v in last.items():
            names.setdefault(v, identifier(f"{path}.{v.op}") if path.isdigit() else identifier(path))
        modules = dict(zip(last.values(), last, strict=True))
        for v in self.live:
            if v.record is not None and v.record.activation and v not in names and v.inputs[0] in modules:
                path = modules[v.inputs[0]]
                names[v] = identifier(f"{path}.{v.op}")
        return {v: name for v, name in names.items() if not (v.is_parameter or v.is_constant)}

    def _with_a_gradient_used_twice(self) -> set[Value]:
        """Values without a name whose gradient gets a line, which can be named after them if they have one too."""
        found = set[Value]()
        for g, nodes in self.program.names.items():
            if g.forward or g in self._preferred or len(self.users.get(g, ())) < 2:
                continue
            of = [v for n in nodes if (v := self.program.value_of.get(n)) in self.users]
            if not any(v.is_parameter or v in self._preferred or len(self.users[v]) > 1 for v in of):
                found |= set([v for v in of if not v.is_view][:1])
        return found

    def _gradient_names(self) -> None:
        for v, nodes in self.program.names.items():
            if v.forward or v in self._preferred or v not in self.users:
                continue
            for n in nodes:
                of = self.program.value_of.get(n)
                name = self.name_of.get(of) if of is not None else None
                if of is not None and name is not None and of.nodes[:1] == [n]:
                    self._preferred[v] = f"d_{name}"
                    self._parts(v, f"d_{name}")
                    break

    def _parts(self, v: Value, name: str) -> None:
        """The sums of which a gradient consists, and what is added up first in another group."""
        while v.record is not None and v.record.sums:
            first, second = v.inputs
            for part in (second, first):
                if part.__class__ is Value and not part.forward and part.of is not v.of:
                    self._preferred.setdefault(part, f"{name}_part")
            v = first
            if v.__class__ is not Value or v.forward:
                return

    # ------------------------------------------------------------ lines

    def _print(self, v: Value) -> None:
        if v.is_parameter and v.fill is None:
            return
        if v.fill is not None and not v.inputs:
            return
        if v.is_constant:
            self._line(v, constant(v.data), "constant")
            return
        if v.fill is not None:
            return  # written where it is needed
        expr = self._make(v)
        if self._goes_into_its_user(v) and len(ast.unparse(expr)) <= INSIDE:
            self.expr_of[v] = expr
            return
        inside = [w for w in v.inputs if w.__class__ is Value and w in self.expr_of]
        kept: list[Value] = []
        while inside and len(ast.unparse(expr)) > WIDTH - 12:
            longest = max(inside, key=lambda w: len(ast.unparse(self.expr_of[w])))
            inside.remove(longest)
            kept.append(longest)
            self._line(longest, self.expr_of.pop(longest), longest.op)
            expr = self._make(v)
        self._line(v, expr, v.op)

    def _make(self, v: Value) -> Expr:
        return checked(v, [self._operand(w) for w in v.inputs], self.helpers)

    def _operand(self, w: Any) -> Expr:
        if w.__class__ is not Value:
            return literal(w.value)
        if w in self.name_of:
            return ast.Name(self.name_of[w])
        if w.fill is not None:
            return filled(w)
        return self.expr_of[w]

    def _line(self, v: Value, expr: Expr, kind: str) -> None:
        preferred = self._preferred.get(v)
        if preferred is not None and v is self.program.result:
            name = preferred
        else:
            name = self.names.take(preferred) if preferred else self.names.take(kind, number=True)
        self.name_of[v] = name
        self.line_of[v] = f"{name} = {ast.unparse(expr)}"
        self.lines.append((v, self.line_of[v]))

    def _goes_into_its_user(self, v: Value) -> bool:
        users = self.users[v]
        user = users[0]
        if v.record.inline and v.inputs[0] in self.name_of and None not in users and v not in self._preferred:
            return True
        if len(users) != 1 or user is None or v in self._preferred or v in self._apart or v.record.draws:
            return False
        if user.record.twice or user.forward != v.forward:
            return False
        if v.forward:
            return v.is_view or _place(v.origin) == _place(user.origin)
        return self._group(v) is self._group(user)

    def _group(self, v: Value) -> Value | None:
        """The forward value on whose line stands what a backward value differentiates."""
        if v.of is None:
            return None
        host = self.program.value_of[v.of]
        while host in self.expr_of:
            user = self.users[host][0]
            if user is None:
                break
            host = user
        return host

    # ------------------------------------------------------------ the whole

    def module(self, name: str, title: str) -> str:
        """The text of the module."""
        results = self._results()
        head = [docstring(title), "", "import numpy as np", ""]
        for helper in self.helpers.texts.values():
            head += ["", helper, ""]
        head += ["", '@np.errstate(all="ignore")']
        parameters = [self.name_of[v] for v in self.parameters]
        body = [_wrapped(f"def {name}(", parameters, "):", "")]
        body += self._describe()
        body += self._forward() + self._backward()
        body.append(results)
        return laid_out(with_imports("\n".join([*head, *body]))) + "\n"

    def _describe(self) -> list[str]:
        kinds: dict[str, list[str]] = {}
        for v in self.parameters:
            shape = str(list(v.shape)).replace(" ", "\0")  # not broken
            kinds.setdefault(f"{v.dtype} {shape}", []).append(self.name_of[v])
        if not kinds:
            return []
        text = "; ".join(f"{', '.join(names)}: {kind}" for kind, names in kinds.items())
        lines = textwrap.wrap(text + '."""', WIDTH, initial_indent='    """', subsequent_indent="    ")
        return [line.replace("\0", " ") for line in lines]

    def _forward(self) -> list[str]:
        lines: list[str] = []
        for line, where in [(line, _place(v.origin)) for v, line in self.lines if v.forward]:
            one = f"    {line}  # {where}"
            if not where or len(one) > WIDTH:
                lines += [f"    # {where}"] if where else []
                one = f"    {line}"
            lines.append(one)
        return lines

    def _backward(self) -> list[str]:
        lines: list[str] = []
        group: Any = lines  # no value's
        for v, line in self.lines:
            if v.forward:
                continue
            host = self._group(v)
            if host is not group:
                group = host
                lines += self._comment(host, v)
            lines.append(f"    {line}")
        return ["", *lines] if lines else []

    def _comment(self, host: Value | None, v: Value) -> list[str]:
        if host is None:
            return ["    # backward"]
        text = self.line_of.get(host)
        if text is None:
            through = v.of.op.name if v.of is not None and v.of.op is not None else "a hook"
            known = (
                ast.unparse(self._operand(host)) if host in self.name_of or host.fill is not None else host.op
            )
            text = f"{known}, through {through}"
        place = _place(v.of)
        one = f"    # {text}  ({place})"
        if place and len(one) <= WIDTH:
            return [one]
        short = textwrap.shorten(text, WIDTH - 6, placeholder=" ...")
        return [f"    # {short}", *([f"    # ({place})"] if place else [])]

    def _results(self) -> str:
        program = self.program
        taken = _shown(program.result)
        entries = []
        for node, g in program.gradients.items():
            entries.append(_entry(self.keys[node], self._gradient(g, taken)))
        result = ast.unparse(self._output(program.result))
        return _wrapped(f"    return {result}, {{", entries, "}", "    ")

    def _output(self, v: Value) -> Expr:
        return whole(v, v.shape) if v.fill is not None and v not in self.name_of else self._operand(v)

    def _gradient(self, g: Value | None, taken: set[Value]) -> str:
        """A gradient in an array that belongs to the caller alone."""
        if g is None:
            return "None"
        expr = self._output(g)
        shown = _shown(g)
        shared = not taken.isdisjoint(shown) or any(v.is_parameter for v in shown) or repeats(g)
        taken |= shown
        if shared and g.fill is None:
            expr = fill("np.copy({})", [expr])
        return ast.unparse(expr)


def _shown(v: Value) -> set[Value]:
    """The values whose memory the array of one may show."""
    pending = [memory(v)]
    for w in pending:
        if w.fill is None and w.record is not None and not w.record.new:
            pending += [memory(x) for x in w.inputs if x.__class__ is Value]
    return set(pending)


def _live(program: Program, outputs: Sequence[Value]) -> list[Value]:
    """What the outputs need, in order."""
    live: set[Value] = set(outputs)
    pending = list(live)
    for v in pending:
        if v.fill is None:
            for w in v.inputs:
                if w.__class__ is Value and w not in live:
                    live.add(w)
                    pending.append(w)
    return [v for v in program.values if v in live]


def _place(node: Node | None) -> str:
    if node is None or node.code is None:
        return ""
    return _line(node.code.co_filename, node.code, node.lasti)


@functools.lru_cache(maxsize=4096)  # by the file too: code of two files may be equal
def _line(file: str, code: CodeType, lasti: int) -> str:
    return _printable(os.path.basename(place(code, lasti)))


def _printable(text: str) -> str:
    """On one line; the names of functions and files may hold anything."""
    return "".join(c if c.isprintable() else "?" for c in text)


def docstring(title: str) -> str:
    """The docstring of a module."""
    text = '"""' + _printable(title).replace("\\", "\\\\").replace('"""', "'''") + '"""'
    return "\n".join(textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False))


def with_imports(text: str) -> str:
    """The text of a module, with imports of what gives NumPy bfloat16, and of ``math``, if it needs them."""
    more = "import math\n\n" if re.search(r"\bmath\.\w+\(", text) else ""
    if "ml_dtypes." in text:
        more += "import ml_dtypes\n"
    return text.replace("import numpy", f"{more}import numpy", 1)


def _quoted(name: str) -> str:
    text = repr(name)
    return f'"{text[1:-1]}"' if text.startswith("'") and '"' not in text else text


def _entry(key: str, value: str) -> str:
    """An entry of a dict; one that no line has room for may be broken where lines end here, also within its key."""
    entry = f"{_quoted(key)}: {value}"
    if len(entry) < WIDTH - 8:
        return entry
    most = WIDTH - 12
    return "\n".join(_quoted(key[i : i + most]) for i in range(0, len(key), most)) + f":\n{value}"


def _wrapped(head: str, items: Sequence[str], tail: str, indent: str) -> str:
    """``head``, items between commas, ``tail``: on one line, or in lines of their own."""
    one = head + ", ".join(items) + tail
    if len(one) <= WIDTH:
        return one
    inner = textwrap.wrap(
        ", ".join(item.replace(" ", "\0") for item in items) + ",", WIDTH - len(indent) - 4,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    return "\n".join(
        [head, *(f"{indent}    {line}".replace("\0", " ") for line in inner), indent + tail.removeprefix(",")]
    )
