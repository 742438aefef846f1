"""minigrad in the place of ``torch``, for scripts that import it: see ``python -m minigrad --help``."""

from minigrad.standin.finder import install, uninstall

__all__ = ["install", "uninstall"]
