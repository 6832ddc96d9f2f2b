"""One way: whatever is configured, nothing is ever read from a network that we write to but what writing there takes."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from syndicator import registry
from syndicator.sandbox.server import Seen
from tests.letter_networks import LETTERS
from tests.one_way_scene import MARKER, OURS, Day, at_once, day_in, installed
from tests.one_way_table import ROWS, Row, rows_of, table

DOC = Path(__file__).parent.parent / "docs" / "privacy.md"
NEVER_TOLD = {"apprise", "bluesky"}
"""Whom we ask nothing that could be answered with somebody's words."""
SENT_AND_FORGOTTEN = {"apprise"}
"""Where there is nothing to log into."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a day left."""

    requests: Collection[tuple[str, Seen]]
    unlost: Collection[str]
    """Networks whose answer was to be lost and was not."""
    told: Collection[str]
    """Networks that told us what others wrote."""
    folder: Path
    log: str
    dump: str
    """The ledger, as SQL."""


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A day with every destination configured."""
    folder = tmp_path_factory.mktemp("day")
    with at_once():
        day = asyncio.run(_day(folder))
    with closing(sqlite3.connect(folder / "state" / "syndicator.db")) as db:
        dump = "\n".join(db.iterdump())
    return Done(
        requests=list(day.seen()),
        unlost=day.faults(),
        told={name for name, reader in day.readers.items() if reader.told},
        folder=folder,
        log=day.log.getvalue(),
        dump=dump,
    )


async def _day(folder: Path) -> Day:
    async with day_in(folder) as day:
        await day.play()
    return day


def test_every_destination_takes_part() -> None:
    """A connector that is installed and missing here would be one that nobody watches."""
    assert set(registry.names("destinations")) == {*OURS, *LETTERS, *installed(), "mastodon"}
    assert [name for name in installed() if name not in ROWS] == []


def test_nothing_is_asked_but_what_writing_takes(done: Done) -> None:
    """Every request of the day is one of the table, for one purpose."""
    wrong = [(name, seen.method, seen.path, dict(seen.query)) for name, seen in done.requests if len(rows_of(name, seen)) != 1]

    assert wrong == []
    assert done.unlost == []


def test_the_table_holds_nothing_else(done: Done) -> None:
    """Every row of it was met: the list is what is asked, not what might be."""
    met = {(name, row) for name, seen in done.requests for row in rows_of(name, seen)}

    assert [(name, row.request) for name in (*installed(), "mastodon") for row in ROWS[name] if (name, row) not in met] == []


@pytest.mark.parametrize("name", [*installed(), "mastodon"])
def test_the_day_had_everything_in_it(done: Done, name: str) -> None:
    """Each network was logged into and written to, and did all that it can: edits, deletions, the question whether it went out."""
    connector = registry.find("destinations", name)
    seen = {row.purpose for owner, one in done.requests if owner == name for row in rows_of(name, one)}
    wanted = {"publish"} if name in SENT_AND_FORGOTTEN else {"login", "publish"}
    wanted |= {own for own, method in (("edit", "update"), ("delete", "delete")) if hasattr(connector, method)}
    if hasattr(connector, "find") and not connector.limits.key_window_s:
        wanted |= {"find"}

    assert wanted <= seen


def test_nothing_of_others_is_kept(done: Done) -> None:
    """What others wrote was in what we were answered, and is in no file of ours: not in the ledger, not in the public folder, not in
    the log.
    """
    assert {*installed(), "mastodon"} - set(done.told) == NEVER_TOLD & set(installed())
    files = [path for path in done.folder.rglob("*") if path.is_file()]

    assert [path.name for path in files if MARKER.encode() in path.read_bytes()] == []
    assert MARKER not in done.dump
    assert MARKER not in done.log
    assert "Bal à vélo" in done.dump
    assert any(path.suffix == ".ics" for path in files)


@pytest.mark.parametrize(("name", "method", "path"), [
    ("x", "GET", "/2/tweets/search/recent"),
    ("x", "GET", "/2/users/2244994945/mentions"),
    ("bluesky", "GET", "/xrpc/app.bsky.notification.listNotifications"),
    ("facebook", "GET", "/v26.0/104230415558080/feed"),
    ("instagram", "GET", "/v26.0/17841405793187218/tags"),
    ("telegram", "GET", "/bot12:abc/getUpdates"),
    ("mastodon", "GET", "/api/v1/notifications"),
    ("nobody", "GET", "/"),
])  # fmt: skip
def test_reading_is_none_of_it(name: str, method: str, path: str) -> None:
    """Mentions, searches, notifications, other people's pages have no row."""
    assert rows_of(name, Seen(method=method, path=path, query={}, headers={}, body=b"")) == []


def test_a_body_can_tell_two_purposes_apart() -> None:
    """A record that is no post is not what ``putRecord`` is for."""
    path = "/xrpc/com.atproto.repo.putRecord"
    bodies = {b'{"collection": "app.bsky.feed.post"}': 1, b'{"collection": "app.bsky.graph.follow"}': 0}
    found = {body: rows_of("bluesky", Seen(method="POST", path=path, query={}, headers={}, body=body)) for body in bodies}

    assert {body: len(rows) for body, rows in found.items()} == bodies
    assert isinstance(found[next(iter(bodies))][0], Row)


def test_the_list_is_that_of_the_manual() -> None:
    """``SYNDICATOR_WRITE_TABLE=1 ./run test tests/test_one_way.py`` writes it anew."""
    text = table(sorted(ROWS))
    page = DOC.read_text(encoding="utf-8")
    if os.environ.get("SYNDICATOR_WRITE_TABLE"):
        page = re.sub(r"(\| destination \|.*\n)(\|.*\n)+", lambda _: f"{text}\n", page)
        DOC.write_text(page, encoding="utf-8")

    assert text in page, "another list than documented: SYNDICATOR_WRITE_TABLE=1 writes it anew"
