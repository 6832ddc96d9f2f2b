"""A body becomes plain data in a process of its own (``parser.py``), and one that could not is remembered."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.feed.jsonfeed import parsed_json
from connectors.feed.recognition import is_something_else
from syndicator.errors import Rejected, words
from syndicator.http import Response

PARSE_MAX_S = 15.0
REFUSED_FOR = timedelta(days=1)
"""A body that could not be parsed is tried again after that: it may have been this machine that was slow."""

HOSTILE = words(
    fr="Ce flux est anormal (trop gros, trop imbriqué, trop long à lire) : il n'a pas été lu. Prévenez les personnes qui tiennent le site.",
    en="This feed is abnormal (too large, too deeply nested or too long to read): it was not read. Tell the people who run the site.",
)


@dataclass(frozen=True, kw_only=True)
class Refusals:
    """The last body that could not be parsed, by its hash: it costs one parse a day, also after a restart."""

    path: Path
    now: datetime

    def check(self, body: str) -> None:
        """Raises Rejected for a body that was refused less than a day ago."""
        try:
            refused: dict[str, str] = json.loads(self.path.read_bytes())
            fresh = datetime.fromisoformat(refused["until"]) > self.now
            known = refused["body"] == body
        except (OSError, ValueError, TypeError, KeyError):
            return
        if fresh and known:
            raise Rejected(refused["fault"], hint=HOSTILE)

    def keep(self, body: str, error: Rejected) -> None:
        """Remember ``body`` as refused for a day."""
        until = (self.now + REFUSED_FOR).isoformat()
        self.path.write_text(json.dumps({"body": body, "fault": error.detail, "until": until}))


async def plain(response: Response) -> dict[str, Any]:
    """The feed in ``response``; its ``version`` and ``entries`` are empty when it is none. Raises Rejected for a hostile one."""
    feed = parsed_json(response.body) if response.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") else None
    return feed or await _parsed_apart(response)


async def _parsed_apart(response: Response) -> dict[str, Any]:
    """What ``parser.py`` makes of the body, in a process that is killed when it takes too long; raises Rejected."""
    if is_something_else(response.body):
        return {"version": "", "entries": []}
    arguments = json.dumps({"url": response.url, "content_type": response.headers.get("Content-Type", "")})
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        str(Path(__file__).with_name("parser.py")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        # Nothing of our environment, which may hold credentials, but where the packages are.
        env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PYTHONIOENCODING": "utf-8"},
    )
    try:
        async with asyncio.timeout(PARSE_MAX_S):
            answer, _ = await process.communicate(arguments.encode() + b"\n" + response.body)
    except TimeoutError as error:
        raise Rejected(f"{response.url} takes more than {PARSE_MAX_S:.0f} s to read", hint=HOSTILE) from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise Rejected(f"{response.url} cannot be read: the parser ended with {process.returncode}", hint=HOSTILE)
    feed: dict[str, Any] = json.loads(answer)
    if "refused" in feed:
        raise Rejected(f"{response.url} is refused: {feed['refused']}", hint=HOSTILE)
    return feed
