"""The frames around boxes: calls of modules, and what is repeated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from minigrad.readers.draw.fold import Run
from minigrad.readers.draw.graph import Cluster
from minigrad.readers.draw.groups import Groups
from minigrad.readers.draw.modules import Names, Path, common


class _Module(NamedTuple):
    """A module, in one of the passes."""

    path: Path
    backward: bool


class _Loop(NamedTuple):
    """A repeated block, in the place of modules."""

    run: Run
    level: int  # modules up to this depth stand around the loop
    shared: int  # modules from there to this depth are what it repeats, and have no frame
    label: str


def frames(groups: Groups, names: Names) -> tuple[list[Cluster], dict[int, int]]:
    """The frames, a new one for each call of a module, and for each drawn item the one that it stands in."""
    clusters: list[Cluster] = []
    where: dict[int, int] = {}
    stack: list[tuple[_Module | _Loop, int]] = []
    calls: Counter[_Module | _Loop] = Counter()
    following = [_loop(run, groups) for run in reversed(groups.loops)]
    loops: list[_Loop] = []
    for c in groups.drawn:
        while following and following[-1].run.start <= c:
            loops.append(following.pop())
        loops = [loop for loop in loops if loop.run.stop > c]
        around = _around(groups, c, loops)
        depth = 0
        while depth < min(len(around), len(stack)) and stack[depth][0] == around[depth]:
            depth += 1
        del stack[depth:]
        for key in around[depth:]:
            calls[key] += 1
            if isinstance(key, _Loop):
                label, kind = key.label, "repeated"
            else:
                shown = _shown(groups, c, key.path, loops)
                label, kind = f"{'.'.join(shown)}: {names.classes.get(key.path, '')}", "module"
                if calls[key] > 1:
                    label += f", part {calls[key]}"
            late = groups.items[c].backward
            label += ", backward" if late else ""
            parent = stack[-1][1] if stack else 0
            clusters.append(Cluster(len(clusters) + 1, parent, label, kind, late))
            stack.append((key, len(clusters)))
        where[c] = stack[-1][1] if stack else 0
    return clusters, where


def _loop(run: Run, groups: Groups) -> _Loop:
    block = [item.owner for item in groups.items[run.start : run.stop]]
    second = [item.owner for item in groups.items[run.stop : run.stop + run.length]]
    shared, level = common(block), len(common([*block, *second]))
    label = f"repeated × {run.times}"
    if len(shared) > level:
        last = groups.items[run.start + (run.times - 1) * run.length].owner[: len(shared)]
        label = f"{'.'.join(shared)} … {'.'.join(last)}   × {run.times}"
    return _Loop(run, level, len(shared), label)


def _around(groups: Groups, c: int, loops: Iterable[_Loop]) -> list[_Module | _Loop]:
    """What an item stands in, from outside in."""
    item = groups.items[c]
    owner = item.owner if item.group is None else item.owner[:-1]
    keys: list[_Module | _Loop] = [_Module(owner[: k + 1], item.backward) for k in range(len(owner))]
    for loop in loops:
        outside = [k for k in keys if isinstance(k, _Loop) or len(k.path) <= loop.level]
        inside = [k for k in keys if isinstance(k, _Module) and len(k.path) > loop.shared]
        keys = [*outside, loop, *inside]
    return keys


def _shown(groups: Groups, c: int, path: Path, loops: Iterable[_Loop]) -> Path:
    """A path with a star for each part that differs in the next repetition."""
    for loop in loops:
        again = groups.items[c + loop.run.length].owner
        path = tuple(x if x == y else "*" for x, y in zip(path, again, strict=False))
    return path


def innermost(clusters: list[Cluster], several: Iterable[int]) -> int:
    """The innermost frame around several."""
    lines: list[Path] = []
    for c in dict.fromkeys(several):
        line = [c]
        while c:
            c = clusters[c - 1].parent
            line.append(c)
        lines.append(tuple(str(x) for x in reversed(line)))
    return int((common(lines) or ("0",))[-1])


def outside_of_loops(clusters: list[Cluster], cluster: int) -> int:
    """The frame for what is the same in each repetition."""
    outside = at = cluster
    while at:
        frame = clusters[at - 1]
        at = frame.parent
        if frame.kind == "repeated":
            outside = at
    return outside
