"""What each destination gets of an item: the corpus, and what must hold of every item whatever it is."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syndicator.contract import Association, Limits
from syndicator.model import Actor, Attachment, Event, Mention, Offer, Place, Poll, Post, Quote, Rendition
from syndicator.render import render
from syndicator.route import Style
from syndicator.testing import NOW, make_event, make_post
from syndicator.text.count import length
from syndicator.text.face import from_url
from syndicator.text.links import addresses
from syndicator.text.notes import describe, explain
from tests.text_networks import BLUESKY, MASTODON, NETWORKS, X

ASSOCIATION = Association(name="Asso")
CASES = tomllib.loads((Path(__file__).parent / "data" / "text" / "render.toml").read_text())["case"]
SIXTY = Limits(text_max=60, media=BLUESKY.media)
LIMITS = {
    **NETWORKS,
    "thirty": Limits(text_max=30, media=X.media),
    "sixty": SIXTY,
    "sixty-thread": replace(SIXTY, threads=True),
    "sixty-five-with-cw": replace(SIXTY, text_max=65, threads=True, content_warning=True),
    "sixty-words": replace(SIXTY, spans=True, threads=True),
    "caption-sixty": replace(SIXTY, text_max=125, caption_max=60, threads=True),
    "little-sixty": replace(SIXTY, markup="little", markup_counts=True),
    "x-no-video": replace(X, media=replace(X.media, videos_max=0)),
    "alt-twenty": replace(X, media=replace(X.media, alt_max=20)),
}


def _post(fields: dict[str, Any]) -> Post:
    made = dict(fields)
    if "attachments" in made:
        made["attachments"] = tuple(Attachment(**attachment) for attachment in made["attachments"])
    if "mentions" in made:
        made["mentions"] = tuple(Mention(**mention) for mention in made["mentions"])
    if "poll" in made:
        made["poll"] = Poll(**{**made["poll"], "options": tuple(made["poll"]["options"])})
    if "quote" in made:
        author = made["quote"].get("author")
        made["quote"] = Quote(**{**made["quote"], "author": Actor(name=author) if author else None})
    return make_post(**{key: tuple(value) if isinstance(value, list) else value for key, value in made.items()})


def _drawn(attachment: Attachment | None) -> str:
    """Its address; of a generated picture, what it says."""
    if attachment is None:
        return ""
    made = from_url(attachment.url)
    return attachment.url if made is None else f"face: {' | '.join([made.title, *made.facts])}"


def _event(fields: dict[str, Any]) -> Event:
    made = {"url": "https://mobilizon.example/events/1", **fields}
    if "offers" in made:
        made["offers"] = tuple(Offer(price=price) for price in made["offers"])
    if "image" in made:
        made["image"] = Attachment(url=made["image"])
    return make_event(**{key: tuple(value) if isinstance(value, list) else value for key, value in made.items()})


@pytest.mark.parametrize("case", CASES, ids=[f"{case['number']}-{case['what']}" for case in CASES])
def test_corpus(case: dict[str, Any]) -> None:
    """Each rule of the corpus, on the shortest item that shows it: texts, notes, pictures, warning, language, title, link."""
    item = _post(case["post"]) if "post" in case else _event(case["event"])
    done = render(
        item,
        LIMITS[case["to"]],
        Style(**case.get("style", {})),
        association=ASSOCIATION,
        destination_names=case.get("names", ()),
        destination_type=case.get("type", ""),
        purpose=case.get("purpose", "create"),
    )
    assert [part.text for part in done] == case["texts"]
    for part in done:
        assert part.notes == tuple(case["notes"])
        assert part.content_warning == case.get("content_warning", "")
        assert (part.part, part.parts) == (done.index(part), len(done))
        assert part.title == case.get("title", "")
        assert part.link == case.get("link")
        assert part.language == (case.get("language", item.language) or None)
        assert part.attachments == () or part is done[0]
        assert part.sensitive == case.get("sensitive", part.sensitive)
        assert part.card is None or (part is done[-1] and "card" in case)
    if done:
        assert [[[part.text[span.start : span.end], span.url] for span in part.spans] for part in done] == case.get(
            "part_spans", [case.get("spans", []), *[[]] * (len(done) - 1)]
        )
        card = done[-1].card
        shown = card and {"url": card.url, "title": card.title, "description": card.description, "image": _drawn(card.image)}
        assert shown == (case["card"] | {"description": case["card"].get("description", "")} if "card" in case else None)
    for part in done:
        if "tags" in case:
            assert part.tags == tuple(case["tags"])
    if done:
        assert [_drawn(attachment) for attachment in done[0].attachments] == case.get("attachments", [])
    if "alts" in case:
        assert [attachment.description for attachment in done[0].attachments] == case["alts"]


def test_a_whole_rendition() -> None:
    """Everything that travels with the text."""
    post = make_post(html="<p>Salut</p>", content_warning="bruit", visibility="unlisted", tags=("vélo",))
    assert render(post, MASTODON, Style(), association=ASSOCIATION) == (
        Rendition(
            uid=post.uid,
            text="Salut",
            language="fr",
            content_warning="bruit",
            sensitive=True,
            visibility="unlisted",
            tags=("vélo",),
            published_at=NOW - timedelta(minutes=5),
        ),
    )


def test_a_kind_that_the_destination_does_not_carry_is_nothing() -> None:
    """Limits.kinds is obeyed."""
    limits = replace(MASTODON, kinds=frozenset({"event"}))
    assert render(make_post(), limits, Style(), association=ASSOCIATION) == ()
    assert len(render(make_event(), limits, Style(), association=ASSOCIATION)) == 1


def test_a_place_is_the_author_s_text_too() -> None:
    """Where addresses cost, none hides in the name of a place."""
    event = make_event(place=Place(name="La Salle (www.salle.fr) #noX", locality="Brest"))
    (shown,) = render(event, X, Style(text_links="drop", link="never"), association=ASSOCIATION, destination_names=["x"])
    assert "📍 La Salle (salle point fr), Brest" in shown.text
    assert addresses(shown.text) == []


def test_what_changes_by_itself_changes_no_rendition() -> None:
    """An update follows only an edit: neither dates of change nor places taken, sequence or source matter."""
    event = make_event()
    other = replace(event, updated_at=NOW, sequence=4, capacity=3, source="autre", category="WORKSHOP")
    assert render(event, MASTODON, Style(), association=ASSOCIATION) == render(other, MASTODON, Style(), association=ASSOCIATION)


def test_an_edit_of_the_alt_text_only_changes_the_picture() -> None:
    """Corpus 57: no noise in the text."""
    before = make_post(attachments=(Attachment(url="https://h.fr/a.jpg"),))
    after = make_post(attachments=(Attachment(url="https://h.fr/a.jpg", description="Une photo"),))
    (one,), (two,) = (render(post, MASTODON, Style(), association=ASSOCIATION) for post in (before, after))
    assert replace(one, attachments=two.attachments, notes=()) == replace(two, notes=())
    assert one != two


def test_explained_in_words() -> None:
    """Every note has its words in both languages, and preview says length, media and cuts."""
    post = make_post(html="<p>" + "mot " * 200 + "</p>", attachments=(Attachment(url="https://h.fr/a.jpg"),))
    (shown,) = render(post, X, Style(), association=ASSOCIATION)
    assert explain(shown, X, "fr") == [
        "277 caractères pondérés sur 280",
        "1 média, 0 avec description",
        "description d’image manquante",
        "texte raccourci",
        "un lien, que ce réseau peut facturer",
    ]
    assert explain(shown, X, "en")[0] == "277 weighted characters of 280"
    for case in CASES:
        for note in case.get("notes", ()):
            assert describe(note, "fr") != describe(note, "en")
            assert describe(note, "fr") != note


def test_warning_and_text_share_the_room() -> None:
    """Mastodon counts the warning's field with the text: together they fit, and an endless warning leaves half to the text."""
    assert MASTODON.text_max is not None
    long = "mot " * 200
    for warning in ("Nourriture", "avertissement " * 60):
        (rendition,) = render(make_post(html=f"<p>{long}</p>", content_warning=warning), MASTODON, Style(), association=ASSOCIATION)

        used = length(rendition.text, MASTODON) + length(rendition.content_warning, MASTODON)
        assert MASTODON.text_max - 20 < used <= MASTODON.text_max
        assert length(rendition.text, MASTODON) >= MASTODON.text_max // 2 - 20


def test_a_calendar_gets_the_event_itself() -> None:
    """Its dates and place, where the destination keeps events; not with what only speaks of it, nor elsewhere, nor with a post."""
    calendar = replace(MASTODON, events=True)
    event = make_event(tags=("vélo",), capacity=12, full=True, online_url="https://visio.example/1")
    ((own,), (reminder,), (elsewhere,), (post,)) = (
        render(event, calendar, Style(), association=ASSOCIATION),
        render(event, calendar, Style(), association=ASSOCIATION, purpose="remind"),
        render(event, MASTODON, Style(), association=ASSOCIATION),
        render(make_post(), calendar, Style(), association=ASSOCIATION),
    )
    assert own.event == replace(event, source="", html="", language=None, published_at=None, tags=(), capacity=None, full=False)
    assert (reminder.event, elsewhere.event, post.event) == (None, None, None)
