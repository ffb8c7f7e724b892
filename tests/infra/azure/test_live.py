"""The limits of a subscription are read from Azure's two APIs, or nothing is and the reason is told."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date
from types import ModuleType, SimpleNamespace
from typing import Any

import httpx
import pytest

from infra.azure.asker import Asker, Endpoints, NoLogin, NotAllowed, StrangeAnswer, Throttled, is_here
from infra.azure.live import ask, gather, login
from infra.errors import InvalidInput, OpsError, Unavailable
from infra.fleet import FLEETS, Fleet, load_fleet
from infra.preflight.limits import Limits, Offer, Price, Quota, RegionLimits, load_limits, read_limits, text
from infra.yamlfile.source import parse
from tests.infra.azure.arm_http import Cloud, serving

TODAY = date(2026, 11, 28)
DEMO = load_fleet("demo")
ATLAS = load_fleet("atlas")
H100 = "Standard_NC40ads_H100_v5"


def limits(**parts: Any) -> Limits:
    """What the emulated Azure has in the demo's region, with these parts changed."""
    known = load_limits(FLEETS / "demo.limits.json").regions["eastus2"]
    region = RegionLimits(**{**{name: getattr(known, name) for name in RegionLimits.model_fields}, **parts})
    return load_limits(FLEETS / "demo.limits.json").model_copy(update={"regions": {"eastus2": region}})


def read(cloud: Cloud, fleet: Fleet = DEMO, wait: Callable[[float], None] = lambda _: None) -> Limits:
    """The limits as they are read from an emulated Azure; `wait` gets the seconds that would have been waited."""
    with serving(cloud) as address, httpx.Client() as client:
        endpoints = Endpoints(address, address)
        return gather(fleet, Asker(client, endpoints, login(address), wait), TODAY)


@pytest.fixture(scope="module")
def told() -> tuple[Limits, Cloud]:
    """All of atlas, read once over many pages."""
    cloud = Cloud(load_limits(FLEETS / "atlas.limits.json"), page=3)
    return read(cloud, ATLAS), cloud


def test_what_azure_has_is_what_the_file_says(told: tuple[Limits, Cloud]) -> None:
    """Quota, zones and prices of six regions come back through all pages and spellings."""
    found, cloud = told
    for location, region in cloud.limits.regions.items():
        assert found.regions[location].quota == region.quota
        offered = {sku: offer for sku, offer in found.regions[location].skus.items() if not offer.restricted}
        assert offered == region.skus
        prices = {sku: price.on_demand for sku, price in found.regions[location].prices.items()}
        assert prices == {sku: price.on_demand for sku, price in region.prices.items()}


def test_the_file_says_when_and_where_it_was_read(told: tuple[Limits, Cloud]) -> None:
    """A day, two sources, the fleet's subscription; and that an emulation is not Azure."""
    found, _ = told
    assert (found.as_of, len(found.sources), found.example) == (TODAY, 2, True)
    assert found.subscription == ATLAS.azure.subscription if ATLAS.azure else None


def test_a_size_that_azure_lists_nowhere_is_not_offered(told: tuple[Limits, Cloud]) -> None:
    """Known sizes that are not in the answer cannot be had in the region."""
    offer = told[0].sku("japaneast", "Standard_ND96isr_H200_v5")
    assert offer == Offer(restricted=True, reason="it is not offered in the region")


def test_a_quota_or_price_that_azure_does_not_tell_is_unknown() -> None:
    """What is in no answer is in no file."""
    found = read(Cloud(limits(quota={"cores": Quota(limit=10, used=1)}, prices={})))
    assert found.quota("eastus2", "standardncadsh100v5family") is None
    assert found.price("eastus2", H100, "on-demand") is None


def test_each_way_to_buy_has_its_own_price() -> None:
    """Spot and a year's reservation by the hour; Windows, dev/test and low priority are nobody's price."""
    price = Price(on_demand=6.98, spot=1.5, reserved=4.5, source="here", confidence="high")
    found = read(Cloud(limits(prices={H100: price}))).regions["eastus2"].prices[H100]
    assert [found.on_demand, found.spot, found.reserved] == pytest.approx([6.98, 1.5, 4.5])


def test_two_prices_for_one_thing_are_no_price() -> None:
    """Where Azure says two things, neither is believed."""
    price = Price(on_demand=6.98, source="here", confidence="high")
    other = {"armSkuName": H100, "retailPrice": 9.0, "currencyCode": "USD", "type": "Consumption"}
    assert not read(Cloud(limits(prices={H100: price}), extra_prices=[other])).regions["eastus2"].prices


def test_restrictions_are_kept_apart_by_region_and_zone() -> None:
    """A size may be shut in one zone, or in all of a region for the subscription."""
    shut = {
        H100: Offer(zones=(1, 2, 3), restricted_zones=(2,)),
        "Standard_D8ds_v5": Offer(restricted=True, reason="QuotaId"),
    }
    found = read(Cloud(limits(skus=shut)))
    assert found.sku("eastus2", H100) == shut[H100]
    assert found.sku("eastus2", "Standard_D8ds_v5") == shut["Standard_D8ds_v5"]


SAID = "CapacityReservationSupported", "SupportedCapacityReservationTypes"


@pytest.mark.parametrize(
    ("said", "reservable"),
    [
        pytest.param(("True", "Open,Targeted"), True, id="open and targeted"),
        pytest.param(("True", "Targeted"), True, id="targeted"),
        pytest.param(("true",), True, id="before there were kinds"),
        pytest.param(("True", "Block"), False, id="whole blocks alone"),
        pytest.param(("False",), False, id="no"),
        pytest.param((), None, id="nothing"),
        pytest.param(("Perhaps",), None, id="a word that we do not know"),
    ],
)
def test_whether_a_size_can_be_reserved_is_what_arm_says_of_it(said: tuple[str, ...], reservable: bool | None) -> None:
    """Pools draw on reservations of the kind Targeted; where ARM says nothing, nothing is known."""
    capabilities = [{"name": name, "value": value} for name, value in zip(SAID, said, strict=False)]
    row = {"resourceType": "virtualMachines", "name": H100, "family": "", "capabilities": capabilities}
    offer = read(Cloud(limits(), bodies={"/skus": {"value": [row]}})).sku("eastus2", H100)
    assert offer and offer.reservable is reservable


def test_what_can_be_reserved_comes_back_through_the_file() -> None:
    """True, false and not known, as an emulated Azure tells them in its own words."""
    told = {
        H100: Offer(zones=(1, 2, 3), reservable=False),
        "Standard_NC24ads_A100_v4": Offer(zones=(1, 2, 3), reservable=True),
        "Standard_D8ds_v5": Offer(zones=(1, 2, 3)),
    }
    found = read_limits(parse("live.limits.json", text(read(Cloud(limits(skus=told))))))
    assert {sku: found.sku("eastus2", sku) for sku in told} == told


def test_a_size_of_another_family_than_we_know_makes_its_quota_unknown() -> None:
    """Where ARM contradicts us, the quota of the size is not guessed, and the file says so."""
    row = {"resourceType": "virtualMachines", "name": H100, "family": "standardOther", "capabilities": []}
    found = read(Cloud(limits(), bodies={"/skus": {"value": [row]}}))
    assert found.quota("eastus2", "standardncadsh100v5family") is None
    assert found.sources[2] == (
        f"ARM has {H100} in family standardother with 40 vCPUs: its quota in eastus2 is not known"
    )


def cluster(**changes: Any) -> dict[str, Any]:
    """A cluster of the demo with its pools, as ARM lists it."""
    pools = [
        {"name": "system", "vmSize": "Standard_D8ds_v5", "count": 3},
        {"name": "h100g1", "vmSize": H100, "count": 4},
        {"name": "spotg1", "vmSize": H100, "count": 2, "scaleSetPriority": "Spot"},
        {"name": "other", "vmSize": "Standard_B2s", "count": 9},
    ]
    tags = {"fleet": "demo", "environment": "demo", "stack": "region"}
    return {"location": "eastus2", "tags": tags, "properties": {"agentPoolProfiles": pools}} | changes


def test_machines_that_the_fleet_has_already_do_not_compete_with_it() -> None:
    """They are in what is used, and marked as the fleet's own: by cluster tags, spot apart."""
    used = {"standardncadsh100v5family": 200, "standardddsv5family": 24, "cores": 224, "lowprioritycores": 80}
    quota = {key: Quota(limit=400, used=vcpus) for key, vcpus in used.items()}
    strangers = [cluster(tags={"fleet": "other"}), cluster(tags=None)]
    found = read(Cloud(limits(quota=quota), clusters=[cluster(), *strangers])).regions["eastus2"].quota
    ours = {key: one.ours for key, one in found.items()}
    assert ours == {
        "standardncadsh100v5family": 160, "standardddsv5family": 24, "cores": 184, "lowprioritycores": 80,
    }  # fmt: skip
    assert found["standardncadsh100v5family"].left == 360


def test_what_is_reserved_counts_as_the_fleets_own_though_no_machine_runs() -> None:
    """A reservation takes its quota at once: 64 machines of 96 vCPUs here."""
    tags = {"fleet": "atlas", "environment": "production"}
    pools = [{"name": "h200traing1", "vmSize": "Standard_ND96isr_H200_v5", "count": 0}]
    there = cluster(location="southcentralus", tags=tags, properties={"agentPoolProfiles": pools})
    known = load_limits(FLEETS / "atlas.limits.json")
    quota = known.regions["southcentralus"].quota | {"standardndisrh200v5family": Quota(limit=6144, used=6144)}
    region = known.regions["southcentralus"].model_copy(update={"quota": quota})
    cloud = Cloud(known.model_copy(update={"regions": {"southcentralus": region}}), clusters=[there], page=50)
    assert read(cloud, ATLAS).regions["southcentralus"].quota["standardndisrh200v5family"].ours == 6144


def test_throttled_it_waits_as_long_as_it_is_told_and_goes_on() -> None:
    """Retry-After is kept; a fault of the server without one is waited for longer each time."""
    waited: list[float] = []
    faults = [(429, {"Retry-After": "17"}), (503, {}), (500, {})]
    assert read(Cloud(limits(), faults=faults), wait=waited.append).regions
    assert waited == [17.0, 2.0, 4.0]


def refused(cloud: Cloud, fleet: Fleet = DEMO) -> OpsError:
    """The error that ends the reading."""
    with pytest.raises(OpsError) as caught:
        read(cloud, fleet)
    return caught.value


@pytest.mark.parametrize(
    ("faults", "kind", "said"),
    [
        pytest.param([(429, {"Retry-After": "1"})] * 6, Throttled, "429 6 times; it asks to wait 1 s", id="often"),
        pytest.param([(429, {"Retry-After": "900"})], Throttled, "429 1 times; it asks to wait 900 s", id="long"),
        pytest.param([(503, {})] * 6, Throttled, "answered 503 6 times; it asks to wait 32 s", id="down"),
        pytest.param([(403, {})], NotAllowed, "not allowed for this login (403): Status403: as asked for", id="role"),
        pytest.param([(401, {})], NotAllowed, "not allowed for this login (401)", id="login"),
        pytest.param([(404, {})], StrangeAnswer, "answered 404: Status404: as asked for", id="path"),
    ],
)  # fmt: skip
def test_what_azure_refuses_ends_the_reading_with_its_reason(
    faults: list[tuple[int, dict[str, str]]], kind: type[OpsError], said: str
) -> None:
    """The kind of error, what was answered, and that nothing was written."""
    error = refused(Cloud(limits(), faults=list(faults)))
    assert isinstance(error, kind)
    assert said in error.what
    assert error.not_done == "nothing was changed"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param("/usages", "<html>", id="no JSON"),
        pytest.param("/usages", [1], id="no object"),
        pytest.param("/usages", {"rows": []}, id="no rows"),
        pytest.param("/usages", {"value": [{"name": {"value": "cores"}}]}, id="no limit"),
        pytest.param("/usages", {"value": [{"name": "cores", "limit": 1, "currentValue": 0}]}, id="a name of no form"),
        pytest.param("/skus", {"value": [{"resourceType": "virtualMachines"}]}, id="a size without name"),
        pytest.param("/prices", {"Items": [{"armSkuName": H100}], "NextPageLink": 7}, id="a strange next page"),
        pytest.param("/usages", {"value": [], "nextLink": "http://127.0.0.1:9/usages"}, id="a page of another host"),
    ],
)
def test_an_answer_that_is_not_understood_is_no_limits_file(path: str, body: Any) -> None:
    """Nothing is made up from half an answer, and no token follows a link to another host."""
    assert isinstance(refused(Cloud(limits(), bodies={path: body})), StrangeAnswer)


def test_pages_that_lead_back_to_themselves_end() -> None:
    """A link that was followed before is not followed again."""
    cloud = Cloud(limits())
    with serving(cloud) as address, httpx.Client() as client:
        again = f"{address}/usages?again=1"
        cloud.bodies["/usages"] = {"value": [], "nextLink": again}
        with pytest.raises(StrangeAnswer, match="is no next page of"):
            Asker(client, Endpoints(address, address), login(address), lambda _: None).arm("/usages")
    assert cloud.asked == ["/usages", "/usages"]


def test_a_next_page_with_the_usual_port_is_of_the_same_host() -> None:
    """The Retail Prices API writes :443 into its links."""
    served = iter([
        {"Items": [{"page": 1}], "NextPageLink": "https://prices.azure.com:443/api/retail/prices?$skip=1"},
        {"Items": [{"page": 2}], "NextPageLink": None},
    ])  # fmt: skip
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=next(served)))
    with httpx.Client(transport=transport) as client:
        rows = Asker(client, Endpoints(), lambda: "", lambda _: None).retail("")
    assert rows == [{"page": 1}, {"page": 2}]


def test_nobody_at_home_is_told() -> None:
    """A port that nobody listens on: the address, and exit code 6 by its category."""
    with serving(Cloud(limits())) as address:
        pass
    with pytest.raises(Unavailable, match="does not answer"):
        ask(DEMO, {"OPS_AZURE_ARM": address, "OPS_AZURE_PRICES": address}, lambda _: None, TODAY)


def test_two_variables_lead_the_command_to_an_emulation() -> None:
    """`ask` needs no login there, and shows none."""
    cloud = Cloud(limits())
    with serving(cloud) as address:
        variables = {"OPS_AZURE_ARM": f"{address}/", "OPS_AZURE_PRICES": address}
        assert ask(DEMO, variables, lambda _: None, TODAY).example
    assert cloud.tokens == {"Bearer emulated", ""}


@pytest.mark.parametrize("url", ["http://example.com", "ftp://127.0.0.1", "management.azure.com"])
def test_no_login_travels_without_encryption(url: str) -> None:
    """Only https, or this machine."""
    with pytest.raises(InvalidInput, match="only https"):
        Endpoints.of({"OPS_AZURE_ARM": url})


def test_without_variables_it_is_azure_that_is_asked() -> None:
    """The public cloud, over https."""
    assert Endpoints.of({}) == Endpoints("https://management.azure.com", "https://prices.azure.com")
    assert not is_here(Endpoints.of({}).arm)


def test_a_fleet_without_subscription_has_no_limits() -> None:
    """It only runs locally."""
    local = DEMO.model_copy(update={"azure": None})
    assert isinstance(refused(Cloud(limits()), local), InvalidInput)


class Credential:
    """A login as azure-identity has it: a token for what is asked for, or none."""

    def get_token(self, scope: str) -> Any:
        """A token that says for whom it is."""
        if "nowhere" in scope:
            raise RuntimeError("no subscription found")
        return SimpleNamespace(token=f"for {scope}")


def test_a_token_is_for_the_cloud_that_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another ARM, as that of a sovereign cloud, gets a token of its own, and no failed login passes for one."""
    monkeypatch.setitem(sys.modules, "azure", ModuleType("azure"))
    monkeypatch.setitem(sys.modules, "azure.identity", SimpleNamespace(DefaultAzureCredential=Credential))
    assert login("https://management.usgovcloudapi.net")() == "for https://management.usgovcloudapi.net/.default"
    with pytest.raises(NoLogin, match="no subscription found"):
        login("https://nowhere.example.com")()


def test_without_the_package_for_it_there_is_no_login(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    with pytest.raises(NoLogin) as caught:
        login("https://management.azure.com")
    assert caught.value.next.startswith("make setup")
