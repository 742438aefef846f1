"""What scripts print of the libraries that PyTorch was built with: there are none."""

from __future__ import annotations

cuda: str | None = None
hip: str | None = None
debug = False
git_version = "Unknown"  # as PyTorch says that is built without one
