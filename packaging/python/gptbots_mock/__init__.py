"""A local emulator of the GPTBots conversation-history API, for tests.

```python
from gptbots_mock import Fault, Server

with Server() as server:
    sandbox = server.sandbox("export")  # one for each test
    sandbox.fail_next(Fault.code(50000).on("conversations"))
    export(sandbox.url, sandbox.api_key)  # your client
    sandbox.assert_clean()
```

The emulator is a binary, which this package contains. Nothing is downloaded. The package is also
a pytest plugin: its fixture `gptbots_mock` gives each test its own sandbox.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._errors import BinaryNotFound, ControlError, MockError, StartError
    from ._fault import Fault, LogNormal
    from ._find import find_binary
    from ._journal import Finding, Request, Verdict, Violation
    from ._sandbox import Sandbox
    from ._server import Server
    from ._words import Code, Hazard, Operation, Parameter, Reading, Rule

_MODULES = {
    "_errors": ("BinaryNotFound", "ControlError", "MockError", "StartError"),
    "_fault": ("Fault", "LogNormal"),
    "_find": ("find_binary",),
    "_journal": ("Finding", "Request", "Verdict", "Violation"),
    "_sandbox": ("Sandbox",),
    "_server": ("Server",),
    "_words": ("Code", "Hazard", "Operation", "Parameter", "Reading", "Rule"),
}

__all__ = [
    "BinaryNotFound",
    "Code",
    "ControlError",
    "Fault",
    "Finding",
    "Hazard",
    "LogNormal",
    "MockError",
    "Operation",
    "Parameter",
    "Reading",
    "Request",
    "Rule",
    "Sandbox",
    "Server",
    "StartError",
    "Verdict",
    "Violation",
    "find_binary",
]


def __getattr__(name: str) -> object:
    """Imports the module of a name when the name is first used.

    pytest imports this package at every start, even if no test needs an emulator. Importing all
    modules would take 30 ms if Python writes no bytecode.
    """
    from importlib import import_module

    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
