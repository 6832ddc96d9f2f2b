"""The archive of letters: pages that stay, feeds that any reader understands, hostile words that stay words."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import feedparser
import html5lib
import pytest

from connectors.letters import LettersProjection
from syndicator.errors import Rejected
from syndicator.http import Sessions
from syndicator.model import Attachment, Issue, Section
from syndicator.testing import NOW, ProjectionContract, make_context, make_event, make_post, make_view
from syndicator.text.naming import handle
from tests.letters_scene import ADDRESS, FIRST, entry, issue, post, view
from tests.media_scene import Files

WICKED = json.loads((Path(__file__).parent / "data" / "website" / "hostile.json").read_text())


class TestLetters(ProjectionContract):
    """As any view of files."""

    connector = LettersProjection


async def written(folder: Path, sessions: Sessions, *issues: Issue, public_url: str | None = "https://agenda.example/") -> dict[str, str]:
    """The public text files of an archive that was given these."""
    context = make_context(folder, sessions, public_url=public_url)
    projection = LettersProjection(LettersProjection.Options(), context)
    await projection.open()
    await projection.project(view(issues))
    return texts(folder)


def texts(folder: Path) -> dict[str, str]:
    there = sorted((folder / "public" / "lettres").glob("*.*"))
    return {path.name: path.read_text("utf-8") for path in there}


def page_of(told: Issue) -> str:
    return f"{handle(post(told).uid)}.html"


async def test_an_issue_has_a_page(tmp_path: Path, sessions: Sessions) -> None:
    """With everything that it tells, dates as they were said, and links home; valid HTML."""
    told = issue()
    page = (await written(tmp_path, sessions, told))[page_of(told)]

    assert html5lib.HTMLParser(strict=True).parse(page) is not None
    for words in (
        '<html lang="fr">', "<h1>Fête de l’hiver, et un atelier (n° 1)</h1>", "lundi 16 novembre 2026", "<strong>froid</strong>",
        "<h2>À venir</h2>", "samedi 5 décembre 2026 à 20h30", "Salle des fêtes, Brest", "Complet", "une soupe.<br>Venez", "Bal folk",
        'href="https://social.example/toot-0"',
    ):  # fmt: skip
        assert words in page


async def test_all_issues_latest_first(tmp_path: Path, sessions: Sessions) -> None:
    """By year, each with how it begins."""
    made = await written(tmp_path, sessions, issue(0), issue(1), issue(7))
    index = made["index.html"]

    assert html5lib.HTMLParser(strict=True).parse(index) is not None
    places = [index.index(words) for words in ("<h2>2027</h2>", "(n° 8)", "<h2>2026</h2>", "(n° 2)", "(n° 1)")]
    assert places == sorted(places)
    assert "Chères toutes, chers tous, il fait froid" in index
    assert {page_of(issue(week)) for week in (0, 1, 7)} <= made.keys()


@pytest.mark.parametrize("name", ["feed.atom", "feed.rss", "feed-lettre.atom", "feed-lettre.rss"])
async def test_feeds_by_an_independent_reader(tmp_path: Path, sessions: Sessions, name: str) -> None:
    """Each issue once, whole, with its page, its hour and a name that stays."""
    found = feedparser.parse((await written(tmp_path, sessions, issue(0), issue(1)))[name])

    assert (found.bozo, found.feed.title) == (False, "La lettre du vélo")
    assert [one.id for one in found.entries] == [post(issue(week)).uid for week in (1, 0)]
    newest = found.entries[0]
    assert newest.title == "Fête de l’hiver, et un atelier (n° 2)"
    assert newest.link == ADDRESS + page_of(issue(1))
    assert newest.published_parsed[:6] == (2026, 11, 23, 8, 0, 0)
    assert "samedi 5 décembre 2026 à 20h30" in newest.content[0].value
    assert newest.summary.startswith("Chères toutes")


async def test_mailtrain_reads_the_latest_alone(tmp_path: Path, sessions: Sessions) -> None:
    """A campaign's first look sends whatever it finds."""
    made = await written(tmp_path, sessions, issue(0), issue(1), issue(0, newsletter="autre", title="Autre"))

    for name, uid in (("lettre", post(issue(1)).uid), ("autre", post(issue(0, newsletter="autre")).uid)):
        (item,) = ElementTree.fromstring(made[f"latest-{name}.rss"]).iter("item")
        assert item.findtext("guid") == uid
        assert item.find("guid").attrib == {"isPermaLink": "false"}  # type: ignore[union-attr]
        assert "<h2>À venir</h2>" in (item.findtext("{http://purl.org/rss/1.0/modules/content/}encoded") or "")
    assert len(feedparser.parse(made["feed.rss"]).entries) == 3
    assert len(feedparser.parse(made["feed-autre.rss"]).entries) == 1


async def test_an_issue_stays_for_ever(tmp_path: Path, sessions: Sessions) -> None:
    """The view forgets what is old; the page, the list and the address do not."""
    await written(tmp_path, sessions, issue(0), issue(1))
    before = texts(tmp_path)
    after = await written(tmp_path, sessions, issue(1), issue(2))

    assert after[page_of(issue(0))] == before[page_of(issue(0))]
    assert all(f"(n° {number})" in after["index.html"] for number in (1, 2, 3))
    assert await written(tmp_path, sessions) == after


async def test_as_if_made_at_once(tmp_path: Path, sessions: Sessions) -> None:
    """One after the other or together: the same bytes."""
    for count in (1, 2, 3):
        await written(tmp_path / "a", sessions, *(issue(week) for week in range(count)))

    assert texts(tmp_path / "a") == await written(tmp_path / "b", sessions, *(issue(week) for week in range(3)))


async def test_until_it_leaves_it_may_change(tmp_path: Path, sessions: Sessions) -> None:
    """The page says what the letter will."""
    await written(tmp_path, sessions, issue())
    made = await written(tmp_path, sessions, issue(subject="Un bal"))

    assert "<h1>Un bal</h1>" in made[page_of(issue())]
    assert "n° 1" not in "".join(made.values())


async def test_a_damaged_record_costs_no_page(tmp_path: Path, sessions: Sessions, caplog: pytest.LogCaptureFixture) -> None:
    """It is left as it is, and said."""
    caplog.set_level(logging.WARNING)
    await written(tmp_path, sessions, issue(0))
    (record,) = (tmp_path / "state" / "under-test" / "issues").glob("*.json")
    record.write_text('{"uid": 3')
    made = await written(tmp_path, sessions, issue(1))

    assert page_of(issue(0)) in made
    assert "cannot be read" in caplog.text


async def test_somebody_else_s_page_is_not_ours(tmp_path: Path, sessions: Sessions) -> None:
    """Refused, whole and unharmed."""
    theirs = tmp_path / "public" / "lettres" / "index.html"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("Les lettres de Camille")
    with pytest.raises(Rejected):
        await written(tmp_path, sessions, issue())

    assert theirs.read_text() == "Les lettres de Camille"


async def test_only_issues(tmp_path: Path, sessions: Sessions) -> None:
    """Posts and events have pages elsewhere."""
    projection = LettersProjection(LettersProjection.Options(), make_context(tmp_path, sessions))
    await projection.project(make_view([make_post(), make_event()]))

    assert sorted(texts(tmp_path)) == ["feed.atom", "feed.rss", "index.html", "style.css"]
    assert "Le premier numéro paraîtra ici." in texts(tmp_path)["index.html"]


async def test_hostile_words_stay_words(tmp_path: Path, sessions: Sessions) -> None:
    """In a page, in the list, in feeds: no element, no address of theirs but the web's, well-formed."""
    bad = entry(
        "x", WICKED["title"], url=WICKED["url"], text=WICKED["title"] + "\x00\x0b]]>", place=WICKED["place"], when=WICKED["alt"],
        image=Attachment(url="javascript:alert(1)", description=WICKED["alt"]),
    )  # fmt: skip
    told = issue(
        subject=WICKED["title"],
        title=WICKED["organizer"],
        editorial=WICKED["html"] + '<p onclick="x()"><a href="javascript:x()">a</a></p></div></main><script>alert(1)</script>',
        sections=(Section(title=WICKED["tag"], entries=(bad,), brief=(bad,)),),
    )
    made = await written(tmp_path, sessions, told)

    for name, text in made.items():
        if name.endswith((".atom", ".rss")):
            found = feedparser.parse(text, sanitize_html=False)
            assert (found.bozo, len(found.entries)) == (False, 1)
            text = found.entries[0].content[0].value
        if name != "style.css":
            tree = html5lib.parse(text, namespaceHTMLElements=False)
            elements = list(tree.iter())
            allowed = {"html", "head", "body", "meta", "title", "link", "a", "p", "h1", "h2", "h3", "header", "main", "footer", "nav",
                       "time", "section", "article", "div", "strong", "em", "b", "i", "ul", "ol", "li", "br", "blockquote"}  # fmt: skip
            assert {str(one.tag) for one in elements} <= allowed, name
            assert not [key for one in elements for key in one.attrib if key.startswith("on") or key == "style"]
            links = [one.attrib["href"] for one in elements if "href" in one.attrib and one.tag == "a"]
            assert not [link for link in links if ":" in link and not link.startswith(("https://", "http://", "mailto:"))]


async def test_without_an_address_of_ours(tmp_path: Path, sessions: Sessions) -> None:
    """Pages link each other all the same; the feeds lead to the association's own site."""
    made = await written(tmp_path, sessions, issue(), public_url=None)

    assert feedparser.parse(made["feed.rss"]).entries[0].link == "https://asso.example/"
    assert page_of(issue()) in made["index.html"]
    assert "canonical" not in made["index.html"]


async def test_another_language(tmp_path: Path, sessions: Sessions) -> None:
    """Its page speaks its own; the list says which words are foreign."""
    told = issue(language="en", subject="Winter ball")
    made = await written(tmp_path, sessions, told)

    assert '<html lang="en">' in made[page_of(told)]
    assert "All issues" in made[page_of(told)]
    assert 'lang="en">Winter ball' in made["index.html"]


def pictured(url: str) -> Issue:
    shown = entry("fete", "Fête", image=Attachment(url=url, description='Une "guirlande"'))
    return issue(sections=(Section(title="À venir", entries=(shown,)),))


async def test_pictures_are_our_copies(tmp_path: Path, sessions: Sessions, files: Files) -> None:
    """In the page beside it, in feeds by their whole address; kept when the origin and the view have forgotten them."""
    told = pictured(f"{files.url}/1.jpg")
    made = await written(tmp_path, sessions, told)
    (copy,) = (tmp_path / "public" / "lettres" / "pictures").iterdir()

    assert f'<img src="pictures/{copy.name}" alt="Une &#34;guirlande&#34;"' in made[page_of(told)]
    assert f'src="{ADDRESS}pictures/{copy.name}"' in feedparser.parse(made["feed.atom"]).entries[0].content[0].value
    assert files.url not in "".join(made.values())
    await written(tmp_path, sessions, issue(1))
    assert copy.exists()
    assert f"pictures/{copy.name}" in texts(tmp_path)[page_of(told)]


async def test_a_picture_that_cannot_be_had(tmp_path: Path, sessions: Sessions, files: Files) -> None:
    """Left out; words do not wait for it."""
    made = await written(tmp_path, sessions, pictured(f"{files.url}/none.jpg"))

    assert "<img" not in "".join(made.values())


async def test_no_pictures_by_choice(tmp_path: Path, sessions: Sessions, files: Files) -> None:
    """Nor asked for."""
    projection = LettersProjection(LettersProjection.Options(images=False), make_context(tmp_path, sessions))
    await projection.project(view([pictured(f"{files.url}/1.jpg")]))

    assert (files.requests, "<img" in "".join(texts(tmp_path).values())) == ([], False)


async def test_the_association_s_colour_and_a_title(tmp_path: Path, sessions: Sessions) -> None:
    """Decoration, and the name of the whole."""
    context = make_context(tmp_path, sessions)
    context = replace(context, association=replace(context.association, colour="#00aa77"))
    projection = LettersProjection(LettersProjection.Options(title="Nos lettres"), context)
    await projection.project(view([issue()]))

    assert "--colour: #00aa77" in texts(tmp_path)["style.css"]
    assert "<h1>Nos lettres</h1>" in texts(tmp_path)["index.html"]


async def test_after_years(tmp_path: Path, sessions: Sessions) -> None:
    """Of many issues the feeds hold the last twenty, the list and the pages all."""
    projection = LettersProjection(LettersProjection.Options(images=False), make_context(tmp_path, sessions, now=lambda: NOW))
    await projection.project(view([issue(week) for week in range(200)]))
    await projection.project(view([issue(200)]))
    made: Any = texts(tmp_path)

    assert len(feedparser.parse(made["feed.rss"]).entries) == 20
    assert made["index.html"].count("<li>") == 201
    assert f"{(FIRST + timedelta(days=7 * 200)).year}" in made["index.html"]
