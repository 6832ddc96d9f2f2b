"""The worked example of docs/connectors.md: run as it is written there."""

from __future__ import annotations

import importlib
import os
import re
import sys
import tomllib
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from syndicator import registry

GUIDE = (Path(__file__).parent.parent / "docs" / "connectors.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL))
CONNECTOR = "syndicator_noticeboard.py"


def _install(folder: Path) -> Path:
    """The example in ``folder``, as ``pip install`` would leave it."""
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    project = tomllib.loads(FILES["pyproject.toml"])["project"]
    about = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    rows = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in entries.items()) for group, entries in project["entry-points"].items()]
    (about / "entry_points.txt").write_text("\n".join(rows))
    return folder


@pytest.fixture(scope="module")
def folder() -> Path:
    """Where the example is installed."""
    return INSTALLED


def _module(name: str) -> Any:
    sys.path.insert(0, str(INSTALLED))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(INSTALLED))


KEPT = TemporaryDirectory(prefix="syndicator-docs-")
"""Removed when the tests end."""
INSTALLED = _install(Path(KEPT.name))
TestNoticeboard = _module("test_noticeboard").TestNoticeboard
"""The example's own tests, collected here."""


def test_the_example_is_short() -> None:
    """A whole connector in less than 100 lines, none of them too long to read."""
    lines = FILES[CONNECTOR].splitlines()

    assert len(lines) < 100
    assert max(map(len, lines)) <= 140


def test_the_entry_point_is_the_whole_registration(folder: Path) -> None:
    """What pyproject.toml says is enough for the registry."""
    assert registry.names("destinations", path=(str(folder),)) == ("noticeboard",)


async def test_a_configuration_can_name_it(folder: Path, tmp_path: Path) -> None:
    """``syndicator check`` reads the options of the guide, opens the connector, and says whose board it is."""
    block = next(text for text in re.findall(r"^```toml\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL) if text.startswith("[destinations"))
    async with _module("noticeboard_simulator").NoticeboardSimulator() as board, _feed() as feed:
        (tmp_path / "town").write_text("board-key")
        (tmp_path / "asso.toml").write_text(
            f"""
[association]
name = "Les Amis du Vélo"
language = "en"
[network]
allow_private = ["127.0.0.1"]
[sources.site]
type = "feed"
url = "{feed.url}/feed/"
{block.replace("https://board.example", board.url)}
[routes.all]
"""
        )
        environ = {**os.environ, "PYTHONPATH": str(folder), "CREDENTIALS_DIRECTORY": str(tmp_path), "STATE_DIRECTORY": str(tmp_path)}
        command = (sys.executable, "-m", "syndicator", "check", "--config", str(tmp_path / "asso.toml"))
        process = await create_subprocess_exec(*command, env=environ, stdout=PIPE, stderr=STDOUT)
        said = (await process.communicate())[0].decode()

    assert "✓ destinations.town: noticeboard, town-hall" in said
    assert process.returncode == 0


def _feed() -> Any:
    from syndicator.sandbox.feed import FeedSimulator

    return FeedSimulator()
