"""The stack of one region's cluster as Azure needs it: who its workloads are, and the way in for users."""

from infra.components.program import Context, run


def build(context: Context) -> None:
    """Imported after the checks: a refusal need not wait for the SDK of Azure."""
    from infra.components import in_cluster

    in_cluster.build(context)


run("platform", build)
