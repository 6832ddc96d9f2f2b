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
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from syndicator.cli import COMMANDS, FAILED, OK, show_json
from syndicator.words import say

if TYPE_CHECKING:
    from syndicator.sandbox.day import Row
    from syndicator.sandbox.town import Town

HELP = COMMANDS["demo"]
STAGE_WORDS = (
    *("title", "lead", "free", "mirrored", "write", "publish", "event", "video", "elsewhere", "calendar", "site", "open", "log"),
    *("edit", "delete", "move", "moveTo", "cancel", "edited", "hidden", "picture", "cancelled"),
)


def add_arguments(parser: ArgumentParser, language: str) -> None:
    """``--once``, ``--stay``, ``--json``."""
    parser.add_argument("--once", action="store_true", help=say(language, "demo.once"))
    parser.add_argument("--stay", action="store_true", help=say(language, "demo.stay"))
    parser.add_argument("--json", action="store_true", help=say(language, "cli.json"))


def run(args: Namespace) -> int:
    """Play the day, print the table; on a terminal stay until Ctrl-C. 0 when everything arrived where it must."""
    return asyncio.run(_demo(args))


@dataclass(kw_only=True)
class Daemon:
    """The real daemon, as a process of its own."""

    config: Path
    language: str
    log: deque[str] = field(default_factory=lambda: deque(maxlen=2000))
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
        async for line in self._process.stderr:
            self.log.append(line.decode("utf-8", "replace").rstrip())

    async def stop(self, number: int = signal.SIGTERM) -> int:
        """End it; its exit code."""
        if self._process is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)
        code = await self._process.wait()
        if self._reader is not None:
            await self._reader
        self._process = None
        return code

    async def kill_and_restart(self) -> None:
        """As a power cut would, then as systemd would."""
        await self.stop(signal.SIGKILL)
        await self.start()


async def _demo(args: Namespace) -> int:
    from syndicator.sandbox.town import Public, Town

    folder = Path(mkdtemp(prefix="syndicator-demo-"))
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    town = Town()
    daemon = Daemon(config=folder / "demo.toml", language=args.language)
    playing: asyncio.Task[Any] | None = None
    try:
        await town.start()
        port = _free_port()
        _write_config(town, folder, port, args.language)
        public = Public(url=f"http://127.0.0.1:{port}/")
        _say(args, "demo.opening")
        await daemon.start()
        await _until_read(town, public, stopped)
        playing = asyncio.create_task(_play(args, town, public, daemon))
        await _first(playing, stopped)
        if not playing.done():
            return 130
        rows = playing.result()
        good = all(row.right for row in rows)
        _verdict(args, rows, daemon, good=good)
        if args.stay or (sys.stdout.isatty() and not args.once and not args.json):
            await _stay(args, town, public, daemon, stopped)
        return OK if good else FAILED
    finally:
        if playing is not None:
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)
        await daemon.stop()
        await town.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _first(playing: asyncio.Task[Any], stopped: asyncio.Event) -> None:
    stop = asyncio.create_task(stopped.wait())
    await asyncio.wait([playing, stop], return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()


async def _until_read(town: Town, public: Any, stopped: asyncio.Event) -> None:
    """Until the daemon has seen what was there before the day: only then does the day begin."""
    for _ in range(300):
        if stopped.is_set() or (all(s.requests for s in town.simulators) and await public.events()):
            break
        await asyncio.sleep(0.1)
    await asyncio.sleep(1.5)


async def _play(args: Namespace, town: Town, public: Any, daemon: Daemon) -> list[Row]:
    from syndicator.sandbox.day import COLUMNS, Day

    heads = [say(args.language, f"demo.column.{column}") for column in COLUMNS]
    if not args.json:
        print(f"\n  {'':<58}" + "".join(f"{head:>12}" for head in heads))

    def told(row: Row) -> None:
        if not args.json:
            marks = [_mark(row, column) for column in COLUMNS]
            print(f"  {say(args.language, f'demo.day.{row.key}'):<58}" + "".join(f"{mark:>12}" for mark in marks), flush=True)

    return await Day(town=town, public=public, restart=daemon.kill_and_restart, told=told).play()


def _mark(row: Row, column: str) -> str:
    if column not in row.checks:
        return "·"
    return "✓" if row.seen.get(column) else "✗"


def _verdict(args: Namespace, rows: list[Row], daemon: Daemon, *, good: bool) -> None:
    if args.json:
        show_json({"ok": good, "rows": [{"key": row.key, "seen": row.seen, "right": row.right} for row in rows]})
        return
    print("\n" + say(args.language, "demo.right" if good else "demo.wrong"))
    if not good:
        print("\n".join(["", *list(daemon.log)[-40:]]), file=sys.stderr)


async def _stay(args: Namespace, town: Town, public: Any, daemon: Daemon, stopped: asyncio.Event) -> None:
    from syndicator.sandbox.stage import Stage

    words = {word: say(args.language, f"stage.{word}") for word in STAGE_WORDS}
    stage = Stage(town, public, words, args.language, lambda: list(daemon.log))
    await stage.start()
    print("\n" + say(args.language, "demo.stage", url=stage.url), flush=True)
    try:
        await stopped.wait()
    finally:
        await stage.stop()
        print("\n" + say(args.language, "demo.closing"))


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
