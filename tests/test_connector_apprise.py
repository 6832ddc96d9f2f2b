"""The apprise publisher: what of the contract can be kept where nothing has a name, and that nothing more is promised.

Apprise opens its own connections: every address in here is on loopback.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from connectors.apprise import OURS, ApprisePublisher, quiet
from syndicator.contract import Association, CanDelete, CanFind, CanPrepare, CanUpdate, Context, Publisher, Secret
from syndicator.errors import OutcomeUnknown, Rejected
from syndicator.http import Sessions
from syndicator.model import Attachment, Receipt
from syndicator.render import render
from syndicator.route import Style
from syndicator.sandbox.apprise_target import PASSWORD, AppriseTarget, Message
from syndicator.sandbox.server import Fault, Simulator
from syndicator.testing import NOW, PublisherContract, make_context, make_event, make_post, make_rendition


class TestApprise(PublisherContract):
    """A web hook. Every "no" is the same to apprise: none of them is called a failure, nor a success."""

    connector = ApprisePublisher
    path = "/hook"

    async def start(self) -> Simulator:
        return await AppriseTarget(now=lambda: NOW).start()

    def options(self, simulator: Simulator) -> Any:
        assert isinstance(simulator, AppriseTarget)
        return ApprisePublisher.Options(url=Secret(simulator.hook))

    def texts(self, simulator: Simulator) -> list[str]:
        assert isinstance(simulator, AppriseTarget)
        return [message.text for message in simulator.messages]

    def kill_credential(self, simulator: Simulator) -> None:
        assert isinstance(simulator, AppriseTarget)
        simulator.password = "another"

    async def test_publish_makes_one_object(self, simulator: Simulator, publisher: Publisher) -> None:
        """One call, one message, and a receipt that claims no more than that."""
        receipt = await publisher.publish(make_rendition(text="Une seule fois"), "key-1")

        assert self.texts(simulator) == ["Une seule fois"]
        assert receipt == Receipt(remote_id="")

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
    async def test_rate_limit_waits(self, simulator: Simulator, publisher: Publisher, status: int) -> None:
        """A refusal of any kind is one attempt, with an outcome that apprise does not tell."""
        simulator.fault(Fault(action="answer", status=status, times=9))
        before = len(simulator.requests)
        with pytest.raises(OutcomeUnknown):
            await publisher.publish(make_rendition(), "key")

        assert (len(simulator.requests) - before, self.texts(simulator)) == (1, [])

    async def test_a_dead_credential_asks_for_a_person(self, simulator: Simulator, publisher: Publisher, context: Context) -> None:
        """It cannot be told from an outage: the message waits, and a person reads what apprise said."""
        self.kill_credential(simulator)
        with pytest.raises(OutcomeUnknown) as caught:
            await publisher.publish(make_rendition(), "key-dead")

        assert "401" in caught.value.detail
        assert self.texts(simulator) == []


@pytest.fixture
async def server() -> AsyncIterator[AppriseTarget]:
    async with AppriseTarget(now=lambda: NOW) as server:
        yield server


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[Context]:
    sessions = Sessions()
    yield make_context(tmp_path, sessions)
    await sessions.close()


async def made(context: Context, url: str) -> ApprisePublisher:
    publisher = ApprisePublisher(ApprisePublisher.Options(url=Secret(url)), context)
    await publisher.open()
    return publisher


async def test_nothing_is_promised(server: AppriseTarget, context: Context) -> None:
    """No edits, deletions, uploads or answers to "did it go out?"; no pictures, no key, no thread."""
    publisher = await made(context, server.hook)

    assert [isinstance(publisher, ability) for ability in (CanUpdate, CanDelete, CanFind, CanPrepare)] == [False] * 4
    assert (publisher.limits.media.images_max, publisher.limits.key_window_s, publisher.limits.threads) == (0, 0, False)


async def test_limits_are_the_services(server: AppriseTarget, context: Context) -> None:
    """As its plugin declares them, once open; where the title counts with the text, its room is its own."""
    hook, topic = (await made(context, server.hook)).limits, (await made(context, server.topic)).limits

    assert (hook.text_max, hook.title_max) == (32_768, 250)
    assert (topic.text_max, topic.title_max) == (7_600, 200)


async def test_an_event_with_its_title_and_its_link(server: AppriseTarget, context: Context) -> None:
    """The title where the service has a place for it; the picture stays behind the way home."""
    publisher = await made(context, server.topic)
    event = make_event(image=Attachment(url="https://mobilizon.example/affiche.jpg", description="Affiche"))
    [rendition] = render(event, publisher.limits, Style(), association=Association(name="A"))
    await publisher.publish(rendition, "key")

    [message] = server.messages
    assert (message.title, message.topic) == ("Atelier vélo", "agenda")
    assert message.text.endswith(event.url)
    assert "affiche" not in message.text


async def test_a_picture_of_a_toot_stays_behind_the_link(server: AppriseTarget, context: Context) -> None:
    """Something stays at home, so that the way home is shown."""
    publisher = await made(context, server.hook)
    post = make_post(attachments=(Attachment(url="https://social.example/1.jpg", description="Un vélo"),))
    [rendition] = render(post, publisher.limits, Style(), association=Association(name="A"))
    await publisher.publish(rendition, "key")

    assert server.messages == [Message(title="Bonjour à toutes et à tous", text=f"Bonjour à toutes et à tous\n\n{post.url}")]


@pytest.mark.parametrize(("text", "expected"), [
    ("@everyone, @here et @alice", "@\u200beveryone, @\u200bhere et @\u200balice"),
    ("<!channel> <@U024BE7LH> <#C024BE7LR> <users/all>", "<\u200b!channel> <\u200b@\u200bU024BE7LH> <\u200b#C024BE7LR> <\u200busers/all>"),
    ("@**all**", "@\u200b**all**"),
    ("écrire à contact@asso.example", "écrire à contact@asso.example"),
    ("https://social.example/@asso/1 (@bob)", "https://social.example/@asso/1 (@\u200bbob)"),
    ("1 < 2 @ 3", "1 < 2 @ 3"),
])  # fmt: skip
async def test_nobody_is_called(server: AppriseTarget, context: Context, text: str, expected: str) -> None:
    """Of all the ways in which the services do that; in titles too."""
    publisher = await made(context, server.hook)
    await publisher.publish(make_rendition(text=text, title="@all"), "key")

    assert quiet(text, 1000) == expected
    assert server.messages == [Message(title="@\u200ball", text=expected)]


@pytest.mark.parametrize(("schema", "name"), sorted(OURS.items()))
async def test_what_has_a_connector_is_sent_there(context: Context, schema: str, name: str) -> None:
    """With its name, before apprise is even loaded."""
    with pytest.raises(Rejected) as caught:
        await made(context, f"{schema.upper()}://token@127.0.0.1/room")

    assert f'type = "{name}"' in (caught.value.hint or {})["fr"]


@pytest.mark.parametrize(("url", "word"), [
    ("nope://127.0.0.1/x", "forme"), ("127.0.0.1", "forme"), ("", "forme"), ("slack://short", "forme"),
    ("ntfy://127.0.0.1/one/two", "destinataires"), ("aprs://F4ABC:12345@F4XYZ", "courts"),
])  # fmt: skip
async def test_an_address_of_no_use_is_refused_when_opening(context: Context, url: str, word: str) -> None:
    """With what to do; and nothing of the address in the error or in our log, where apprise would write it."""
    seen: list[logging.LogRecord] = []
    listening = logging.Handler()
    listening.emit = seen.append  # type: ignore[method-assign]
    logging.getLogger().addHandler(listening)
    with pytest.raises(Rejected) as caught:
        await made(context, url)

    assert word in (caught.value.hint or {})["fr"]
    logging.getLogger().removeHandler(listening)
    assert "127.0.0.1" not in caught.value.detail
    assert [record.getMessage() for record in seen if record.name.startswith("apprise")] == []


async def test_there_is_room_for_a_text_that_calls_somebody(server: AppriseTarget, context: Context) -> None:
    """At the limit, the sign goes and the text stays."""
    publisher = await made(context, server.hook)
    await publisher.publish(make_rendition(text="@all " + "a" * 32_763), "key")

    assert server.messages[0].text == "all " + "a" * 32_763


async def test_nothing_is_tried_twice(server: AppriseTarget, context: Context) -> None:
    """Not even where the address asks for it, and a long text is one message."""
    publisher = await made(context, f"{server.hook}?retry=3&overflow=split")
    server.fault(Fault(action="lose", times=9))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(make_rendition(), "key")
    server.faults = []
    await publisher.publish(make_rendition(text="mot " * 8_000), "key-2")

    assert (len(server.requests), len(server.messages)) == (2, 2)


async def test_what_is_too_long_or_not_public_is_refused(server: AppriseTarget, context: Context) -> None:
    """Before apprise may cut it; text and title each."""
    publisher = await made(context, server.hook)
    for changes in ({"text": "a" * 32_769}, {"title": "a" * 251}, {"visibility": "private"}, {"visibility": "direct"}):
        with pytest.raises(Rejected):
            await publisher.publish(make_rendition(**changes), "key")

    assert server.requests == []


async def test_without_apprise_a_person_is_told(server: AppriseTarget, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """How to install it."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(Rejected) as caught:
        await made(context, server.hook)

    assert "pip install 'syndicator[apprise]'" in (caught.value.hint or {})["fr"]


async def test_the_address_never_shows(server: AppriseTarget, context: Context, caplog: pytest.LogCaptureFixture) -> None:
    """Not in what apprise says of a failure, nor in its log."""
    publisher = await made(context, server.hook)
    server.fault(Fault(action="answer", status=403, body=PASSWORD.encode(), times=9))
    with pytest.raises(OutcomeUnknown) as caught:
        await publisher.publish(make_rendition(), "key")
    await server.stop()
    with pytest.raises(OutcomeUnknown) as stopped:
        await publisher.publish(make_rendition(), "key")

    shown = [caplog.text, repr(publisher), repr(vars(publisher)), *(repr(vars(error.value)) for error in (caught, stopped))]
    assert [text for text in shown if PASSWORD in text] == []
    assert "127.0.0.1" not in stopped.value.detail
