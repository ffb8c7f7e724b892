"""Makes a tokenizer by words in a folder, as a model would bring one. Run by the Python that has `tokenizers`."""

from __future__ import annotations

import json
import sys
from itertools import product
from pathlib import Path


def main() -> None:
    """A word level vocabulary of a few hundred entries: enough for clients that count words."""
    from tokenizers import Tokenizer  # type: ignore[import-not-found]
    from tokenizers.models import WordLevel  # type: ignore[import-not-found]
    from tokenizers.pre_tokenizers import Whitespace  # type: ignore[import-not-found]

    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    words = ["<unk>", "<s>", "</s>", "word", *map("".join, product("bdfgkl", "aeiou", "mnprst"))]
    tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    special = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "</s>"}
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 100_000, **special}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / "config.json").write_text(json.dumps({"model_type": "gpt2"}))


if __name__ == "__main__":
    main()
