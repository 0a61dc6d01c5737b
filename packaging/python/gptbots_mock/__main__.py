"""`python -m gptbots_mock` runs the binary with the same arguments."""

from __future__ import annotations

import os
import sys

from ._errors import BinaryNotFound
from ._find import find_binary


def main() -> None:
    try:
        binary = find_binary()
    except BinaryNotFound as error:
        sys.exit(f"error: {error}")
    arguments = [binary, *sys.argv[1:]]
    if sys.platform == "win32":
        import subprocess

        # Windows has no exec, so this process waits. Both processes receive Ctrl-C.
        try:
            sys.exit(subprocess.run(arguments, check=False).returncode)
        except KeyboardInterrupt:
            sys.exit(2)
    os.execv(binary, arguments)


if __name__ == "__main__":
    main()
