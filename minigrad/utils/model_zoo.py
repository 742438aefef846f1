"""`hub.load_state_dict_from_url` by its older name, and the progress bar that packages import from here."""

from typing import Any

from minigrad.hints import missing
from minigrad.hub import load_state_dict_from_url as load_url

__all__ = ["load_url"]


def __getattr__(name: str) -> Any:
    if name != "tqdm":
        raise missing(__name__, name)
    from tqdm import tqdm

    return tqdm
