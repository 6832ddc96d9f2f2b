"""The worked example of docs/connectors.md: run as it is written there."""

from __future__ import annotations

import importlib
import os
import re
import sys
import tomllib
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE, STDOUT
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from syndicator import registry
from syndicator.contract import Secret
from syndicator.http import Sessions
from syndicator.testing import make_context, make_rendition

ROOT = Path(__file__).parent.parent
GUIDE = (ROOT / "docs" / "connectors.md").read_text(encoding="utf-8")
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
    async with _module("noticeboard_simulator").NoticeboardSimulator() as board, _feed() as feed:
        code, said = await _syndicator("check", folder, _configured(tmp_path, board, feed))

    assert "✓ destinations.town: noticeboard, town-hall" in said
    assert code == 0


async def test_a_new_entry_goes_up_once(folder: Path, tmp_path: Path) -> None:
    """``syndicator once``, a process of its own each time: nothing from before, the new entry, and nothing again."""
    async with _module("noticeboard_simulator").NoticeboardSimulator() as board, _feed() as feed:
        feed.publish("Hier", "<p>Un ancien article.</p>", at=feed.now() - timedelta(days=1))
        config, seen = _configured(tmp_path, board, feed), []
        for round_ in range(3):
            if round_ == 1:
                feed.publish("Bourse aux vélos", "<p>Samedi, à la halle.</p>")
            code, said = await _syndicator("once", folder, config)
            assert code == 0, said
            seen.append([notice["text"].splitlines()[0] for notice in board.notices.values()])

        assert seen == [[], ["Bourse aux vélos"], ["Bourse aux vélos"]]
        assert [one.method for one in board.requests if one.path == "/api/notices"] == ["POST"]


async def test_its_methods_take_what_the_core_gives(tmp_path: Path) -> None:
    """After a lost answer the core asks with all that it knows: the notice is found, another is not."""
    publisher_class = _module("syndicator_noticeboard").NoticeboardPublisher
    async with _module("noticeboard_simulator").NoticeboardSimulator() as board:
        sessions = Sessions()
        options = publisher_class.Options(url=board.url, key=Secret("board-key"))
        publisher = publisher_class(options, make_context(tmp_path, sessions))
        await publisher.open()
        receipt = await publisher.publish(make_rendition(), "one", parent=None, prepared=None)

        assert await publisher.find("one", make_rendition(), prepared=None) == receipt
        assert await publisher.find("two", make_rendition(), prepared=None) is None
        await sessions.close()


def _configured(folder: Path, board: Any, feed: Any) -> Path:
    """The guide's own block, for that board."""
    block = next(text for text in re.findall(r"^```toml\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL) if text.startswith("[destinations"))
    (folder / "town").write_text("board-key")
    config = folder / "asso.toml"
    config.write_text(
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
delay = "0s"
"""
    )
    return config


async def _syndicator(command: str, plugins: Path, config: Path) -> tuple[int | None, str]:
    """A command, in a process where the example is installed: its exit code and what it says."""
    home = str(config.parent)
    environ = {**os.environ, "PYTHONPATH": f"{plugins}:{ROOT}", "CREDENTIALS_DIRECTORY": home, "STATE_DIRECTORY": home}
    argv = (sys.executable, "-m", "syndicator", command, "--config", str(config))
    process = await create_subprocess_exec(*argv, env=environ, stdout=PIPE, stderr=STDOUT)
    said = (await process.communicate())[0].decode()
    return process.returncode, said


def _feed() -> Any:
    from syndicator.sandbox.feed import FeedSimulator

    return FeedSimulator()
