"""The sandbox in a process of its own, so that the origins' work is not counted as ours.

As a program: opens the town, says on one line where everything is (JSON), and closes it when its standard input ends.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EVENTS = 30
TOOTS = 10
ASSOCIATION = """
[association]
name = "Les Amis du Vélo"
language = "fr"
timezone = "Europe/Paris"
state = "{folder}/state"
public = "{folder}/public"

[network]
allow_private = ["127.0.0.1"]
"""
AGENDA = """
[sources.agenda]
type = "mobilizon"
url = "{mobilizon}"
groups = ["velo"]
poll = "{poll}"
"""
TOOTING = """
[sources.toots]
type = "mastodon"
account = "{mastodon}/@velo"
recheck_every = "1h"
poll = "{poll}"
"""
OTHERS = """
[sources.videos]
type = "peertube"
channel = "{peertube}/c/velo"
poll = "{poll}"

[sources.blog]
type = "feed"
url = "{blog}"
poll = "{poll}"

[sources.partage]
type = "ical"
url = "{calendar}"
poll = "{poll}"
"""
VIEWS = """
[destinations.calendrier]
type = "ical"

[destinations.site]
type = "website"
calendar = "agenda.ics"
"""
ELSEWHERE = """
[destinations.ailleurs]
type = "mastodon"
url = "{elsewhere}"
token = {{ file = "{folder}/token" }}
"""
ROUTE = """
[routes.tout]
"""
WEB = """
[web]
listen = "127.0.0.1:{port}"
public_url = "http://127.0.0.1:{port}/"
"""


@dataclass(frozen=True, kw_only=True)
class Origins:
    """Where the town's services are."""

    urls: dict[str, str]
    token: str

    def config(self, folder: Path, *parts: str, name: str = "velo", poll: str = "1h", port: int = 0) -> Path:
        """A configuration file made of ``parts``, in a folder of its own."""
        folder.mkdir(parents=True, exist_ok=True)
        token = folder / "token"
        token.touch(mode=0o600)
        token.write_text(self.token)
        path = folder / f"{name}.toml"
        text = "".join((ASSOCIATION, *parts, ROUTE)).format(folder=folder, poll=poll, port=port, **self.urls)
        path.write_text(text, encoding="utf-8")
        return path


@contextmanager
def opened(*, pictures: int = 0) -> Iterator[Origins]:
    """The town as a child process, ``pictures`` of its events with a large one."""
    command = [sys.executable, "-m", "benchmarks.town", str(pictures)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as town:
        assert town.stdin is not None
        assert town.stdout is not None
        told = json.loads(town.stdout.readline())
        try:
            yield Origins(urls=told["urls"], token=told["token"])
        finally:
            town.stdin.close()
            town.wait()


def poster(seed: int) -> bytes:
    """A photograph of twelve megapixels, as telephones make them."""
    from io import BytesIO

    from PIL import Image

    picture = Image.effect_noise((500, 375), 40 + seed).resize((4000, 3000)).convert("RGB")
    written = BytesIO()
    picture.save(written, "JPEG", quality=85)
    return written.getvalue()


async def _open(pictures: int) -> None:
    from syndicator.sandbox.town import Town, at_clock

    town = await Town().start()
    for day in range(1, EVENTS + 1):
        extra: dict[str, Any] = {"picture": poster(day)} if day <= pictures else {}
        town.mobilizon.add_event("velo", f"Atelier {day}", at_clock(day, 19), at_clock(day, 21), **extra)
    for number in range(TOOTS):
        town.toot(f"Message numéro {number}")
    urls = {
        "mobilizon": town.mobilizon.url,
        "mastodon": town.mastodon.url,
        "peertube": town.peertube.url,
        "blog": f"{town.blog.url}/feed/",
        "calendar": town.calendar.share_url,
        "elsewhere": town.elsewhere.url,
    }
    print(json.dumps({"urls": urls, "token": town.mirror_token}), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await town.stop()


if __name__ == "__main__":
    asyncio.run(_open(int(sys.argv[1])))
