"""The stack of the edge: where users enter, and which regions they are sent to."""

from infra.components.program import Context, run


def build(context: Context) -> None:
    """Imported after the checks: a refusal need not wait for the SDK of Azure."""
    from infra.components import edge

    edge.build(context)


run("edge", build)
