"""The simulated model server as a process: what a client sees, what its metrics say, how it ends."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from infra.local.fate import End, fate
from tests.infra.local.model_server import MODEL, ROOT, SECONDS, ModelServer, free_port, model_server, spawn, until

CHAT = {"model": MODEL, "messages": [{"role": "user", "content": "say something"}], "max_tokens": 3}
FAULTS = {
    "refuse": "15%",
    "http_5xx": "15%",
    "stream_error": "15%",
    "early_end": "15%",
    "slow": {"share": "30%", "factor": 10},
}
WITHDRAWN = {
    "message": "The release v2 was withdrawn before the answer was complete.",
    "type": "ReleaseWithdrawn",
    "param": None,
    "code": 503,
}


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelServer]:
    """A server without faults."""
    with model_server(tmp_path_factory.mktemp("healthy")) as server:
        yield server


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelServer]:
    """A server with every fault that a single request can meet."""
    with model_server(tmp_path_factory.mktemp("faulty"), FAULTS) as server:
        yield server


def masked(body: bytes) -> str:
    """Bytes without the time of creation."""
    return re.sub(r'"created":\d+', '"created":0', body.decode())


# -- what a client sees --


def test_a_streamed_completion_has_the_bytes_that_vllm_writes(healthy: ModelServer) -> None:
    response = healthy.stream(6, "abc", stream_options={"include_usage": True})
    assert response.status == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    head = 'data: {"id":"cmpl-abc","object":"text_completion","created":0,"model":"demo-8b","choices":['
    tail = '"stop_reason":null,"prompt_token_ids":null,"token_ids":null}]}\n\n'
    assert masked(response.body) == (
        f'{head}{{"index":0,"text":"order","logprobs":null,"finish_reason":null,{tail}'
        f'{head}{{"index":0,"text":" then waits for more","logprobs":null,"finish_reason":null,{tail}'
        f'{head}{{"index":0,"text":" work","logprobs":null,"finish_reason":"length",{tail}'
        f'{head}],"usage":{{"prompt_tokens":3,"total_tokens":9,"completion_tokens":6}}}}\n\n'
        "data: [DONE]\n\n"
    )


def test_a_streamed_chat_begins_with_the_role_alone(healthy: ModelServer) -> None:
    response = healthy.ask("/v1/chat/completions", CHAT | {"stream": True, "ignore_eos": True}, x_request_id="abc")
    head = 'data: {"id":"chatcmpl-abc","object":"chat.completion.chunk","created":0,"model":"demo-8b","choices":['
    assert masked(response.body) == (
        f'{head}{{"index":0,"delta":{{"role":"assistant","content":""}},"logprobs":null,"finish_reason":null}}],'
        '"prompt_token_ids":null,"prompt_text":null}\n\n'
        f'{head}{{"index":0,"delta":{{"content":"order"}},"logprobs":null,"finish_reason":null,"token_ids":null}}],'
        '"kv_transfer_params":null}\n\n'
        f'{head}{{"index":0,"delta":{{"content":" then waits"}},"logprobs":null,"finish_reason":"length",'
        '"stop_reason":null,"token_ids":null,"weight_versions":null}],"kv_transfer_params":null}\n\n'
        "data: [DONE]\n\n"
    )


def test_the_same_request_gets_the_same_answer_whole_or_streamed(healthy: ModelServer) -> None:
    streamed = "".join(event["choices"][0]["text"] for event in healthy.stream(30, "same").events[:-1])
    body = {"prompt": "a b c", "max_tokens": 30, "ignore_eos": True}
    whole = healthy.ask("/v1/completions", body, x_request_id="same").json
    assert whole["choices"][0]["text"] == streamed
    assert len(streamed.split()) == 30
    assert whole["usage"] == {"prompt_tokens": 3, "total_tokens": 33, "completion_tokens": 30}


def test_without_ignore_eos_an_answer_ends_by_itself_or_at_the_limit(healthy: ModelServer) -> None:
    for number in range(8):
        length = fate(healthy.simulate, 1, "v2", f"eos-{number}").length
        body = {"prompt": "x", "max_tokens": 100}
        answer = healthy.ask("/v1/completions", body, x_request_id=f"eos-{number}").json
        assert answer["usage"]["completion_tokens"] == min(length, 100)
        assert answer["choices"][0]["finish_reason"] == ("stop" if length <= 100 else "length")


def test_a_chat_that_is_not_streamed(healthy: ModelServer) -> None:
    answer = healthy.ask("/v1/chat/completions", CHAT).json
    assert answer["object"] == "chat.completion"
    assert answer["choices"][0]["message"]["role"] == "assistant"
    assert len(answer["choices"][0]["message"]["content"].split()) == 3
    assert answer["usage"]["prompt_tokens"] == 3  # the role and two words


@pytest.mark.parametrize("prompt", ["a b c", [1, 2, 3], ["a b c"], [[1, 2, 3]]])
def test_a_prompt_is_text_or_token_ids_or_a_list_of_one(healthy: ModelServer, prompt: Any) -> None:
    answer = healthy.ask("/v1/completions", {"prompt": prompt, "max_tokens": 1})
    assert answer.json["usage"]["prompt_tokens"] == 3


def test_content_parts_are_read(healthy: ModelServer) -> None:
    parts = [{"type": "text", "text": "one two"}, {"type": "text", "text": "three"}]
    body = {"messages": [{"role": "user", "content": parts}], "max_completion_tokens": 2}
    assert healthy.ask("/v1/chat/completions", body).json["usage"]["prompt_tokens"] == 4


def test_an_embedding_is_a_unit_vector_that_depends_on_the_input(healthy: ModelServer) -> None:
    one, same, other = (
        healthy.ask("/v1/embeddings", {"input": text}).json["data"][0]["embedding"] for text in ("a b", "a b", "a c")
    )
    assert one == same != other
    assert sum(number * number for number in one) == pytest.approx(1)


def test_the_model_is_listed(healthy: ModelServer) -> None:
    (card,) = healthy.ask("/v1/models").json["data"]
    assert (card["id"], card["owned_by"], card["max_model_len"]) == (MODEL, "vllm", 32_768)


@pytest.mark.parametrize(
    ("path", "body", "status", "hint"),
    [
        ("/v1/completions", {"model": "other", "prompt": "x"}, 404, "The model `other` does not exist"),
        ("/v1/completions", {"max_tokens": 3}, 400, "body.prompt: Field required"),
        ("/v1/completions", {"prompt": ""}, 400, "at least one token"),
        ("/v1/completions", {"prompt": []}, 400, "at least one token"),
        ("/v1/completions", {"prompt": ["x", "y"]}, 400, "takes one prompt"),
        ("/v1/completions", {"prompt": "x", "max_tokens": 0}, 400, "greater than or equal to 1"),
        ("/v1/completions", {"prompt": "x", "max_tokens": 40_000}, 400, "maximum context length (32768)"),
        ("/v1/completions", {"prompt": "x", "n": 2}, 400, "body.n"),
        ("/v1/completions", {"prompt": "x", "stream_options": {"include_usage": True}}, 400, "stream=True"),
        ("/v1/completions", b"{not json", 400, "Invalid JSON"),
        ("/v1/completions", b"[]", 400, "body"),
        ("/v1/chat/completions", {"messages": []}, 400, "body.messages"),
        ("/v1/chat/completions", {"messages": [{"content": "x"}]}, 400, "role"),
        ("/v1/nothing", {"prompt": "x"}, 404, "Not Found"),
        ("/health", {}, 405, "Method Not Allowed"),
        ("/v1/completions", None, 405, "Method Not Allowed"),
    ],
)
def test_a_wrong_request_is_answered_in_openai_shape(
    healthy: ModelServer, path: str, body: Any, status: int, hint: str
) -> None:
    response = healthy.ask(path, body)
    assert response.status == status
    error = response.json["error"]
    assert hint in error["message"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == status


def test_a_body_that_is_not_announced_as_json_is_refused(healthy: ModelServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", healthy.port, timeout=SECONDS)
    connection.request("POST", "/v1/completions", b'{"prompt":"x"}', {"content-type": "text/plain"})
    response = connection.getresponse()
    assert (response.status, b"Unsupported Media Type" in response.read()) == (400, True)
    connection.close()


# -- what goes wrong --


def test_a_refused_request_gets_429_and_when_to_come_back(faulty: ModelServer) -> None:
    before = faulty.metric("vllm:admission_rejections_total")
    response = faulty.stream(request=faulty.request_with(End.REFUSED))
    assert (response.status, response.headers["retry-after"]) == (429, "1")
    assert response.json["error"]["code"] == 429
    assert faulty.metric("vllm:admission_rejections_total") == before + 1


def test_an_http_error_has_no_tokens_and_never_reaches_the_engine(faulty: ModelServer) -> None:
    before = faulty.metric("vllm:request_success_total")
    response = faulty.stream(request=faulty.request_with(End.HTTP_5XX))
    error = {"message": "Internal server error", "type": "InternalServerError", "param": None, "code": 500}
    assert (response.status, response.json) == (500, {"error": error})
    assert faulty.metric("vllm:request_success_total") == before


def test_an_error_in_the_stream_comes_with_status_200_and_done(faulty: ModelServer) -> None:
    before = faulty.metric("vllm:request_success_total", finished_reason="error")
    name = faulty.request_with(End.STREAM_ERROR)
    response = faulty.stream(41, name)
    *tokens, error, done = response.events
    assert response.status == 200
    assert response.body.endswith(
        b'data: {"error":{"message":"Internal server error","type":"InternalServerError","param":null,"code":500}}'
        b"\n\ndata: [DONE]\n\n"
    )
    assert (error["error"]["code"], done) == (500, "[DONE]")
    made = sum(len(event["choices"][0]["text"].split()) for event in tokens)
    assert made == 1 + int(fate(faulty.simulate, 1, "v2", name).cut * 40)
    assert all(event["choices"][0]["finish_reason"] is None for event in tokens)
    assert faulty.metric("vllm:request_success_total", finished_reason="error") == before + 1


def test_the_same_error_without_streaming_is_a_500(faulty: ModelServer) -> None:
    response = faulty.stream(request=faulty.request_with(End.STREAM_ERROR), stream=False)
    assert (response.status, response.json["error"]["type"]) == (500, "InternalServerError")


def test_an_early_end_is_clean_and_looks_like_a_success_to_the_server(faulty: ModelServer) -> None:
    before = faulty.metric("vllm:request_success_total", finished_reason="stop")
    response = faulty.stream(41, faulty.request_with(End.EARLY), stream_options={"include_usage": True})
    assert response.status == 200
    assert "[DONE]" not in response.events
    assert not any("usage" in event for event in response.events)
    assert {event["choices"][0]["finish_reason"] for event in response.events} == {None}
    assert faulty.metric("vllm:request_success_total", finished_reason="stop") == before + 1


def test_an_early_end_without_streaming_has_no_finish_reason(faulty: ModelServer) -> None:
    response = faulty.stream(41, faulty.request_with(End.EARLY), stream=False)
    assert (response.status, response.json["choices"][0]["finish_reason"]) == (200, None)


def test_a_slow_request_is_slower_by_its_factor(faulty: ModelServer) -> None:
    def seconds(name: str) -> float:
        begun = time.monotonic()
        assert faulty.stream(41, name).status == 200
        return time.monotonic() - begun

    assert seconds(faulty.request_with(End.WELL)) >= 0.040
    assert seconds(faulty.request_with(End.WELL, slow=True)) >= 0.400


def test_every_request_meets_the_fate_that_was_drawn_for_it(faulty: ModelServer) -> None:
    names = [f"crowd-{number}" for number in range(200)]

    def seen(name: str) -> End:
        response = faulty.stream(3, name)
        match response.status, response.events if response.status == 200 else []:
            case 429, _:
                return End.REFUSED
            case 500, _:
                return End.HTTP_5XX
            case 200, [*_, {"error": _}, "[DONE]"]:
                return End.STREAM_ERROR
            case 200, [*_, "[DONE]"]:
                return End.WELL
            case _:
                return End.EARLY

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(seen, names)) == [fate(faulty.simulate, 1, "v2", name).end for name in names]


def test_a_crash_after_some_requests_takes_the_process_with_it(tmp_path: Path) -> None:
    with model_server(tmp_path, {"crash": {"after_requests": 2}}) as server:
        assert server.stream().status == 200
        with pytest.raises((http.client.HTTPException, OSError)):
            server.stream()
        assert server.exit_code() == 1


def test_a_crash_on_time_needs_no_request(tmp_path: Path) -> None:
    with model_server(tmp_path, {"crash": {"every": "700ms"}}) as server:
        assert server.exit_code() == 1


def test_a_loading_server_says_so(tmp_path: Path) -> None:
    with model_server(tmp_path, wait="/v1/models", load_time="1500ms") as server:
        assert server.ask("/health").status == 503
        response = server.stream()
        assert (response.status, response.headers["retry-after"]) == (503, "1")
        assert "loading" in response.json["error"]["message"]
        until(lambda: server.ask("/health").status == 200, "the server is loaded")
        assert server.stream().events[-1] == "[DONE]"


# -- what the metrics say --


def test_the_metrics_count_what_happened(tmp_path: Path) -> None:
    with model_server(tmp_path, decode="5ms") as server:
        for _ in range(3):
            server.stream(9, prompt=" ".join(["word"] * 40))
        server.ask("/v1/completions", {"prompt": ""})
        assert server.metric("vllm:prompt_tokens_total") == 120
        assert server.metric("vllm:prefix_cache_hits_total") == 64  # two full blocks, twice
        assert server.metric("vllm:generation_tokens_total") == 27
        assert server.metric("vllm:request_success_total", finished_reason="length") == 3
        assert server.metric("vllm:time_to_first_token_seconds_count") == 3
        assert server.metric("vllm:inter_token_latency_seconds_count") == 24
        assert server.metric("vllm:inter_token_latency_seconds_sum") == pytest.approx(0.12, abs=0.06)
        assert server.metric("vllm:num_requests_running") == 0
        assert server.metric("http_requests_total", status="2xx", handler="/v1/completions") == 3
        assert server.metric("http_requests_total", status="4xx", handler="/v1/completions") == 1
        assert server.metric("http_requests_total", handler="/metrics") == 0


def test_a_client_that_leaves_is_an_abort(tmp_path: Path) -> None:
    with model_server(tmp_path, decode="50ms") as server:
        body = {"prompt": "x", "max_tokens": 5000, "ignore_eos": True, "stream": True}
        connection = server.open("/v1/completions", body)
        assert connection.getresponse().read(5) == b"data:"
        assert server.metric("vllm:num_requests_running") == 1
        assert server.metric("vllm:kv_cache_usage_perc") > 0
        whole = server.open("/v1/completions", body | {"stream": False})
        until(lambda: server.metric("vllm:num_requests_running") == 2, "both are in the batch")
        for left in (connection, whole):
            assert left.sock is not None
            left.sock.shutdown(socket.SHUT_RDWR)
        until(lambda: server.metric("vllm:request_success_total", finished_reason="abort") == 2, "aborts are counted")
        assert server.metric("vllm:num_requests_running") == 0
        assert server.metric("vllm:kv_cache_usage_perc") == 0
        assert server.metric("vllm:e2e_request_latency_seconds_count") == 0


# -- how it ends --


def long_stream(server: ModelServer, tokens: int) -> http.client.HTTPResponse:
    """A stream of which the first bytes have come."""
    body = {"prompt": "x", "max_tokens": tokens, "ignore_eos": True, "stream": True}
    response = server.open("/v1/completions", body).getresponse()
    assert response.read(5) == b"data:"
    return response


def test_a_draining_server_finishes_what_is_open_and_takes_nothing_new(tmp_path: Path) -> None:
    with model_server(tmp_path, decode="20ms") as server:
        stream = long_stream(server, 60)
        server.signal(signal.SIGTERM)
        until(lambda: server.ask("/health").status == 503, "health says no")
        response = server.stream()
        assert (response.status, "draining" in response.json["error"]["message"]) == (503, True)
        rest = stream.read()
        assert b'"finish_reason":"length"' in rest
        assert rest.endswith(b"data: [DONE]\n\n")
        assert server.exit_code() == 0


def test_after_the_drain_open_streams_end_with_a_typed_error(tmp_path: Path) -> None:
    with model_server(tmp_path, drain="300ms", decode="20ms") as server:
        stream = long_stream(server, 5000)
        server.signal(signal.SIGTERM)
        *_, error, done = stream.read().decode().strip().split("\n\n")
        assert json.loads(error.removeprefix("data: ")) == {"error": WITHDRAWN}
        assert done == "data: [DONE]"
        assert server.exit_code() == 0


def test_sigquit_ends_everything_at_once_streamed_or_not(tmp_path: Path) -> None:
    with model_server(tmp_path, drain=60, decode="20ms") as server:
        stream = long_stream(server, 5000)
        whole = server.open("/v1/completions", {"prompt": "x", "max_tokens": 5000, "ignore_eos": True})
        until(lambda: server.metric("vllm:num_requests_running") == 2, "both are in the batch")
        begun = time.monotonic()
        server.signal(signal.SIGQUIT)
        assert json.dumps(WITHDRAWN).replace(" ", "")[:30].encode() in stream.read().replace(b" ", b"")
        response = whole.getresponse()
        assert (response.status, json.loads(response.read())) == (503, {"error": WITHDRAWN})
        assert server.exit_code() == 0
        assert time.monotonic() - begun < 5


def test_an_idle_server_stops_at_once_although_a_connection_is_kept(tmp_path: Path) -> None:
    with model_server(tmp_path, drain=60) as server:
        connection = server.open("/health")
        connection.getresponse().read()
        server.signal(signal.SIGTERM)
        assert server.exit_code() == 0
        connection.close()


# -- how it starts --


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("{", "Invalid JSON"),
        ('{"service":"chat"}', "model: Field required"),
        ('{"service":"chat","model":"m","release":"v1","arm":"stable","replica":"0","extra":1}', "extra: Extra inputs"),
        (
            '{"service":"chat","model":"m","release":"v1","arm":"stable","replica":"0",'
            '"simulate":{"performance":{"decode":"5"}}}',
            "simulate.performance.decode",
        ),
        ('{"service":"c","model":"m","release":"v1","arm":"s","replica":"0","drain":"soon"}', "drain"),
    ],
)
def test_a_wrong_configuration_is_one_line_and_exit_2(tmp_path: Path, text: str, hint: str) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(text)
    process = spawn(path, free_port())
    _, story = process.communicate(timeout=SECONDS)
    assert process.returncode == 2
    assert hint in story.decode()
    assert len(story.decode().splitlines()) == 1


def test_a_missing_configuration_is_exit_2(tmp_path: Path) -> None:
    process = spawn(tmp_path / "none.json", free_port())
    _, story = process.communicate(timeout=SECONDS)
    assert (process.returncode, "No such file" in story.decode()) == (2, True)


def test_a_port_in_use_is_one_line_and_exit_6(tmp_path: Path) -> None:
    with model_server(tmp_path) as server:
        process = spawn(tmp_path / "server.json", server.port)
        _, story = process.communicate(timeout=SECONDS)
        assert process.returncode == 6
        assert f"port {server.port}" in story.decode()
        assert len(story.decode().splitlines()) == 1


# -- what it costs --


def test_a_server_is_small(healthy: ModelServer) -> None:
    status = Path(f"/proc/{healthy.process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    assert int(found[1]) < 70_000  # measured: 46 MB; six of them and more must fit in 600 MB


def test_a_server_loads_no_heavy_package() -> None:
    heavy = {"numpy", "yaml", "typer", "rich", "fastapi", "starlette", "locust", "gevent", "requests"}
    code = f"import infra.local.server, sys; print(sorted({heavy} & set(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "[]"
