"""A local emulator of the GPTBots conversation-history API, for tests.

```python
from gptbots_mock import Fault, Server

with Server() as server:
    sandbox = server.sandbox("export")  # one for each test
    sandbox.fail_next(Fault.code(50000).on("conversations"))
    export(sandbox.url, sandbox.api_key)  # your client
    sandbox.assert_clean()
```

The emulator is a binary, which is part of this package. Nothing is downloaded. pytest finds the
fixture `gptbots_mock`, a sandbox of the test, by itself.
"""

from __future__ import annotations

from ._errors import BinaryNotFound, ControlError, MockError, StartError
from ._fault import Fault, LogNormal
from ._find import find_binary
from ._journal import Finding, Request, Verdict, Violation
from ._sandbox import Sandbox
from ._server import Server
from ._words import Code, Hazard, Operation, Parameter, Reading, Rule

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
