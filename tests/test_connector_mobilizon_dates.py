"""Mobilizon's dates and fields become items: clocks, days without times, whole objects."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from syndicator.contract import Context
from syndicator.http import Sessions
from syndicator.model import Actor, Event, Offer, Place, Post
from syndicator.sandbox.mobilizon import MobilizonSimulator
from syndicator.testing import PARIS, make_context
from tests.mobilizon_scene import LAST_WEEK, SOON, first_event, instance, only_event, source_of


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
        uid=first_event(simulator).url,
        url=first_event(simulator).url,
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
