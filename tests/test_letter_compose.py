"""What an issue tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicator.contract import Association
from syndicator.letter.compose import compose
from syndicator.letter.newsletter import POSTS, Newsletter, Wanted
from syndicator.letter.schedule import parse
from syndicator.model import Attachment, Event, Issue, Item, Place, Post

ASSOCIATION = Association(name="Les Amis du Vélo")
LETTER = Newsletter(
    name="lettre",
    title="La lettre du vélo",
    schedule=parse("chaque lundi à 9h"),
    sources=("agenda", "toots"),
    destinations=("liste",),
    editorial_tag="edito",
)
UNTIL = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
SINCE = UNTIL - timedelta(days=7)
FETE = Event(
    uid="fete",
    url="https://mobilizon.example/events/1",
    source="agenda",
    title="Fête de l’hiver",
    html="<p>Vin chaud et chansons.</p>",
    starts_at=datetime(2026, 12, 5, 19, 30, tzinfo=UTC),
    timezone="Europe/Paris",
    place=Place(name="Salle des fêtes", locality="Brest"),
)


def toot(number: int, at: datetime = UNTIL - timedelta(days=1), **more: object) -> Post:
    url = f"https://social.example/@velo/{number}"
    return Post(uid=f"toot-{number}", url=url, source="toots", html=f"<p>Message n° {number}</p>", published_at=at, **more)  # type: ignore[arg-type]


def issue(*items: Item, newsletter: Newsletter = LETTER, told: frozenset[str] = frozenset(), **more: object) -> Issue:
    arrived = {item.uid: item.published_at or SINCE for item in items}
    return compose(newsletter, items, arrived, told, SINCE, UNTIL, ASSOCIATION, **more)  # type: ignore[arg-type]


def titles(found: Issue) -> list[tuple[str, list[str], list[str]]]:
    return [(one.title, [entry.title for entry in one.entries], [entry.title for entry in one.brief]) for one in found.sections]


def test_events_posts_videos() -> None:
    """Each under its heading, with its date in words, its place and how it begins."""
    film = toot(
        2, kind="video", title="Le film", attachments=(Attachment(url="v.mp4", type="video", preview_url="https://v.example/p.jpg"),)
    )
    found = issue(toot(1), FETE, film)

    assert titles(found) == [
        ("À venir", ["Fête de l’hiver"], []),
        ("Ces derniers temps", ["Message n° 1"], []),
        ("À voir", ["Le film"], []),
    ]
    event = found.sections[0].entries[0]
    assert (event.when, event.place, event.text) == (
        "samedi 5 décembre 2026 à 20h30",
        "Salle des fêtes, Brest",
        "Vin chaud et chansons.",
    )
    assert found.sections[2].entries[0].image == Attachment(url="https://v.example/p.jpg")
    assert (found.subject, found.news) == ("Fête de l’hiver (sam. 5 déc., 20h30), et 2 autres", 3)


def test_the_editorial_is_no_entry() -> None:
    """A post with the tag stands above, whole."""
    assert titles(issue(toot(1, tags=("Édito",)))) == []


def test_what_is_over_or_cancelled_or_far_leaves() -> None:
    """A moved one shows its new date; a date without an hour lasts until its midnight."""
    today = replace(FETE, uid="jour", starts_at=datetime(2026, 11, 29, 23, 0, tzinfo=UTC), start_is_date=True)
    over = replace(FETE, uid="fini", starts_at=UNTIL - timedelta(hours=2), ends_at=UNTIL - timedelta(hours=1))
    far = replace(FETE, uid="loin", starts_at=UNTIL + timedelta(days=46))
    found = issue(today, over, far, replace(FETE, status="cancelled"))
    moved = issue(replace(FETE, starts_at=FETE.starts_at + timedelta(days=1)), told=frozenset(["fete"]))

    assert [entry.uid for entry in found.sections[0].entries] == ["jour"]
    assert [(entry.when, entry.new) for entry in moved.sections[0].entries] == [("dimanche 6 décembre 2026 à 20h30", False)]


def test_nothing_is_forgotten_for_want_of_room() -> None:
    """What is more than the section shows is named below."""
    letter = replace(LETTER, sections=(Wanted(title="Nouvelles", kinds=POSTS, most=2),))
    found = issue(*(toot(number, UNTIL - timedelta(hours=number)) for number in (1, 2, 3)), newsletter=letter)

    assert titles(found) == [("Nouvelles", ["Message n° 1", "Message n° 2"], ["Message n° 3"])]


def test_a_warning_stands_for_what_it_hides() -> None:
    """Neither the words nor the picture of what the author hid."""
    hidden = toot(1, content_warning="Accident", attachments=(Attachment(url="https://social.example/a.jpg"),))
    entry = issue(hidden).sections[0].entries[0]

    assert (entry.title, entry.text, entry.image) == ("Accident", "Accident", None)


def test_sections_by_tag() -> None:
    """The first that fits has it."""
    letter = replace(LETTER, sections=(Wanted(title="Ateliers", tags=("atelier",)), Wanted(title="Le reste")))
    found = issue(replace(FETE, tags=("Atelier",)), replace(FETE, uid="b", title="Bal"), newsletter=letter)

    assert titles(found) == [("Ateliers", ["Fête de l’hiver"], []), ("Le reste", ["Bal"], [])]


def test_a_thread_is_told_by_its_beginning() -> None:
    """Its other parts are behind the link, in this issue and in the next."""
    found = issue(toot(1), toot(2, in_reply_to="toot-1"), toot(3, in_reply_to="toot-0"), told=frozenset(["toot-0"]))

    assert titles(found) == [("Ces derniers temps", ["Message n° 1"], [])]


@given(st.data())
def test_every_post_is_told_once(data: st.DataObject) -> None:
    """However irregular the issues, whatever arrives late or comes twice: nothing twice, nothing forgotten."""
    start = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
    hours = st.integers(1, 24 * 30)
    written = [start + timedelta(hours=hour) for hour in data.draw(st.lists(hours, max_size=12))]
    seen = [at + timedelta(hours=data.draw(st.integers(0, 24 * 9))) for at in written]
    moments = sorted({start + timedelta(hours=hour) for hour in data.draw(st.lists(hours, max_size=6))} | {start + timedelta(days=60)})
    posts = [toot(number, at) for number, at in enumerate(written)]
    told: list[str] = []
    since = start
    for until in moments:
        arrived = {post.uid: at for post, at in zip(posts, seen, strict=True) if at <= until}
        found = compose(LETTER, [post for post in posts if post.uid in arrived], arrived, frozenset(told), since, until, ASSOCIATION)
        if found.news >= data.draw(st.integers(1, 3)) or until == moments[-1]:
            told += [entry.uid for section in found.sections for entry in (*section.entries, *section.brief)]
            since = until

    assert sorted(told) == sorted(post.uid for post in posts)


@pytest.mark.parametrize(("html", "title", "text"), [
    ("<p>Un atelier samedi.</p>", "Un atelier samedi.", ""),
    ("<p>Un atelier samedi.<br>Venez avec votre vélo.</p>", "Un atelier samedi.", "Venez avec votre vélo."),
    ("<p>Un atelier samedi, à la Maison. Venez avec votre vélo, vos outils, vos enfants et vos questions.</p>",
     "Un atelier samedi, à la Maison.", "Venez avec votre vélo, vos outils, vos enfants et vos questions."),
    ("<p>Nous avons passé une très belle journée samedi dernier avec tous les bénévoles et les enfants du quartier, merci à vous</p>",
     "Nous avons passé une très belle journée samedi dernier avec tous les bénévoles…", "… et les enfants du quartier, merci à vous"),
    ("", "https://social.example/@velo/1", ""),
])  # fmt: skip
def test_a_post_without_a_title_is_not_read_twice(html: str, title: str, text: str) -> None:
    """Its heading is how it begins, and the text goes on from there."""
    ((entry,),) = [section.entries for section in issue(replace(toot(1), html=html)).sections]
    assert (entry.title, entry.text) == (title, text)
