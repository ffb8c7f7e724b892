"""The stack of one region: its network, cluster, GPU pools, secrets, monitoring and backup."""

from infra.components.program import Context, run


def build(context: Context) -> None:
    """Imported after the checks: a refusal need not wait for the SDK of Azure."""
    from infra.components import region

    region.build(context)


run("region", build)
