"""Finds the binary, which an installer puts where it puts scripts."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

from ._errors import BinaryNotFound

VARIABLE = "GPTBOTS_MOCK_BIN"


def find_binary() -> str:
    """The path of the binary: the value of `GPTBOTS_MOCK_BIN`, or else the one of this package.

    Raises `BinaryNotFound`, which lists where it looked.
    """
    wanted = os.environ.get(VARIABLE)
    if wanted:
        if os.path.isfile(wanted):
            return os.path.abspath(wanted)
        raise BinaryNotFound(f"{VARIABLE} is {wanted!r}, which is not a file")
    name = "gptbots-mock" + (sysconfig.get_config_var("EXE") or "")
    folders = _folders()
    for folder in folders:
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            return path
    looked = "\n".join(f"  {folder}" for folder in folders)
    raise BinaryNotFound(
        f"there is no {name} in any of\n{looked}\n"
        f"Install the package again (`pip install --force-reinstall gptbots-mock`), "
        f"or set {VARIABLE} to the path of the binary."
    )


def _folders() -> list[str]:
    package = Path(__file__).resolve().parent
    library = package.parent
    scripts = "Scripts" if sys.platform == "win32" else "bin"
    folders = [
        # The usual place, and that of a base installation below a virtual environment.
        sysconfig.get_path("scripts"),
        sysconfig.get_path("scripts", vars={"base": sys.base_prefix}),
    ]
    # `pip install --prefix` and `uv run --with` have lib/python3.13/site-packages beside bin.
    levels = 2 if sys.platform == "win32" else 3
    if library.name == "site-packages" and len(library.parents) >= levels:
        folders.append(str(library.parents[levels - 1] / scripts))
    # `pip install --target` has bin inside the target.
    folders.append(str(library / "bin"))
    folders.append(sysconfig.get_path("scripts", scheme=_user_scheme()))
    return list(dict.fromkeys(folders))


def _user_scheme() -> str:
    if sys.version_info >= (3, 10):
        return sysconfig.get_preferred_scheme("user")
    return "nt_user" if os.name == "nt" else "posix_user"
