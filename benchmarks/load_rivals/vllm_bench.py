"""vLLM's own `vllm bench serve`, from its wheel on PyPI: unpacked and not installed, for it would bring torch."""

from __future__ import annotations

import json
import sys
import tempfile
import zipfile
from pathlib import Path

from load_rivals.client import BEYOND, PROMPT, RIVALS, TOKENS, Case, Missing, Ran, call, environment, run

VERSION = "0.33.0"
NEEDED = ("aiohttp", "numpy", "tqdm", "regex", "pybase64", "pillow")  # what vllm.benchmarks imports of others
SITE = RIVALS / f"vllm-{VERSION}"


class VllmBench:
    """It keeps every gap, and has percentiles of them."""

    name = "vllm bench"

    def install(self) -> str:
        """Unpack vllm/benchmarks of the wheel, and make an environment for what that imports."""
        try:
            self._python = environment("vllm", *NEEDED)
            if not (SITE / "vllm" / "benchmarks" / "serve.py").is_file():
                _unpack()
        except (Missing, OSError, zipfile.BadZipFile) as error:
            return str(error)
        return ""

    def run(self, case: Case, url: str, folder: Path, core: int) -> Ran:
        """Requests up front at so many a second, or as many at once as there are streams."""
        out = folder / "vllm.json"
        load = ["--request-rate", f"{case.rate}"] if case.open_loop else ["--max-concurrency", f"{case.streams}"]
        sizes = ["--input-len", f"{PROMPT}", "--output-len", f"{TOKENS}", "--num-prompts", f"{case.requests}"]
        told = ["--percentile-metrics", "ttft,itl", "--metric-percentiles", "50,99", "--save-result", "--disable-tqdm"]
        where = ["--base-url", url, "--endpoint", "/v1/chat/completions", "--backend", "openai-chat", "--model", "m"]
        more = ["--dataset-name", "custom", "--temperature", "0", "--ready-check-timeout-sec", "0"]
        script = str(Path(__file__).with_name("vllm_serve.py"))
        command = [self._python, script, *where, *load, *sizes, *more, *told, "--result-filename", str(out)]
        log = folder / "vllm.log"
        began, usage = run(command, {"PYTHONPATH": str(SITE)}, core, log, case.seconds + BEYOND)
        result = json.loads(out.read_text())
        figures = {f"{what}_p{p}": result[f"p{p}_{what}_ms"] / 1000 for what in ("ttft", "itl") for p in (50, 99)}
        return Ran(began, usage, figures)


def _unpack() -> None:
    """The wheel is 336 MB, of which 1 MB is kept."""
    with tempfile.TemporaryDirectory(dir=RIVALS) as folder:
        call(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", folder, f"vllm=={VERSION}")
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            wheel.extractall(SITE, [name for name in wheel.namelist() if name.startswith("vllm/benchmarks/")])
