"""An event that is announced on every network, reminded of, moved twice, then cancelled: what each of them shows afterwards.

The table that it prints stands in ``docs/destinations.md``; ``SYNDICATOR_WRITE_TABLE=1 ./run test tests/test_moved_everywhere.py`` writes
it anew.
"""

from __future__ import annotations

import asyncio
import os
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from syndicator import registry
from syndicator.sandbox.commerce import Commerce
from syndicator.sandbox.mastodon import MastodonSimulator
from syndicator.sandbox.mobilizon import MobilizonSimulator
from syndicator.sandbox.peertube import PeertubeSimulator
from syndicator.sandbox.town import GROUP, Town
from syndicator.testing.makers import PARIS
from syndicator.text.dates import describe_day
from syndicator.web import Health, PublicServer, Site
from tests.engine_scene import Clock
from tests.once_networks import VIEWS, Shown, shown
from tests.one_way_scene import Day, at_once

PAGE = Path(__file__).parent.parent / "docs" / "destinations.md"
BEGIN, END = "<!-- moved -->", "<!-- /moved -->"
TITLE = "Bal à vélo"
NBSP = "\u00a0"
SAYS_SO = ("CHANGEMENT", "ANNULÉ", "n’est plus à jour")
WORDLESS = {"youtube"}
"""Networks that take no event, and no words about one."""


class Moving(Day):
    """The association of ``one_way_scene``, which reminds of its events."""

    def _config(self) -> Path:
        path = super()._config()
        text = path.read_text(encoding="utf-8").replace("[routes.tout]\n", '[routes.tout]\nremind = ["8d"]\n')
        path.write_text(text, encoding="utf-8")
        return path


@dataclass(frozen=True, kw_only=True)
class Afterwards:
    """What a network showed of the event, oldest first, in the end of each chapter."""

    reminded: Sequence[Shown]
    moved: Sequence[Shown]
    cancelled: Sequence[Shown]


@dataclass(frozen=True, kw_only=True)
class Story:
    """What came of it."""

    networks: dict[str, Afterwards]
    days: tuple[str, str, str]
    """The first day of the event, the second and the last, in words."""
    parked: Sequence[str]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Everything configured, ten days long."""
    with at_once():
        return asyncio.run(_told(tmp_path_factory.mktemp("moved")))


async def _told(folder: Path) -> Story:
    clock = Clock(at=datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0))
    (folder / "public").mkdir()
    sites = (Site(prefix="/", folder=folder / "public"),)
    server = PublicServer(sites=lambda: sites, health=lambda: Health(ok=True, since=clock()), metrics=str, now=clock)
    await server.start("127.0.0.1", 0)
    town = Town(
        mobilizon=MobilizonSimulator(now=clock),
        mastodon=MastodonSimulator(now=clock),
        peertube=PeertubeSimulator(now=clock),
        elsewhere=MastodonSimulator(now=clock),
    )
    commerce = Commerce(names=[name for name in VIEWS if name != "mastodon"], now=clock)
    await town.start()
    try:
        async with commerce:
            return await _played(Moving(folder=folder, clock=clock, town=town, commerce=commerce, port=server.port))
    finally:
        await town.stop()
        await server.stop()


async def _played(day: Moving) -> Story:
    await day.begin()
    await day.rest(minutes=10)
    dates = [day.clock() + timedelta(days=number, hours=8) for number in (9, 12, 20)]
    town = day.town
    event = town.mobilizon.add_event(GROUP, TITLE, dates[0], dates[0] + timedelta(hours=2), description="<p>On danse.</p>")
    await day.rest(hours=36, looks=4)
    chapters = [_seen(day)]
    for at in dates[1:]:
        town.mobilizon.move_event(event.uuid, at, at + timedelta(hours=2))
        await day.rest(hours=1)
    chapters.append(_seen(day))
    town.mobilizon.cancel_event(event.uuid)
    await day.rest(hours=1)
    chapters.append(_seen(day))
    parked = await day.tenant.ledger.transact(
        lambda store: [f"{row.destination}: {row.purpose}: {row.reason}" for row in store.outbox.deliveries("parked")]
    )
    await day.end()
    first, second, third = chapters
    networks = {name: Afterwards(reminded=first[name], moved=second[name], cancelled=third[name]) for name in VIEWS}
    words = [describe_day(at.astimezone(PARIS).date(), "fr") for at in dates]
    return Story(networks=networks, days=(words[0], words[1], words[2]), parked=parked)


def _seen(day: Day) -> dict[str, list[Shown]]:
    found = {}
    for name, (simulator, _) in day.destinations.items():
        there, _ = shown(VIEWS[name], simulator)
        found[name] = [one for one in there if TITLE in _said(one)]
    return found


def _said(one: Shown) -> str:
    return f"{one.more}\n{one.text}".replace(NBSP, " ")


def test_every_network_takes_part(story: Story) -> None:
    """It is announced, and reminded of, wherever there are words."""
    assert {name for name, there in story.networks.items() if not there.cancelled} == WORDLESS
    assert set(story.networks) == set(VIEWS) <= set(registry.names("destinations"))
    assert story.parked == []
    for name, there in story.networks.items():
        if name not in WORDLESS:
            first, *more = there.reminded
            assert story.days[0] in _said(first), name
            assert ["Dans 8 jours :" in _said(one) for one in more] == [True], name


@pytest.mark.parametrize("name", sorted(set(VIEWS) - WORDLESS))
def test_nothing_says_an_old_date_without_saying_that_it_changed(story: Story, name: str) -> None:
    """In itself where the network can edit; else in what was told there since, which names the date that was."""
    first, second, third = story.days
    there = story.networks[name]
    for old in (first, second):
        _is_taken_back(there.moved, old, (third,))
    for old in story.days:
        _is_taken_back(there.cancelled, old, ("ANNULÉ",))
    last = there.cancelled[-1]
    assert f"ANNULÉ : {TITLE}" in _said(last)
    assert third in _said(last)


def _is_taken_back(texts: Sequence[Shown], old: str, truth: Sequence[str]) -> None:
    """Whoever reads of ``old`` reads there, or in what came after it, that it changed; the last of that says what is true."""
    for number, one in enumerate(texts):
        if old not in _said(one):
            continue
        since = [_said(later) for later in texts[number:]]
        assert any(word in text for text in since for word in SAYS_SO), one
        assert all(word in since[-1] for word in truth), one
        if number and not any(word in _said(one) for word in SAYS_SO):
            assert since[1:], one


def test_where_there_are_threads_notices_answer_the_announcement(story: Story) -> None:
    """So that whoever finds the one finds the other."""
    for name, there in story.networks.items():
        limits = registry.find("destinations", name).limits
        if limits.threads and there.cancelled:
            assert all(one.answers for one in there.cancelled[1:]), name


@pytest.mark.parametrize("name", sorted(set(VIEWS) - WORDLESS))
def test_it_is_told_in_one_place_where_that_can_be_edited(story: Story, name: str) -> None:
    """Then the announcement alone is left; elsewhere each change is a notice."""
    there = story.networks[name]
    connector = registry.find("destinations", name)
    assert len(there.cancelled) == 1 if hasattr(connector, "update") else len(there.cancelled) >= 4


def _table(story: Story) -> str:
    lines = ["| réseau | annoncé, puis rappelé | déplacé deux fois | puis annulé |", "|---|---|---|---|"]
    for name in sorted(story.networks):
        there = story.networks[name]
        cells = [_cell(chapter, story.days) for chapter in (there.reminded, there.moved, there.cancelled)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(texts: Sequence[Shown], days: tuple[str, str, str]) -> str:
    """Each post by its first words and the dates that it says."""
    return "<br>".join(_in_short(_said(one), days) for one in texts) or "ne montre pas d’événements"


def _in_short(text: str, days: tuple[str, str, str]) -> str:
    line = next(line for line in text.split("\n") if TITLE in line)
    title = line.partition(" — ")[0].strip("*_ ")  # a forum's topics say their day in the title
    said = {text.index(day): letter for day, letter in zip(days, "①②③", strict=True) if day in text}
    dates = [said[at] for at in sorted(said)]
    when = f"{dates[0]} (avant : {dates[1]})" if len(dates) > 1 else "".join(dates)
    return " ".join(f"{title.replace('|', ' ')} {when}".split())


def test_the_table_is_that_of_the_manual(story: Story) -> None:
    """①, ②, ③ are the event's dates, one after the other."""
    text = _table(story)
    page = PAGE.read_text(encoding="utf-8")
    if os.environ.get("SYNDICATOR_WRITE_TABLE"):
        page = re.sub(rf"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n{text}\n{END}", page, flags=re.DOTALL)
        PAGE.write_text(page, encoding="utf-8")
    print(textwrap.indent(text, "  "))
    assert f"{BEGIN}\n{text}\n{END}" in page, "another table than documented: SYNDICATOR_WRITE_TABLE=1 writes it anew"
