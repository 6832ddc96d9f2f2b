"""Exactly once, on every way out of a newsletter: each request goes wrong in every way, and what readers got is counted.

As ``test_once_networks.py`` for networks. The suite plays a fixed sample, every request at least once; ``SYNDICATOR_ONCE=all ./run test
tests/test_once_letters.py`` plays every accident at every request, and ``SYNDICATOR_WRITE_TABLE=1`` writes the table of
``docs/exactly-once.md`` anew.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from syndicator import registry
from syndicator.http import Sessions
from tests.letter_networks import LETTERS
from tests.media_scene import encoded
from tests.once_letters import BY_MAIL, WAYS, Hour, Strike, accidents, hour

ALL = os.environ.get("SYNDICATOR_ONCE") == "all"
TABLE_DOC = Path(__file__).parent.parent / "docs" / "exactly-once.md"
MEMORY = Path("/dev/shm")
PICTURE = encoded(Image.new("RGB", (40, 20), "red"), "JPEG")
BLIND = frozenset({"mail", "mailinglist"})
"""Ways that cannot be asked, and take a letter twice."""
UNDER_WAY = frozenset({"DATA", "letter"})
"""Where nobody can know; of an answer to DATA that is lost, our library says no more than of one to the letter."""


@dataclass(kw_only=True)
class Tally:
    """What came of one way."""

    requests: int
    played: int = 0
    doubled: int = 0
    forgotten: int = 0
    """Who got nothing, and nobody was told."""
    unknown: int = 0
    """Of whom nobody knows, and a person is told."""
    without: int = 0
    """Who of these got nothing."""


TALLIES: dict[str, Tally] = {}


@pytest.fixture
async def sessions() -> AsyncIterator[Sessions]:
    sessions = Sessions()
    yield sessions
    await sessions.close()


def test_every_way_is_here() -> None:
    """What takes nothing but issues is played here, or by the networks' own test."""
    only_letters = set()
    for name in registry.names("destinations"):
        limits = getattr(registry.find("destinations", name), "limits", None)
        if limits is not None and limits.kinds == {"digest"}:
            only_letters.add(name)
    assert only_letters | {"letters"} == {way.partition(" ")[0] for way in WAYS}
    assert only_letters == set(LETTERS)


def _strikes(way: str, requests: list[str]) -> Iterable[Strike]:
    """Of all that can go wrong, what is played."""
    troubles = accidents(way)
    turn = list(WAYS).index(way)
    for number in range(len(requests)):
        chosen = troubles if ALL else (troubles[(turn + number) % len(troubles)],)
        yield from (Strike(number=number, trouble=trouble) for trouble in chosen)


async def tally(folder: Path, sessions: Sessions, way: str) -> Tally:
    """An hour on which nothing goes wrong; then one for each accident, which must come to the same."""
    if way in TALLIES:
        return TALLIES[way]
    async with hour(way, folder / "quiet", sessions, PICTURE) as played:
        await played.play()
        requests, expected = [*played.striker.seen], played.got()
        assert set(expected.values()) == {1}
        assert (played.asked, await played.unknown()) == (False, 0)
    found = Tally(requests=len(requests))
    for number, strike in enumerate(_strikes(way, requests)):
        async with hour(way, folder / str(number), sessions, PICTURE) as played:
            await played.play(strike)
            told = await _judged(played, requests[strike.number], strike)
            got = played.got()
            found.played += 1
            found.unknown += told
            found.doubled += (got - expected).total()
            without = (expected - got).total()
            found.without += min(without, told)
            found.forgotten += max(0, without - told)
            assert got - expected == {}, strike
            assert found.forgotten == 0, (strike, got)
    TALLIES[way] = found
    return found


async def _judged(played: Hour, request: str, strike: Strike) -> int:
    """Of how many nobody knows: only where a letter was under way, and by mail."""
    rows = await played.rows()
    assert [row.state for row in rows if row.state != "done"] == [], (strike, rows)
    assert played.striker.strikes == [], f"{strike}: nothing went wrong"
    assert played.lives == str(strike.trouble).startswith("killed"), strike
    told = await played.unknown() + played.asked
    possible = played.way in BLIND and (request in UNDER_WAY or played.lives)
    assert told in (0, 1) if possible else told == 0, (strike, told)
    return int(told)


@pytest.mark.parametrize("way", WAYS)
async def test_something_goes_wrong(sessions: Sessions, way: str) -> None:
    """Nobody gets it twice, nobody is forgotten; where nobody can know, and nowhere else, a person is told."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        found = await tally(Path(folder), sessions, way)

    assert (found.doubled, found.forgotten) == (0, 0)
    assert found.played >= found.requests >= 1
    assert found.unknown == 0 or way in BY_MAIL


async def test_what_is_done_twice_is_seen(sessions: Sessions, tmp_path: Path) -> None:
    """The judge is no friend: a list that does not drop repeats, said to do so, and an answer that is lost."""
    async with hour("mailinglist (drops_repeats)", tmp_path / "one", sessions, PICTURE) as played:
        await played.play(Strike(number=4, trouble="lose"))
        assert played.striker.seen[4] == "letter"
        assert played.got().total() == 1
        played.way = "mailinglist"
        assert played.got().total() == 2


async def test_the_table(sessions: Sessions, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Of what the documentation has, ways and requests are the same; with all, everything."""
    text = table({way: await tally(tmp_path / str(number), sessions, way) for number, way in enumerate(WAYS)})
    with capsys.disabled():
        print(f"\n\n{text}\n")
    page = TABLE_DOC.read_text(encoding="utf-8")
    if ALL and os.environ.get("SYNDICATOR_WRITE_TABLE"):
        page = re.sub(r"(<!-- letters -->\n)(.*\n)*?(<!-- /letters -->)", lambda match: f"{match[1]}{text}\n{match[3]}", page)
        TABLE_DOC.write_text(page, encoding="utf-8")
    known = page.partition("<!-- letters -->\n")[2].partition("\n<!-- /letters -->")[0]
    told = "another table than documented: SYNDICATOR_ONCE=all SYNDICATOR_WRITE_TABLE=1 writes it anew"
    assert [line.split("|")[1:3] for line in known.split("\n")] == [line.split("|")[1:3] for line in text.split("\n")], told
    assert not ALL or known == text, told


def table(rows: dict[str, Tally]) -> str:
    """What came of it, in Markdown."""
    lines = [
        "| moyen | requêtes | accidents joués | reçue deux fois | oubliés | issue inconnue, et dite | dont sans la lettre |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {way} | {each.requests} | {each.played} | {each.doubled} | {each.forgotten} | {each.unknown} | {each.without} |"
        for way, each in rows.items()
    ]
    return "\n".join(lines)
