"""An issue on networks that take no letters: its title, how it begins, where to read it; and on the association's own page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from connectors.website import Options, WebsiteProjection
from syndicator.contract import Association, Limits
from syndicator.http import Sessions
from syndicator.letter.announce import announced
from syndicator.model import Issue
from syndicator.render import render
from syndicator.route import Style
from syndicator.testing import make_context, make_view
from tests.letters_scene import entry, issue, post
from tests.text_networks import BLUESKY, DISCORD, MASTODON, X

HOME = Association(name="Les Amis du Vélo", url="https://asso.example/")
PAGE = "https://agenda.example/lettres/3f0a91c27d.html"
LONG = "<p>Chères toutes, chers tous,</p>" + "<p>Le vent souffle et nous roulons encore, par tous les temps.</p>" * 60


def said(told: Issue, limits: Limits) -> str:
    """The one message."""
    item = post(told, url=PAGE, title=f"La lettre du vélo : {told.subject}", html=announced(told))
    (rendition,) = render(item, limits, Style(link="always", language=told.language), association=HOME, destination_names=("x", "bsky"))
    return rendition.text


@pytest.mark.parametrize("limits", [MASTODON, BLUESKY, X], ids=["mastodon", "bluesky", "x"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_short_editorial_is_told_whole(limits: Limits, language: str) -> None:
    """After the title, before the way to the letter."""
    told = issue(editorial="<p>Il fait froid.</p>", subject="Un bal", language=language)

    assert said(told, limits) == f"La lettre du vélo : Un bal\n\nIl fait froid.\n\n{PAGE}"


@pytest.mark.parametrize("limits", [MASTODON, BLUESKY, X, DISCORD], ids=["mastodon", "bluesky", "x", "discord"])
def test_a_long_editorial_is_only_begun(limits: Limits) -> None:
    """Never the whole letter, however much room there is; the way to it always."""
    text = said(issue(editorial=LONG, subject="Un bal"), limits)

    assert text.startswith("La lettre du vélo : Un bal\n\nChères toutes, chers tous,")
    assert PAGE in text
    assert len(text) < 700
    assert "…" in text
    assert "Salle des fêtes" not in text


@pytest.mark.parametrize("limits", [MASTODON, BLUESKY, X], ids=["mastodon", "bluesky", "x"])
def test_without_editorial_the_first_titles(limits: Limits) -> None:
    """With the dates of events, as the letter says them."""
    text = said(issue(editorial="", subject="Un bal"), limits)

    assert "Fête de l’hiver – samedi 5 décembre 2026 à 20h30" in text
    assert "Un atelier samedi" in text
    assert text.rstrip().endswith(PAGE)


def test_no_more_than_five_titles() -> None:
    """And each once."""
    told = issue(editorial=" ")
    section = replace(told.sections[1], entries=tuple(entry(str(number % 7), f"Titre {number % 7}") for number in range(14)))

    assert announced(replace(told, sections=(section,))).count("<li>") == 5
    assert announced(replace(told, sections=())) == ""


@pytest.mark.parametrize("limits", [MASTODON, BLUESKY, X], ids=["mastodon", "bluesky", "x"])
@pytest.mark.parametrize("hostile", ["Merci @camille@social.example", "Merci @all", "Merci @camille"])
def test_nobody_is_called(limits: Limits, hostile: str) -> None:
    """Neither from a title nor from the editorial."""
    section = replace(issue().sections[0], entries=(entry("x", hostile),), brief=())
    for told in (issue(editorial="", subject=hostile, sections=(section,)), issue(editorial=f"<p>{hostile}</p>")):
        text = said(told, limits)
        assert not [word for word in text.split() if word.startswith("@")], text


def test_hostile_titles_are_text() -> None:
    """Markup in a title is a title."""
    section = replace(issue().sections[0], entries=(entry("x", "<script>alert(1)</script>"),), brief=())

    assert "<script>alert(1)</script>" in said(issue(editorial="", sections=(section,)), MASTODON)


async def test_the_ordinary_page_shows_it(tmp_path: Path, sessions: Sessions) -> None:
    """As a post that leads to the letter, in the page and in its feeds."""
    told = issue()
    item = post(told, url=PAGE, html=announced(told))
    projection = WebsiteProjection(Options(), make_context(tmp_path, sessions))
    await projection.project(make_view([item]))
    public = tmp_path / "public"
    page = (public / "index.html").read_text()

    assert "La lettre du vélo : Fête de l’hiver, et un atelier (n° 1)" in page.replace("\u00a0", " ")
    assert f'href="{PAGE}"' in page
    assert "Lire la lettre" in page
    assert "Chères toutes, chers tous" in page
    for feed in ("feed.atom", "feed.json"):
        assert PAGE in (public / feed).read_text()


async def test_a_letter_that_is_nowhere_to_be_read(tmp_path: Path, sessions: Sessions) -> None:
    """Without an archive the page promises none."""
    told = issue()
    projection = WebsiteProjection(Options(), make_context(tmp_path, sessions))
    await projection.project(make_view([post(told, url="https://asso.example/", html=announced(told))]))

    assert "Lire la lettre" not in (tmp_path / "public" / "index.html").read_text()
