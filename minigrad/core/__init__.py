"""The heart: operations, records, modes, running and recording, views, reverse mode. See docs/core.md."""
