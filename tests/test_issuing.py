"""Newsletters by the real ledger and outbox: issues made at their hour, kept true until they leave, told once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syndicator import steps
from syndicator.cli.newsletter import state_words
from syndicator.config import Config
from syndicator.contract import Limits
from syndicator.errors import NotReady, OutcomeUnknown, Transient
from syndicator.issue_list import listed
from syndicator.letter.newsletter import Newsletter
from syndicator.letter.schedule import parse
from syndicator.model import Event, Place
from tests.engine_scene import (
    FindableWall,
    KeyedWall,
    MuteWall,
    Scene,
    Screen,
    Wall,
    World,
    configuration,
    destination,
    post,
    projection,
    source,
    stage,
)

DUE = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
"""The Monday after the scene's start, 9 in Paris."""
FETE = Event(
    uid="fete",
    url="https://mobilizon.example/events/1",
    title="Fête de l’hiver",
    starts_at=datetime(2026, 12, 5, 19, 30, tzinfo=UTC),
    timezone="Europe/Paris",
    place=Place(name="Salle des fêtes", locality="Brest"),
    published_at=datetime(2026, 11, 20, 12, 0, tzinfo=UTC),
)


class LetterWall(FindableWall):
    """Takes letters, and can be asked."""

    limits = Limits(kinds=frozenset({"digest"}), letter=True, title_max=150)


class MuteLetters(MuteWall):
    """Takes letters; nobody can ask it anything, as a mailing list."""

    limits = LetterWall.limits


class KeyedLetters(KeyedWall):
    """Drops repeats, as Sympa."""

    limits = Limits(kinds=frozenset({"digest"}), letter=True, title_max=150, key_window_s=3600)


@asynccontextmanager
async def newsroom(folder: Path, *, kind: type[Any] = LetterWall, **changes: Any) -> AsyncIterator[Scene]:
    """An association whose newsletter goes to the wall ``poste``, and to a view."""
    letter = Newsletter(
        name="lettre",
        title="La lettre du vélo",
        schedule=parse("chaque lundi à 9h"),
        sources=("toots",),
        destinations=("poste", "page"),
    )

    def config(world: World, wall: Wall, screen: Screen) -> Config:
        ways = [destination(wall, name="poste", kind=kind), projection(screen)]
        return replace(configuration(folder, [source(world)], ways, []), newsletters={"lettre": replace(letter, **changes)})

    async with stage(folder, config=config) as made:
        await steps.issue(made.tenant)
        yield made


async def monday(made: Scene, at: datetime = DUE) -> None:
    """Time passes, the origin is looked at, the newsletter's hour may have come, what may leave leaves."""
    made.clock.at = max(at, made.clock.at)
    await made.poll()
    await steps.issue(made.tenant)
    await made.deliver("poste")


async def test_an_issue_leaves_at_its_hour(tmp_path: Path) -> None:
    """With what is to come and what was posted; not before, and once."""
    async with newsroom(tmp_path) as made:
        made.world.show(FETE, post(1, "Un atelier samedi"))
        await monday(made, DUE - timedelta(seconds=1))
        assert made.wall.texts == []
        await monday(made)
        await monday(made, DUE + timedelta(hours=1))

        (text,) = made.wall.texts
        assert text.startswith("Les Amis du Vélo\nLa lettre du vélo – lundi 23 novembre 2026")
        assert "Fête de l’hiver\nsamedi 5 décembre 2026 à 20h30\nSalle des fêtes, Brest" in text
        assert "Un atelier samedi" in text


async def test_the_next_issue_tells_what_came_since(tmp_path: Path) -> None:
    """A post once; an event in each, until it is over."""
    async with newsroom(tmp_path) as made:
        made.world.show(FETE, post(1, "Un atelier samedi"))
        await monday(made)
        made.world.show(post(2, "Merci à vous", published_at=made.clock()))
        await monday(made, DUE + timedelta(days=7))
        await monday(made, DUE + timedelta(days=14))

        first, second = made.wall.texts
        assert ("Un atelier" in first, "Un atelier" in second) == (True, False)
        assert ("Merci" in first, "Merci" in second) == (False, True)
        assert ("Fête" in first, "Fête" in second) == (True, True)


async def test_an_empty_issue_is_not_sent(tmp_path: Path) -> None:
    """What little there was is told by the next."""
    async with newsroom(tmp_path, at_least=2) as made:
        made.world.show(post(1, "Un atelier samedi"))
        await monday(made)
        assert made.wall.texts == []
        made.world.show(post(2, "Merci", published_at=made.clock()))
        await monday(made, DUE + timedelta(days=7))

        (text,) = made.wall.texts
        assert "Un atelier samedi" in text
        assert "Merci" in text
        assert [row.state for row in await issues(made)] == ["made", "skipped"]


async def test_an_outage_over_several_hours_is_one_issue(tmp_path: Path) -> None:
    """The machine was off for three Mondays: nothing twice, nothing forgotten."""
    async with newsroom(tmp_path) as made:
        made.world.show(post(1, "Un atelier samedi"))
        await monday(made)
        made.world.show(post(2, "Deux", published_at=DUE + timedelta(days=2)), post(3, "Trois", published_at=DUE + timedelta(days=15)))
        await made.restart()
        await monday(made, DUE + timedelta(days=22))

        assert [[word in text for word in ("atelier", "Deux", "Trois")] for text in made.wall.texts] == [
            [True, False, False],
            [False, True, True],
        ]
        assert [row.until_at for row in await issues(made)] == [DUE + timedelta(days=21), DUE]


async def test_until_it_leaves_it_says_what_is_true(tmp_path: Path) -> None:
    """The server was down at the hour: meanwhile an event moved, another was cancelled, a post was removed."""
    async with newsroom(tmp_path) as made:
        bal = replace(FETE, uid="bal", title="Bal")
        made.world.show(FETE, bal, post(1, "Un atelier samedi"), post(2, "Une erreur"))
        made.wall.fail("publish", Transient("down"))
        await monday(made)
        assert made.wall.texts == []
        made.world.show(replace(FETE, starts_at=FETE.starts_at + timedelta(days=1)), replace(bal, status="cancelled"))
        made.world.hide("https://social.example/2")
        await monday(made, DUE + timedelta(hours=3))

        (text,) = made.wall.texts
        assert "dimanche 6 décembre 2026 à 20h30" in text
        assert [word in text for word in ("Bal", "Une erreur", "Un atelier")] == [False, False, True]


async def test_what_is_out_stands(tmp_path: Path) -> None:
    """A letter cannot be called back: an event that moves later is told by the next issue."""
    async with newsroom(tmp_path) as made:
        made.world.show(FETE)
        await monday(made)
        made.world.show(replace(FETE, starts_at=FETE.starts_at + timedelta(days=1)))
        await monday(made, DUE + timedelta(hours=1))
        assert [("samedi 5 décembre" in text, "dimanche 6 décembre" in text) for text in made.wall.texts] == [(True, False)]
        made.world.show(post(2, "Du neuf", published_at=made.clock()))
        await monday(made, DUE + timedelta(days=7))
        assert ["dimanche 6 décembre" in text for text in made.wall.texts] == [False, True]


@pytest.mark.parametrize("kind", [LetterWall, KeyedLetters, MuteLetters])
@pytest.mark.parametrize("done", [True, False])
async def test_a_lost_answer(tmp_path: Path, kind: type[Any], done: bool) -> None:
    """No subscriber gets it twice: found, repeated under its key, or left to a person."""
    async with newsroom(tmp_path, kind=kind) as made:
        made.world.show(FETE)
        made.wall.fail("publish", OutcomeUnknown("cut"), done=done)
        await monday(made)
        await made.restart()
        for hours in (1, 2, 3):
            await monday(made, DUE + timedelta(minutes=10 * hours))

        left = 0 if kind is MuteLetters and not done else 1
        assert len(made.wall.signs) == left
        parked = await made.tenant.ledger.transact(lambda store: [problem.subject for problem in store.problems.open()])
        assert bool(parked) == (kind is MuteLetters)


async def test_a_long_list_is_served_in_turns(tmp_path: Path) -> None:
    """ "Not ready, again then": the issue goes on, and its words stay what the first readers got."""
    async with newsroom(tmp_path) as made:
        made.world.show(FETE)
        at = DUE + timedelta(minutes=5)
        made.wall.fail("publish", NotReady("12 of 40", at=at), NotReady("24 of 40", at=at + timedelta(minutes=5)))
        await monday(made)
        await monday(made, at - timedelta(seconds=1))
        assert made.wall.calls.count("publish") == 1
        ((told,),) = [letter.issues for letter in listed(made.tenant.config, made.tenant.config.newsletters.values(), made.clock())]
        assert told.ways["poste"] == {"state": "pending", "reason": "", "progress": "12 of 40"}
        assert state_words(told.ways["poste"], "en") == "letter being sent: 12 of 40"
        await monday(made, at)
        await monday(made, at + timedelta(minutes=5))

        assert (made.wall.calls.count("publish"), len(made.wall.signs)) == (3, 1)


async def test_a_view_shows_the_issue(tmp_path: Path) -> None:
    """For the archive of the site: what it tells, as data, with where it stands."""
    async with newsroom(tmp_path) as made:
        made.world.show(FETE)
        await monday(made)
        await steps.project(made.tenant, "page")
        (shown,) = (item for item in made.screen.views[-1].items if getattr(item, "kind", "") == "digest")

        assert shown.issue.sections[0].entries[0].title == "Fête de l’hiver"  # type: ignore[union-attr]
        assert made.screen.views[-1].sources == {"newsletter:lettre": "La lettre du vélo"}


async def test_the_editorial_is_a_person_s(tmp_path: Path) -> None:
    """A post with the tag, the newest; it is no entry of its own, in this issue or the next."""
    async with newsroom(tmp_path, editorial_tag="édito") as made:
        made.world.show(
            FETE, post(1, "Chères toutes"), post(2, "Chers tous", tags=("edito",), published_at=made.clock() + timedelta(hours=1))
        )
        await monday(made)
        made.world.show(post(3, "Du neuf", published_at=made.clock()))
        await monday(made, DUE + timedelta(days=7))

        first, second = made.wall.texts
        assert first.split("\n\n")[1] == "Chers tous"
        assert "Chers tous" not in second


async def test_the_editorial_is_a_file(tmp_path: Path) -> None:
    """When it changed since the last issue."""
    path = tmp_path / "edito.txt"
    path.write_text("Bonjour à vous,\n\nil fait froid.", encoding="utf-8")
    async with newsroom(tmp_path, editorial_file=path) as made:
        for week, words in enumerate(("Un", "Deux", "Trois")):
            made.world.show(post(10 + week, words, published_at=made.clock()))
            if week == 2:
                path.write_text("Il neige.", encoding="utf-8")
            await monday(made, DUE + timedelta(days=7 * week))

        said = [[word in text for word in ("il fait froid", "Il neige")] for text in made.wall.texts]
        assert said == [[True, False], [False, False], [False, True]]


async def test_what_is_not_for_everybody_is_not_told(tmp_path: Path) -> None:
    """Followers-only, drafts, replies to others, what its author kept back."""
    async with newsroom(tmp_path) as made:
        made.world.show(
            post(1, "Oui"),
            post(2, "Non", visibility="private"),
            post(3, "Non", draft=True),
            post(4, "Non", reply_to_other=True),
            post(5, "Non #nocross", tags=("nocross",)),
        )
        await monday(made)
        (text,) = made.wall.texts
        assert ("Oui" in text, "Non" in text) == (True, False)


async def issues(made: Scene) -> list[Any]:
    """The newest first."""
    return await made.tenant.ledger.transact(lambda store: store.issues.all("lettre"))
