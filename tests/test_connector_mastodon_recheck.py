"""Edits and deletions, found by looking at recent posts again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from connectors.mastodon.cursor import RECENT_MAX, Position, Recent
from syndicator.model import Batch, Tombstone
from syndicator.sandbox.server import Fault
from syndicator.testing import NOW
from tests.mastodon_source_scene import (  # noqa: F401 - fixtures
    Build,
    asso,
    given_build,
    given_clock,
    given_context,
    given_opened,
    given_sessions,
    picture,
    post,
    texts,
    uid,
)

RECHECK = [("mastodon", False), ("gotosocial", True), ("pixelfed", True), ("akkoma", False), ("friendica", False)]


@pytest.mark.parametrize(("flavour", "token"), RECHECK)
async def test_an_edit_is_found_by_looking_again(build: Build, opened: Build, clock: list[datetime], flavour: str, token: bool) -> None:
    """An edit, invisible above the cursor, arrives with the next look at the recent posts, and only then."""
    simulator = await build(flavour=flavour)
    statuses = [post(simulator, f"<p>{number}</p>") for number in range(3)]
    source = await opened(simulator, token=token)
    first = await source.fetch(None)
    clock[0] += timedelta(minutes=5)
    simulator.world.edit(statuses[1], content="<p>Corrigé</p>")
    early = await source.fetch(first.cursor)
    clock[0] += timedelta(minutes=5)
    late = await source.fetch(early.cursor)

    assert early == Batch(cursor=first.cursor)
    assert texts(late) == ["<p>0</p>", "<p>Corrigé</p>", "<p>2</p>"]
    assert late.changed[1].updated_at == NOW + timedelta(minutes=5)
    assert (late.gone, late.cursor) == ((), first.cursor)


@pytest.mark.parametrize(("flavour", "token"), RECHECK)
async def test_a_deletion_is_found_by_looking_again(build: Build, opened: Build, clock: list[datetime], flavour: str, token: bool) -> None:
    """A post that is missing, and unknown when asked for alone, is reported once; asked for by name later, it is gone still."""
    simulator = await build(flavour=flavour, secure=True)
    statuses = [post(simulator, f"<p>{number}</p>") for number in range(3)]
    source = await opened(simulator, token=token)
    first = await source.fetch(None)
    gone = uid(simulator, statuses[1])
    simulator.world.delete(statuses[1])
    clock[0] += timedelta(minutes=10)
    batch = await source.fetch(first.cursor)
    clock[0] += timedelta(minutes=10)

    assert batch.gone == (Tombstone(uid=gone),)
    assert texts(batch) == ["<p>0</p>", "<p>2</p>"]
    assert (await source.fetch(batch.cursor)).gone == ()
    assert await source.read([gone]) == Batch(gone=(Tombstone(uid=gone),))


async def test_an_edit_made_while_the_daemon_was_off_is_found(build: Build, opened: Build, clock: list[datetime]) -> None:
    """After a restart the recent posts are looked at at once; the cursor remembers which they are."""
    simulator = await build()
    statuses = [post(simulator, f"<p>{number}</p>") for number in range(3)]
    cursor = (await (await opened(simulator)).fetch(None)).cursor
    gone = uid(simulator, statuses[0])
    simulator.world.delete(statuses[0])
    simulator.world.edit(statuses[1], content="<p>Corrigé</p>")
    batch = await (await opened(simulator)).fetch(cursor)

    assert batch.gone == (Tombstone(uid=gone),)
    assert texts(batch) == ["<p>Corrigé</p>", "<p>2</p>"]


async def test_an_empty_batch_is_no_deletion(build: Build, opened: Build, clock: list[datetime]) -> None:
    """A server that forgets its list for a moment deletes nothing: each post is asked for alone."""
    simulator = await build()
    for number in range(3):
        post(simulator, f"<p>{number}</p>")
    source = await opened(simulator)
    first = await source.fetch(None)
    clock[0] += timedelta(minutes=10)
    simulator.fault(Fault(action="answer", status=200, headers={"Content-Type": "application/json"}, body=b"[]", path="/statuses", skip=1))
    batch = await source.fetch(first.cursor)

    assert batch.gone == ()
    assert len(batch.changed) == 3


async def test_a_failed_look_keeps_the_news(build: Build, opened: Build, clock: list[datetime]) -> None:
    """When the recent posts cannot be read again, what is new arrives all the same, and they are tried at the next poll."""
    simulator = await build()
    status = post(simulator, "<p>Avant</p>")
    source = await opened(simulator)
    first = await source.fetch(None)
    clock[0] += timedelta(minutes=10)
    simulator.world.edit(status, content="<p>Corrigé</p>")
    post(simulator, "<p>Après</p>")
    simulator.fault(Fault(action="answer", status=503, path="/statuses", skip=1, times=9))
    batch = await source.fetch(first.cursor)
    simulator.faults.clear()

    assert (texts(batch), batch.gone) == (["<p>Après</p>"], ())
    assert texts(await source.fetch(batch.cursor)) == ["<p>Corrigé</p>", "<p>Après</p>"]


async def test_a_server_without_batches_is_listed_again(build: Build, opened: Build, clock: list[datetime]) -> None:
    """Where several posts cannot be asked for at once after all, the newest are listed again."""
    simulator = await build()
    status, *_ = [post(simulator, f"<p>{number}</p>") for number in range(30)]
    source = await opened(simulator)
    first = await source.fetch(None)
    clock[0] += timedelta(minutes=10)
    simulator.world.edit(status, content="<p>Corrigé</p>")
    simulator.flavour = replace(simulator.flavour, batch_max=0)
    batch = await source.fetch(first.cursor)

    assert texts(batch)[0] == "<p>Corrigé</p>"
    assert (len(batch.changed), batch.gone) == (30, ())


async def test_a_video_that_is_not_ready_is_looked_at_soon(build: Build, opened: Build) -> None:
    """A picture without an address is left out, and read again at the next poll instead of in ten minutes."""
    simulator = await build()
    media = picture(simulator, asso(simulator), polls_left=1)
    post(simulator, "<p>Film</p>", media_ids=[media.id])
    source = await opened(simulator)
    first = await source.fetch(None)
    media.polls_left = 0
    second = await source.fetch(first.cursor)

    assert [item.attachments for item in first.changed] == [()]
    assert [item.attachments[0].url for item in second.changed] == [f"{simulator.url}/media/{media.id}.jpg"]


async def test_a_410_is_certain(build: Build, opened: Build, clock: list[datetime]) -> None:
    """An older Friendica post, unknown by number, is asked for by its ActivityPub id; 410 and a Tombstone are the last word."""
    simulator = await build(flavour="friendica")
    statuses = [post(simulator, f"<p>{number}</p>") for number in range(2)]
    uids = [uid(simulator, status) for status in statuses]
    source = await opened(simulator)
    simulator.world.delete(statuses[0])

    assert await source.read(uids) == Batch(gone=(Tombstone(uid=uids[0], certain=True),), present=frozenset({uids[1]}))


async def test_a_secure_server_keeps_quiet_about_it(build: Build, opened: Build) -> None:
    """With AUTHORIZED_FETCH an ActivityPub id answers 401, whatever became of the post: unknown, never gone."""
    simulator = await build(flavour="friendica", secure=True)
    status = post(simulator, "<p>Un</p>")
    source = await opened(simulator)
    gone = uid(simulator, status)
    simulator.world.delete(status)

    assert await source.read([gone]) == Batch()


async def test_strangers_ids_are_not_asked_for(build: Build, opened: Build) -> None:
    """A uid of another server is unknown here, and never gone."""
    simulator = await build()
    source = await opened(simulator)
    simulator.requests.clear()

    assert await source.read(["urn:uuid:1"]) == Batch()
    assert simulator.requests == []


async def test_the_cursor_stays_small(build: Build, opened: Build) -> None:
    """However much was posted, the cursor is a few kilobytes, and round-trips."""
    actor = "https://social.example#1"
    recent = tuple(
        Recent(id=str(117651485491200002 + n), uid=f"https://social.example/users/asso/statuses/{117651485491200002 + n}", at=1795262400)
        for n in range(500)
    )
    position = Position(actor=actor).advanced([one.id for one in recent], recent, NOW, timedelta(days=9000))

    assert position.recent == recent[-RECENT_MAX:]
    assert len(position.encode()) < 4096
    assert Position.decode(position.encode(), actor) == position
    assert Position.decode(position.encode(), "https://social.example#2") is None
