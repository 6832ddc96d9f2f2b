"""The mobilizon source asked by name, across an instance, and its options."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.mobilizon import MobilizonSource, Options
from syndicator.contract import CanRead, Context, Page
from syndicator.http import Sessions
from syndicator.model import Batch, Event, Tombstone
from syndicator.sandbox.mobilizon import MobilizonSimulator
from syndicator.sandbox.server import Fault
from syndicator.testing import NOW, make_context
from tests.mobilizon_scene import LAST_WEEK, SOON, event_in, first_event, instance, questions, source_of


@pytest.fixture
async def simulator() -> AsyncIterator[MobilizonSimulator]:
    simulator = await instance()
    yield simulator
    await simulator.stop()


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[Context]:
    sessions = Sessions()
    yield make_context(tmp_path, sessions)
    await sessions.close()


@pytest.fixture
async def three(simulator: MobilizonSimulator) -> list[str]:
    """The addresses of three events."""
    return [simulator.add_event("asso", f"Atelier {day}", SOON + timedelta(days=day)).url for day in range(3)]


async def test_deleted_unpublished_and_living(simulator: MobilizonSimulator, context: Context, three: list[str]) -> None:
    """410 is certain, 404 is not, a cancelled event is there, and says so."""
    deleted, unpublished, cancelled = list(simulator.world.events.values())
    source = source_of(simulator, context)
    assert isinstance(source, CanRead)
    first = await source.fetch(None)
    simulator.delete_event(deleted)
    simulator.unpublish_event(unpublished)
    simulator.cancel_event(cancelled)
    listed = await source.fetch(first.cursor)
    read = await source.read(three)

    expected = replace(event_in(first, cancelled.url), status="cancelled")
    assert listed.changed == (expected,)
    assert listed.gone == ()
    assert listed.complete
    assert read == Batch(changed=(expected,), gone=(Tombstone(uid=deleted.url, certain=True), Tombstone(uid=unpublished.url)))


@pytest.mark.parametrize("changes", [{"visibility": "UNLISTED"}, {"visibility": "PRIVATE"}, {"visibility": "RESTRICTED"}, {"draft": True}])
async def test_what_is_hidden_is_gone_but_not_for_good(
    simulator: MobilizonSimulator, context: Context, three: list[str], changes: dict[str, Any]
) -> None:
    """An event that is no longer public, even if whoever has its address may read it, is reported without certainty."""
    simulator.edit_event(first_event(simulator), **changes)

    assert (await source_of(simulator, context).read(three[:1])) == Batch(gone=(Tombstone(uid=three[0]),))


async def test_an_event_of_another_group_is_kept(simulator: MobilizonSimulator, context: Context, three: list[str]) -> None:
    """Handed over to another group, or asked for with a group's name mistyped, a public event is still there."""
    simulator.add_group("voisins")
    batch = await source_of(simulator, context, groups=("voisins",)).read(three[:1])

    assert [item.uid for item in batch.changed] == three[:1]
    assert batch.gone == ()


async def test_posts_by_name(simulator: MobilizonSimulator, context: Context) -> None:
    """A living post is read again; a deleted one answers 404, as Mobilizon keeps no tombstone page for posts."""
    living, deleted = simulator.add_post("asso", "Billet"), simulator.add_post("asso", "Autre")
    simulator.delete_post(deleted)
    simulator.edit_post(living, body="<p>Corrigé</p>")
    batch = await source_of(simulator, context).read([living.url, deleted.url])

    assert [(item.uid, item.html) for item in batch.changed] == [(living.url, "<p>Corrigé</p>")]
    assert batch.gone == (Tombstone(uid=deleted.url),)


@pytest.mark.parametrize("fault", [
    Fault(action="answer", status=503, path="/events/"),
    Fault(action="answer", status=403, path="/events/"),
    Fault(action="answer", status=200, body=b"<html>", path="/events/"),
    Fault(action="answer", status=429, path="/events/"),
    Fault(action="drop", path="/events/", times=9),
    Fault(action="truncate", path="/events/", times=9),
], ids=["503", "403", "html", "429", "cut", "truncated"])  # fmt: skip
async def test_an_odd_answer_confirms_nothing(simulator: MobilizonSimulator, context: Context, three: list[str], fault: Fault) -> None:
    """Only 404 and 410 of the event's own address count; anything else leaves it unknown."""
    simulator.delete_event(first_event(simulator))
    simulator.fault(fault)

    assert await source_of(simulator, context).read(three[:1]) == Batch()


async def test_a_foreign_address_is_asked_directly(simulator: MobilizonSimulator, context: Context) -> None:
    """A uid that is no Mobilizon path (a federated event's) is looked up at its own address."""
    batch = await source_of(simulator, context).read([f"{simulator.url}/elsewhere/1", f"{simulator.url}/"])

    assert batch == Batch(gone=(Tombstone(uid=f"{simulator.url}/elsewhere/1"),))


async def test_another_object_at_the_address_confirms_nothing(simulator: MobilizonSimulator, context: Context) -> None:
    """An event whose id is elsewhere is not the one that was asked for."""
    copy = simulator.add_event("asso", "D'ailleurs", SOON, remote_url="https://ailleurs.example/events/1")

    assert await source_of(simulator, context).read([f"{simulator.url}/events/{copy.uuid}"]) == Batch()


async def test_ten_events_are_read_in_handfuls(simulator: MobilizonSimulator, context: Context) -> None:
    """Lookups are shared among a few questions that stay below the limit of complexity."""
    uids = [simulator.add_event("asso", f"Atelier {number}", SOON).url for number in range(10)]
    batch = await source_of(simulator, context).read(uids)

    assert [item.uid for item in batch.changed] == uids
    assert questions(simulator) == ["ReadEvents"] * 4


async def test_tags_across_the_instance(simulator: MobilizonSimulator, context: Context) -> None:
    """Every local event with one of the tags, once; copies of other instances' events only when asked for."""
    simulator.add_group("autre")
    both = simulator.add_event("asso", "Bal", SOON, tags=["vélo", "fête"], inserted_at=LAST_WEEK)
    cancelled = simulator.add_event("autre", "Atelier", SOON, tags=["fête"], status="CANCELLED", inserted_at=LAST_WEEK)
    simulator.add_event("autre", "Autre chose", SOON, tags=["jardin"], inserted_at=LAST_WEEK)
    copy = simulator.add_event(
        "autre", "D'ailleurs", SOON, tags=["fête"], remote_url="https://ailleurs.example/events/1", inserted_at=LAST_WEEK
    )
    simulator.requests.clear()
    source = source_of(simulator, context, tags=("vélo", "fête"))
    first = await source.fetch(None)
    idle = await source.fetch(first.cursor)
    federated = await source_of(simulator, context, tags=("vélo", "fête"), federated=True).fetch(None)

    assert [item.uid for item in first.changed] == [both.url, cancelled.url]
    assert first.complete
    assert idle == Batch(cursor=first.cursor)
    assert [item.uid for item in federated.changed] == [both.url, cancelled.url, copy.url]
    assert questions(simulator)[:3] == ["ProbeTags", "TaggedEvents", "ProbeTags"]


async def test_the_whole_instance(simulator: MobilizonSimulator, context: Context) -> None:
    """Everything to come, in pages that the server accepts; cancelled events are found by name."""
    simulator.add_group("autre")
    for number in range(250):
        simulator.add_event(
            "asso" if number % 2 else "autre", f"Séance {number}", SOON + timedelta(days=number // 20), inserted_at=LAST_WEEK
        )
    simulator.add_event("asso", "Hier", NOW - timedelta(days=1), inserted_at=LAST_WEEK)
    source = source_of(simulator, context, whole_instance=True, page_size=500)
    await source.open()
    first = await source.fetch(None)
    simulator.cancel_event(first_event(simulator))
    second = await source.fetch(first.cursor)
    read = await source.read([first_event(simulator).url])

    assert len(first.changed) == 250
    assert (first.complete, first.complete_since) == (True, NOW)
    assert len(second.changed) == 249
    assert [item.status for item in read.changed if isinstance(item, Event)] == ["cancelled"]


@pytest.mark.parametrize("name", ["asso", "@asso", "asso@{host}", "@asso@{host}"])
async def test_ways_to_write_a_group(simulator: MobilizonSimulator, context: Context, name: str) -> None:
    """With or without the @ and the host."""
    event = simulator.add_event("asso", "Atelier", SOON)
    source = source_of(simulator, context, groups=(name.format(host=simulator.host),))

    assert [item.uid for item in (await source.fetch(None)).changed] == [event.url]
    assert [item.uid for item in (await source.read([event.url])).changed] == [event.url]


@pytest.mark.parametrize("options", [
    {},
    {"groups": ("asso",), "tags": ("vélo",)},
    {"tags": ("vélo",), "whole_instance": True},
    {"groups": ("https://mobilizon.example/@asso",)},
    {"groups": ("",)},
    {"groups": ("asso",), "events": False, "posts": False},
    {"tags": ("vélo",), "events": False},
    {"groups": ("asso",), "timezone": "Europe/Brest"},
    {"groups": ("asso",), "page_size": 0},
    {"groups": ("asso",), "url": "https://mobilizon.example/@asso"},
    {"groups": ("asso",), "url": "mobilizon.example"},
    {"groups": ("asso",), "url": "ftp://mobilizon.example"},
])  # fmt: skip
def test_options_that_cannot_be(options: dict[str, Any]) -> None:
    """Each contradiction is explained in both languages."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are what is tested
        Options(**{"url": "https://mobilizon.example"} | options)

    (explained,) = caught.value.args
    assert set(explained) == {"fr", "en"}


@pytest.mark.parametrize(("url", "software", "expected"), [
    ("https://mobilizon.example/@asso", "mobilizon", ["asso"]),
    ("https://mobilizon.example/@asso/events", "mobilizon", ["asso"]),
    ("https://mobilizon.example/@asso@ailleurs.example", "mobilizon", ["asso@ailleurs.example"]),
    ("https://mobilizon.example/@asso", "mastodon", None),
    ("https://mobilizon.example/@asso", None, None),
    ("https://mobilizon.example/", "mobilizon", None),
    ("https://mobilizon.example/events/0b5d4ae9-6d8f-4b5c-8f0b-0d9f6f9a0001", "mobilizon", None),
])  # fmt: skip
def test_a_group_page_is_recognised(url: str, software: str | None, expected: list[str] | None) -> None:
    """A group's page on an instance that says it is Mobilizon becomes options; nothing else does."""
    found = MobilizonSource.recognise(Page(url=url, asked_url=url, content_type="text/html", body=b"", software=software))

    assert found == (None if expected is None else {"url": "https://mobilizon.example", "groups": expected})
    if found is not None:
        Options(url=found["url"], groups=tuple(found["groups"]))


async def test_the_simulated_instance_is_recognised(simulator: MobilizonSimulator, context: Context) -> None:
    """NodeInfo and group page of the sandbox fit together."""
    links = (await context.http.get(f"{simulator.url}/.well-known/nodeinfo")).json()
    software = (await context.http.get(links["links"][0]["href"])).json()["software"]
    page = await context.http.get(f"{simulator.url}/@asso")

    assert (software["name"], software["version"]) == ("Mobilizon", "5.1.3")
    assert (page.status, page.content_type) == (200, "text/html")
