"""What the page's player knows: the steps of the derivation, and where in a picture each of them stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from minigrad.core.node import Node
from minigrad.core.tensor import Tensor
from minigrad.readers.amounts import NAN, Amount
from minigrad.readers.draw.graph import Graph
from minigrad.readers.steps import Derivation, Share, derivation

STEPS = 400  # operations; a longer pass is not walked through by hand


class Player:
    """The steps behind results, as data that becomes JSON: amounts stand once, and are named by their numbers."""

    def __init__(self, results: Sequence[Tensor], names: Mapping[Node, str], held: Sequence[Tensor]) -> None:
        told, self.ops, self.leaves = derivation(results, names, held=held)
        self._numbers: dict[str, int] = {}
        self._amounts: list[list[Any]] = []
        self.data = self._told(told)

    def _told(self, d: Derivation) -> dict[str, Any]:
        at = {n: i for i, n in enumerate(self.ops)} | {n: -1 - i for i, n in enumerate(self.leaves)}
        steps = [
            {
                "name": s.name, "op": s.operation, "text": s.expression, "numbers": s.numbers,
                "value": self._amount(s.value), "place": s.place, "line": s.line, "span": s.span,
                "g": self._amount(s.gradient), "holds": s.holds,
                "shares": [self._share(share, at[n.inputs[share.slot]]) for share in s.shares],
            }
            for n, s in zip(self.ops, d.steps, strict=True)
        ]  # fmt: skip
        leaves = [
            {"name": n.name, "value": self._amount(n.value), "g": self._amount(n.gradient), "wants": n.wants}
            for n in d.leaves
        ]
        return {
            "steps": steps, "backward": d.backward, "leaves": leaves, "results": d.results, "amounts": self._amounts
        }  # fmt: skip

    def _share(self, share: Share, target: int) -> dict[str, Any]:
        """What is sent to ``target``: the number of a step, or for a leaf -1 minus its number."""
        amounts = {"sent": share.sent, "fitted": share.fitted, "before": share.before, "total": share.total}
        told = {
            "slot": share.slot, "to": target, "name": share.name, "local": share.local,
            "numbers": share.numbers, "summed": share.summed,
            **{key: self._amount(amount) for key, amount in amounts.items()},
        }  # fmt: skip
        return {key: value for key, value in told.items() if value not in (None, "")}

    def _amount(self, amount: Amount | None) -> int | None:
        if amount is None:
            return None
        picture: list[Any] = amount.picture
        if not amount.bars:  # of a heat map the nine colours are told, and 9 for nan
            picture = [
                "".join("9" if n == NAN else str(round(n / 24.75) + 4) for n in row) for row in picture
            ]
        entry = [amount.size, amount.text, amount.single, picture, int(amount.bars)]
        number = self._numbers.setdefault(str(entry), len(self._amounts))
        if number == len(self._amounts):
            self._amounts.append(entry)
        return number

    def place(
        self,
        graph: Graph,
        boxes: Mapping[Node, str],
        edges: Mapping[tuple[Node, int], str],
        of: Mapping[Node, Node],
    ) -> None:
        """Notes in a graph which boxes and edges the steps and leaves have there.

        ``of`` tells for each record of a drawn backward pass the operation whose rule made it.
        """
        rules: dict[Node, list[str]] = {}
        for n, source in of.items():
            if n in boxes:
                rules.setdefault(source, []).append(boxes[n])
        graph.places = {
            "steps": [boxes.get(n, "") for n in self.ops],
            "leaves": [boxes.get(n, "") for n in self.leaves],
            "rules": [list(dict.fromkeys(rules.get(n, ()))) for n in self.ops],
            "edges": [[edges.get((n, slot), "") for slot in range(len(n.inputs))] for n in self.ops],
        }
