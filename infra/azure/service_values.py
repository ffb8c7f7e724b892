"""What other providers write: principals, host names, endpoints for telemetry, tokens to prove a domain. Pure."""

from __future__ import annotations

from infra.azure.draw import Draw, Values, guid, principal, short
from infra.azure.inventory import Body
from infra.azure.resource_id import key, name_of
from infra.azure.world import World


def _host(suffix: str, path: str, scheme: str = "") -> Draw:
    return lambda id, body, world: {path: f"{scheme}{name_of(id).lower()}{suffix}"}


def _storage(id: str, body: Body, world: World) -> Values:
    hosts = {
        kind: f"https://{name_of(id)}.{kind}.core.windows.net/" for kind in ("blob", "file", "queue", "table", "dfs")
    }
    return {"properties.primaryEndpoints": hosts, "properties.primaryLocation": body.get("location")}


def _ingestion(id: str, body: Body, world: World) -> Values:
    host = f"{name_of(id)}-{short(id)}.{body.get('location')}-1"
    return {
        "properties.immutableId": f"dce-{guid(key(id)).replace('-', '')}",
        "properties.logsIngestion.endpoint": f"https://{host}.ingest.monitor.azure.com",
        "properties.metricsIngestion.endpoint": f"https://{host}.metrics.ingest.monitor.azure.com",
        "properties.configurationAccess.endpoint": f"https://{host}.handler.control.monitor.azure.com",
    }


def _metrics_workspace(id: str, body: Body, world: World) -> Values:
    place = body.get("location")
    own = f"/subscriptions/{world.id}/resourceGroups/MA_{name_of(id)}_{place}_managed/providers/Microsoft.Insights"
    return {
        "properties.accountId": guid(key(id)),
        "properties.metrics": {
            "prometheusQueryEndpoint": f"https://{name_of(id)}-{short(id)}.{place}.prometheus.monitor.azure.com",
            "internalId": f"mac_{guid(key(id))}",
        },
        "properties.defaultIngestionSettings": {
            "dataCollectionRuleResourceId": f"{own}/dataCollectionRules/{name_of(id)}",
            "dataCollectionEndpointResourceId": f"{own}/dataCollectionEndpoints/{name_of(id)}",
        },
    }


def _domain(id: str, body: Body, world: World) -> Values:
    return {
        "properties.validationProperties.validationToken": guid("token", key(id)).replace("-", ""),
        "properties.domainValidationState": "Pending",
        "properties.deploymentStatus": "NotStarted",
    }


DRAWS: dict[str, Draw] = {
    "Microsoft.ManagedIdentity/userAssignedIdentities": lambda id, body, world: {
        "properties.principalId": principal(id),
        "properties.clientId": guid("client", key(id)),
        "properties.tenantId": world.tenant,
    },
    "Microsoft.KeyVault/vaults": _host(".vault.azure.net/", "properties.vaultUri", "https://"),
    "Microsoft.KeyVault/vaults/keys": lambda id, body, world: {
        "properties.keyUri": f"https://{id.split('/')[-3]}.vault.azure.net/keys/{name_of(id)}",
        "properties.keyUriWithVersion": f"https://{id.split('/')[-3]}.vault.azure.net/keys/{name_of(id)}/"
        + guid("key", key(id)).replace("-", ""),
    },
    "Microsoft.ContainerRegistry/registries": _host(".azurecr.io", "properties.loginServer"),
    "Microsoft.Cdn/profiles": lambda id, body, world: {
        "properties.frontDoorId": guid(key(id)),
        "properties.resourceState": "Active",
    },
    "Microsoft.Cdn/profiles/afdEndpoints": lambda id, body, world: {
        "properties.hostName": f"{name_of(id).lower()}-{short(id)}.z01.azurefd.net",
        "properties.deploymentStatus": "NotStarted",
    },
    "Microsoft.Cdn/profiles/customDomains": _domain,
    "Microsoft.Storage/storageAccounts": _storage,
    "Microsoft.OperationalInsights/workspaces": lambda id, body, world: {"properties.customerId": guid(key(id))},
    "Microsoft.Monitor/accounts": _metrics_workspace,
    "Microsoft.Insights/dataCollectionEndpoints": _ingestion,
    "Microsoft.Insights/dataCollectionRules": lambda id, body, world: {
        "properties.immutableId": f"dcr-{guid(key(id)).replace('-', '')}"
    },
    "Microsoft.Insights/components": lambda id, body, world: {
        "properties.AppId": guid("app", key(id)),
        "properties.InstrumentationKey": guid("instrumentation", key(id)),
    },
    "Microsoft.Dashboard/grafana": lambda id, body, world: {
        "properties.endpoint": f"https://{name_of(id)}-{short(id)}.{body.get('location')}.grafana.azure.com"
    },
    "Microsoft.KubernetesConfiguration/extensions": lambda id, body, world: {
        "properties.aksAssignedIdentity": {
            "principalId": principal(id),
            "tenantId": world.tenant,
            "type": "UserAssigned",
        }
    },
    "Microsoft.DBforPostgreSQL/flexibleServers": _host(
        ".postgres.database.azure.com", "properties.fullyQualifiedDomainName"
    ),
    "Microsoft.Cache/redisEnterprise": lambda id, body, world: {
        "properties.hostName": f"{name_of(id)}.{body.get('location')}.redis.azure.net"
    },
    "Microsoft.AppConfiguration/configurationStores": _host(".azconfig.io", "properties.endpoint", "https://"),
    "Microsoft.Features/featureProviders/subscriptionFeatureRegistrations": lambda id, body, world: {
        "properties.state": "Registered"
    },
}
"""ARM type -> what is written into it."""
