"""The real syndicator, as an association runs it, and what its visitors then find."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from pathlib import Path
from typing import Any

import icalendar

from interop.processes import Running, answers, ask, free_port, start

ONCE_S = 90


@dataclass
class Mirror:
    """One association: its folder, and the daemon while it runs."""

    folder: Path
    port: int
    running: Running | None = None

    @classmethod
    def make(cls, folder: Path, source: str, destinations: str) -> Mirror:
        """Write the configuration around these two parts of it."""
        mirror = cls(folder, free_port())
        folder.mkdir()
        mirror.config.write_text(
            f"""[association]
name = "Les Amis du Vélo"
url = "https://asso.example/"
state = "{folder}/state"
public = "{folder}/public"

[web]
listen = "127.0.0.1:{mirror.port}"
public_url = "http://127.0.0.1:{mirror.port}/"

[network]
allow_private = ["127.0.0.1"]

{source}

[destinations.calendrier]
type = "ical"

[destinations.site]
type = "website"
{destinations}
[routes.tout]
delay = "2s"
""",
            encoding="utf-8",
        )
        mirror.config.chmod(0o600)
        return mirror

    @property
    def config(self) -> Path:
        """Its configuration file."""
        return self.folder / "asso.toml"

    @property
    def log(self) -> Path:
        """What the daemon said."""
        return self.folder / "syndicator.log"

    async def command(self, name: str, *more: str) -> tuple[int, str, float]:
        """Run one command to its end: exit code, what it said, seconds."""
        begun = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "syndicator", name, "--config", str(self.config), *more),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(ONCE_S):
                said, logged = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode or 0, (said or logged).decode("utf-8", "replace"), time.monotonic() - begun

    async def run(self) -> None:
        """Start the daemon."""
        self.running = await start(sys.executable, "-m", "syndicator", "run", "--config", self.config, log=self.log)
        await answers(f"http://127.0.0.1:{self.port}/healthz", self.running)

    async def stop(self) -> tuple[int, float]:
        """End the daemon as systemd does: exit code, seconds."""
        if self.running is None:
            return 0, 0.0
        running, self.running, begun = self.running, None, time.monotonic()
        return await running.end(), time.monotonic() - begun

    # What visitors find

    def public(self) -> dict[str, str]:
        """Every public file and the hash of its bytes."""
        folder = self.folder / "public"
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def leaks(self, words: Sequence[str]) -> list[str]:
        """Files, public or not, that hold one of ``words``."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return [f"{path.name}: {word}" for path in files for word in words if word.encode() in path.read_bytes()]

    def calendar(self) -> icalendar.Calendar:
        """``agenda.ics``, read by icalendar."""
        found = icalendar.Calendar.from_ical((self.folder / "public" / "agenda.ics").read_bytes())
        assert isinstance(found, icalendar.Calendar)
        return found

    def events(self) -> dict[str, icalendar.Event]:
        """Its events by title and start."""
        if not (self.folder / "public" / "agenda.ics").exists():
            return {}
        return {f"{event['SUMMARY']} {_start(event)}": event for event in self.calendar().events}

    async def page(self) -> str:
        """What the page says, over HTTP when the daemon runs, as text on one line."""
        if self.running is None:
            html = (self.folder / "public" / "index.html").read_text(encoding="utf-8")
        else:
            html = (await ask("GET", f"http://127.0.0.1:{self.port}/")).body.decode()
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<head>.*?</head>", "", html))).split())

    def items(self) -> list[dict[str, Any]]:
        """The items of ``feed.json``."""
        path = self.folder / "public" / "feed.json"
        return list(json.loads(path.read_bytes())["items"]) if path.exists() else []


def _start(event: icalendar.Event) -> str:
    at = event.start
    return f"{at:%Y-%m-%d %H:%M}" if isinstance(at, datetime) else f"{at:%Y-%m-%d}"
