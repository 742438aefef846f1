"""What an operation, and the rule of its derivative, compute: as expressions of mathematics, in the reader's names.

They are for reading.  `readers.source` prints what NumPy computes, bit for bit.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from typing import Any

from minigrad.core.node import Const, Node
from minigrad.core.text import Call
from minigrad.dtypes import F64
from minigrad.readers import values

LARGEST = 40  # operations and operands in an expression; a longer one explains nothing
Expr = ast.expr


def name(text: str) -> Expr:
    """A name, or anything else that needs no brackets."""
    return ast.Name(text)


def number(value: Any, digits: int = 4) -> Expr:
    """A number, in brackets where a sign in it would mean something else."""
    if isinstance(value, complex) and not value.imag:
        value = value.real
    text = values.number(value, digits)
    if isinstance(value, complex):
        return name(f"({text})")
    return ast.UnaryOp(ast.USub(), name(text[1:])) if text.startswith("-") else name(text)


def applied(node: Node, operands: Sequence[Any], named: bool = False) -> Expr:
    """The operation of a record, on operands; ``named``: one that only copies is named too."""
    op: Any = node.op
    if not named and op.fill is not None:
        return number(op.fill)
    if op.same is not None or (op.moves and op.elementwise and not named):  # the same number
        return ast.Call(name(op.name), list(operands), []) if named else operands[op.same or 0]
    if not named and op.unit is not None:
        for i, n in enumerate(node.inputs):
            if n.__class__ is Const and n.value == op.unit:
                return operands[1 - i]
    if part := values.part_of(node):
        return ast.Attribute(operands[0], part)
    if reading := values.reading(node):
        filled = _filled(reading, dict(zip(values.input_names(node), operands, strict=True)))
        if filled is not None:
            return filled
    template = _template(node)
    if template is not None and ("np." not in template or not op.public):
        parts = {f"operand_{i}_": x for i, x in enumerate(operands)}
        filled = _filled(template.format(*parts), parts)
        if filled is not None:
            return filled
    keywords = []
    for key, value in values.parameters(node):
        if words := values.words(key, value):
            keywords.append(ast.keyword(key, name(values.cut(words, values.LONG))))
    return ast.Call(name(op.name), list(operands), keywords)


def _filled(text: str, parts: dict[str, Expr]) -> Expr | None:
    """A text with operands in the place of names; None where it is no expression, as only programs understand it."""
    try:
        tree: Expr = _Filled(parts).visit(ast.parse(text, mode="eval").body)
        return tree
    except SyntaxError:
        return None


def _template(node: Node) -> str | None:
    """How the operation prints, with parameters filled in; None where that is no expression of its operands alone."""
    op: Any = node.op
    text, values_of = op.text, dict(node.params)
    if callable(text):
        # An array without dimensions is written in ways of its own.
        shapes = tuple(n.shape or (1,) for n in node.inputs)
        dtypes = tuple(getattr(n, "dtype", None) for n in node.inputs)
        text = text(Call(node.params, shapes, dtypes, node.shape or (1,), node.dtype or F64))
        if isinstance(text, tuple):
            text, more = text
            values_of |= more
    if text is None:
        return None
    plain = {k: values.number(v) for k, v in values_of.items() if isinstance(v, (int, float))}
    try:
        return str(text).format(*(f"{{{i}}}" for i in range(len(node.inputs))), **plain)
    except (KeyError, IndexError, ValueError):
        return None


def is_formula(text: str) -> bool:
    """Whether a text is an expression, not words."""
    return _filled(text, {}) is not None


def operand(tree: Expr) -> str:
    """An operand as text, in brackets if it is negative: ``1 - (-2)``."""
    negative = isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub)
    return f"({ast.unparse(tree)})" if negative else ast.unparse(tree)


def _signed(tree: Expr) -> Expr:
    """A negative operand behind a sign of its own, in brackets."""
    return name(operand(tree)) if isinstance(tree, ast.UnaryOp) else tree


class _Filled(ast.NodeTransformer):
    """A text with operands in their places, and NumPy's functions without NumPy's name."""

    def __init__(self, parts: dict[str, Expr]) -> None:
        self.parts = parts

    def visit_Name(self, node: ast.Name) -> Expr:
        return self.parts.get(node.id, node)

    def visit_Starred(self, node: ast.Starred) -> list[Expr]:
        star = re.compile(rf"{ast.unparse(node.value)}\d+")
        return [part for key, part in self.parts.items() if star.fullmatch(key)]

    def visit_Constant(self, node: ast.Constant) -> Expr:
        return number(node.value) if isinstance(node.value, float) else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id == "np":
            return name(node.attr)
        self.generic_visit(node)
        single = re.fullmatch(r"\(?-?\d[\d.e+-]*\)?", ast.unparse(node.value))
        return node.value if single and node.attr in ("T", "mT") else node  # 2.T is 2

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        node.operand = _signed(node.operand)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        node.right = _signed(node.right)
        first = isinstance(node.op, ast.Pow) and ast.unparse(node.right) == "1"
        return node.left if first else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        product = ast.unparse(node.func) == "np.dot" and len(node.args) == 2
        self.generic_visit(node)
        return ast.BinOp(node.args[0], ast.MatMult(), node.args[1]) if product else node


def computed(root: Node, known: Callable[[Node], Expr | None]) -> Expr | None:
    """What leads from the records that ``known`` has an expression for to ``root``; None if that is long."""
    trees: dict[Node, tuple[Expr, int]] = {}
    todo = [root]
    while todo:
        node = todo[-1]
        if node in trees:
            todo.pop()
        elif (own := known(node)) is not None:
            trees[node] = own, 1
        elif node.op is None or node.shape is None:
            return None
        elif waiting := [n for n in node.inputs if isinstance(n, Node) and n not in trees]:
            todo += waiting
        else:
            parts = [(number(n.value), 1) if n.__class__ is Const else trees[n] for n in node.inputs]
            size = 1 + sum(size for _, size in parts)
            if size > LARGEST:
                return None
            trees[node] = applied(node, [tree for tree, _ in parts]), size
    return trees[root][0]


# A sign behind an operator, and what has it: 1 - -2 * 3.
_SECOND_SIGN = re.compile(r"(?<=[-+*/@] )-(\d[\w.]*(?:(?<=e)[-+]\d+)?|[^\W\d]\w*)(?![\w.(\[]| \*\*)")


def text(tree: Expr) -> str:
    """An expression on one line."""
    return _SECOND_SIGN.sub(r"(-\1)", ast.unparse(tree))
