"""Weights by their address: downloaded once, and kept in a folder."""

from __future__ import annotations

import hashlib
import os
import re
import urllib.request
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlparse as urlparse

from minigrad import serialization
from minigrad.errors import runtime_error
from minigrad.hints import missing
from minigrad.serialization.archive import replacing

__all__ = ["download_url_to_file", "get_dir", "load_state_dict_from_url", "set_dir"]

# The digits of a hash in the name of a file, such as those of net-1a2b3c4d.pt.
HASH_REGEX = re.compile(r"-([a-f0-9]*)\.")

_dir: str | None = None


def __getattr__(name: str) -> NoReturn:
    if name in ("help", "list", "load"):
        raise AttributeError(
            f"module {__name__!r} has no attribute {name!r}: PyTorch's runs code that it downloads, "
            "and nothing here does; load_state_dict_from_url reads weights"
        )
    raise missing(__name__, name)


def get_dir() -> str:
    """The folder: what `set_dir` said, or ``hub`` in ``$TORCH_HOME``, or ``~/.cache/torch/hub``."""
    if _dir is not None:
        return _dir
    return str(Path(_get_torch_home(), "hub"))


def _get_torch_home() -> str:
    """``$TORCH_HOME``, or ``~/.cache/torch``: packages keep folders of their own beside ``hub``."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache"), "torch")
    return str(Path(os.environ.get("TORCH_HOME", cache)).expanduser())


def set_dir(d: str | os.PathLike[str]) -> None:
    """Sets the folder in which weights are kept."""
    global _dir
    _dir = str(Path(d).expanduser())


def download_url_to_file(url: str, dst: str, hash_prefix: str | None = None, progress: bool = True) -> None:
    """Downloads a file; an interrupted or a wrong one leaves ``dst`` as it was. ``progress`` changes nothing.

    RuntimeError if it ends early, or its SHA-256 does not begin with ``hash_prefix``.
    """
    digest = hashlib.sha256()
    with urllib.request.urlopen(url) as answer, replacing(Path(dst).expanduser()) as file:
        while part := answer.read(1 << 20):
            digest.update(part)
            file.write(part)
        size = answer.headers["Content-Length"]
        if size is not None and file.tell() != int(size):  # a connection that breaks looks like the end
            raise runtime_error(f"{url} ended after {file.tell()} of {size} bytes; try again")
        if hash_prefix and not digest.hexdigest().startswith(hash_prefix):
            raise runtime_error(
                f'invalid hash value (expected "{hash_prefix}", got "{digest.hexdigest()}") of {url}'
            )


def load_state_dict_from_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = False,
) -> Any:
    """Loads a file by its address, with `load`; it is downloaded if the folder does not have it.

    Args:
        url: Where the file is; the folder keeps it under the last part of the address.
        model_dir: The folder, by default ``checkpoints`` in `get_dir`.
        map_location: As for `load`.
        progress: Changes nothing.
        check_hash: Whether the SHA-256 must begin with the digits in a name such as ``net-1a2b3c4d.pt``.
        file_name: The name of the file in the folder.
        weights_only: Changes nothing: `load` never executes what is in a file.

    Raises:
        RuntimeError: The SHA-256 of the file that was downloaded is not that in its name.
    """
    folder = Path(model_dir or Path(get_dir(), "checkpoints"))
    folder.mkdir(parents=True, exist_ok=True)
    name = file_name or os.path.basename(urlparse(url).path)
    file = folder / name
    if not file.exists():
        digits = HASH_REGEX.search(name) if check_hash else None
        download_url_to_file(url, str(file), digits and digits.group(1))
    return serialization.load(file, map_location)
