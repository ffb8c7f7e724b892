"""ARM's usages, sizes and clusters and the Retail Prices API, emulated on 127.0.0.1 from a limits file. A test double.

Runs alone, too, for `ops fleet preflight --live`; it prints the two variables that lead the command here:
    python -m tests.infra.azure.arm_http infra/fleets/demo.limits.json
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from infra.azure.facts import quota_of
from infra.preflight.limits import Limits, Price, load_limits

Row = dict[str, Any]


@dataclass
class Cloud:
    """What is answered, how many rows a page has, and what goes wrong first; and what was asked."""

    limits: Limits
    clusters: list[Row] = field(default_factory=list)
    page: int = 2
    faults: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """Status and headers of the answers that are given first, in their order."""
    bodies: dict[str, Any] = field(default_factory=dict)
    """End of a path -> another answer than the true one."""
    extra_prices: list[Row] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)

    def rows(self, path: str, query: dict[str, str]) -> tuple[str, str, list[Row]] | None:
        """Keys of the rows and of the next page, and all rows; None where there is no such path."""
        condition = query.get("$filter", "")
        match path.split("/")[-1]:
            case "usages":
                return "value", "nextLink", self._usages(path.split("/")[-2])
            case "skus":
                return "value", "nextLink", self._skus(condition.split("'")[1])
            case "managedClusters":
                return "value", "nextLink", self.clusters
            case "prices":
                place = condition.split("armRegionName eq '")[1].split("'")[0]
                return "Items", "NextPageLink", [*self._prices(place), *self.extra_prices]
        return None

    def _usages(self, location: str) -> list[Row]:
        region = self.limits.regions.get(location)
        other = {"unit": "Count", "currentValue": 3, "limit": 2500, "name": {"value": "availabilitySets"}}
        found = [
            # Families are spelt as ARM does, with capitals and spaces where it has them.
            {"unit": "Count", "currentValue": one.used, "limit": one.limit, "name": {"value": _spelt(key)}}
            for key, one in (region.quota.items() if region else ())
        ]
        return [other, *found]

    def _skus(self, location: str) -> list[Row]:
        region = self.limits.regions.get(location)
        return [
            {"resourceType": "disks", "name": "Premium_LRS", "locations": [location]},
            *(_size(sku, location, offer.model_dump()) for sku, offer in (region.skus.items() if region else ())),
        ]

    def _prices(self, location: str) -> list[Row]:
        region = self.limits.regions.get(location)
        return [row for sku, one in (region.prices.items() if region else ()) for row in _retail(sku, location, one)]


def _spelt(key: str) -> str:
    if key == "lowprioritycores":
        return "lowPriorityCores"
    return key if key == "cores" else f"{key.upper()} vCPUs"


def _size(sku: str, location: str, offer: Row) -> Row:
    known = quota_of(sku)
    info = {"locations": [location.upper()], "zones": [str(zone) for zone in offer["restricted_zones"]]}
    bars: list[Row] = []
    if offer["restricted"]:
        bars.append({"type": "Location", "values": [location], "reasonCode": offer["reason"] or "QuotaId"})
    if offer["restricted_zones"]:
        reason = "NotAvailableForSubscription"
        bars.append({"type": "Zone", "values": [location], "restrictionInfo": info, "reasonCode": reason})
    return {
        "resourceType": "virtualMachines",
        "name": sku,
        "family": known.family if known else "",
        "locations": [location],
        "locationInfo": [{"location": location, "zones": [str(zone) for zone in reversed(offer["zones"])]}],
        "capabilities": [
            {"name": "vCPUs", "value": str(known.vcpus if known else 0)},
            *_reservations(offer["reservable"]),
        ],
        "restrictions": bars,
    }


def _reservations(able: bool | None) -> list[Row]:
    """What ARM says of a size's reservations; None: nothing."""
    if able is None:
        return []
    kinds = [{"name": "SupportedCapacityReservationTypes", "value": "Open,Targeted"}] if able else []
    return [{"name": "CapacityReservationSupported", "value": str(able)}, *kinds]


def _retail(sku: str, location: str, price: Price) -> Iterator[Row]:
    row = {
        "currencyCode": "USD",
        "armRegionName": location,
        "armSkuName": sku,
        "productName": "Virtual Machines Series",
        "skuName": sku,
        "meterName": sku,
        "unitOfMeasure": "1 Hour",
        "isPrimaryMeterRegion": True,
        "type": "Consumption",
    }
    if price.on_demand:
        yield row | {"retailPrice": price.on_demand}
        # What a machine with Windows, of low priority, or in another meter region costs is no price of ours.
        yield row | {"retailPrice": price.on_demand * 2, "productName": "Virtual Machines Series Windows"}
        yield row | {"retailPrice": price.on_demand / 3, "meterName": f"{sku} Low Priority"}
        yield row | {"retailPrice": price.on_demand * 3, "isPrimaryMeterRegion": False}
        yield row | {"retailPrice": price.on_demand / 2, "type": "DevTestConsumption"}
    if price.spot:
        yield row | {"retailPrice": price.spot, "skuName": f"{sku} Spot"}
    if price.reserved:
        yield row | {"retailPrice": price.reserved * 8760, "type": "Reservation", "reservationTerm": "1 Year"}
        yield row | {"retailPrice": price.reserved * 20000, "type": "Reservation", "reservationTerm": "3 Years"}


class _Handler(BaseHTTPRequestHandler):
    cloud: Cloud

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.cloud.asked.append(parts.path)
        self.cloud.tokens.add(self.headers.get("Authorization", ""))
        if self.cloud.faults:
            status, headers = self.cloud.faults.pop(0)
            error = {"error": {"code": f"Status{status}", "message": "as asked for"}}
            self._answer(status, error, headers)
        elif (other := _other(self.cloud, parts.path)) is not None:
            self._answer(200, other, {})
        else:
            self._page(parts.path, {key: value[0] for key, value in parse_qs(parts.query).items()})

    def _page(self, path: str, query: dict[str, str]) -> None:
        found = self.cloud.rows(path, query)
        if found is None or "api-version" not in query:
            self._answer(404, {"error": {"code": "NotFound", "message": path}}, {})
            return
        rows_key, next_key, rows = found
        start = int(query.get("$skiptoken", "0"))
        end = start + self.cloud.page
        following = f"{self._here()}{path}?{urlencode(query | {'$skiptoken': str(end)})}" if end < len(rows) else None
        self._answer(200, {rows_key: rows[start:end], next_key: following}, {})

    def _here(self) -> str:
        return f"http://{self.headers['Host']}"

    def _answer(self, status: int, body: Any, headers: dict[str, str]) -> None:
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what was asked is kept."""


def _other(cloud: Cloud, path: str) -> Any:
    return next((body for end, body in cloud.bodies.items() if path.endswith(end)), None)


@contextmanager
def serving(cloud: Cloud, port: int = 0) -> Iterator[str]:
    """The address of a server that answers as this cloud does."""
    handler = type("Handler", (_Handler,), {"cloud": cloud})
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def main() -> None:
    """Serve a limits file until interrupted."""
    with serving(Cloud(load_limits(Path(sys.argv[1])), page=100)) as address:
        print(f"export OPS_AZURE_ARM={address} OPS_AZURE_PRICES={address}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
