"""Runs `vllm bench serve` without torch: vllm.benchmarks as it is, the rest of the package by names that do nothing.

Run by the Python of its own environment, with the unpacked wheel on PYTHONPATH. What is measured (the schedule, the
HTTP client, the reading of streams, the figures) is all in vllm.benchmarks; stubbed are tokenizers, images and engines.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import MutableSequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

REAL = "vllm.benchmarks"


class Nothing(ModuleType):
    """A module in which every name is a class that does nothing."""

    __path__: MutableSequence[str] = []  # noqa: RUF012 - the type of every module's

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = type(name, (), {"__init__": lambda self, *args, **kwargs: None})
        setattr(self, name, made)
        return made


class Stubs(MetaPathFinder, Loader):
    """Finds everything of vllm but its benchmarks, and makes nothing of it."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname.split(".")[0] != "vllm" or fullname.startswith(REAL):
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return Nothing(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        if module.__name__ == "vllm":
            found = PathFinder.find_spec("vllm")
            module.__path__ = list(found.submodule_search_locations or ()) if found else []


class Absent:
    """An optional package that is not there."""

    def __init__(self, name: str) -> None: ...

    def __getattr__(self, name: str) -> Any:
        return Absent(name)

    placeholder_attr = __getattr__


class Words:
    """A tokenizer by words, in the place of the one that a model would bring."""

    def __call__(self, text: str, **how: Any) -> argparse.Namespace:
        return argparse.Namespace(input_ids=text.split())


def samples(args: argparse.Namespace, tokenizer: object) -> list[Any]:
    """The requests of the run: prompts of `--input-len` words."""
    from vllm.benchmarks.datasets import SampleRequest  # type: ignore[import-not-found]

    text = " ".join(["word"] * args.input_len)
    return [
        SampleRequest(
            prompt=f"{number} {text}",
            prompt_len=args.input_len + 1,
            expected_output_len=args.output_len,
            request_id=f"r{number}",
        )
        for number in range(args.num_prompts)
    ]


def main() -> None:
    """Parse the command line of `vllm bench serve` and run it."""
    sys.meta_path.insert(0, Stubs())
    stubbed: dict[str, dict[str, object]] = {
        "vllm.utils.argparse_utils": {"FlexibleArgumentParser": argparse.ArgumentParser},
        "vllm.utils.gc_utils": {"freeze_gc_heap": gc.freeze},
        "vllm.utils.network_utils": {"join_host_port": "{}:{}".format},
        "vllm.utils.import_utils": {"PlaceholderModule": Absent},
        "vllm.tokenizers": {"get_tokenizer": lambda *args, **how: Words()},
    }
    for name, values in stubbed.items():
        module = Nothing(name)
        module.__dict__.update(values)
        sys.modules[name] = module
    from vllm.benchmarks import serve  # type: ignore[import-not-found]

    serve.get_samples = samples
    parser = argparse.ArgumentParser()
    serve.add_cli_args(parser)
    serve.main(parser.parse_args())


if __name__ == "__main__":
    main()
