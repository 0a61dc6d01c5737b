"""The contents and the metadata of the wheel."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from importlib import import_module
from importlib.metadata import distribution
from pathlib import Path

import pytest

import gptbots_mock
from gptbots_mock import find_binary

WHEEL = distribution("gptbots-mock")


def test_the_binary_is_a_script_that_runs() -> None:
    binary = Path(sysconfig.get_path("scripts")) / Path(find_binary()).name
    assert find_binary() == str(binary)
    assert os.access(binary, os.X_OK)
    run = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=30)
    assert run.stdout == f"gptbots-mock {WHEEL.version}\n"


def test_nothing_else_is_needed() -> None:
    assert WHEEL.requires is None
    assert WHEEL.metadata["Requires-Python"] == ">=3.9"


def test_it_is_typed_and_licensed() -> None:
    files = {str(path) for path in WHEEL.files or ()}
    assert "gptbots_mock/py.typed" in files
    for licence in ("LICENSE-MIT", "LICENSE-APACHE"):
        assert any(path.endswith(f".dist-info/licenses/{licence}") for path in files)
    assert WHEEL.metadata["License-Expression"] == "MIT OR Apache-2.0"


def test_the_skill_for_coding_agents_has_what_it_links_to() -> None:
    folder = Path(gptbots_mock.__file__).parent / ".agents/skills/gptbots-mock"
    for page in ("SKILL.md", "llms.txt"):
        links = re.findall(r"\]\(([^)]*)\)", folder.joinpath(page).read_text("utf-8"))
        assert all(folder.joinpath(link).is_file() for link in links), links
        assert links or page == "SKILL.md"


def test_pytest_finds_the_plugin() -> None:
    (entry,) = (it for it in WHEEL.entry_points if it.group == "pytest11")
    assert (entry.name, entry.value) == ("gptbots_mock", "gptbots_mock.pytest_plugin")


def test_every_name_is_there() -> None:
    for name in gptbots_mock.__all__:
        assert getattr(gptbots_mock, name) is not None
    assert dir(gptbots_mock) == sorted(gptbots_mock.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'Sever'"):
        _ = gptbots_mock.Sever


def test_a_start_of_pytest_imports_no_more_than_the_plugin() -> None:
    """A module that is imported later takes no time if no test needs an emulator."""
    code = (
        "import sys, pytest; known = set(sys.modules); import gptbots_mock.pytest_plugin; "
        "print(*sorted(set(sys.modules) - known))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert run.stdout.split() == ["gptbots_mock", "gptbots_mock.pytest_plugin"]


@pytest.mark.parametrize("module", ["pytest_plugin", "_broker"])
def test_pytest_does_not_rewrite_what_it_imports_at_its_start(module: str) -> None:
    text = import_module(f"gptbots_mock.{module}").__doc__
    assert text is not None
    assert "PYTEST_DONT_REWRITE" in text
