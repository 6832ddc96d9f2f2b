"""The mobilizon source against the simulated instance: what every source promises, lists, change, and asking by name."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.mobilizon import MobilizonSource, Options, queries
from connectors.mobilizon.probe import Cursor
from syndicator.contract import Context
from syndicator.http import Sessions
from syndicator.model import Batch
from syndicator.sandbox.mobilizon import MobilizonSimulator
from syndicator.sandbox.server import Fault
from syndicator.testing import NOW, PARIS, SourceContract, make_context
from tests.mobilizon_scene import HISTORY_START, LAST_WEEK, SOON, first_event, instance, only_event, questions, source_of


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


class TestMobilizonContract(SourceContract):
    """What every source promises."""

    connector = MobilizonSource
    path = "/api"

    async def start(self) -> MobilizonSimulator:
        simulator = await instance()
        for day in range(3):
            simulator.add_event("asso", f"Atelier {day}", SOON + timedelta(days=day), inserted_at=LAST_WEEK)
        simulator.add_post("asso", "Compte rendu", "<p>Merci à tous</p>", inserted_at=LAST_WEEK)
        return simulator

    def options(self, simulator: MobilizonSimulator) -> Options:
        return Options(url=simulator.url, groups=("asso",))

    async def add(self, simulator: MobilizonSimulator) -> str:
        return simulator.add_event("asso", "Bal", SOON).url

    async def edit(self, simulator: MobilizonSimulator) -> str:
        return simulator.edit_event(first_event(simulator), title="Atelier reporté").url

    async def remove(self, simulator: MobilizonSimulator) -> str:
        event = first_event(simulator)
        simulator.delete_event(event)
        return event.url

    async def hide(self, simulator: MobilizonSimulator) -> str:
        for fields in ({"visibility": "UNLISTED"}, {"visibility": "PRIVATE"}, {"visibility": "RESTRICTED"}, {"draft": True}):
            simulator.add_event("asso", "Secret", SOON, **fields)
            simulator.add_post("asso", "Secret", slug=f"secret-{len(simulator.world.posts)}", **fields)
        simulator.add_post("asso", "Secret", publish_at=NOW + timedelta(days=1))
        return "ecret"


@pytest.mark.parametrize("page_size", [10, 100, 1000])
async def test_a_thousand_events_come_once_each(simulator: MobilizonSimulator, context: Context, page_size: int) -> None:
    """Pages are read to the end and equal beginnings that change places between two pages lose nothing."""
    expected = {simulator.add_event("asso", f"Séance {number}", SOON + timedelta(days=number // 50)).url for number in range(1000)}

    batch = await source_of(simulator, context, page_size=page_size).fetch(None)

    assert len(batch.changed) == 1000
    assert {item.uid for item in batch.changed} == expected
    assert batch.complete
    assert batch.complete_since == HISTORY_START


async def test_a_group_without_anything_is_an_empty_listing(simulator: MobilizonSimulator, context: Context) -> None:
    """Nothing there is an answer, and settles."""
    source = source_of(simulator, context)
    batch = await source.fetch(None)

    assert replace(batch, cursor=None) == Batch(complete=True, complete_since=HISTORY_START)
    assert await source.fetch(batch.cursor) == Batch(cursor=batch.cursor)


async def test_the_window_begins_history_ago(simulator: MobilizonSimulator, context: Context) -> None:
    """What ended or was published before is left out; what goes on is in, however long ago it began."""
    began = NOW - timedelta(days=60)
    simulator.add_event("asso", "Fini", began, began + timedelta(hours=2))
    going_on = simulator.add_event("asso", "Exposition", began, NOW + timedelta(days=60))
    recent = simulator.add_event("asso", "Hier", NOW - timedelta(days=1))
    simulator.add_post("asso", "Vieux billet", inserted_at=began)

    default = await source_of(simulator, context).fetch(None)
    longer = await source_of(simulator, context, history=timedelta(days=90)).fetch(None)

    assert [item.uid for item in default.changed] == [going_on.url, recent.url]
    assert len(longer.changed) == 4


async def test_the_last_day_of_an_event_counts_whole(simulator: MobilizonSimulator, context: Context) -> None:
    """A day without times on the first day of the window is still in it, though it began before."""
    day = HISTORY_START.astimezone(PARIS)
    hidden = {"show_start_time": False, "show_end_time": False}
    event = simulator.add_event("asso", "Fête", day, day + timedelta(hours=2), **hidden)

    assert [item.uid for item in (await source_of(simulator, context).fetch(None)).changed] == [event.url]


async def test_a_server_that_lists_too_much(simulator: MobilizonSimulator, context: Context) -> None:
    """What says that it is a draft, or not public, stays here even when a server lists it."""
    payload = json.loads((Path(__file__).parent / "data" / "mobilizon" / "event-in-winter.json").read_text("utf-8"))["payload"]
    leaks = [{"draft": True}, {"visibility": "UNLISTED"}, {"visibility": "RESTRICTED"}, {"visibility": "NEW_IN_6"}, {"visibility": None}]
    elements = [payload | leak | {"url": f"{simulator.url}/events/{number}"} for number, leak in enumerate(leaks)]
    body = {"data": {"group": {"list": {"total": len(elements) + 1, "elements": [*elements, payload]}}}}
    simulator.fault(Fault(action="answer", status=200, body=json.dumps(body).encode(), path="/api", skip=1))

    batch = await source_of(simulator, context, posts=False).fetch(None)

    assert [item.uid for item in batch.changed] == [payload["url"]]
    assert batch.present == frozenset()


async def test_posts_are_read_until_they_are_old(simulator: MobilizonSimulator, context: Context) -> None:
    """Pages of posts older than the window are not asked for."""
    for day in range(100):
        simulator.add_post("asso", f"Billet {day}", inserted_at=NOW - timedelta(days=day, hours=1))
    simulator.requests.clear()

    batch = await source_of(simulator, context, page_size=10).fetch(None)

    assert len(batch.changed) == 32
    assert batch.complete
    assert questions(simulator).count("GroupPosts") == 5


async def test_events_or_posts_alone(simulator: MobilizonSimulator, context: Context) -> None:
    """What is switched off is not even asked for."""
    event = simulator.add_event("asso", "Atelier", SOON)
    post = simulator.add_post("asso", "Billet")

    events = await source_of(simulator, context, posts=False).fetch(None)
    posts = await source_of(simulator, context, events=False).fetch(None)

    assert [item.uid for item in events.changed] == [event.url]
    assert [item.uid for item in posts.changed] == [post.url]
    assert questions(simulator) == ["Probe", "GroupEvents", "Probe", "GroupPosts"]


async def test_forty_groups_cost_two_questions(simulator: MobilizonSimulator, context: Context) -> None:
    """Groups are asked about together, below the limit of complexity."""
    names = tuple(f"groupe{number}" for number in range(2 * queries.GROUPS_PER_PROBE))
    for name in names:
        simulator.add_group(name)
        simulator.add_event(name, f"Fête de {name}", SOON, inserted_at=LAST_WEEK)
    source = source_of(simulator, context, groups=names)
    first = await source.fetch(None)
    simulator.requests.clear()
    await source.fetch(first.cursor)

    assert len(first.changed) == len(names)
    assert questions(simulator) == ["Probe", "Probe"]
    assert len(first.cursor or "") < 200


async def test_a_registration_changes_nothing(simulator: MobilizonSimulator, context: Context) -> None:
    """``updatedAt`` moves when somebody registers, so the window is read again; the item stays equal to the last byte."""
    event = simulator.add_event("asso", "Atelier", SOON, capacity=10, inserted_at=LAST_WEEK)
    source = source_of(simulator, context)
    first = await source.fetch(None)
    simulator.participate(event)
    simulator.requests.clear()
    second = await source.fetch(first.cursor)

    assert event.updated_at == NOW
    assert second.changed == first.changed
    assert "GroupEvents" in questions(simulator)


async def test_the_last_seat_is_news(simulator: MobilizonSimulator, context: Context) -> None:
    """An event is full when as many registered as there are seats."""
    event = simulator.add_event("asso", "Atelier", SOON, capacity=2, inserted_at=LAST_WEEK)
    simulator.participate(event)
    before = await only_event(simulator, context)
    simulator.participate(event)
    after = await only_event(simulator, context)

    assert (before.capacity, before.full) == (2, False)
    assert after == replace(before, full=True)


async def test_two_changes_within_one_second_are_both_seen(simulator: MobilizonSimulator, context: Context) -> None:
    """The server's clock counts whole seconds: while the last change is that fresh, nothing is taken as settled."""
    event = simulator.add_event("asso", "Atelier", SOON)
    source = source_of(simulator, context)
    first = await source.fetch(None)
    simulator.edit_event(event, title="Atelier corrigé")
    second = await source.fetch(first.cursor)

    assert [item.title for item in second.changed] == ["Atelier corrigé"]


async def test_the_window_is_read_again_every_day(simulator: MobilizonSimulator, context: Context) -> None:
    """A change that the cheap question cannot show is seen within a day."""
    simulator.add_event("asso", "Atelier", SOON, inserted_at=LAST_WEEK)
    first = await source_of(simulator, context).fetch(None)
    later = replace(context, now=lambda: NOW + timedelta(hours=11))
    tomorrow = replace(context, now=lambda: NOW + timedelta(hours=13))

    assert (await source_of(simulator, later).fetch(first.cursor)).changed == ()
    assert (await source_of(simulator, tomorrow).fetch(first.cursor)).changed == first.changed


async def test_a_new_configuration_reads_everything(simulator: MobilizonSimulator, context: Context) -> None:
    """A cursor holds for the options it was made with."""
    simulator.add_event("asso", "Atelier", SOON, inserted_at=LAST_WEEK)
    first = await source_of(simulator, context).fetch(None)

    assert (await source_of(simulator, context, history=timedelta(days=10)).fetch(first.cursor)).changed == first.changed


@pytest.mark.parametrize("cursor", ["", "rubbish", "[]", "3", '{"digest": 3}', '{"wake_at": "noon"}'])
async def test_a_strange_cursor_is_no_cursor(simulator: MobilizonSimulator, context: Context, cursor: str) -> None:
    """A cursor of another version reads everything."""
    simulator.add_event("asso", "Atelier", SOON, inserted_at=LAST_WEEK)

    assert len((await source_of(simulator, context).fetch(cursor)).changed) == 1


async def test_a_post_waits_for_its_date(simulator: MobilizonSimulator, context: Context) -> None:
    """A post dated in the future is listed by the server, and held by us until then, though nothing moves at that moment."""
    comes_out = NOW + timedelta(hours=1)
    post = simulator.add_post("asso", "Annonce", publish_at=comes_out, inserted_at=LAST_WEEK)
    held = await source_of(simulator, context).fetch(None)
    still = await source_of(simulator, replace(context, now=lambda: comes_out - timedelta(seconds=1))).fetch(held.cursor)
    out = await source_of(simulator, replace(context, now=lambda: comes_out)).fetch(held.cursor)

    assert held.changed == ()
    assert still == Batch(cursor=held.cursor)
    assert [item.uid for item in out.changed] == [post.url]
    assert Cursor.load(out.cursor).wake_at is None
