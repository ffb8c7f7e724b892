"""GuideLLM from PyPI. Its inter-token latency is the mean of each request, weighted by tokens: it keeps no gaps."""

from __future__ import annotations

import json
from pathlib import Path

from load_rivals.client import BEYOND, PROMPT, RIVALS, TOKENS, Case, Missing, Ran, call, environment, run

VERSION = "0.8.1"
METRICS = {"ttft": "time_to_first_token_ms", "itl": "inter_token_latency_ms"}
PROMPTS = 2000  # it begins again where they end


class GuideLLM:
    """`guidellm run`."""

    name = "guidellm"

    def install(self) -> str:
        """Its own environment, a tokenizer by words, and prompts."""
        try:
            self._python = environment("guidellm", f"guidellm=={VERSION}")
            call(self._python, str(Path(__file__).with_name("tokenizer.py")), str(RIVALS / "tokenizer"))
        except (Missing, OSError) as error:
            return str(error)
        text = " ".join(["word"] * (PROMPT - 1))
        rows = [{"prompt": f"{number} {text}", "output_tokens_count": TOKENS} for number in range(PROMPTS)]
        (RIVALS / "prompts.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
        return ""

    def run(self, case: Case, url: str, folder: Path, core: int) -> Ran:
        """For so many seconds."""
        out = folder / "guidellm.json"
        kind = f"poisson,rate={case.rate}" if case.open_loop else f"concurrent,streams={case.streams}"
        command = [
            *(str(Path(self._python).with_name("guidellm")), "run", "--disable-console"),
            *("--backend", f"kind=openai_http,target={url},model=m", "--profile", f"kind={kind}"),
            *("--constraint", f"kind=max_duration,seconds={case.seconds:g}"),
            *("--tokenizer", f"kind=huggingface_auto,model={RIVALS / 'tokenizer'}"),
            *("--data", f"kind=json_file,path={RIVALS / 'prompts.jsonl'}", "--output", f"kind=json,path={out}"),
        ]
        began, usage = run(command, {}, core, folder / "guidellm.log", case.seconds + BEYOND)
        metrics = json.loads(out.read_text())["benchmarks"][0]["metrics"]
        told = {what: metrics[name]["successful"]["percentiles"] for what, name in METRICS.items()}
        return Ran(began, usage, {f"{what}_{p}": told[what][p] / 1000 for what in told for p in ("p50", "p99")})
