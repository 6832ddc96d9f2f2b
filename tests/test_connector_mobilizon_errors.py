"""The mobilizon source when the instance answers with errors, partly, or not at all."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from syndicator.contract import Context
from syndicator.errors import AuthExpired, Rejected, Transient
from syndicator.http import Sessions
from syndicator.model import Batch, Event, Tombstone
from syndicator.sandbox.mobilizon import MobilizonSimulator
from syndicator.sandbox.server import Fault
from syndicator.testing import make_context
from tests.mobilizon_scene import LAST_WEEK, SOON, event_in, instance, source_of


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


async def test_a_missing_group_does_not_stop_the_others(
    simulator: MobilizonSimulator, context: Context, caplog: pytest.LogCaptureFixture
) -> None:
    """It is reported once, in the association's language; what was known of it is then asked for by name."""
    event = simulator.add_event("asso", "Atelier", SOON, inserted_at=LAST_WEEK)
    source = source_of(simulator, context, groups=("fantome", "asso"))
    with caplog.at_level(logging.WARNING):
        await source.open()
        batch = await source.fetch(None)
        idle = await source.fetch(batch.cursor)

    assert [item.uid for item in batch.changed] == [event.url]
    assert batch.complete
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
    with pytest.raises(error):
        await source_of(simulator, context).fetch(None)


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
    assert event_in(whole, event.url).image is not None


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


async def test_a_web_page_says_to_check_the_address(simulator: MobilizonSimulator, context: Context) -> None:
    """A server that answers everything with its home page may be down, or be no Mobilizon at all."""
    simulator.fault(Fault(action="answer", status=200, headers={"Content-Type": "text/html"}, body=b"<html><p>Bienvenue", path="/api"))
    with pytest.raises(Transient) as caught:
        await source_of(simulator, context).open()

    assert caught.value.hint is not None


async def test_every_connection_is_guarded(simulator: MobilizonSimulator, context: Context) -> None:
    """An instance at a private address that nobody allowed is not contacted, neither for questions nor for confirmations."""
    uid = simulator.add_event("asso", "Atelier", SOON).url
    guarded = replace(context, http=replace(context.http, allow_private=frozenset()))
    for question in (source_of(simulator, guarded).fetch(None), source_of(simulator, guarded).read([uid])):
        with pytest.raises(Rejected):
            await question

    assert await source_of(simulator, guarded).read([f"{simulator.url}/elsewhere"]) == Batch()
    assert simulator.requests == []


async def test_an_endless_answer_is_refused(simulator: MobilizonSimulator, context: Context) -> None:
    """An answer beyond all measure is cut off, not swallowed."""
    simulator.fault(Fault(action="answer", status=200, headers={"Content-Type": "application/json"}, body=b" " * 10_000_001, path="/api"))
    with pytest.raises(Rejected):
        await source_of(simulator, context).fetch(None)
