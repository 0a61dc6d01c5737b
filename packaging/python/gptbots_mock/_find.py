"""Finds the binary, which installers put into their folder of scripts."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

from ._errors import BinaryNotFound

VARIABLE = "GPTBOTS_MOCK_BIN"


def find_binary() -> str:
    """The path of the binary: `GPTBOTS_MOCK_BIN` if it is set, otherwise that of this package.

    Raises `BinaryNotFound`, whose message lists the folders that were searched.
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
        f"cannot find {name} in these folders:\n{looked}\n"
        f"Install the package again (`pip install --force-reinstall gptbots-mock`), "
        f"or set {VARIABLE} to the path of the binary."
    )


def _folders() -> list[str]:
    package = Path(__file__).resolve().parent
    library = package.parent
    scripts = "Scripts" if sys.platform == "win32" else "bin"
    folders = [
        # The usual folder, and that of the installation that a virtual environment is based on.
        sysconfig.get_path("scripts"),
        sysconfig.get_path("scripts", vars={"base": sys.base_prefix}),
    ]
    # `pip install --prefix` and `uv run --with` put bin next to lib/python3.13/site-packages.
    levels = 2 if sys.platform == "win32" else 3
    if library.name == "site-packages" and len(library.parents) >= levels:
        folders.append(str(library.parents[levels - 1] / scripts))
    # `pip install --target` puts bin into the target folder.
    folders.append(str(library / "bin"))
    folders.append(sysconfig.get_path("scripts", scheme=_user_scheme()))
    return list(dict.fromkeys(folders))


def _user_scheme() -> str:
    if sys.version_info >= (3, 10):
        return sysconfig.get_preferred_scheme("user")
    return "nt_user" if os.name == "nt" else "posix_user"
