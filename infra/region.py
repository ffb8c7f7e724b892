"""Where things run: a region of the fleet, its address space, its GPU pools, and the law its data lie under. Pure."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, Strict, ValidationInfo, WithJsonSchema
from pydantic import field_validator as check

from infra.azure.facts import GpuSize, gpu_sizes, jurisdictions, regions
from infra.blueprint import naming
from infra.suggest import hint
from infra.units import Ratio
from infra.yamlfile.part import Count, Flag, Line, Name, Part, PoolName, no_twins
from infra.yamlfile.problem import brief

PRIVATE = tuple(IPv4Network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))
"""Address blocks that a region may use: RFC 1918, and RFC 6598 for shared address space."""

DataClass = Literal["prompts", "completions", "uploads", "training", "weights", "telemetry", "backups"]


def parse_network(value: object) -> IPv4Network:
    """A private IPv4 block of /8 to /24. Raises ValueError that says what would be right."""
    try:
        network = IPv4Network(value if isinstance(value, str) else "", strict=False)
    except ValueError as error:
        raise ValueError(f"{brief(value)} is not an IPv4 block; write one such as 10.16.0.0/14") from error
    if str(network) != value:
        raise ValueError(f"{brief(value)} is an address in a block; write the block, {network}")
    if not any(network.subnet_of(block) for block in PRIVATE):
        raise ValueError(f"{network} is not private; take it from {', '.join(map(str, PRIVATE))}")
    if not 8 <= network.prefixlen <= 24:
        raise ValueError(f"{network} has a prefix of /{network.prefixlen}; a region needs /8 to /24")
    return network


Network = Annotated[
    IPv4Network,
    BeforeValidator(lambda value: value if isinstance(value, IPv4Network) else parse_network(value)),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "description": "A private IPv4 block.", "examples": ["10.16.0.0/14"]}),
]


class ResidencyGroup(Part):
    """A set of regions that data may move between, and which data may be there at all."""

    description: Line = Field(description="What the group stands for.")
    jurisdictions: Annotated[tuple[str, ...], AfterValidator(no_twins)] = Field(
        min_length=1, description="The laws its regions may lie under, as in US, EU, UK, CH, EFTA, CA, JP, SG, AU."
    )
    data: Annotated[tuple[DataClass, ...], AfterValidator(no_twins)] = Field(
        min_length=1, description="The kinds of data that may be kept in the group's regions."
    )

    @check("jurisdictions")
    @classmethod
    def _are_known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in jurisdictions():
                raise ValueError(f"{brief(name)} is no jurisdiction with an Azure region{hint(name, jurisdictions())}")
        return names


class Nodes(Part):
    """How many machines a pool may have."""

    min: Count = Field(description="Never fewer than this.")
    max: Count = Field(description="Never more than this.")

    @check("max")
    @classmethod
    def _reaches_min(cls, most: int, info: ValidationInfo) -> int:
        if most < (least := info.data.get("min", 0)):
            raise ValueError(f"max {most} is less than min {least}")
        if most == 0:
            raise ValueError("a pool that can have no machine is no pool; write at least 1")
        return most


class Pool(Part):
    """Machines of one kind in one region: an AKS node pool."""

    name: PoolName = Field(description="Name of the AKS pool; at most 12 lower-case letters and digits.")
    sku: str = Field(description="Azure virtual machine size, such as Standard_ND96isr_H100_v5.")
    nodes: Nodes = Field(description="The range the pool may scale in.")
    purpose: Literal["serving", "training"] = Field(description="What runs on it.")
    spot_serving: Flag = Field(False, description="Whether users may be served from spot machines, gone in 30 seconds.")
    priority: Literal["reserved", "on-demand", "spot"] = Field(
        "on-demand",
        description="How its machines are bought; Azure reserves some sizes only, and preflight says which.",
        validate_default=True,
    )
    infiniband: Flag = Field(False, description="Whether its machines need InfiniBand between them.")
    driver: Literal["operator", "aks"] = Field(
        "operator", description="Who owns the GPU driver: the gpu-operator in the cluster, or AKS. Never both."
    )
    generation: Annotated[int, Strict(), Field(ge=1, le=99)] = Field(
        1,
        description="Add 1 to replace the pool: what AKS cannot change (size, disk, zones, driver) needs a new one.",
        validate_default=True,
    )

    @check("generation")
    @classmethod
    def _leaves_a_name(cls, generation: int, info: ValidationInfo) -> int:
        physical = naming.pool(info.data.get("name", ""), generation)
        if len(physical) > 12:
            raise ValueError(f"the pool is called {physical} in AKS, which takes 12 characters; shorten its name")
        return generation

    @check("sku")
    @classmethod
    def _is_known(cls, sku: str) -> str:
        if sku not in gpu_sizes():
            raise ValueError(f"{brief(sku)} is no GPU size of Azure that we know{hint(sku, gpu_sizes())}")
        return sku

    @check("priority")
    @classmethod
    def _may_vanish(cls, priority: str, info: ValidationInfo) -> str:
        said = info.data.get("spot_serving", False)
        if priority == "spot" and info.data.get("purpose") == "serving" and not said:
            raise ValueError("spot machines vanish in 30 seconds; to serve from them anyway, add spot_serving: true")
        if priority != "spot" and said:
            raise ValueError("spot_serving is for pools with priority: spot; leave it out")
        return priority

    @check("infiniband")
    @classmethod
    def _has_fabric(cls, wanted: bool, info: ValidationInfo) -> bool:
        sku = info.data.get("sku")
        if wanted and sku and not gpu_sizes()[sku].infiniband:
            fit = sorted(name for name, size in gpu_sizes().items() if size.infiniband)
            raise ValueError(f"{sku} has no InfiniBand; these have: {', '.join(fit)}")
        return wanted

    @property
    def size(self) -> GpuSize:
        """What is in one machine."""
        return gpu_sizes()[self.sku]


Zone = Annotated[int, Strict(), Field(ge=1, le=3)]


class Region(Part):
    """A region of the fleet."""

    name: Name = Field(description="How people and metrics call it; often the Azure name.")
    location: str = Field(description="Name of the Azure region, such as eastus2.")
    residency: str = Field(description="The residency group it belongs to.")
    address_space: Network = Field(description="Its private IPv4 block; the blocks of two regions never overlap.")
    zones: Annotated[tuple[Zone, ...], AfterValidator(no_twins)] = Field(
        (), description="Availability zones it uses; none where Azure has none."
    )
    failover: Annotated[tuple[str, ...], AfterValidator(no_twins)] = Field(
        (), description="Where its traffic goes when it is down, in this order; all in its residency group."
    )
    capacity_floor: Ratio = Field(description="Share of its serving replicas that no operation takes away.")
    pools: tuple[Pool, ...] = Field(min_length=1, description="Its GPU pools.")
    egress: Literal["firewall", "nat"] = Field(
        "firewall", description="How its machines reach out: through a firewall that knows the names, or a NAT gateway."
    )
    traffic: Literal["open", "closed"] = Field(
        "open",
        description="Whether the edge sends users to it; a new region begins closed, until its gates have passed.",
    )

    @check("location")
    @classmethod
    def _is_known(cls, location: str) -> str:
        if location not in regions():
            raise ValueError(f"{brief(location)} is no Azure region{hint(location, regions())}")
        return location

    @check("zones")
    @classmethod
    def _exist(cls, zones: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        location = info.data.get("location")
        if zones and location and regions()[location].zones is False:
            raise ValueError(f"{location} has no availability zones; leave zones out")
        return zones

    def pool(self, name: str) -> Pool | None:
        """The pool of that name, where the region has it."""
        return next((pool for pool in self.pools if pool.name == name), None)
