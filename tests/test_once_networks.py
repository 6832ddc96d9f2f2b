"""Exactly once, on every real network: each request of each operation goes wrong in every way, and what the public sees is counted.

A request is cut before it was carried out, carried out with its answer lost, cut short or masked by a proxy's 502, or its sender is killed
while it is under way, before or after it was carried out. Then time passes until nothing is left to do. The suite plays a fixed sample,
every request at least once; ``SYNDICATOR_ONCE=all ./run test tests/test_once_networks.py`` plays all of it, in some minutes, with pairs of
accidents and with processes that come back only days later. ``docs/exactly-once.md`` holds the table of that.
"""

from __future__ import annotations

import os
import random
import re
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from syndicator import registry
from syndicator.model import Post
from syndicator.route import Pace
from tests.letter_networks import LETTERS
from tests.once_day import Case, Outcome, Reference, abilities, day, decided, judge, prepare, route_of, undisturbed
from tests.once_networks import VIEWS
from tests.once_scene import DEATHS, OUTAGE, TROUBLES, Bugs, Play, Stage, Strike, stage
from tests.one_way_scene import at_once

ALL = os.environ.get("SYNDICATOR_ONCE") == "all"
TABLE_DOC = Path(__file__).parent.parent / "docs" / "exactly-once.md"
MEMORY = Path("/dev/shm")
"""Nobody cuts the power in here: the ledger may wait for a disk that is none."""
AWAYS = (timedelta(hours=25), timedelta(hours=60))
"""A day and a bit: keys, uploads and containers are over; two days and a half: so is a weekend."""
TOO_LATE: frozenset[tuple[str, Case]] = frozenset({("telegram", "delete")})
"""What a service refuses after 48 hours: a person is told to do it, which is right, and none of this."""
TITLES: dict[Case, str] = {
    "create": "publier", "picture": "publier une image", "album": "publier deux images", "video": "publier une vidéo",
    "thread": "publier une réponse à soi", "parts": "publier un texte en deux parties", "update": "corriger", "replace": "remplacer",
    "note": "annoncer une correction", "delete": "retirer",
}  # fmt: skip


@dataclass(kw_only=True)
class Tally:
    """What came of one operation on one network."""

    requests: int
    played: int = 0
    lost: int = 0
    doubled: int = 0
    parked: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, found: Outcome, label: str) -> None:
        self.played += 1
        self.lost, self.doubled, self.parked = self.lost + found.lost, self.doubled + found.doubled, self.parked + found.parked
        self.faults += [f"{label}: {one}" for one in found.wrong]


PAIRED: frozenset[Case] = frozenset({"picture", "video", "replace"})
"""Where the suite too lets two things go wrong."""
ASKED: dict[str, set[str]] = {name: set() for name in VIEWS}
"""The questions that something went wrong with already."""
TALLIES: dict[tuple[str, Case], Tally] = {}


@pytest.fixture(autouse=True)
def hurry() -> Iterator[None]:
    """No real seconds pass."""
    with at_once():
        yield


@pytest.fixture
def bugs() -> Iterator[Bugs]:
    with Bugs() as bugs:
        yield bugs


@pytest.fixture
async def scene() -> AsyncIterator[Stage]:
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        async with stage(Path(folder)) as scene:
            yield scene


def test_every_network_is_here() -> None:
    """A connector that is not played would be a promise that nobody keeps."""
    publishers = {name for name in registry.names("destinations") if hasattr(registry.find("destinations", name), "publish")}

    assert publishers - set(LETTERS) == set(VIEWS)


def _strikes(name: str, case: Case, reference: Reference) -> Iterable[tuple[Strike, ...]]:
    """Of all that can go wrong, what is played."""
    rng, requests = random.Random(f"{name} {case}"), reference.requests
    if not ALL:
        yield from _sample(name, case, requests)
        if case in PAIRED:
            yield _pair(rng.randrange(len(requests)), rng)
        return
    for number, request in enumerate(requests):
        yield from ((Strike(number=number, trouble=trouble),) for trouble in TROUBLES)
        yield from _worse(number, request, rng, AWAYS[:1] if (name, case) in TOO_LATE else AWAYS)


def _sample(name: str, case: Case, requests: list[str]) -> Iterable[tuple[Strike, ...]]:
    """Each request once, each time in another way; a question that every operation begins with, in the first of them."""
    turn = list(VIEWS).index(name) + list(TITLES).index(case)
    for number, request in enumerate(requests):
        if request not in ASKED[name]:
            yield (Strike(number=number, trouble=TROUBLES[(turn + number) % len(TROUBLES)]),)
    ASKED[name] |= {request for request in requests if request.startswith("GET ")}


def _worse(number: int, request: str, rng: random.Random, aways: Iterable[timedelta]) -> Iterable[tuple[Strike, ...]]:
    """What takes longer, and what comes in pairs."""
    if not request.startswith("GET "):
        yield from ((Strike(number=number, trouble=trouble, away=away),) for trouble in sorted(DEATHS) for away in aways)
    yield _pair(number, rng)


def _pair(number: int, rng: random.Random) -> tuple[Strike, ...]:
    """Something goes wrong, and while that is put right, something else."""
    first, second = (Strike(number=number + later, trouble=rng.choice(TROUBLES)) for later in (0, rng.randrange(1, 4)))
    return first, second


async def tally(scene: Stage, bugs: Bugs, name: str, case: Case) -> Tally:
    """Play one operation with everything that goes wrong."""
    reference = await undisturbed(scene, name, case)
    found = Tally(requests=len(reference.requests))
    for strikes in _strikes(name, case, reference):
        label = f"{name}, {case}, " + ", ".join(f"{strike.trouble} {strike.number} {strike.away or ''}" for strike in strikes)
        outcome = await day(scene, name, case, reference, *strikes)
        outcome.wrong += bugs.found
        bugs.found.clear()
        found.add(outcome, label)
    return found


async def tallies(scene: Stage, bugs: Bugs, name: str) -> dict[Case, Tally]:
    """Of one network."""
    cases = abilities(name).cases
    for case in cases:
        if (name, case) not in TALLIES:
            TALLIES[name, case] = await tally(scene, bugs, name, case)
    return {case: TALLIES[name, case] for case in cases}


@pytest.mark.parametrize("name", VIEWS)
async def test_something_goes_wrong(scene: Stage, bugs: Bugs, name: str) -> None:
    """Whatever it was, and wherever: the public sees one right object, with its picture, under its parent; only where the network itself
    cannot tell, a person is asked, and their word ends it."""
    found = await tallies(scene, bugs, name)

    assert [fault for each in found.values() for fault in each.faults] == []
    assert sum(each.played for each in found.values()) >= len(found)
    assert sum(each.parked for each in found.values()) == 0 or not abilities(name).tells


@pytest.mark.parametrize("name", VIEWS)
async def test_an_hour_of_outage(scene: Stage, bugs: Bugs, name: str) -> None:
    """A proxy's 503 for an hour, met by a connector that was open: then everything arrives, once, and what answers another under it."""
    played = abilities(name)
    async with Play(scene, name, route_of(played.cases[0])) as play:
        await prepare(play, played.cases[0])
        await play.settle()
        first = play.world.items["https://social.example/1"]
        assert isinstance(first, Post)
        play.striker.closed_until = play.clock() + OUTAGE
        for number, word in enumerate(("Deuxième", "Troisième", "Quatrième"), 2):
            again = play.post(number, f"{word} rendez-vous de la saison, samedi matin à l'atelier.", attachments=first.attachments)
            again = replace(again, kind=first.kind, title=first.title, in_reply_to=f"{first.uid[:-1]}3" if number == 4 else None)
            play.world.show(again)
        play.tenant.polled_at.clear()
        await play.settle()
        play.clock.at = max(play.clock(), play.striker.closed_until)
        found = Outcome()
        await decided(play, found, [], tells=played.tells)
        found.wrong += (await judge(play, play.shown(), tells=True)).wrong

        assert [found.wrong, bugs.found] == [[], []]
        answers = {one.text.split()[0]: one.answers.partition(" ")[0] for one in play.shown() if one.text}
        tree = {"Bonjour": "", "Deuxième": "", "Troisième": "", "Quatrième": "Troisième" if played.limits.threads else ""}
        assert answers == tree
        assert len(play.shown()) == 4


async def test_what_is_done_twice_is_seen(scene: Stage) -> None:
    """The judge is no friend: where two are risked rather than none, and the answer is lost, it counts two."""
    reference = await undisturbed(scene, "discord", "create")
    async with Play(scene, "discord", route_of("create")) as play:
        there = play.config.destinations["there"]
        play.config = replace(play.config, destinations={"there": replace(there, pace=Pace(on_unknown="retry"))})
        await play.restart()
        await prepare(play, "create")
        play.striker.arm(Strike(number=1, trouble="lose"))
        await play.settle()
        found = await judge(play, reference.shown, tells=False)

    assert (found.lost, found.doubled) == (0, 1)
    assert found.wrong


async def test_the_table(scene: Stage, bugs: Bugs, capsys: pytest.CaptureFixture[str]) -> None:
    """Printed whatever the options; of what the documentation has, operations and requests are the same, and with all, everything."""
    found = {(name, case): each for name in VIEWS for case, each in (await tallies(scene, bugs, name)).items()}
    text = table(found)
    with capsys.disabled():
        print(f"\n\n{text}\n")

    page = TABLE_DOC.read_text(encoding="utf-8")
    if ALL and os.environ.get("SYNDICATOR_WRITE_TABLE"):
        page = re.sub(r"(<!-- once -->\n)(.*\n)*?(<!-- /once -->)", lambda match: f"{match[1]}{text}\n{match[3]}", page)
        TABLE_DOC.write_text(page, encoding="utf-8")
    known = page.partition("<!-- once -->\n")[2].partition("\n<!-- /once -->")[0]
    told = "another table than documented: SYNDICATOR_ONCE=all SYNDICATOR_WRITE_TABLE=1 writes it anew"
    assert _operations(known) == _operations(text), told
    assert not ALL or known == text, told


def table(rows: dict[tuple[str, Case], Tally]) -> str:
    """What came of it, in Markdown."""
    lines = [
        "| réseau | opération | requêtes | accidents joués | perdus | doublés | à décider par une personne |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {name} | {TITLES[case]} | {each.requests} | {each.played} | {each.lost} | {each.doubled} | {each.parked} |"
        for (name, case), each in rows.items()
    ]
    return "\n".join(lines)


def _operations(text: str) -> list[list[str]]:
    """Without what depends on how much was played."""
    return [line.split("|")[1:4] for line in text.split("\n")]
