"""The supervisor with the real Envoy and Prometheus: wishes come into force, replicas live, nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading

import psutil

from infra.local.routing import Weights
from infra.local.wish import Wish, write_wish
from infra.record import RecordStore
from infra.state import record_path
from infra.store import write_json
from tests.infra.local.lab import REGION, Lab, until


def test_a_wish_gets_its_weight_when_both_slices_are_ready(lab: Lab) -> None:
    """The canary and a baseline of the release of record start, then Envoy splits the traffic."""
    lab.roll("c2", 25, 25)
    assert [replica.state for arm in ("canary", "baseline") for replica in lab.arm(arm)] == ["ready", "ready"]
    assert (lab.chat().arms["canary"].release, lab.chat().arms["baseline"].release) == ("c2", "c1")
    until(lambda: lab.chat().weights.applied.canary == 25.0)
    lab.retire()
    assert lab.applied() == Weights()


def test_a_weight_below_one_percent_is_in_force(lab: Lab) -> None:
    """0.05 % are 5 points of 10,000."""
    lab.roll("c2", 0.05, 0.05)
    assert lab.applied() == Weights(5, 5)
    lab.retire()


def test_a_session_keeps_its_arm_while_the_canary_grows(lab: Lab) -> None:
    """What had been canary or baseline at 10 % still is at 40 %, and about 40 % of the sessions are canary."""
    sessions = [f"conversation-{number}" for number in range(200)]
    lab.roll("c2", 10, 10)
    before = {session: lab.ask(session).headers["x-ops-arm"] for session in sessions}
    lab.roll("c2", 40, 40)
    after = {session: lab.ask(session).headers["x-ops-arm"] for session in sessions}
    assert {"canary", "baseline", "stable"} == set(before.values())
    assert all(after[session] == arm for session, arm in before.items() if arm != "stable")
    assert 50 <= sum(arm == "canary" for arm in after.values()) <= 110
    lab.retire()


def test_a_user_keeps_an_arm_where_assignment_is_by_user(lab: Lab) -> None:
    """By the user's own header, whatever the conversation."""
    write_wish(lab.region.layout.weights, Wish("chat-mini", "v1", 50, 50, 1))
    until(lambda: lab.status().services["chat-mini"].weights.applied.canary == 50)
    url = lab.region.facts().services["chat-mini"].url

    def arm(user: int, conversation: int) -> str:
        headers = {"x-user-id": f"user-{user}", "x-session-id": f"{conversation}"}
        return lab.http.get(f"{url}/v1/models", headers=headers).headers["x-ops-arm"]

    arms = [{arm(user, conversation) for conversation in range(3)} for user in range(20)]
    assert all(len(own) == 1 for own in arms) and set().union(*arms) == {"canary", "baseline"}
    write_wish(lab.region.layout.weights, Wish("chat-mini", None, 0, 0, 1))
    until(lambda: not lab.status().services["chat-mini"].arms["canary"].replicas)


def test_an_answer_names_its_arm_and_release(lab: Lab) -> None:
    """The header says the release of the replica that answered."""
    lab.roll("c2", 50, 50)
    answers = {(a.headers["x-ops-arm"], a.headers["x-ops-release"]) for a in (lab.ask(f"s{n}") for n in range(40))}
    assert answers == {("canary", "c2"), ("baseline", "c1")}
    lab.retire()


def test_an_older_token_is_refused(lab: Lab) -> None:
    """Also when it is written past write_wish: the traffic stays, and the status names both tokens."""
    lab.roll("c2", 20, 20)
    newest = lab.chat().token
    assert newest is not None
    file = lab.region.layout.weights
    kept = file.read_text()
    file.write_text(json.dumps({"chat": {**json.loads(kept)["chat"], "canary": 50.0, "token": newest - 1}}))
    problem = until(lambda: next(iter(lab.status().problems), ""))
    assert f"token {newest - 1}" in problem and f"token {newest}" in problem
    assert lab.applied() == Weights(2_000, 2_000)
    file.write_text(kept)
    until(lambda: not lab.status().problems)
    lab.retire()


def test_a_canary_that_nobody_renews_loses_its_traffic(lab: Lab) -> None:
    """At its expiry the weights are zero and the status says why; the slices stay for whoever comes back."""
    lab.wish("c2", 30, 30, expires=2.5)
    until(lambda: lab.applied() == Weights(3_000, 3_000))
    until(lambda: lab.applied() == Weights())
    assert until(lambda: lab.chat().expired)
    assert lab.arm("canary")[0].state == "ready"
    lab.retire()


def test_a_slice_grows_before_its_weight(lab: Lab) -> None:
    """A canary at 100 % has as many replicas as stable before the first request of the new weight."""
    lab.roll("c2", 25, 25)
    lab.roll("c2", 100, 0)
    assert len(lab.ports("canary")) == 2
    assert {lab.ask(f"s{n}").headers["x-ops-arm"] for n in range(20)} == {"canary"}
    lab.retire()


def test_a_release_that_cannot_be_read_gets_no_traffic(lab: Lab) -> None:
    """The status names it; the stable arm goes on."""
    lab.wish("no-such", 25, 25)
    assert "no-such" in until(lambda: lab.chat().problem)
    assert lab.applied() == Weights() and lab.ask("s").status_code == 200
    lab.retire()
    until(lambda: not lab.chat().problem)


def test_a_killed_replica_leaves_the_rotation_and_comes_back(lab: Lab) -> None:
    """kill -9: Envoy stops sending to it, it is restarted, and then gets traffic again."""
    victim = lab.arm("stable")[0]
    assert victim.pid
    os.kill(victim.pid, signal.SIGKILL)
    until(lambda: victim.port not in lab.ports("stable"))
    assert lab.ask("meanwhile").status_code == 200
    until(lambda: victim.port in lab.ports("stable"))
    again = until(lambda: next((r for r in lab.arm("stable") if r.name == victim.name and r.state == "ready"), None))
    assert again.restarts == victim.restarts + 1 and again.pid != victim.pid


def test_a_killed_envoy_comes_back_with_the_same_weights(lab: Lab) -> None:
    """Its files are the state; no wish is needed again."""
    lab.roll("c2", 15, 15)
    envoy = next(process for process in lab.status().processes if process.name == "envoy")
    assert envoy.pid
    os.kill(envoy.pid, signal.SIGKILL)
    until(lambda: next(p for p in lab.status().processes if p.name == "envoy").restarts == envoy.restarts + 1)
    until(lambda: next(p for p in lab.status().processes if p.name == "envoy").state == "ready")
    assert lab.applied() == Weights(1_500, 1_500) and lab.ask("s").status_code == 200
    lab.retire()


def test_a_new_release_of_record_rolls_without_a_lost_request(lab: Lab) -> None:
    """Requests go on all the time, long streams among them; each is answered in full, first by c1 and then by c2."""
    stop, answers = threading.Event(), list[tuple[int, str, str]]()

    def press(worker: int) -> None:
        mine = Lab(lab.root)
        number = 0
        while not stop.is_set():
            number += 1
            answers.append(mine.stream(f"{worker}-{number}", tokens=400 if number % 5 == 0 else 8))

    workers = [threading.Thread(target=press, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    until(lambda: len(answers) > 20)
    lab.record("c2")
    until(lambda: {(r.release, r.state) for r in lab.arm("stable")} == {("c2", "ready")})
    seen = len(answers)
    until(lambda: len(answers) > seen + 20)
    stop.set()
    for worker in workers:
        worker.join()
    lost = [a for a in answers if a[0] != 200 or not a[2].rstrip().endswith("[DONE]") or "error" in a[2]]
    assert not lost
    assert {version for _, version, _ in answers} == {"c1", "c2"}
    lab.record("c1")
    until(lambda: {(r.release, r.state) for r in lab.arm("stable")} == {("c1", "ready")})


def test_a_retired_canary_ends_its_open_streams_with_a_typed_error(lab: Lab) -> None:
    """Streams are not cut: the client reads why."""
    lab.roll("c2", 50, 50)
    session = next(f"s{n}" for n in range(50) if lab.ask(f"s{n}").headers["x-ops-arm"] == "canary")
    result: list[tuple[int, str, str]] = []
    reader = threading.Thread(target=lambda: result.append(lab.stream(session, tokens=8_000)))
    reader.start()
    until(lambda: lab.query('sum(vllm:num_requests_running{service="chat",arm="canary"}) > 0'))
    lab.retire()
    reader.join()
    status, _, text = result[0]
    assert status == 200 and "ReleaseWithdrawn" in text and text.rstrip().endswith("[DONE]")


def test_a_record_that_cannot_be_read_changes_nothing(lab: Lab) -> None:
    """What runs goes on, the status says why, and a repaired record is taken up again."""
    before = lab.arm("stable")
    record_path("lab").write_text("{ this is not")
    assert "record" in until(lambda: next(iter(lab.status().problems), ""))
    assert lab.arm("stable") == before and lab.ask("s").status_code == 200
    lab.record("c1")
    until(lambda: not lab.status().problems)
    assert lab.arm("stable") == before


def test_a_record_that_vanishes_is_not_taken_for_an_empty_one(lab: Lab) -> None:
    """Else a release that was rolled back would come back."""
    before = lab.arm("stable")
    record_path("lab").unlink()
    assert "is gone" in until(lambda: next(iter(lab.status().problems), ""))
    assert lab.arm("stable") == before
    lab.record("c1")
    until(lambda: not lab.status().problems)
    assert lab.arm("stable") == before


def test_prometheus_has_every_arm_with_its_labels(lab: Lab) -> None:
    """Envoy's counters and histograms by service, arm and class of answer; the engine's by replica and release."""
    lab.roll("c2", 50, 50)
    for number in range(20):
        lab.ask(f"s{number}")
    place = f'fleet="lab",region="{REGION}",service="chat"'
    until(lambda: lab.query(f'sum(envoy_ops_requests{{{place},arm="canary",code="200",flags="-"}}) > 0'))
    until(lambda: lab.query(f'envoy_ops_duration_bucket{{{place},arm="canary",code_class="2xx",le="100"}} > 0'))
    until(lambda: lab.query(f'envoy_ops_ttfb_count{{{place},arm="baseline",code_class="2xx"}} > 0'))
    engine = until(lambda: lab.query(f'vllm:num_requests_running{{{place},arm="canary"}}'))[0]["metric"]
    assert (engine["release"], engine["replica"]) == ("c2", lab.arm("canary")[0].name)
    lab.retire()


def test_a_job_runs_until_it_ends(lab: Lab) -> None:
    """Killed, it is started again; after an exit of its own it and its file are gone."""
    code = f"import time, pathlib; time.sleep(0.0 if pathlib.Path({str(lab.root / 'enough')!r}).exists() else 60)"
    write_json(lab.region.layout.jobs / "drive.json", {"name": "drive", "argv": [sys.executable, "-c", code]})
    first = until(lambda: next((p for p in lab.status().processes if p.name == "drive" and p.pid), None))
    assert psutil.Process(first.pid).environ()["BELLWETHER_REGION"] == str(lab.region.layout.root)
    (lab.root / "enough").touch()
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: not (lab.region.layout.jobs / "drive.json").exists())
    until(lambda: "drive" not in lab.status().names())


def test_the_record_of_another_service_touches_nothing(lab: Lab) -> None:
    """A roll of chat-mini leaves chat's replicas alone."""
    before = lab.arm("stable")
    RecordStore(record_path("lab")).set("chat-mini", REGION, "v1", run=None, expect=None)
    lab.roll("c2", 10, 10)
    lab.retire()
    assert lab.arm("stable") == before
