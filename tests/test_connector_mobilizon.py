"""The mobilizon source against the simulated instance: what every source promises, and Mobilizon's quirks."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from graphql import parse, validate

from connectors.mobilizon import MobilizonSource, Options, queries
from connectors.mobilizon.probe import Cursor
from syndicator.contract import CanRead, Context, Page
from syndicator.errors import AuthExpired, Rejected, Transient
from syndicator.http import Sessions
from syndicator.model import Actor, Batch, Event, Offer, Place, Post, Tombstone
from syndicator.sandbox.mobilizon import MobilizonSimulator
from syndicator.sandbox.mobilizon_schema import complexity, published_schema, schema_for
from syndicator.sandbox.server import Fault
from syndicator.testing import NOW, PARIS, SourceContract, make_context

LAST_WEEK = NOW - timedelta(days=7)
SOON = datetime(2026, 12, 5, 20, 30, tzinfo=PARIS)
HISTORY_START = datetime(2026, 10, 21, tzinfo=UTC)


async def instance(*, version: str = "5.1.3") -> MobilizonSimulator:
    """An instance that has one group, ``asso``."""
    simulator = MobilizonSimulator(now=lambda: NOW, version=version)
    simulator.add_group("asso", "Les Amis du Vélo")
    return await simulator.start()


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
        return simulator.edit_event(_first(simulator), title="Atelier reporté").url

    async def remove(self, simulator: MobilizonSimulator) -> str:
        event = _first(simulator)
        simulator.delete_event(event)
        return event.url

    async def hide(self, simulator: MobilizonSimulator) -> str:
        for fields in ({"visibility": "UNLISTED"}, {"visibility": "PRIVATE"}, {"visibility": "RESTRICTED"}, {"draft": True}):
            simulator.add_event("asso", "Secret", SOON, **fields)
            simulator.add_post("asso", "Secret", slug=f"secret-{len(simulator.world.posts)}", **fields)
        simulator.add_post("asso", "Secret", publish_at=NOW + timedelta(days=1))
        return "ecret"


def _first(simulator: MobilizonSimulator) -> Any:
    return next(iter(simulator.world.events.values()))


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


def source_of(simulator: MobilizonSimulator, context: Context, **options: Any) -> MobilizonSource:
    """A source of the group ``asso`` unless told otherwise."""
    if not options.keys() & {"groups", "tags", "whole_instance"}:
        options["groups"] = ("asso",)
    return MobilizonSource(Options(url=simulator.url, **options), context)


async def only_event(simulator: MobilizonSimulator, context: Context) -> Event:
    """The one event that the source sees."""
    (item,) = (await source_of(simulator, context).fetch(None)).changed
    assert isinstance(item, Event)
    return item


def questions(simulator: MobilizonSimulator) -> list[str]:
    """The names of the operations asked, in order."""
    return [json.loads(seen.body)["query"].split("(")[0].split()[1] for seen in simulator.requests if seen.path == "/api"]


# The queries


PORTABLE = queries.Dialect()
NEWEST = queries.dialect_of("5.1.3")
DIALECT_QUERIES = {
    "probe": lambda dialect: queries.probe_groups(queries.GROUPS_PER_PROBE, True, True, dialect),
    "probe-events": lambda dialect: queries.probe_groups(1, True, False, dialect),
    "probe-posts": lambda dialect: queries.probe_groups(1, False, True, dialect),
    "probe-tags": lambda _: queries.PROBE_TAGS,
    "probe-instance": lambda _: queries.PROBE_INSTANCE,
    "group-events": queries.group_events,
    "group-posts": lambda _: queries.GROUP_POSTS,
    "tagged-events": queries.tagged_events,
    "instance-events": queries.instance_events,
    "read-events": lambda dialect: queries.read_events(queries.ITEMS_PER_READ, dialect),
    "read-posts": lambda _: queries.read_posts(queries.ITEMS_PER_READ),
}


@pytest.mark.parametrize("name", DIALECT_QUERIES)
def test_portable_queries_are_valid_against_the_published_schema(name: str) -> None:
    """What we ask a server of unknown version is in the schema that Mobilizon publishes, and within the older limit of complexity."""
    document = parse(DIALECT_QUERIES[name](PORTABLE))

    assert validate(published_schema(), document) == []
    assert complexity(document) <= 250


@pytest.mark.parametrize("name", DIALECT_QUERIES)
def test_queries_with_extras_are_valid_where_they_are_asked(name: str) -> None:
    """What we ask a 5.1 server is in its schema, and within the limit of complexity."""
    document = parse(DIALECT_QUERIES[name](NEWEST))

    assert validate(schema_for((5, 1)), document) == []
    assert complexity(document) <= 300


@pytest.mark.parametrize(("version", "dialect"), [
    (None, PORTABLE),
    ("", PORTABLE),
    ("unknown", PORTABLE),
    ("3.0.4", PORTABLE),
    ("3.1.0-beta.2", queries.Dialect(ordered=True)),
    ("5.0.1", queries.Dialect(ordered=True)),
    ("5.1.0-rc.1", queries.Dialect(ordered=True, long_events=True)),
    ("10.0.0", queries.Dialect(ordered=True, long_events=True)),
])  # fmt: skip
def test_extras_follow_the_version(version: str | None, dialect: queries.Dialect) -> None:
    """An extra is asked for only from the version that has it."""
    assert queries.dialect_of(version) == dialect


@pytest.mark.parametrize("version", ["3.0.4", "3.2.0", "4.0.2", "5.0.1", "5.1.3"])
async def test_every_version_is_read(context: Context, version: str) -> None:
    """Old or new, a server gives the same items, and an idle poll costs one request."""
    async with await instance(version=version) as simulator:
        event = simulator.add_event("asso", "Atelier", SOON, inserted_at=LAST_WEEK)
        post = simulator.add_post("asso", "Billet", inserted_at=LAST_WEEK)
        source = source_of(simulator, context)
        await source.open()
        first = await source.fetch(None)
        simulator.requests.clear()
        idle = await source.fetch(first.cursor)

        assert [item.uid for item in first.changed] == [event.url, post.url]
        assert idle == Batch(cursor=first.cursor)
        assert questions(simulator) == ["Probe"]


async def test_a_server_that_lies_about_its_version_is_read(simulator: MobilizonSimulator, context: Context) -> None:
    """Extras that are refused are given up, once, and the portable questions go on."""
    event = simulator.add_event("asso", "Atelier", SOON, inserted_at=LAST_WEEK)
    source = source_of(simulator, context)
    await source.open()
    simulator.version = "3.0.4"
    first = await source.fetch(None)
    simulator.requests.clear()
    await source.fetch(first.cursor)

    assert [item.uid for item in first.changed] == [event.url]
    assert questions(simulator) == ["Probe"]


# Lists


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


# Change


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


# Asking by name


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

    expected = replace(_event(first, cancelled.url), status="cancelled")
    assert listed.changed == (expected,)
    assert listed.gone == ()
    assert listed.complete
    assert read == Batch(changed=(expected,), gone=(Tombstone(uid=deleted.url, certain=True), Tombstone(uid=unpublished.url)))


@pytest.mark.parametrize("changes", [{"visibility": "UNLISTED"}, {"visibility": "PRIVATE"}, {"visibility": "RESTRICTED"}, {"draft": True}])
async def test_what_is_hidden_is_gone_but_not_for_good(
    simulator: MobilizonSimulator, context: Context, three: list[str], changes: dict[str, Any]
) -> None:
    """An event that is no longer public, even if whoever has its address may read it, is reported without certainty."""
    simulator.edit_event(_first(simulator), **changes)

    assert (await source_of(simulator, context).read(three[:1])) == Batch(gone=(Tombstone(uid=three[0]),))


async def test_an_event_given_to_another_group_leaves(simulator: MobilizonSimulator, context: Context, three: list[str]) -> None:
    """What is not the group's any more is reported, without certainty."""
    simulator.edit_event(_first(simulator), group=simulator.add_group("voisins"))

    assert (await source_of(simulator, context).read(three[:1])).gone == (Tombstone(uid=three[0]),)


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
    simulator.delete_event(_first(simulator))
    simulator.fault(fault)

    assert await source_of(simulator, context).read(three[:1]) == Batch()


async def test_a_foreign_address_is_asked_directly(simulator: MobilizonSimulator, context: Context) -> None:
    """A uid that is no Mobilizon path (a federated event's) is looked up at its own address."""
    batch = await source_of(simulator, context).read([f"{simulator.url}/elsewhere/1", f"{simulator.url}/"])

    assert batch == Batch(gone=(Tombstone(uid=f"{simulator.url}/elsewhere/1"),))


async def test_ten_events_are_read_in_handfuls(simulator: MobilizonSimulator, context: Context) -> None:
    """Lookups are shared among a few questions that stay below the limit of complexity."""
    uids = [simulator.add_event("asso", f"Atelier {number}", SOON).url for number in range(10)]
    batch = await source_of(simulator, context).read(uids)

    assert [item.uid for item in batch.changed] == uids
    assert questions(simulator) == ["ReadEvents"] * 4


def _event(batch: Batch, uid: str) -> Event:
    item = next(item for item in batch.changed if item.uid == uid)
    assert isinstance(item, Event)
    return item


# Errors


async def test_a_missing_group_does_not_stop_the_others(
    simulator: MobilizonSimulator, context: Context, caplog: pytest.LogCaptureFixture
) -> None:
    """It is reported once, in the association's language, and no listing counts as complete without it."""
    event = simulator.add_event("asso", "Atelier", SOON, inserted_at=LAST_WEEK)
    source = source_of(simulator, context, groups=("fantome", "asso"))
    with caplog.at_level(logging.WARNING):
        await source.open()
        batch = await source.fetch(None)
        idle = await source.fetch(batch.cursor)

    assert [item.uid for item in batch.changed] == [event.url]
    assert not batch.complete
    assert idle == Batch(cursor=batch.cursor)
    (record,) = caplog.records
    assert "@fantome" in record.getMessage()
    assert "ne connaît pas" in record.getMessage()


async def test_a_missing_group_that_appears_is_read(simulator: MobilizonSimulator, context: Context) -> None:
    """Its coming is news."""
    simulator.add_event("asso", "Atelier", SOON, inserted_at=LAST_WEEK)
    source = source_of(simulator, context, groups=("asso", "fantome"))
    first = await source.fetch(None)
    simulator.add_group("fantome")
    event = simulator.add_event("fantome", "Bal masqué", SOON, inserted_at=LAST_WEEK)
    second = await source.fetch(first.cursor)

    assert event.url in {item.uid for item in second.changed}
    assert second.complete


@pytest.mark.parametrize("groups", [("fantome",), ("suspendu",), ("fantome", "suspendu")])
async def test_without_any_group_the_source_is_rejected(simulator: MobilizonSimulator, context: Context, groups: tuple[str, ...]) -> None:
    """A group that does not exist, or is suspended, is named together with what to do, in both languages."""
    simulator.suspend_group(simulator.add_group("suspendu"))
    source = source_of(simulator, context, groups=groups)
    for step in (source.open(), source.fetch(None)):
        with pytest.raises(Rejected) as caught:
            await step
        assert caught.value.hint is not None
        for language in ("fr", "en"):
            assert all(f"@{name}" in caught.value.hint[language] for name in groups)


async def test_the_language_of_messages_decides_nothing(simulator: MobilizonSimulator, context: Context) -> None:
    """Errors are told apart by their code: a server that insists on French is understood."""
    event = simulator.add_event("asso", "Atelier", SOON)
    simulator.delete_event(event)
    body = {
        "data": {"i0": None},
        "errors": [{"code": "event_not_found", "status_code": 404, "path": ["i0"], "message": "Événement non trouvé"}],
    }
    simulator.fault(_graphql(body))

    assert (await source_of(simulator, context).read([event.url])).gone == (Tombstone(uid=event.url, certain=True),)


def _graphql(body: object, **changes: Any) -> Fault:
    fault = Fault(action="answer", status=200, headers={"Content-Type": "application/json"}, body=json.dumps(body).encode(), path="/api")
    return replace(fault, **changes)


@pytest.mark.parametrize(("body", "error"), [
    ({"errors": [{"message": "Operation Probe is too complex: complexity is 400 and maximum is 300"}]}, Rejected),
    ({"errors": [{"message": "Cannot query field"}], "data": None}, Rejected),
    ({"errors": [{"code": "unauthenticated", "status_code": 401, "message": "…"}], "data": None}, AuthExpired),
    ({"errors": [{"code": "unknown", "status_code": 500, "message": "…"}], "data": None}, Transient),
    ({"data": {"config": None, "g0": None}, "errors": [{"code": "unknown", "status_code": 500, "path": ["g0"]}]}, Transient),
    ({"data": None}, Transient),
    ({"errors": "no"}, Transient),
    ([], Transient),
    ("hello", Transient),
    ({}, Transient),
])  # fmt: skip
async def test_errors_with_http_200(simulator: MobilizonSimulator, context: Context, body: object, error: type[Exception]) -> None:
    """An answer that is all errors, or no answer at all, is the right one of our errors."""
    simulator.fault(_graphql(body, times=3))
    with pytest.raises(error) as caught:
        await source_of(simulator, context).fetch(None)

    assert type(caught.value) is error or issubclass(type(caught.value), error)


@pytest.mark.parametrize(("fault", "error"), [
    (Fault(action="answer", status=404, headers={"Content-Type": "text/html"}), Rejected),
    (Fault(action="answer", status=405), Rejected),
    (Fault(action="answer", status=301, headers={"Location": "https://new.example/api"}), Rejected),
    (Fault(action="answer", status=302, headers={"Location": "https://asso.example/maintenance"}), Transient),
    (Fault(action="answer", status=403), AuthExpired),
    (Fault(action="answer", status=500, times=9), Transient),
    (Fault(action="answer", status=410), Rejected),
])  # fmt: skip
async def test_http_errors_say_what_to_do(simulator: MobilizonSimulator, context: Context, fault: Fault, error: type[Rejected]) -> None:
    """An address that is no Mobilizon instance, has moved, or refuses strangers, is named with what to do."""
    simulator.fault(replace(fault, path="/api"))
    with pytest.raises(error) as caught:
        await source_of(simulator, context).open()

    assert caught.value.hint is not None or fault.status == 500


async def test_a_list_that_fails_is_no_empty_list(simulator: MobilizonSimulator, context: Context) -> None:
    """A group whose events cannot be read now is not a group without events."""
    simulator.add_event("asso", "Atelier", SOON, inserted_at=LAST_WEEK)
    source = source_of(simulator, context)
    first = await source.fetch(None)
    simulator.broken["asso", "organizedEvents"] = "unknown"
    with pytest.raises(Transient):
        await source.fetch(first.cursor)


async def test_one_group_that_fails_does_not_stop_the_others(simulator: MobilizonSimulator, context: Context) -> None:
    """Partial data: what came is used, nothing counts as complete, and the recovery is news."""
    simulator.add_group("autre")
    own = simulator.add_event("asso", "Atelier", SOON, inserted_at=LAST_WEEK)
    other = simulator.add_event("autre", "Bal", SOON, inserted_at=LAST_WEEK)
    source = source_of(simulator, context, groups=("asso", "autre"))
    simulator.broken["autre", "posts"] = "unknown"
    partial = await source.fetch(None)
    simulator.broken.clear()
    whole = await source.fetch(partial.cursor)

    assert [item.uid for item in partial.changed] == [own.url]
    assert not partial.complete
    assert [item.uid for item in whole.changed] == [own.url, other.url]
    assert whole.complete


async def test_a_part_of_an_event_that_fails_for_now(simulator: MobilizonSimulator, context: Context) -> None:
    """An event whose picture could not be read is there, unchanged; it is read again at the next poll."""
    event = simulator.add_event("asso", "Atelier", SOON, inserted_at=LAST_WEEK, picture=b"\x89PNG")
    source = source_of(simulator, context)
    simulator.broken[event.uuid, "picture"] = "unknown"
    partial = await source.fetch(None)
    simulator.broken.clear()
    whole = await source.fetch(partial.cursor)

    assert (partial.changed, partial.present, partial.complete) == ((), frozenset({event.url}), True)
    assert _event(whole, event.url).image is not None


async def test_a_part_of_an_event_that_is_refused_for_good(simulator: MobilizonSimulator, context: Context) -> None:
    """An event with a field that strangers may not read comes without it."""
    event = simulator.add_event("asso", "Atelier", SOON, inserted_at=LAST_WEEK)
    simulator.broken[event.uuid, "participantStats"] = "unauthenticated"
    batch = await source_of(simulator, context).fetch(None)

    assert [item.uid for item in batch.changed] == [event.url]
    assert batch.present == frozenset()


async def test_an_unreadable_event_does_not_stop_the_others(
    simulator: MobilizonSimulator, context: Context, caplog: pytest.LogCaptureFixture
) -> None:
    """An event without what it needs is named in the log, kept if known, and the next one is read."""
    broken = simulator.add_event("asso", "", SOON, inserted_at=LAST_WEEK)
    event = simulator.add_event("asso", "Bal", SOON, inserted_at=LAST_WEEK)
    batch = await source_of(simulator, context).fetch(None)

    assert [item.uid for item in batch.changed] == [event.url]
    assert batch.present == {broken.url}
    assert "no title" in caplog.text


async def test_a_category_that_crashes_the_server_is_left_out(simulator: MobilizonSimulator, context: Context) -> None:
    """A category that the instance no longer defines makes it answer 500: the question is put once more without it."""
    event = simulator.add_event("asso", "Atelier", SOON, category="ABOLISHED", inserted_at=LAST_WEEK)
    batch = await source_of(simulator, context).fetch(None)

    assert [(item.uid, item.category) for item in batch.changed if isinstance(item, Event)] == [(event.url, None)]


# Instance-wide


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
    simulator.cancel_event(_first(simulator))
    second = await source.fetch(first.cursor)
    read = await source.read([_first(simulator).url])

    assert len(first.changed) == 250
    assert (first.complete, first.complete_since) == (True, NOW)
    assert len(second.changed) == 249
    assert [item.status for item in read.changed if isinstance(item, Event)] == ["cancelled"]


# Dates


@pytest.mark.parametrize(("day", "stored"), [
    (date(2026, 12, 5), datetime(2026, 12, 4, 23, 0, tzinfo=UTC)),
    (date(2027, 7, 14), datetime(2027, 7, 13, 22, 0, tzinfo=UTC)),
], ids=["winter", "summer"])  # fmt: skip
async def test_an_event_with_a_date_alone(simulator: MobilizonSimulator, context: Context, day: date, stored: datetime) -> None:
    """Local midnight is the evening before in UTC: the day is that of the event's own clock, and the last day is included."""
    event = simulator.add_event("asso", "Fête", day, day + timedelta(days=1))
    item = await only_event(simulator, context)

    assert event.begins_on == stored
    assert item.start_is_date
    assert item.end_is_date
    assert item.starts_at == datetime(day.year, day.month, day.day, tzinfo=PARIS)
    assert item.ends_at == datetime(day.year, day.month, day.day + 1, tzinfo=PARIS)


async def test_a_hidden_time_means_nothing(simulator: MobilizonSimulator, context: Context) -> None:
    """With its time hidden, an event saved at an accidental hour is the same as one saved at midnight."""
    event = simulator.add_event("asso", "Fête", datetime(2026, 12, 5, 17, 45, tzinfo=PARIS), show_start_time=False, show_end_time=False)
    before = await only_event(simulator, context)
    simulator.move_event(event, datetime(2026, 12, 5, 9, 15, tzinfo=PARIS))
    after = await only_event(simulator, context)

    assert (before.starts_at, before.ends_at, before.end_is_date) == (datetime(2026, 12, 5, tzinfo=PARIS), None, False)
    assert after == before


@pytest.mark.parametrize("ends_on", [None, SOON, SOON - timedelta(hours=1)], ids=["null", "same", "before"])
async def test_an_event_without_end(simulator: MobilizonSimulator, context: Context, ends_on: datetime | None) -> None:
    """No end, an end that is the beginning, and (on copies) an end before it, all say that the organiser gave none."""
    simulator.add_event("asso", "Atelier", SOON, ends_on)
    item = await only_event(simulator, context)

    assert (item.starts_at, item.ends_at) == (SOON, None)


@pytest.mark.parametrize(("own", "places", "configured", "expected"), [
    ("Europe/Brussels", "Europe/Berlin", "Europe/Madrid", "Europe/Brussels"),
    (None, "Europe/Berlin", "Europe/Madrid", "Europe/Berlin"),
    ("Mars/Olympus", None, "Europe/Madrid", "Europe/Madrid"),
    ("../../etc/passwd", "Europe", None, "Europe/Paris"),
    (None, None, None, "Europe/Paris"),
])  # fmt: skip
async def test_whose_clock(
    simulator: MobilizonSimulator, context: Context, own: str | None, places: str | None, configured: str | None, expected: str
) -> None:
    """The event's time zone, else its place's, else the configured one, else the association's."""
    simulator.add_event("asso", "Atelier", SOON, timezone=own, place={"timezone": places})
    (item,) = (await source_of(simulator, context, timezone=configured).fetch(None)).changed

    assert isinstance(item, Event)
    assert item.timezone == expected
    assert item.starts_at == SOON
    assert item.starts_at.tzinfo == ZoneInfo(expected)
    assert item.place is None


@pytest.mark.parametrize(("version", "verdict"), [("5.0.1", None), ("5.1.3", True)])
async def test_an_activity_that_goes_on(context: Context, version: str, verdict: bool | None) -> None:
    """The server's own verdict where it has one; long either way."""
    async with await instance(version=version) as simulator:
        simulator.add_event("asso", "Exposition", SOON, SOON + timedelta(days=40))
        source = source_of(simulator, context)
        await source.open()
        (item,) = (await source.fetch(None)).changed

        assert isinstance(item, Event)
        assert item.long_event is verdict
        assert item.is_long


# Options and recognition


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


# A whole event and a whole post, from the server to the item


async def test_a_whole_event(simulator: MobilizonSimulator, context: Context) -> None:
    """Every field that the organiser filled in arrives."""
    simulator.add_event(
        "asso",
        "Bal costumé",
        SOON,
        SOON + timedelta(hours=4),
        description="<p>Venez !</p>",
        status="TENTATIVE",
        category="PARTY",
        tags=["Danse folk", "vélo"],
        place={
            "description": "La Maison",
            "street": "3 rue du Port",
            "postalCode": "29200",
            "locality": "Brest",
            "region": "Bretagne",
            "country": "France",
            "geom": "-4.4860;48.3904",
        },
        picture=b"\xff\xd8\xff",
        online_address="https://asso.example/bal",
        metadata={
            "mz:visio:jitsi_meet": "https://meet.example/bal",
            "mz:ticket:external_url": "https://billets.example/bal",
            "mz:accessibility:wheelchairAccessible": "fully",
            "mz:accessibility:live:subtitle": "true",
        },
        offers=[{"price": 5.0, "priceCurrency": "EUR", "url": "https://billets.example/tarif"}, {"price": 7.5, "priceCurrency": "EUR"}],
        show_price=True,
        capacity=80,
        inserted_at=LAST_WEEK,
    )
    item = await only_event(simulator, context)

    assert item.image is not None
    assert (await context.http.get(item.image.url)).body == b"\xff\xd8\xff"
    assert replace(item, image=None) == Event(
        uid=_first(simulator).url,
        url=_first(simulator).url,
        title="Bal costumé",
        html="<p>Venez !</p>",
        status="tentative",
        starts_at=SOON,
        ends_at=SOON + timedelta(hours=4),
        timezone="Europe/Paris",
        place=Place(
            name="La Maison",
            street="3 rue du Port",
            postal_code="29200",
            locality="Brest",
            region="Bretagne",
            country="France",
            latitude=48.3904,
            longitude=-4.4860,
        ),
        online_url="https://meet.example/bal",
        organizer=Actor(name="Les Amis du Vélo", url=f"{simulator.url}/@asso", handle=f"asso@{simulator.host}"),
        tags=("Danse folk", "vélo"),
        category="PARTY",
        language="fr",
        offers=(Offer(price="5", url="https://billets.example/tarif"), Offer(price="7.50")),
        ticket_url="https://billets.example/bal",
        accessibility=(("live:subtitle", "true"), ("wheelchairAccessible", "fully")),
        capacity=80,
        published_at=LAST_WEEK,
        long_event=False,
    )


async def test_a_whole_post(simulator: MobilizonSimulator, context: Context) -> None:
    """A group post is an article by the group."""
    post = simulator.add_post(
        "asso", "Compte rendu", "<p>Merci</p>", tags=["vélo"], inserted_at=LAST_WEEK, updated_at=LAST_WEEK + timedelta(hours=1)
    )
    (item,) = (await source_of(simulator, context).fetch(None)).changed

    assert item == Post(
        uid=post.url,
        url=post.url,
        kind="article",
        title="Compte rendu",
        html="<p>Merci</p>",
        published_at=LAST_WEEK,
        updated_at=LAST_WEEK + timedelta(hours=1),
        language="fr",
        author=Actor(name="Les Amis du Vélo", url=f"{simulator.url}/@asso", handle=f"asso@{simulator.host}"),
        tags=("vélo",),
    )
