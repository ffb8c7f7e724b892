"""The stack of what all regions share: registry, DNS zone, Front Door profile, policies, notices."""

from infra.components.program import Context, run


def build(context: Context) -> None:
    """Imported after the checks: a refusal need not wait for the SDK of Azure."""
    from infra.components import base

    base.build(context)


run("base", build)
