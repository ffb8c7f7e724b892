"""The tool: the command `ops`, the rollout engine and the adapters to the systems it drives."""

__version__ = "0.1.0"
