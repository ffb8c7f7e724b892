"""Pulumi's engine as the loop over the stacks wants it: plans and runs, what a dead engine left, states of before."""

from cli.adapters.pulumi_engine.engine import PulumiEngine
from cli.adapters.pulumi_engine.remains import NotPending
from cli.adapters.pulumi_engine.state import NotKept
from cli.adapters.pulumi_engine.telling import REAL

__all__ = ["REAL", "NotKept", "NotPending", "PulumiEngine"]
