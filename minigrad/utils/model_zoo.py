"""`hub.load_state_dict_from_url` by its older name."""

from minigrad.hub import load_state_dict_from_url as load_url

__all__ = ["load_url"]
