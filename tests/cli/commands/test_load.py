"""`ops load` from the outside: what it answers, what it refuses, what it writes, and how it ends."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from infra import fleet, state
from infra.store import write_json
from tests.cli.commands.made_region import REGION, bring_up
from tests.conftest import BIN, ROOT, Ops
from tests.loadtests.report.made import run as made_run
from tests.loadtests.truth import Truth, serving

SHORT = ("--rate", "60/s", "--duration", "1s")


@pytest.fixture
def truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Truth]:
    """A region of the demo fleet, as its files say, whose service `chat` is the server of known truth."""
    monkeypatch.setenv("OPS_STATE", str(tmp_path))
    with serving(Truth()) as server:
        bring_up("demo", REGION, server.url)
        yield server


def keep(path: Path, **how: object) -> str:
    """A run that was kept."""
    write_json(path, made_run(**how).to_json())  # type: ignore[arg-type]
    return str(path)


def test_the_report_is_what_clients_saw(truth: Truth, ops: Ops) -> None:
    """Every request of the trace, its outcome and its latencies; the story of it on stderr."""
    truth.behaviours = ("ok", "early")
    done = ops("load", "run", "--service", "chat", *SHORT, "-o", "json")
    report = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert (report["apiVersion"], report["kind"]) == ("bellwether/v1", "LoadReport")
    assert report["arrivals"]["scheduled"] == report["arrivals"]["done"] == len(truth.asked)
    assert report["outcomes"] == {"ok": truth.done["ok"], "ended_early": truth.done["early"]}
    assert report["metrics"]["ttft"]["count"] == truth.done["ok"]
    assert report["goodput"]["slo"] == {"ttft": 0.25, "itl": 0.025, "e2e": 2.5}
    assert report["client"]["verdict"] in ("VALID", "DEGRADED", "INVALID")
    assert report["cost"]["per_million_tokens"] > 0
    assert list((state.region_dir("demo", REGION) / "targets").iterdir()) == []


def test_the_table_is_for_people(truth: Truth, ops: Ops) -> None:
    """Percentiles, arms, what was not ok, and whether to believe it; nothing wider than a page."""
    truth.behaviours = ("ok", "429")
    done = ops("load", "run", "--service", "chat", *SHORT, "--seed", "4")
    assert done.returncode == 0, done.stderr
    assert all(word in done.stdout for word in ("P99.9", "ttft", "canary", "unknown", "goodput: "))
    assert "profile conversation, trace conv from seed 4" in done.stdout
    assert f"not ok: {truth.done['429']} http_429" in done.stdout
    assert "client VALID: send lag p99" in done.stdout or "warning: " in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_the_load_profile_gives_what_was_not_said(truth: Truth, ops: Ops) -> None:
    """The demo fleet's conversation profile; a trace that is given replaces its own."""
    done = ops("load", "run", "--service", "chat", "--duration", "500ms", "--trace", "code", "-o", "json")
    report = json.loads(done.stdout)
    assert (report["profile"], report["pattern"]["trace"]) == ("conversation", "code")
    assert report["arrivals"]["rate_asked"] == 120.0


def test_a_profile_of_a_file_is_sent(truth: Truth, ops: Ops, tmp_path: Path) -> None:
    """Arrivals that are drawn, and prompts of one length."""
    file = tmp_path / "even.yaml"
    file.write_text("name: even\nrate: 50/s\narrivals: constant\ntokens: {prompt: 10, output: 5}\n")
    done = ops("load", "run", "--service", "chat", "--duration", "1s", "--profile", str(file), "-o", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["arrivals"]["scheduled"] == len(truth.asked) == 50
    assert {asked.body["max_tokens"] for asked in truth.asked} == {5}


def test_a_trace_is_replayed_at_a_multiple_of_its_pace(truth: Truth, ops: Ops) -> None:
    """From its first request: the conversations trace has 5.5 a second on average."""
    arguments = ("--service", "chat", "--trace", "conv", "--speed", "20x", "--duration", "1s", "-o", "json")
    done = ops("load", "replay", *arguments)
    report = json.loads(done.stdout)
    assert report["pattern"]["speed"] == "20x"
    assert report["arrivals"]["scheduled"] == report["outcomes"]["ok"] == len(truth.asked) > 5


def test_several_workers_send_one_load(truth: Truth, ops: Ops) -> None:
    """Together the whole profile, counted once; more of them may send more."""
    done = ops("load", "run", "--service", "chat", *SHORT, "--workers", "2", "-o", "json")
    report = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert report["arrivals"]["scheduled"] == report["outcomes"]["ok"] == len(truth.asked) > 20
    assert report["client"]["processes"] == 2
    more = ops("load", "run", "--service", "chat", "--rate", "10001/s", "--workers", "2")
    assert more.returncode == 2 and "more than 2 clients can send; give at most 10000/s" in more.stderr


def test_a_trace_is_replayed_once_where_no_end_is_given(truth: Truth, ops: Ops, tmp_path: Path) -> None:
    """Whole, and how long that takes is said before it starts."""
    file = tmp_path / "mine.csv"
    rows = "".join(f"2026-01-01 00:00:{n // 10:02}.{n % 10}00000,9,3\n" for n in range(20))
    file.write_text(f"TIMESTAMP,ContextTokens,GeneratedTokens\n{rows}")
    done = ops("load", "replay", "--service", "chat", "--trace", str(file), "--speed", "4x", "-o", "json")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("the whole trace: 20 requests in 500ms\n")
    report = json.loads(done.stdout)
    assert report["arrivals"]["scheduled"] == report["outcomes"]["ok"] == len(truth.asked) == 20
    assert report["elapsed"] < 10


def test_a_trace_of_a_fleet_file_lies_beside_it(truth: Truth, ops: Ops, tmp_path: Path) -> None:
    """Wherever the command is typed."""
    rows = "".join(f"2026-01-01 00:00:0{n},9,{7 + n}\n" for n in range(2))
    (tmp_path / "mine.csv").write_text(f"TIMESTAMP,ContextTokens,GeneratedTokens\n{rows}")
    file = tmp_path / "demo.yaml"
    file.write_text(fleet.locate("demo").read_text().replace("trace: conv #", "trace: ./mine.csv #", 1))
    done = ops("load", "run", "--service", "chat", *SHORT, "--fleet", str(file), "-o", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["pattern"]["trace"] == str(tmp_path / "mine.csv")
    assert {asked.body["max_tokens"] for asked in truth.asked} == {7, 8}


def test_a_run_is_kept_and_read_again(truth: Truth, ops: Ops, tmp_path: Path) -> None:
    """As JSON, as a page and as JUnit; the report of the file is the report of the run."""
    page, junit, save = (str(tmp_path / name) for name in ("page.html", "junit.xml", "run.json"))
    wanted = ("--report", page, "--junit", junit, "--save", save, "-o", "json")
    first = ops("load", "run", "--service", "chat", *SHORT, *wanted)
    assert first.returncode == 0, first.stderr
    assert Path(page).read_text().startswith("<!DOCTYPE html>") and f"written: {page}" in first.stderr
    assert ElementTree.parse(junit).getroot().get("name") == "ops load: chat"
    again = ops("load", "report", save, "-o", "json")
    assert json.loads(again.stdout) == json.loads(first.stdout)


def test_failed_requests_do_not_fail_the_command(truth: Truth, ops: Ops) -> None:
    """They are facts; a gate is another command."""
    truth.behaviours = ("503",)
    done = ops("load", "run", "--service", "chat", *SHORT)
    assert done.returncode == 0, done.stderr
    assert "http_503" in done.stdout


def test_any_endpoint_can_be_pressed(truth: Truth, ops: Ops) -> None:
    """One that the fleet does not know: with its model, as synthetic traffic, its key from the environment."""
    host = ("--target", truth.url, "--allow-host", "127.0.0.1", "--model", "theirs", "--credential", "env:OPS_STATE")
    done = ops("load", "run", *host, "--rate", "40/s", "--duration", "1s", "-o", "json")
    report = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert (report["service"], report["model"], report["cost"]) == ("target", "theirs", None)
    assert {(asked.body["model"], asked.headers["x-ops-class"]) for asked in truth.asked} == {("theirs", "synthetic")}
    key = os.environ["OPS_STATE"]
    assert {asked.headers["authorization"] for asked in truth.asked} == {f"Bearer {key}"}
    assert key not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 4, "does not name the host 127.0.0.1"),
        (["--allow-host", "127.0.0.2"], 4, "--allow-host 127.0.0.1"),
        (["--allow-host", "127.0.0.1", "--rate", "60/s"], 4, "reaches 60/s, and the ceiling is 50/s"),
        (["--allow-host", "127.0.0.1", "--rate", "9/s", "--ceiling", "8/s"], 4, "the ceiling is 8/s"),
        (["--allow-host", "127.0.0.1", "--trace", "conv", "--rate", "51/s"], 4, "the ceiling is 50/s"),
        (["--allow-host", "127.0.0.1", "--credential", "sk-secret"], 2, "a credential is a reference and not the key"),
    ],
    ids=str,
)
def test_what_nobody_allowed_is_not_pressed(truth: Truth, ops: Ops, arguments: list[str], code: int, said: str) -> None:
    """A slip in a URL or a rate must not press somebody else's machines; a key on the command line is no reference."""
    done = ops("load", "run", "--target", truth.url, "--model", "m", "--duration", "1s", *arguments)
    assert (done.returncode, done.stdout, truth.asked) == (code, "", [])
    assert said in " ".join(done.stderr.split())
    assert "sk-secret" not in done.stderr


@pytest.mark.parametrize(("url", "said"), [("ftp://h", "url"), ("h", "url"), ("http://h/v1?x", "url")])
def test_a_target_is_the_root_of_a_server(ops: Ops, url: str, said: str) -> None:
    """Anything else is wrong input, not a place to try."""
    done = ops("load", "run", "--target", url, "--model", "m", "--allow-host", "h")
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr and "no load was started" in done.stderr


def test_a_host_of_the_fleet_needs_no_permission(ops: Ops) -> None:
    """One below its domain; nobody answers there, which is a fact of the report."""
    target = ("--target", "http://no-such-host.demo.example.com", "--service", "chat")
    done = ops("load", "run", *target, "--rate", "20/s", "--duration", "500ms", "-o", "json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["outcomes"].get("ok", 0) == 0
    assert report["arrivals"]["sent"] > 0


def test_synthetic_traffic_is_refused_where_it_would_count_as_users(truth: Truth, ops: Ops, tmp_path: Path) -> None:
    """The local region has one route. Exit 4, what to write instead, and nothing is sent."""
    file = tmp_path / "demo.yaml"
    file.write_text(fleet.locate("demo").read_text().replace("traffic: user", "traffic: synthetic"))
    done = ops("load", "run", "--service", "chat", "--duration", "1s", "--fleet", str(file))
    assert (done.returncode, done.stdout, truth.asked) == (4, "", [])
    assert "conversation of chat is synthetic" in done.stderr and "leave `traffic: synthetic` out" in done.stderr


@pytest.mark.parametrize("service", ["embed", "moderation"])
def test_a_service_that_streams_nothing_is_not_put_under_load(ops: Ops, service: str) -> None:
    """It says which services can be."""
    done = ops("load", "run", "--service", service, "--fleet", "atlas", "--region", "westeurope")
    assert (done.returncode, done.stdout) == (2, "")
    assert "services that generate: chat, chat-mini" in done.stderr and "no load was started" in done.stderr


def test_a_region_that_is_down_is_sent_nothing(tmp_path: Path, ops: Ops) -> None:
    """Exit 6, and the command that brings it up."""
    done = ops("load", "run", "--service", "chat", state=tmp_path)
    assert (done.returncode, done.stdout) == (6, "")
    assert "next: ops local up" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rate", "20"], "write a rate such as 100/s"),
        (["--rate", "0/s"], "give more than zero"),
        (["--rate", "-5/s"], "--rate"),
        (["--rate", "1000000/s"], "at most 5000/s"),
        (["--duration", "20"], "write a duration such as 500ms, 5m, 30d, or forever"),
        (["--duration", "0s"], "give more than zero"),
        (["--trace", "chat"], "there is no trace"),
        (["--trace", ""], "there is no trace"),
        (["--trace", "./no-such-trace.csv"], "no-such-trace.csv"),
        (["--profile", "no-such-profile"], "conversation"),
        (["--profile", "./no-such-profile.yaml"], "no-such-profile.yaml"),
        (["--seed", "-1"], "--seed"),
        (["--service", "chatt"], "chat"),
        (["--region", "nowhere"], "eastus2"),
        (["--fleet", "nowhere"], "nowhere"),
        (["--output", "xml"], "xml"),
    ],
    ids=str,
)
def test_wrong_input_says_what_would_be_right(truth: Truth, ops: Ops, arguments: list[str], said: str) -> None:
    """Exit 2, before anything is sent."""
    done = ops("load", "run", *(["--service", "chat"] if "--service" not in arguments else []), *arguments)
    assert (done.returncode, done.stdout, truth.asked) == (2, "", [])
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_something_must_be_pressed(ops: Ops) -> None:
    """A service or a target; the error names the services."""
    done = ops("load", "run")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--service (chat, chat-mini) or --target URL" in done.stderr


@pytest.mark.parametrize(
    ("how", "said", "code"),
    [({"slow": 1.6}, "B is worse", 3), ({"slow": 0.6}, "B is better", 0), ({"seconds": 5}, "in all: unknown", 5)],
    ids=str,
)
def test_two_runs_are_compared(ops: Ops, tmp_path: Path, how: dict[str, object], said: str, code: int) -> None:
    """Figure by figure, by evidence; only where a gate is asked for does the answer end the command."""
    a, b = keep(tmp_path / "a.json", seed=1), keep(tmp_path / "b.json", **{"seed": 2, **how})
    done = ops("load", "compare", a, b)
    assert (done.returncode, done.stderr) == (0, "")
    assert said in done.stdout and "ttft p99" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    gate = ops("load", "compare", a, b, "--gate", "-o", "json")
    assert gate.returncode == code
    assert json.loads(gate.stdout)["kind"] == "LoadComparison"


def test_what_is_no_run_is_said(ops: Ops, tmp_path: Path) -> None:
    """A file that is not there, one that is no JSON, and another document."""
    other = tmp_path / "other.json"
    other.write_text("{}")
    torn = tmp_path / "torn.json"
    torn.write_text('{"kind": "LoadRun",')
    cases = {
        "no-such.json": (2, "there is no run"),
        str(other): (2, "is no run"),
        str(torn): (6, "cannot be read as JSON"),
    }
    for name, (code, said) in cases.items():
        done = ops("load", "report", name)
        assert (done.returncode, done.stdout) == (code, "")
        assert said in done.stderr
    assert ops("load", "report").returncode == 2


def test_a_report_has_a_schema(ops: Ops) -> None:
    """JSON Schema of what `-o json` prints beside its apiVersion and kind."""
    schema = json.loads(ops("load", "report", "--schema").stdout)
    assert {"client", "arrivals", "outcomes", "metrics", "steady", "goodput"} <= set(schema["properties"])


def test_profiles_are_listed(ops: Ops) -> None:
    """What stands for whom, and how hard it presses at most."""
    done = ops("load", "profiles", "-o", "json")
    profiles = {one["name"]: one for one in json.loads(done.stdout)["profiles"]}
    assert (profiles["conversation"]["services"], profiles["step10x"]["services"]) == (["chat"], ["chat-mini"])
    assert profiles["conversation"]["peak"] == 120.0
    table = ops("load", "profiles")
    assert "conversation" in table.stdout and "trace conv 120/s" in " ".join(table.stdout.split())


@pytest.mark.parametrize(("duration", "code"), [("60s", 130), ("forever", 0)])
def test_ctrl_c_ends_with_the_report_so_far(truth: Truth, duration: str, code: int) -> None:
    """Interrupted where an end was set; where none was, it is the way to end it. The line of progress is repainted."""
    command = [str(BIN / "ops"), "load", "run", "--service", "chat", "--rate", "50/s", "--duration", duration]
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*command, "-o", "json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(theirs)
    said = _read_until(ours, b" sent at ")
    process.send_signal(signal.SIGINT)
    report = json.loads(process.communicate(timeout=60)[0])
    os.close(ours)
    assert process.returncode == code
    assert b"\r\x1b[K" in said
    assert report["interrupted"] is True
    assert report["arrivals"]["sent"] == report["arrivals"]["done"] == len(truth.asked) > 0


def _read_until(terminal: int, wanted: bytes) -> bytes:
    said = b""
    while wanted not in said:
        said += os.read(terminal, 4096)
    return said
