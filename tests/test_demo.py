"""``syndicator demo``: a whole day against the real daemon, in both languages; and whatever ends it, nothing stays behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from syndicator.sandbox.day import COLUMNS, Day, Row
from syndicator.sandbox.town import Public, Town
from syndicator.words import say
from tests.shell_scene import ROOT, environ, until


def processes(folder: Path) -> list[int]:
    """Those that were started on something in ``folder``."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if str(folder).encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


@contextlib.asynccontextmanager
async def demo(folder: Path, *arguments: str, language: str = "fr") -> AsyncIterator[asyncio.subprocess.Process]:
    """The command, with ``folder`` for whatever it leaves on the disk."""
    folder.mkdir(exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "syndicator", "demo", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environ(SYNDICATOR_LANGUAGE=language, PYTHONPATH=str(ROOT), TMPDIR=str(folder)),
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.communicate()


async def play(folder: Path, language: str) -> tuple[int, str, str]:
    """A whole day, for a script."""
    async with demo(folder, "--once", "--json", language=language) as process:
        out, err = await process.communicate()
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()


async def test_the_day_is_all_right_in_both_languages(tmp_path: Path) -> None:
    """``demo --once --json``: exit code 0, every row as it must be, and neither a process nor a file left."""
    folders = {language: tmp_path / language for language in ("fr", "en")}
    ended = await asyncio.gather(*(play(folder, language) for language, folder in folders.items()))
    for code, out, err in ended:
        told = json.loads(out)
        assert ([row for row in told["rows"] if not row["right"]], told["log"]) == ([], [])
        assert (code, told["ok"], len(told["rows"])) == (0, True, 17)
        assert "Traceback" not in err
    assert [list(folder.iterdir()) for folder in folders.values()] == [[], []]
    assert processes(tmp_path) == []


@pytest.mark.parametrize(("number", "arguments", "code"), [
    (signal.SIGINT, ("--once",), 130),
    (signal.SIGTERM, ("--stay",), 130),
    (signal.SIGHUP, ("--once", "--json"), 130),
    (signal.SIGINT, ("--page",), 0),
    (signal.SIGTERM, ("--page",), 0),
], ids=["Ctrl-C", "SIGTERM", "the terminal is closed", "Ctrl-C on the page", "SIGTERM on the page"])  # fmt: skip
async def test_whatever_ends_it_nothing_stays(tmp_path: Path, number: signal.Signals, arguments: tuple[str, ...], code: int) -> None:
    """Once its daemon runs, or once its page is there: it ends soon, and takes the daemon, the servers and the folder with it."""
    async with demo(tmp_path, *arguments) as process:
        assert process.stdout is not None
        await until(lambda: bool(processes(tmp_path)), "the daemon")
        if "--page" in arguments:
            async for line in process.stdout:
                if b"http://" in line:
                    break
        process.send_signal(number)
        async with asyncio.timeout(20):
            _, err = await process.communicate()
    assert (process.returncode, err.count(b"Traceback")) == (code, 0)
    assert list(tmp_path.iterdir()) == []
    assert processes(tmp_path) == []


async def test_a_daemon_that_dies_is_told_at_once(tmp_path: Path) -> None:
    """The demo does not wait for what cannot come: it shows the daemon's last words and fails."""
    async with demo(tmp_path, "--once") as process:
        await until(lambda: bool(processes(tmp_path)), "the daemon")
        await until(lambda: bool(list(tmp_path.glob("*/public/events.json"))), "the first page")
        os.kill(processes(tmp_path)[0], signal.SIGKILL)
        async with asyncio.timeout(20):
            _, err = await process.communicate()
    told = err.decode()
    assert process.returncode == 1
    assert "Le service s'est arrêté tout seul" in told
    assert "service.ready" in told
    assert list(tmp_path.iterdir()) == []


async def test_what_did_not_come_is_told_in_words() -> None:
    """With a daemon that does nothing every row that expects something is wrong, and says what, in both languages."""
    town = await Town().start()

    async def restart() -> None:
        """Nobody to kill."""

    told: list[Row] = []
    try:
        day = Day(town=town, public=Public(url="http://127.0.0.1:9/"), restart=restart, told=told.append, patience_s=0)
        rows = await day.play()
    finally:
        await town.stop()
    assert rows == told
    assert [row.key for row in rows if row.right] == ["old"]
    assert {column for row in rows for column in row.expected} == set(COLUMNS)
    for language in ("fr", "en"):
        for row in rows:
            assert say(language, f"demo.day.{row.key}")
            for expected in row.expected.values():
                assert expected.text in say(language, f"demo.expected.{expected.key}", text=expected.text)
