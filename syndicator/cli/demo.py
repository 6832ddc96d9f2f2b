"""``syndicator demo``: a small fediverse on this machine, the real daemon against it, and a day of the association before your eyes.

Offline: everything is on loopback, in a temporary folder, and gone afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
from argparse import ArgumentParser, Namespace
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from syndicator.cli import COMMANDS, FAILED, INTERRUPTED, OK, show_json
from syndicator.words import say

if TYPE_CHECKING:
    from syndicator.sandbox.day import Row
    from syndicator.sandbox.town import Public, Town

HELP = COMMANDS["demo"]
STOP_S = 15
LOG_LINES = 40
STAGE_WORDS = (
    *("title", "lead", "free", "mirrored", "write", "publish", "event", "video", "elsewhere", "calendar", "site", "open", "log"),
    *("edit", "delete", "move", "moveTo", "cancel", "edited", "hidden", "cancelled"),
    *("day", "save", "keep", "empty", "onItsWay", "arrived", "refused", "over"),
)


def add_arguments(parser: ArgumentParser, language: str) -> None:
    """``--page``, ``--once``, ``--stay``, ``--json``."""
    parser.add_argument("--page", action="store_true", help=say(language, "demo.page"))
    parser.add_argument("--once", action="store_true", help=say(language, "demo.once"))
    parser.add_argument("--stay", action="store_true", help=say(language, "demo.stay"))
    parser.add_argument("--json", action="store_true", help=say(language, "cli.json"))


def run(args: Namespace) -> int:
    """Play the day, print the table; on a terminal stay until Ctrl-C. 0 when everything arrived where it must."""
    return asyncio.run(_demo(args))


@dataclass(kw_only=True)
class End:
    """How the demo ends before its time."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by Ctrl-C and its like."""
    staying: bool = False
    """Whether nothing but that ends it any more."""


@dataclass(kw_only=True)
class Daemon:
    """The real daemon, as a process of its own."""

    config: Path
    language: str
    log: deque[str] = field(default_factory=lambda: deque(maxlen=2000))
    died: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it ends though nobody asked for it."""
    _process: asyncio.subprocess.Process | None = None
    _reader: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it; its journal is kept."""
        environ = {**os.environ, "SYNDICATOR_LANGUAGE": self.language}
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "syndicator", "run", "--config", str(self.config)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=environ,
            start_new_session=True,
        )
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        process = self._process
        async for line in self._process.stderr:
            self.log.append(line.decode("utf-8", "replace").rstrip())
        if self._process is process:
            self.died.set()

    async def stop(self, number: int = signal.SIGTERM) -> int:
        """End it; its exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        try:
            code = await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            process.kill()
            code = await process.wait()
        if self._reader is not None:
            await self._reader
        return code

    async def kill_and_restart(self) -> None:
        """As a power cut would, then as systemd would."""
        await self.stop(signal.SIGKILL)
        await self.start()


async def _demo(args: Namespace) -> int:
    end = End()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, end.asked.set)
    from syndicator.sandbox.town import Town

    folder = Path(mkdtemp(prefix="syndicator-demo-"))
    town = Town()
    daemon = Daemon(config=folder / "demo.toml", language=args.language)
    work = asyncio.create_task(_open_and_play(args, town, daemon, folder, end))
    try:
        await _first(work, end.asked.wait(), daemon.died.wait())
        if daemon.died.is_set():
            _told_log(args, daemon, "demo.died")
            return FAILED
        return await work if work.done() or end.staying else INTERRUPTED
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await daemon.stop()
        await town.stop()
        shutil.rmtree(folder, ignore_errors=True)
        _say(args, "demo.closing")


async def _open_and_play(args: Namespace, town: Town, daemon: Daemon, folder: Path, end: End) -> int:
    from syndicator.sandbox.town import Public

    await town.start()
    port = _free_port()
    _write_config(town, folder, port, args.language)
    public = Public(url=f"http://127.0.0.1:{port}/")
    _say(args, "demo.opening")
    await daemon.start()
    await _until_read(town, public)
    if args.page:
        await _stay(args, town, public, daemon, end)
        return OK
    rows = await _play(args, town, public, daemon)
    good = all(row.right for row in rows)
    _verdict(args, rows, daemon, good=good)
    if args.stay or (sys.stdout.isatty() and not args.once and not args.json):
        await _stay(args, town, public, daemon, end)
    return OK if good else FAILED


async def _first(work: asyncio.Task[int], *events: Coroutine[Any, Any, Any]) -> None:
    """Until the work is done or one of the events has happened."""
    waiting = [asyncio.create_task(event) for event in events]
    await asyncio.wait([work, *waiting], return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()


async def _until_read(town: Town, public: Public) -> None:
    """Until the daemon has seen what was there before the day: only then does the day begin."""
    for _ in range(300):
        if all(simulator.requests for simulator in town.simulators) and await public.events():
            break
        await asyncio.sleep(0.1)
    await asyncio.sleep(1.5)


async def _play(args: Namespace, town: Town, public: Public, daemon: Daemon) -> list[Row]:
    from syndicator.sandbox.day import COLUMNS, Day

    heads = [say(args.language, f"demo.column.{column}") for column in COLUMNS]
    if not args.json:
        print(f"\n  {'':<58}" + "".join(f"{head:>12}" for head in heads))

    def told(row: Row) -> None:
        if args.json:
            return
        marks = [_mark(row, column) for column in COLUMNS]
        print(f"  {say(args.language, f'demo.day.{row.key}'):<58}" + "".join(f"{mark:>12}" for mark in marks), flush=True)
        for line in _missing(args, row):
            print(f"      ✗ {line}", flush=True)

    return await Day(town=town, public=public, restart=daemon.kill_and_restart, told=told).play()


def _mark(row: Row, column: str) -> str:
    if column not in row.expected:
        return "·"
    return "✓" if row.seen.get(column) else "✗"


def _missing(args: Namespace, row: Row) -> list[str]:
    """What was expected of a row and did not come: where, and what."""
    return [
        say(
            args.language,
            "check.line",
            subject=say(args.language, f"demo.column.{column}"),
            text=say(args.language, f"demo.expected.{expected.key}", text=expected.text),
        )
        for column, expected in row.expected.items()
        if not row.seen.get(column)
    ]


def _verdict(args: Namespace, rows: list[Row], daemon: Daemon, *, good: bool) -> None:
    if args.json:
        told = [{"key": row.key, "seen": row.seen, "right": row.right, "missing": _missing(args, row)} for row in rows]
        show_json({"ok": good, "rows": told, "log": [] if good else list(daemon.log)})
    elif good:
        print("\n" + say(args.language, "demo.right"))
    else:
        _told_log(args, daemon, "demo.wrong")


def _told_log(args: Namespace, daemon: Daemon, key: str) -> None:
    print("\n" + say(args.language, key), file=sys.stderr, flush=True)
    print("\n".join(["", *list(daemon.log)[-LOG_LINES:]]), file=sys.stderr, flush=True)


async def _stay(args: Namespace, town: Town, public: Public, daemon: Daemon, end: End) -> None:
    from syndicator.sandbox.stage import Stage

    words = {word: say(args.language, f"stage.{word}") for word in STAGE_WORDS}
    stage = Stage(town, public, words, args.language, lambda: list(daemon.log))
    await stage.start()
    end.staying = True
    print("\n" + say(args.language, "demo.stage", url=stage.url), flush=True)
    try:
        await end.asked.wait()
    finally:
        await stage.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _write_config(town: Town, folder: Path, port: int, language: str) -> None:
    token = folder / "mirror.token"
    photos = folder / "photos.token"
    for path, value in ((token, town.mirror_token), (photos, town.photo_token)):
        path.touch(mode=0o600)
        path.write_text(value)
    (folder / "demo.toml").write_text(
        f"""
[association]
name = "Les Amis du Vélo"
language = "{language}"
timezone = "Europe/Paris"
state = "{folder}/state"
public = "{folder}/public"

[web]
listen = "127.0.0.1:{port}"
public_url = "http://127.0.0.1:{port}/"

[network]
allow_private = ["127.0.0.1"]

[sources.agenda]
type = "mobilizon"
url = "{town.mobilizon.url}"
groups = ["velo"]
poll = "1s"

[sources.toots]
type = "mastodon"
account = "{town.mastodon.url}/@velo"
recheck_every = "2s"
poll = "1s"

[sources.photos]
type = "mastodon"
account = "{town.pixelfed.url}/velo"
token = {{ file = "{photos}" }}
poll = "2s"

[sources.videos]
type = "peertube"
channel = "{town.peertube.url}/c/velo"
poll = "2s"

[sources.blog]
type = "feed"
url = "{town.blog.url}/feed/"
poll = "2s"

[sources.partage]
type = "ical"
url = "{town.calendar.share_url}"
poll = "2s"

[destinations.calendrier]
type = "ical"

[destinations.site]
type = "website"
calendar = "agenda.ics"

[destinations.ailleurs]
type = "mastodon"
url = "{town.elsewhere.url}"
token = {{ file = "{token}" }}

[routes.tout]
delay = "3s"
""",
        encoding="utf-8",
    )


def _say(args: Namespace, key: str, **values: Any) -> None:
    print(say(args.language, key, **values), file=sys.stderr if args.json else sys.stdout, flush=True)
