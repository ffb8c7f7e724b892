"""What Azure Monitor and the budgets refuse: rules without destinations, logs sent twice, too many alerts. Pure."""

from __future__ import annotations

import re
from typing import Any

from infra.azure.refusal import ArmError, refuse
from infra.azure.resource_id import key, name_of, same, scope_of
from infra.azure.rules.rule import rule
from infra.azure.schema import Request
from infra.azure.values import read, rows
from infra.azure.world import World

LEARN = "https://learn.microsoft.com/azure/azure-monitor"
RULE = "Microsoft.Insights/dataCollectionRules"
ASSOCIATION = "Microsoft.Insights/dataCollectionRuleAssociations"
DIAGNOSTIC = "Microsoft.Insights/diagnosticSettings"
ALERTS = "Microsoft.AlertsManagement/prometheusRuleGroups"
BUDGET = "Microsoft.Consumption/budgets"
COSTS = "https://learn.microsoft.com/azure/cost-management-billing/costs/tutorial-acm-create-budgets"
SINKS = ("workspaceId", "storageAccountId", "eventHubAuthorizationRuleId", "marketplacePartnerId")


@rule("monitor.flow-destination", RULE, f"{LEARN}/essentials/data-collection-rule-structure")
def flows_end_somewhere(request: Request, world: World) -> ArmError | None:
    """A data flow names destinations that the rule has."""
    known = set()
    for kind in read(request.body, "properties.destinations", {}):
        found = read(request.body, f"properties.destinations.{kind}")
        known |= {read(row, "name") for row in (found if isinstance(found, list) else [found])}
    for flow in rows(request.body, "properties.dataFlows"):
        lacking = [name for name in rows(flow, "destinations") if name not in known]
        if lacking:
            return refuse("InvalidDataFlow", f"The destination '{lacking[0]}' of a data flow is not declared.")
    return None


@rule("monitor.flow-stream", RULE, f"{LEARN}/essentials/data-collection-rule-structure")
def flows_begin_somewhere(request: Request, world: World) -> ArmError | None:
    """A Prometheus flow has a Prometheus forwarder as its source, and goes to an Azure Monitor workspace."""
    for flow in rows(request.body, "properties.dataFlows"):
        if "Microsoft-PrometheusMetrics" not in rows(flow, "streams"):
            continue
        sources = rows(request.body, "properties.dataSources.prometheusForwarder")
        accounts = {read(row, "name") for row in rows(request.body, "properties.destinations.monitoringAccounts")}
        if not sources or not set(rows(flow, "destinations")) <= accounts:
            what = "Microsoft-PrometheusMetrics needs a prometheusForwarder and monitoringAccounts."
            return refuse("InvalidDataFlow", what)
    return None


@rule("monitor.endpoint-region", RULE, f"{LEARN}/essentials/data-collection-endpoint-overview")
def endpoint_is_in_the_region(request: Request, world: World) -> ArmError | None:
    """A data collection rule is in the region of its endpoint."""
    endpoint = world.inventory.get(read(request.body, "properties.dataCollectionEndpointId", "")) or {}
    place = read(request.body, "location", request.location)
    if endpoint.get("location") and place and endpoint["location"].lower() != place.lower():
        what = f"The data collection endpoint is in {endpoint['location']}, the rule in {place}."
        return refuse("InvalidDataCollectionEndpointLocation", what)
    return None


@rule("monitor.association", ASSOCIATION, f"{LEARN}/essentials/data-collection-rule-associations")
def associations_name_one_thing(request: Request, world: World) -> ArmError | None:
    """An association is with a rule or with an endpoint; with an endpoint it is called configurationAccessEndpoint."""
    parts = ("dataCollectionRuleId", "dataCollectionEndpointId")
    named = [part for part in parts if read(request.body, f"properties.{part}")]
    if len(named) != 1:
        return refuse("InvalidPayload", "An association needs a rule or an endpoint, and not both.")
    if (named[0] == "dataCollectionEndpointId") != (request.name == "configurationAccessEndpoint"):
        what = "An association with an endpoint, and no other, is called configurationAccessEndpoint."
        return refuse("InvalidAssociationName", what)
    return None


@rule("monitor.sink", DIAGNOSTIC, f"{LEARN}/essentials/diagnostic-settings")
def settings_have_a_sink(request: Request, world: World) -> ArmError | None:
    """A diagnostic setting has a destination, and logs or metrics to send there."""
    if not any(read(request.body, f"properties.{sink}") for sink in SINKS):
        return refuse("BadRequest", "At least one data sink needs to be specified.")
    if not rows(request.body, "properties.logs") and not rows(request.body, "properties.metrics"):
        return refuse("BadRequest", "At least one log or metric category needs to be specified.")
    return None


@rule("monitor.settings-number", DIAGNOSTIC, f"{LEARN}/essentials/diagnostic-settings")
def settings_are_not_too_many(request: Request, world: World) -> ArmError | None:
    """A resource has at most five diagnostic settings."""
    number = len(_siblings(request, world))
    what = f"The resource has {number} diagnostic settings; five are the most."
    return refuse("DiagnosticSettingsLimitReached", what, 409) if number >= 5 else None


@rule("monitor.sink-twice", DIAGNOSTIC, f"{LEARN}/essentials/diagnostic-settings")
def logs_are_sent_once(request: Request, world: World) -> ArmError | None:
    """One category of logs goes to one destination by one setting."""
    own = _sent(request.body)
    for id, body in _siblings(request, world):
        if both := own & _sent(body):
            category, sink = sorted(both)[0]
            what = (
                f"Data sink '{sink}' is already used in diagnostic setting '{name_of(id)}' for category '{category}'."
            )
            return refuse("Conflict", what, 409)
    return None


@rule("monitor.category-or-group", DIAGNOSTIC, f"{LEARN}/essentials/diagnostic-settings")
def logs_are_named_once(request: Request, world: World) -> ArmError | None:
    """A log of a diagnostic setting is a category or a group of categories."""
    for row in rows(request.body, "properties.logs"):
        if bool(read(row, "category")) == bool(read(row, "categoryGroup")):
            return refuse("BadRequest", "A log needs a category or a categoryGroup, and not both.")
    return None


@rule("monitor.rules-number", ALERTS, f"{LEARN}/essentials/prometheus-rule-groups")
def groups_are_small(request: Request, world: World) -> ArmError | None:
    """A Prometheus rule group has 1 to 20 rules, evaluated every 1 to 15 minutes."""
    number = len(rows(request.body, "properties.rules"))
    if not 1 <= number <= 20:
        return refuse("BadRequest", f"The rule group has {number} rules; it has 1 to 20.")
    interval = re.fullmatch(r"PT(\d+)M", read(request.body, "properties.interval", "PT1M"))
    if not interval or not 1 <= int(interval[1]) <= 15:
        return refuse("BadRequest", "The interval of a rule group is from PT1M to PT15M.")
    return None


@rule("monitor.rule-form", ALERTS, f"{LEARN}/essentials/prometheus-rule-groups")
def rules_record_or_alert(request: Request, world: World) -> ArmError | None:
    """A Prometheus rule records or alerts, and only an alert has severity, actions and a time to hold."""
    for row in rows(request.body, "properties.rules"):
        if bool(read(row, "record")) == bool(read(row, "alert")):
            return refuse("BadRequest", "A rule has either record or alert.")
        alerting = [name for name in ("severity", "actions", "for") if read(row, name) is not None]
        if read(row, "record") and alerting:
            return refuse("BadRequest", f"The recording rule {read(row, 'record')} cannot have {alerting[0]}.")
    return None


@rule("monitor.rule-scope", ALERTS, f"{LEARN}/essentials/prometheus-rule-groups")
def groups_are_of_a_workspace(request: Request, world: World) -> ArmError | None:
    """A rule group is of one Azure Monitor workspace, in its region, and at most of one cluster."""
    scopes = rows(request.body, "properties.scopes")
    accounts = [scope for scope in scopes if "/microsoft.monitor/accounts/" in key(scope)]
    if len(accounts) != 1 or len(scopes) > 2:
        return refuse("BadRequest", "The scopes of a rule group are one Azure Monitor workspace and at most a cluster.")
    home = (world.inventory.get(accounts[0]) or {}).get("location", "")
    place = read(request.body, "location", request.location)
    if home and place and home.lower() != place.lower():
        return refuse("BadRequest", f"The rule group is in {place}, its workspace in {home}.")
    return None


@rule("budget.start", BUDGET, COSTS)
def budgets_begin_on_the_first(request: Request, world: World) -> ArmError | None:
    """A budget begins on the first day of a month."""
    start = str(read(request.body, "properties.timePeriod.startDate", ""))
    if start and not re.match(r"\d{4}-\d\d-01", start):
        return refuse("400", f"The start date {start} must be the first day of a month.")
    return None


@rule("budget.notifications", BUDGET, COSTS)
def budgets_tell_somebody(request: Request, world: World) -> ArmError | None:
    """A budget has at most five notifications, each with somebody to tell and a threshold from 0.01 to 1000 percent."""
    told = read(request.body, "properties.notifications", {})
    if len(told) > 5:
        return refuse("400", f"The budget has {len(told)} notifications; five are the most.")
    for name in told:
        each = read(told, f'["{name}"]', {})
        if not any(rows(each, people) for people in ("contactEmails", "contactRoles", "contactGroups")):
            return refuse("400", f"The notification {name} needs contactEmails, contactRoles or contactGroups.")
        if not 0.01 <= read(each, "threshold", 100) <= 1000:
            return refuse("400", f"The threshold of {name} must be from 0.01 to 1000.")
    return None


def _siblings(request: Request, world: World) -> list[tuple[str, Any]]:
    """The other diagnostic settings of the same resource."""
    return [
        (id, body)
        for id, body in world.inventory.of_type(DIAGNOSTIC)
        if same(scope_of(id), scope_of(request.id)) and not same(id, request.id)
    ]


def _sent(body: Any) -> set[tuple[str, str]]:
    """Category and destination of all that a setting sends."""
    sinks = [key(str(read(body, f"properties.{sink}"))) for sink in SINKS if read(body, f"properties.{sink}")]
    rows_on = [
        row for part in ("logs", "metrics") for row in rows(body, f"properties.{part}") if read(row, "enabled", True)
    ]
    names = [str(read(row, "category") or read(row, "categoryGroup")) for row in rows_on]
    return {(name, sink) for name in names for sink in sinks}
