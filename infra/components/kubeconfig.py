"""How to reach a cluster: a kubeconfig without any secret, in which kubelogin gets a token for who runs the program.

It stays the same as long as the cluster does, so a provider that was made with it is never replaced.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import pulumi
import yaml

# The application that every AKS API server is to Entra: learn.microsoft.com/azure/aks/kubelogin-authentication
SERVER = "6dae42f8-4368-4678-94ff-3960e28e3630"
LOGIN = "azurecli"  # what `az login` left; AAD_LOGIN_METHOD overrules it where a pipeline has another


def kubeconfig(group: pulumi.Input[str], cluster: pulumi.Input[str], tenant: str) -> pulumi.Output[str]:
    """The kubeconfig of a cluster. Azure is asked for address and certificate; the rest of its answer is not used."""
    from pulumi_azure_native import containerservice

    asked = containerservice.list_managed_cluster_user_credentials_output(
        resource_group_name=group, resource_name=cluster
    )
    return pulumi.Output.unsecret(asked).apply(lambda answer: static(answer.kubeconfigs[0].value, tenant))


def static(encoded: str, tenant: str) -> str:
    """The kubeconfig of a person, in base 64, as one that holds where the cluster is and how to log in, and no more."""
    given = yaml.safe_load(base64.b64decode(encoded))
    entry = given["clusters"][0]
    known = {key: entry["cluster"][key] for key in PUBLIC if key in entry["cluster"]}
    name = entry["name"]
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": known}],
            "users": [{"name": name, "user": {"exec": _login(tenant)}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        }
    )


PUBLIC = ("server", "certificate-authority-data")
"""What of a cluster's entry is taken: both may be known to anyone."""


def _login(tenant: str) -> dict[str, Any]:
    return {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "kubelogin",
        "args": ["get-token", "--login", LOGIN, "--server-id", SERVER, "--tenant-id", tenant],
        "interactiveMode": "Never",
        "provideClusterInfo": False,
    }
