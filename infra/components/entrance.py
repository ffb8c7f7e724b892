"""Where the users of one residency group enter: a name, its certificate, the firewall, the way to its regions.

An endpoint leads to one residency group and to no other, also when all regions of it are down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native import cdn, dns

from infra.components.dns import HOUR
from infra.components.origins import Origins
from infra.components.site import Site

PATHS = ["/v1/*"]  # the API; nothing else of an inference server (metrics, documentation, tokenizer) is for users


@dataclass(frozen=True, slots=True)
class EntranceArgs:
    """What an entrance is made of."""

    site: Site
    profile: pulumi.Input[str]
    group: str
    domain: str
    zone: pulumi.Input[str]
    """The id of the DNS zone."""
    zone_name: pulumi.Input[str]
    firewall: pulumi.Input[str]
    origins: Origins


class Entrance(pulumi.ComponentResource):
    """An endpoint with its domain, route, firewall and DNS names; `host` is what users call."""

    def __init__(self, name: str, args: EntranceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:edge:Entrance", name, None, opts)
        self._args = args
        self.host = f"{args.group}.{args.domain}"
        self._child = pulumi.ResourceOptions(parent=self)
        self._inside = {"profile_name": args.profile, "resource_group_name": args.site.group}
        endpoint, domain = self._endpoint(), self._domain()
        self._fence(domain)
        self._lead(endpoint, domain)
        self._record("CNAME", args.group, cname_record={"cname": endpoint.host_name})
        token = domain.validation_properties.apply(lambda found: found["validation_token"] if found else None)
        self._record("TXT", f"_dnsauth.{args.group}", txt_records=[{"value": [token]}])
        self.register_outputs({"host": self.host})

    def _endpoint(self) -> Any:
        return cdn.AFDEndpoint(
            f"endpoint-{self._args.group}",
            endpoint_name=self._args.site.names.name("edge endpoint", part=self._args.group),
            location="global",
            enabled_state="Enabled",
            auto_generated_domain_name_label_scope="TenantReuse",
            tags=dict(self._args.site.tags),
            opts=self._child,
            **self._inside,
        )

    def _domain(self) -> Any:
        return cdn.AFDCustomDomain(
            f"domain-{self._args.group}",
            custom_domain_name=self.host.replace(".", "-"),
            host_name=self.host,
            azure_dns_zone={"id": self._args.zone},
            tls_settings={"certificate_type": "ManagedCertificate", "minimum_tls_version": "TLS12"},
            opts=self._child,
            **self._inside,
        )

    def _fence(self, domain: Any) -> None:
        """Every path behind the firewall. Its rules see the name, and the default name leads nowhere."""
        cdn.SecurityPolicy(
            f"security-{self._args.group}",
            security_policy_name=self._args.site.names.name("edge endpoint", part=f"{self._args.group}-waf"),
            parameters={
                "type": "WebApplicationFirewall",
                "waf_policy": {"id": self._args.firewall},
                "associations": [{"domains": [{"id": domain.id}], "patterns_to_match": ["/*"]}],
            },
            opts=self._child,
            **self._inside,
        )

    def _lead(self, endpoint: Any, domain: Any) -> None:
        cdn.Route(
            f"route-{self._args.group}",
            route_name=self._args.group,
            endpoint_name=endpoint.name,
            custom_domains=[{"id": domain.id}],
            link_to_default_domain="Disabled",
            origin_group={"id": self._args.origins.id},
            patterns_to_match=PATHS,
            supported_protocols=["Https"],  # a client that sends its key in the clear gets no answer
            https_redirect="Disabled",
            forwarding_protocol="HttpsOnly",
            enabled_state="Enabled",
            opts=pulumi.ResourceOptions(parent=self, depends_on=self._args.origins.ready),
            **self._inside,
        )

    def _record(self, kind: str, name: str, **records: Any) -> None:
        dns.RecordSet(
            f"{kind.lower()}-{self._args.group}",
            zone_name=self._args.zone_name,
            resource_group_name=self._args.site.group,
            record_type=kind,
            relative_record_set_name=name,
            ttl=HOUR,
            opts=self._child,
            **records,
        )
