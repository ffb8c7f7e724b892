"""What a program needs: found by what it imports, at its start and later."""

from __future__ import annotations

import pytest

from loadtests.package.closure import closure

FILES = {
    "loadtests/__init__.py": "",
    "loadtests/start.py": "{}",
    "loadtests/a.py": "import json, numpy\nfrom loadtests import b",
    "loadtests/b.py": "",
    "loadtests/part/__init__.py": "import psutil",
    "loadtests/part/c.py": "",
    "infra/__init__.py": "",
    "infra/d.py": "import httpx",
}
CASES = {
    "from loadtests.a import name": ({"a", "b"}, {"numpy"}),
    "import loadtests.part.c": ({"part/__init__", "part/c"}, {"psutil"}),
    "from loadtests.part import c": ({"part/__init__", "part/c"}, {"psutil"}),
    "def f():\n    from loadtests import a": ({"a", "b"}, set()),
    "async def f():\n    import numpy": (set(), set()),
    "class C:\n    import numpy\n    def f(self):\n        import httpx": (set(), {"numpy"}),
    "try:\n    import yaml\nexcept ImportError:\n    import httpx": (set(), {"yaml", "httpx"}),
    "if x:\n    import yaml\nelse:\n    import httpx": (set(), {"yaml", "httpx"}),
    "with x:\n    import yaml.nodes": (set(), {"yaml"}),
    "if TYPE_CHECKING:\n    from loadtests import a\n    import numpy": (set(), set()),
    "from loadtests.missing import x": (set(), set()),
}


@pytest.mark.parametrize("text", CASES)
def test_imports_are_followed(text: str) -> None:
    """All files of ours, sooner or later; of others only what is imported at the start."""
    ours, others = CASES[text]
    files, packages = closure("loadtests/start.py", {**FILES, "loadtests/start.py": text}.get)
    found = {path for path in files if path not in ("loadtests/start.py", "loadtests/__init__.py")}
    assert (found, packages) == ({f"loadtests/{name}.py" for name in ours}, others)


def test_what_is_above_a_module_goes_with_it() -> None:
    """Its package, and what that imports."""
    files, packages = closure("loadtests/start.py", {**FILES, "loadtests/start.py": "import infra.d"}.get)
    assert {"infra/__init__.py", "infra/d.py"} <= files.keys() and packages == {"httpx"}
