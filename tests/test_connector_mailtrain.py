"""Mailtrain is told once the archive's feed has the issue; its readers get each issue once, whatever is lost."""

from __future__ import annotations

import traceback
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.letters import LettersProjection
from connectors.mailtrain import MailtrainPublisher
from syndicator.contract import Secret
from syndicator.errors import AuthExpired, ConnectorError, NotReady, RateLimited, Rejected, Transient
from syndicator.http import Sessions
from syndicator.model import Issue
from syndicator.sandbox.mailtrain import MailtrainSimulator
from syndicator.sandbox.server import Fault
from syndicator.testing import HTML_ERROR, NOW, make_context, make_rendition
from tests.letters_scene import issue, post, view

TOKEN = "e" * 40


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[MailtrainSimulator]:
    feed = tmp_path / "public" / "lettres" / "latest-lettre.rss"
    async with MailtrainSimulator(feed.read_bytes, now=lambda: NOW) as server:
        yield server


def made(server: MailtrainSimulator, sessions: Sessions, folder: Path, **changes: Any) -> MailtrainPublisher:
    options = MailtrainPublisher.Options(**{"url": server.url, "campaign": server.campaign, "token": Secret(TOKEN), **changes})
    return MailtrainPublisher(options, make_context(folder, sessions))


async def archived(folder: Path, sessions: Sessions, *issues: Issue) -> None:
    projection = LettersProjection(LettersProjection.Options(images=False), make_context(folder, sessions, name="archives"))
    await projection.project(view(issues))


async def send(publisher: MailtrainPublisher, told: Issue) -> None:
    await publisher.publish(make_rendition(uid=post(told).uid), "key")


async def test_mailtrain_sends_the_issue(server: MailtrainSimulator, sessions: Sessions, tmp_path: Path) -> None:
    """The whole of it, by its subject; the next one too, and each once however often it is asked."""
    publisher = made(server, sessions, tmp_path)
    await publisher.open()
    assert server.asked == 0
    for week in (0, 1):
        await archived(tmp_path, sessions, *(issue(one) for one in range(week + 1)))
        for _ in range(2):
            await send(publisher, issue(week))
            server.look()

    assert [one.guid for one in server.sent] == [post(issue(week)).uid for week in (0, 1)]
    assert [one.subject[-6:] for one in server.sent] == ["(n° 1)", "(n° 2)"]
    assert "samedi 5 décembre 2026 à 20h30" in server.sent[0].html


async def test_it_waits_for_the_archive(server: MailtrainSimulator, sessions: Sessions, tmp_path: Path) -> None:
    """Asked before the feed has the issue, Mailtrain would find nothing, and nobody would ask again."""
    publisher = made(server, sessions, tmp_path)
    for before in ((), (issue(0),)):
        await archived(tmp_path, sessions, *before)
        with pytest.raises(NotReady) as caught:
            await send(publisher, issue(1))
        assert caught.value.at == NOW + timedelta(minutes=1)
        assert "letters" in (caught.value.hint or {})["fr"]

    assert server.asked == 0


@pytest.mark.parametrize("action", ["drop", "lose", "truncate"])
async def test_a_lost_answer_is_asked_again(server: MailtrainSimulator, sessions: Sessions, tmp_path: Path, action: Any) -> None:
    """Surely harmless, so never a question for a person; no reader gets it twice."""
    await archived(tmp_path, sessions, issue())
    publisher = made(server, sessions, tmp_path)
    server.fault(Fault(action=action, path="/rss/fetch", times=9))
    with pytest.raises(Transient):
        await send(publisher, issue())
    server.look()
    server.faults.clear()
    await send(publisher, issue())
    server.look()

    assert len(server.sent) == 1


@pytest.mark.parametrize(("changes", "expected", "hint"), [
    ({"token": "x" * 40}, AuthExpired, "jeton"), ({"may_fetch": False}, AuthExpired, "fetchRss"),
    ({"campaign": "autre"}, Transient, "campaign"), ({"type": "regular"}, Transient, "campaign"),
])  # fmt: skip
async def test_what_is_amiss_is_said(
    server: MailtrainSimulator, sessions: Sessions, tmp_path: Path, changes: dict[str, Any], expected: type[ConnectorError], hint: str
) -> None:
    """In plain words, and nothing is sent."""
    await archived(tmp_path, sessions, issue())
    publisher = made(server, sessions, tmp_path)
    for name, value in changes.items():
        setattr(server, name, value)
    with pytest.raises(ConnectorError) as caught:
        await send(publisher, issue())

    assert (type(caught.value), server.asked) == (expected, 0)
    assert hint in (caught.value.hint or {})["fr"]
    assert TOKEN not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(("fault", "expected"), [
    (Fault(action="answer", status=502, body=HTML_ERROR, times=9), Transient),
    (Fault(action="answer", status=429, headers={"Retry-After": "60"}), RateLimited),
    (Fault(action="answer", status=404, body=HTML_ERROR), Rejected),
    (Fault(action="answer", status=200, body=HTML_ERROR, headers={"Content-Type": "text/html"}), Rejected),
])  # fmt: skip
async def test_another_server_or_an_outage(
    server: MailtrainSimulator, sessions: Sessions, tmp_path: Path, fault: Fault, expected: type[ConnectorError]
) -> None:
    """When opening, and when asking."""
    await archived(tmp_path, sessions, issue())
    publisher = made(server, sessions, tmp_path)
    for attempt in (publisher.open, lambda: send(publisher, issue())):
        server.fault(fault)
        with pytest.raises(ConnectorError) as caught:
            await attempt()
        server.faults.clear()
        assert isinstance(caught.value, expected)


async def test_opening_asks_for_the_token(server: MailtrainSimulator, sessions: Sessions, tmp_path: Path) -> None:
    """It travels in a header, never in an address that logs keep."""
    await made(server, sessions, tmp_path).open()
    with pytest.raises(AuthExpired):
        await made(server, sessions, tmp_path, token=Secret("faux")).open()
    with pytest.raises(Rejected):
        await made(server, sessions, tmp_path, url=f"{server.url}/login").open()

    assert not [seen for seen in server.requests if TOKEN in seen.path or TOKEN in "".join(seen.query.values())]


@pytest.mark.parametrize("options", [{"url": "lettres.example"}, {"campaign": " "}])
def test_options_that_cannot_be(options: dict[str, str]) -> None:
    """Said before anything is sent."""
    with pytest.raises(ValueError, match=r"url|campaign"):
        MailtrainPublisher.Options(**{"url": "https://lettres.example", "campaign": "a", "token": Secret("b"), **options})
