"""The website projection: what it writes, for whom, and what it leaves alone."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import feedparser
import jsonschema
import pytest
from aiohttp import web
from PIL import Image

from connectors.website import Options, WebsiteProjection, clean, colour
from connectors.website.labels import labels_for
from syndicator.contract import Association, View
from syndicator.errors import Rejected, Transient
from syndicator.http import Sessions
from syndicator.model import Actor, Attachment, Event, Item, Offer, Place, Poll, Post, Quote
from syndicator.sandbox.server import Fault, Simulator
from syndicator.testing import NOW, PARIS, ProjectionContract, make_context, make_event, make_post, make_view

ATOM = "{http://www.w3.org/2005/Atom}"
DATA = Path(__file__).parent / "data" / "website"
SCHEMA = json.loads((Path(clean.__file__).parent / "assets" / "events.schema.json").read_text())
FILES = {
    "index.html", "events.html", "events.json", "feed.atom", "feed.json", "style.css", "icon.svg", "sitemap.xml",
    "archive/index.html", "tags/index.html", "links.html", "links.css",
}  # fmt: skip
"""Of an empty website, the widget and the presence page apart."""
LINKED_DATA = re.compile(r'<script type="application/ld\+json">[^<>]*</script>')
OTHERS = {"widget.js", "widget.json", "embed.html", "embed.js", "links.html", "links.css", "events.geojson"}


def attributes(html: str) -> list[str]:
    """The name of every attribute of every element, as a parser finds them."""
    found: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda _tag, attrs: found.extend(name for name, _ in attrs)  # type: ignore[method-assign]
    parser.feed(html)
    return found


class PictureHost(Simulator):
    """A server of pictures: ``/<width>x<height>.jpg`` is one of that size, with GPS coordinates in it."""

    def __init__(self) -> None:
        super().__init__()
        self.app.router.add_get("/{width}x{height}.jpg", self._picture)

    async def _picture(self, request: web.Request) -> web.Response:
        picture = Image.new("RGB", (int(request.match_info["width"]), int(request.match_info["height"])), "teal")
        exif = Image.Exif()
        exif[0x010E] = "GPS 48.39 -4.48"
        out = BytesIO()
        picture.save(out, "JPEG", exif=exif)
        return web.Response(body=out.getvalue(), content_type="image/jpeg")


@pytest.fixture
async def host() -> AsyncIterator[PictureHost]:
    """Pictures on loopback."""
    async with PictureHost() as host:
        yield host


@pytest.fixture
async def sessions() -> AsyncIterator[Sessions]:
    """One set of sessions per test."""
    sessions = Sessions()
    yield sessions
    await sessions.close()


def projection(
    folder: Path,
    sessions: Sessions,
    /,
    *,
    now: datetime = NOW,
    language: str = "fr",
    public_url: str | None = "https://agenda.example/",
    colour: str = "",
    **options: Any,
) -> WebsiteProjection:
    """One below ``folder``."""
    association = Association(name="Les Amis du Vélo", url="https://asso.example/", language=language, colour=colour)
    context = make_context(folder, sessions, now=lambda: now, association=association, public_url=public_url)
    return WebsiteProjection(Options(**options), context)


async def written(folder: Path, sessions: Sessions, view: View, /, **settings: Any) -> dict[str, str]:
    """What a projection of ``view`` leaves, text files only."""
    connector = projection(folder, sessions, **settings)
    await connector.open()
    await connector.project(view)
    await connector.close()
    public = folder / "public"
    return {str(path.relative_to(public)): path.read_text() for path in public.rglob("*") if path.is_file() and path.parent.name != "media"}


def dated(day: int, *, month: int = 12, **changes: Any) -> Event:
    """An event at 20:30 on that day of the winter 2026, with its own uid."""
    starts_at = datetime(2026 if month > 6 else 2027, month, day, 20, 30, tzinfo=PARIS)
    uid = f"https://mobilizon.example/events/{month}-{day}"
    return make_event(**{"uid": uid, "url": uid, "starts_at": starts_at, "ends_at": None, **changes})


class TestContract(ProjectionContract):
    """What every projection promises."""

    connector = WebsiteProjection


class TestContractWithPictures(ProjectionContract):
    """The same in a folder below the public one, with everything switched on."""

    connector = WebsiteProjection

    def options(self) -> Options:
        return Options(folder="jeunesse/agenda", calendar="agenda.ics", past=timedelta(days=3650), accent="#ffcc00")


async def test_the_files_and_the_empty_state(tmp_path: Path, sessions: Sessions) -> None:
    """Without any item there are all files, and the page says in words that nothing is announced."""
    files = await written(tmp_path, sessions, make_view([]))

    assert set(files) == FILES | OTHERS
    assert "Aucun rendez-vous n’est annoncé" in files["index.html"]
    assert "Aucun rendez-vous n’est annoncé" in files["events.html"]
    assert json.loads(files["events.json"])["upcoming"] == []
    assert '<h2 id="s-news">' not in files["index.html"]


async def test_what_an_event_says(tmp_path: Path, sessions: Sessions) -> None:
    """Its date in words and for machines, its place, its state, its price, in the association's language."""
    event = make_event(
        full=True,
        status="tentative",
        online_url="https://visio.example/salle",
        ticket_url="https://billets.example/1",
        offers=(Offer(price="0"), Offer(price="7.50"), Offer(price="12", currency="CHF")),
        organizer=Actor(name="Les Amis", url="https://mobilizon.example/@amis"),
        tags=("vélo", "atelier"),
        place=replace(make_event().place or Place(), latitude=48.39, longitude=-4.486),
    )
    page = (await written(tmp_path, sessions, make_view([event])))["index.html"]

    assert '<h3 class="syndicator-heading"><a href="events/atelier-velo-534e93ac91.html">Atelier vélo</a></h3>' in page
    assert '<time datetime="2026-12-05T20:30:00+01:00">samedi 5 décembre 2026 de 20h30 à 22h30</time>' in page
    assert "La Maison, 3 rue du Port, 29200 Brest" in page
    assert "https://www.openstreetmap.org/?mlat=48.39000&amp;mlon=-4.48600" in page
    for text in ("Complet", "À confirmer", "En ligne", "Gratuit · 7,50\u00a0€ · 12\u00a0CHF", "#atelier", "https://billets.example/1"):
        assert text in page
    english = (await written(tmp_path / "en", sessions, make_view([event]), language="en-GB"))["index.html"]
    assert '<html lang="en">' in english
    assert "Saturday 5 December 2026 from 8:30 pm to 10:30 pm" in english
    assert "Free · €7.50 · 12 CHF" in english


async def test_a_cancelled_event_stays_and_says_so(tmp_path: Path, sessions: Sessions) -> None:
    """In words on the page, in the feeds' titles, as a status in the data; no ticket is sold any more."""
    files = await written(
        tmp_path, sessions, make_view([make_event(status="cancelled", full=True, ticket_url="https://billets.example/1")])
    )

    assert "Annulé</strong>" in files["index.html"]
    assert "Complet" not in files["index.html"]
    assert "billets.example" not in files["index.html"]
    assert "<title>ANNULÉ\u00a0: Atelier vélo</title>" in files["feed.atom"]
    assert json.loads(files["events.json"])["upcoming"][0]["status"] == "cancelled"


async def test_a_date_without_hour_never_gets_one(tmp_path: Path, sessions: Sessions) -> None:
    """Bare dates for machines, the last day inclusive, and no clock time in words, in every file."""
    event = make_event(
        starts_at=datetime(2026, 12, 5, tzinfo=PARIS), ends_at=datetime(2026, 12, 7, tzinfo=PARIS), start_is_date=True, end_is_date=True
    )  # fmt: skip
    files = await written(tmp_path, sessions, make_view([event]))
    record = json.loads(files["events.json"])["upcoming"][0]

    assert (record["start"], record["end"], record["when"]) == ("2026-12-05", "2026-12-07", "du 5 au 7 décembre 2026")
    assert '<time datetime="2026-12-05">du 5 au 7 décembre 2026</time>' in files["index.html"]
    assert json.loads(files["feed.json"])["items"][0]["_syndicator"] == {
        "start": "2026-12-05", "end": "2026-12-07", "status": "confirmed", "place": "La Maison, 3 rue du Port, 29200 Brest",
    }  # fmt: skip


async def test_another_clock_is_named(tmp_path: Path, sessions: Sessions) -> None:
    """An event far away keeps its own hour and offset, and says which clock is meant."""
    event = dated(6, timezone="America/Montreal", starts_at=datetime(2026, 12, 6, 0, 30, tzinfo=UTC))
    record = json.loads((await written(tmp_path, sessions, make_view([event])))["events.json"])["upcoming"][0]

    assert record["start"] == "2026-12-05T19:30:00-05:00"
    assert record["when"].startswith("samedi 5 décembre 2026 à 19h30")
    assert "Montreal" in record["when"]


async def test_an_unknown_zone_is_no_crash(tmp_path: Path, sessions: Sessions) -> None:
    """The offset that the origin gave is used."""
    record = json.loads((await written(tmp_path, sessions, make_view([dated(5, timezone="Mars/Olympus")])))["events.json"])["upcoming"][0]

    assert record["start"] == "2026-12-05T20:30:00+01:00"


async def test_the_day_decides_what_is_past(tmp_path: Path, sessions: Sessions) -> None:
    """Over at noon, it stays until midnight of the association's clock; then it is past for as long as the option says."""
    morning = make_event(starts_at=datetime(2026, 11, 21, 9, tzinfo=PARIS), ends_at=datetime(2026, 11, 21, 11, tzinfo=PARIS))
    day = dated(21, month=11, start_is_date=True, starts_at=datetime(2026, 11, 21, tzinfo=PARIS))
    view = make_view([morning, day])

    async def at(now: datetime) -> tuple[int, int]:
        document = json.loads((await written(tmp_path, sessions, view, now=now))["events.json"])
        return len(document["upcoming"]), len(document["past"])

    assert await at(datetime(2026, 11, 21, 22, 59, tzinfo=UTC)) == (2, 0)
    assert await at(datetime(2026, 11, 21, 23, 1, tzinfo=UTC)) == (0, 2)
    assert await at(datetime(2026, 12, 20, 12, tzinfo=UTC)) == (0, 2)
    assert await at(datetime(2026, 12, 22, 12, tzinfo=UTC)) == (0, 0)


async def test_the_hour_of_the_projection_leaves_no_trace(tmp_path: Path, sessions: Sessions) -> None:
    """Twice on one day: byte for byte the same."""
    view = make_view([make_event(), make_post(), dated(1, month=11)])
    early = await written(tmp_path / "early", sessions, view, now=datetime(2026, 11, 21, 0, 5, tzinfo=PARIS))
    late = await written(tmp_path / "late", sessions, view, now=datetime(2026, 11, 21, 23, 55, tzinfo=PARIS))

    assert early == late


async def test_activities_that_go_on_do_not_hide_the_dates_to_come(tmp_path: Path, sessions: Sessions) -> None:
    """An exhibition of five months has its own section, after the dates; the data has it in its place, marked long."""
    long = dated(
        1, month=10, title="Exposition", starts_at=datetime(2026, 10, 1, tzinfo=PARIS), ends_at=datetime(2027, 2, 28, tzinfo=PARIS)
    )
    files = await written(tmp_path, sessions, make_view([long, make_event()]))

    assert files["index.html"].index("Atelier vélo") < files["index.html"].index("s-ongoing") < files["index.html"].index("Exposition")
    assert [(record["title"], record["long"]) for record in json.loads(files["events.json"])["upcoming"]] == [
        ("Exposition", True), ("Atelier vélo", False),
    ]  # fmt: skip


async def test_the_page_is_bounded_and_the_data_is_whole(tmp_path: Path, sessions: Sessions) -> None:
    """Limits hold on the page; ``events.json`` has every event to come, soonest first."""
    events = [dated(day, title=f"Bal numéro {day}") for day in range(1, 21)]
    posts = [make_post(uid=f"https://s.example/{n}", html=f"<p>Pouet {n}</p>", published_at=NOW - timedelta(hours=n)) for n in range(20)]
    files = await written(tmp_path, sessions, make_view([*events, *posts]), events_max=5, posts_max=3, feed_max=7)

    assert len(re.findall("Bal numéro", re.sub("<span class=.syndicator-hidden.*?</span>", "", files["index.html"]))) == 5
    assert re.findall("<p>Pouet ([0-9]+)</p>", files["index.html"]) == ["0", "1", "2"]
    assert [record["title"] for record in json.loads(files["events.json"])["upcoming"]] == [f"Bal numéro {day}" for day in range(1, 21)]
    assert len(json.loads(files["feed.json"])["items"]) == 7


async def test_the_data_follows_its_schema(tmp_path: Path, sessions: Sessions, host: PictureHost) -> None:
    """Rich, poor and hostile events alike."""
    rich = make_event(
        image=Attachment(url=f"{host.url}/800x600.jpg", description="Une affiche"),
        offers=(Offer(price="5", url="https://billets.example"),), accessibility=(("wheelchair", "yes"),), capacity=40, category="MUSIC",
        organizer=Actor(name="Les Amis"), tags=("vélo",), online_url="https://visio.example", sequence=3,
    )  # fmt: skip
    poor = dated(9, place=None, html="", published_at=None, language=None)
    document = json.loads((await written(tmp_path, sessions, make_view([rich, poor, hostile_event()])))["events.json"])

    jsonschema.validate(document, SCHEMA)
    copies = document["upcoming"][0]["image"].pop("variants")
    assert [(copy["width"], copy["height"]) for copy in copies] == [(320, 240), (640, 480), (800, 600)]
    assert document["upcoming"][0]["image"] == {
        "file": document["upcoming"][0]["image"]["file"],
        "url": f"https://agenda.example/{document['upcoming'][0]['image']['file']}",
        "width": 800, "height": 600, "alt": "Une affiche",
    }  # fmt: skip
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document, "version": 2}, SCHEMA)


# Pictures


def with_picture(url: str, **changes: Any) -> Event:
    """An event whose picture is there."""
    return make_event(image=Attachment(url=url, description="Une affiche"), **changes)


async def test_pictures_are_ours(tmp_path: Path, sessions: Sessions, host: PictureHost) -> None:
    """Fetched once, without what the camera hid in them, served from our folder under a name made of the content."""
    view = make_view([with_picture(f"{host.url}/1200x800.jpg"), make_post(attachments=(Attachment(url=f"{host.url}/1200x800.jpg"),))])
    first = await written(tmp_path, sessions, view)
    again = await written(tmp_path, sessions, view)
    media = sorted((tmp_path / "public" / "media").iterdir())

    assert first == again
    assert [request.path for request in host.requests] == ["/1200x800.jpg"]
    assert [bool(re.fullmatch(r"[0-9a-f]{32}\.jpg", path.name)) for path in media] == [True] * 3
    assert [path.name for path in media if b"GPS" in path.read_bytes()] == []
    assert first["index.html"].count('alt="Une affiche" width="1200" height="800" loading="lazy" decoding="async">') == 1
    assert set(re.findall(r"media/\w+\.jpg", first["index.html"])) == {f"media/{path.name}" for path in media}
    assert first["events.html"].count("https://agenda.example/media/") == 4
    assert host.url not in "".join(first.values())


@pytest.mark.parametrize("fault", [
    Fault(action="drop"), Fault(action="answer", status=404), Fault(action="answer", status=503), Fault(action="truncate"),
    Fault(action="answer", status=200, body=b"<html>pas une image"),
], ids=["cut", "404", "503", "truncated", "not-a-picture"])  # fmt: skip
async def test_a_picture_that_fails_does_not_hold_the_page(tmp_path: Path, sessions: Sessions, host: PictureHost, fault: Fault) -> None:
    """The page goes out without it, and that of the next day has it."""
    view = make_view([with_picture(f"{host.url}/640x480.jpg"), dated(12, image=Attachment(url=f"{host.url}/320x240.jpg"))])
    host.fault(replace(fault, path="/640x480", times=9))
    without = (await written(tmp_path, sessions, view))["index.html"]
    host.faults.clear()
    with_it = (await written(tmp_path, sessions, view, now=NOW + timedelta(days=1)))["index.html"]

    assert (without.count("<img"), with_it.count("<img")) == (1, 2)
    assert "Atelier vélo" in without


async def test_a_picture_no_longer_shown_goes(tmp_path: Path, sessions: Sessions, host: PictureHost) -> None:
    """Nothing of a deleted item stays in the public folder."""
    await written(tmp_path, sessions, make_view([with_picture(f"{host.url}/640x480.jpg")]))
    files = await written(tmp_path, sessions, make_view([make_event()]))

    assert set(files) == FILES | OTHERS | {"events/atelier-velo-534e93ac91.html", "archive/2026.html"}
    assert not (tmp_path / "public" / "media").exists()


async def test_a_picture_removed_by_hand_comes_back(tmp_path: Path, sessions: Sessions, host: PictureHost) -> None:
    """The folder is repaired, from the cache."""
    view = make_view([with_picture(f"{host.url}/640x480.jpg")])
    await written(tmp_path, sessions, view)
    small, large = (tmp_path / "public" / "media").iterdir()
    small.unlink()
    await written(tmp_path, sessions, view)

    assert (small.is_file(), large.is_file()) == (True, True)
    assert len(host.requests) == 1


async def test_no_pictures_when_not_wanted(tmp_path: Path, sessions: Sessions, host: PictureHost) -> None:
    """``images = false``: none is fetched, none is shown."""
    files = await written(tmp_path, sessions, make_view([with_picture(f"{host.url}/640x480.jpg")]), images=False)

    assert "<img" not in files["index.html"]
    assert host.requests == []


async def test_the_fragment_has_no_pictures_without_an_address(tmp_path: Path, sessions: Sessions, host: PictureHost) -> None:
    """Included elsewhere, a relative address would lead nowhere."""
    files = await written(tmp_path, sessions, make_view([with_picture(f"{host.url}/640x480.jpg")]), public_url=None)

    assert "<img" in files["index.html"]
    assert "<img" not in files["events.html"]


async def test_sensitive_pictures_are_not_copied(tmp_path: Path, sessions: Sessions, host: PictureHost) -> None:
    """A content warning comes first and hides the text until asked for; the pictures stay at the origin; feeds show the warning alone."""
    post = make_post(
        html="<p>Du sang partout</p>", content_warning="Blessure", sensitive=True, attachments=(Attachment(url=f"{host.url}/9x9.jpg"),)
    )
    files = await written(tmp_path, sessions, make_view([post]))

    assert re.search(
        r"<details[^>]*>\s*<summary>Blessure</summary>\s*<div class=\"syndicator-prose\"><p>Du sang partout", files["index.html"]
    )
    assert "sang" not in files["feed.atom"] + files["feed.json"]
    assert host.requests == []


# Posts


async def test_posts_and_videos(tmp_path: Path, sessions: Sessions) -> None:
    """Latest first; a video is a title, a length and a link, never a player; a poll shows its options; a quote is named."""
    posts: list[Item] = [
        make_post(uid="https://s.example/1", html="<p>Le premier</p>", published_at=NOW - timedelta(days=2)),
        make_post(
            uid="https://s.example/2", html="<p>Le second</p>", poll=Poll(options=("Oui", "Non")), published_at=NOW - timedelta(days=1)
        ),
        make_post(
            uid="https://s.example/3",
            html='<p class="quote-inline">RE: https://x.example/1</p><p>Bien dit</p>',
            quote=Quote(url="https://x.example/1", author=Actor(name="Camille"), text="…", accepted=True),
        ),
        make_post(
            uid="https://v.example/w/1",
            url="https://v.example/w/1",
            kind="video",
            title="La balade",
            duration_s=3725.4,
            html="<p>En vélo.</p>",
            embed_url="https://v.example/embed/1",
        ),
        make_post(
            uid="https://v.example/w/2",
            url="https://v.example/w/2",
            kind="live",
            live="scheduled",
            title="Direct",
            starts_at=datetime(2026, 12, 5, 20, 30, tzinfo=PARIS),
        ),
    ]
    page = (await written(tmp_path, sessions, make_view(posts)))["index.html"]

    assert page.index("Bien dit") < page.index("Le second") < page.index("Le premier") < page.index("La balade")
    assert "RE: https" not in page
    for text in (
        "Camille",
        "<li>Oui</li>",
        "1:02:05",
        "Direct prévu\u00a0: samedi 5 décembre 2026 à 20h30",
        'href="https://v.example/w/1"',
    ):
        assert text in page
    assert "embed" not in page


async def test_a_thread_is_shown_by_its_head(tmp_path: Path, sessions: Sessions) -> None:
    """Parts and our own boosts of what is there already are in the feeds only."""
    head = make_post(uid="https://s.example/1", html="<p>Tête</p>")
    part = make_post(uid="https://s.example/2", html="<p>Suite</p>", in_reply_to=head.uid)
    boost = make_post(uid="https://s.example/3", html="<p>Partage</p>", boost_of=head.uid)
    files = await written(tmp_path, sessions, make_view([head, part, boost]))

    assert "Tête" in files["index.html"]
    assert "Suite" not in files["index.html"]
    assert "Partage" not in files["index.html"]
    assert "Suite" in files["feed.atom"]


async def test_events_alone(tmp_path: Path, sessions: Sessions) -> None:
    """``posts = false`` leaves posts out of the page and of the feeds."""
    files = await written(tmp_path, sessions, make_view([make_post(html="<p>Bavardage</p>"), make_event()]), posts=False)

    assert "Bavardage" not in "".join(files.values())


async def test_another_language_is_marked(tmp_path: Path, sessions: Sessions) -> None:
    """Screen readers pronounce an English event in English on a French page, its date in French."""
    page = (
        await written(tmp_path, sessions, make_view([make_event(language="en", title="Bike fair"), make_post(language='x" onload="y')]))
    )["index.html"]

    assert '<h3 class="syndicator-heading" lang="en">' in page
    assert "onload" not in page


# Hostile items


def hostile_event() -> Event:
    """Markup, controls and dangerous addresses in every field."""
    wicked = json.loads((DATA / "hostile.json").read_text())
    return dated(
        19,
        title=wicked["title"],
        html=wicked["html"],
        tags=(wicked["tag"],),
        url=wicked["url"],
        online_url=wicked["url"],
        ticket_url=wicked["url"],
        place=Place(name=wicked["place"], street=wicked["place"], url=wicked["url"]),
        organizer=Actor(name=wicked["organizer"], url=wicked["url"]),
        offers=(Offer(price=wicked["price"], currency=wicked["tag"]),),
        category=wicked["tag"],
        accessibility=((wicked["tag"], wicked["tag"]),),
    )


def hostile_post(**changes: Any) -> Post:
    """The same as a post."""
    wicked = json.loads((DATA / "hostile.json").read_text())
    return make_post(
        uid="tag:wicked",
        url=wicked["url"],
        title=wicked["title"],
        html=wicked["html"],
        tags=(wicked["tag"],),
        content_warning=wicked["tag"],
        author=Actor(name=wicked["organizer"]),
        poll=Poll(options=(wicked["tag"],)),
        source="<b>source</b>",
        quote=Quote(url=wicked["url"], author=Actor(name=wicked["organizer"]), accepted=True),
        **changes,
    )


async def test_hostile_items_stay_text_everywhere(tmp_path: Path, sessions: Sessions) -> None:
    """No element, attribute or address of theirs survives in a page, and the feeds and the data carry only clean HTML."""
    files = await written(tmp_path, sessions, make_view([hostile_event(), hostile_post(), hostile_post(kind="video", live="live")]))
    html_of_feeds = [item["content_html"] for item in json.loads(files["feed.json"])["items"]]
    html_of_data = [record["description_html"] for record in json.loads(files["events.json"])["upcoming"]]

    pages = [LINKED_DATA.sub("", text) for name, text in files.items() if name.endswith(".html") and name not in OTHERS]
    assert len(pages) > 7
    for html in (*pages, *html_of_feeds, *html_of_data):
        assert re.findall(r"<(script|svg|iframe|img|style|math|object)\b", html) == []
        assert [name for name in attributes(html) if name.startswith("on") or name == "style"] == []
        assert re.findall(r"href=\"(?!https?://|webcal:|(\.\./)?[a-z]+[./])", html) == []
        assert "\x00" not in html
        assert "\u202e" not in html
    assert "&lt;script&gt;window.pwned=1&lt;/script&gt;&lt;b&gt;Bal&lt;/b&gt;" in files["index.html"]
    assert '<a href="https://mobilizon.example/relatif"' not in files["index.html"]
    assert "{{ 7*7 }}" in files["index.html"]
    assert ElementTree.fromstring(files["feed.atom"]).find(f"{ATOM}entry/{ATOM}title") is not None


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>Un</p><p>Deux</p>", "<p>Un</p><p>Deux</p>"),
        ("<h2>Programme</h2><h3>Matin</h3>", "<h4>Programme</h4><h5>Matin</h5>"),
        ('<a href="/page?a=1&amp;b=2">x</a>', '<a href="https://o.example/page?a=1&amp;b=2" rel="nofollow noopener noreferrer ugc">x</a>'),
        ('<a href="mailto:a@b.example">x</a>', '<a href="mailto:a@b.example" rel="nofollow noopener noreferrer ugc">x</a>'),
        ('<a href="ftp://x.example">x <b>y</b></a> <a href="tel:1">z</a>', "x <b>y</b> z"),
        ('<a href=" java\tscript:x">x</a>', "x"),
        ("<p></p><p><br></p>", ""),
        ("un < deux & <3", "un &lt; deux &amp; &lt;3"),
        ('<span class="invisible">https://</span>ex.org', "https://ex.org"),
        ("<p>A<!-- caché -->B", "<p>AB</p>"),
    ],
)
def test_bodies(html: str, expected: str) -> None:
    """What is kept of strangers' HTML."""
    assert clean.body(html, "https://o.example/events/1") == expected


def test_an_endless_body_is_cut() -> None:
    """What the parser is given is bounded before it sees it, whatever comes."""
    assert clean.body("é" * 1_000_000, "https://o.example/") == "é" * clean.HTML_MAX
    assert clean.body("<div>" * 1_000_000, "https://o.example/") == ""


# Feeds


async def test_the_atom_feed_reads_right(tmp_path: Path, sessions: Sessions) -> None:
    """A reader nobody here wrote finds titles, ids, dates, authors and the way home, last changed first, and nothing to complain of."""
    event, post = make_event(), make_post(title="", author=Actor(name="Ana"), tags=("vélo",))
    view = replace(make_view([event, post]), changed_at={event.uid: NOW, post.uid: NOW - timedelta(days=1)})
    files = await written(tmp_path, sessions, view)
    feed = feedparser.parse(BytesIO(files["feed.atom"].encode()), response_headers={"content-type": "application/atom+xml; charset=utf-8"})

    assert feed.bozo is False
    assert (feed.version, feed.feed.title, feed.feed.updated) == ("atom10", "Les Amis du Vélo", "2026-11-21T12:00:00Z")
    assert [(entry.id, entry.link, entry.title) for entry in feed.entries] == [
        (event.uid, event.url, "Atelier vélo"),
        (post.uid, post.url, "Bonjour à toutes et à tous"),
    ]
    assert feed.entries[0].content[0].value.startswith("<p><strong>Quand\u00a0: </strong>samedi 5 décembre 2026 de 20h30 à 22h30<br />")
    assert feed.entries[1].author == "Ana"
    assert feed.entries[1].updated == "2026-11-20T12:00:00Z"
    assert {link["rel"]: link["href"] for link in feed.feed.links} == {
        "self": "https://agenda.example/feed.atom",
        "alternate": "https://agenda.example/",
    }


async def test_atom_demands(tmp_path: Path, sessions: Sessions) -> None:
    """RFC 4287: one id, title and updated everywhere, ids are IRIs and unique, an author for every entry, instants with a zone."""
    items = [
        make_event(uid="20261205-bal@nuage.example"),
        make_post(uid="42", title=""),
        hostile_post(),
        make_post(uid="https://s.example/é"),
    ]
    files = await written(tmp_path, sessions, make_view(items), public_url=None)
    root = ElementTree.fromstring(files["feed.atom"])

    ids = [element.text or "" for element in root.iter(f"{ATOM}id")]
    assert len(set(ids)) == len(ids) == 5
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:\S+", found) for found in ids)
    assert root.find(f"{ATOM}author/{ATOM}name") is not None
    for parent in (root, *root.iter(f"{ATOM}entry")):
        assert [len(parent.findall(f"{ATOM}{name}")) for name in ("id", "title", "updated")] == [1, 1, 1]
    for name in ("updated", "published"):
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", element.text or "") for element in root.iter(f"{ATOM}{name}"))


async def test_the_feed_s_identity_survives_a_move(tmp_path: Path, sessions: Sessions) -> None:
    """Under another address it is the same feed: nobody reads everything again."""
    first = ElementTree.fromstring((await written(tmp_path / "a", sessions, make_view([])))["feed.atom"])
    moved = ElementTree.fromstring(
        (await written(tmp_path / "b", sessions, make_view([]), public_url="https://autre.example/"))["feed.atom"]
    )

    assert first.findtext(f"{ATOM}id") == moved.findtext(f"{ATOM}id")


async def test_the_json_feed(tmp_path: Path, sessions: Sessions) -> None:
    """JSON Feed 1.1, with the event's dates in our extension."""
    event = make_event(tags=("vélo",), organizer=Actor(name="Ana"))
    feed = json.loads((await written(tmp_path, sessions, make_view([event])))["feed.json"])

    assert feed == {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Les Amis du Vélo",
        "home_page_url": "https://agenda.example/",
        "feed_url": "https://agenda.example/feed.json",
        "language": "fr",
        "authors": [{"name": "Les Amis du Vélo", "url": "https://asso.example/"}],
        "_syndicator": {"about": "https://www.jsonfeed.org/version/1.1/#extensions", "version": 1},
        "items": [
            {
                "id": event.uid,
                "title": "Atelier vélo",
                "content_html": "<p><strong>Quand\u00a0: </strong>samedi 5 décembre 2026 de 20h30 à 22h30<br><strong>Où\u00a0: </strong>"
                "La Maison, 3 rue du Port, 29200 Brest</p><p>Venez réparer votre vélo.</p>",
                "date_published": "2026-11-21T11:55:00Z",
                "date_modified": "2026-11-21T12:00:00Z",
                "url": event.url,
                "authors": [{"name": "Ana"}],
                "language": "fr",
                "tags": ["vélo"],
                "_syndicator": {
                    "start": "2026-12-05T20:30:00+01:00",
                    "end": "2026-12-05T22:30:00+01:00",
                    "status": "confirmed",
                    "place": "La Maison, 3 rue du Port, 29200 Brest",
                },
            }
        ],
    }


async def test_links_to_the_calendar(tmp_path: Path, sessions: Sessions) -> None:
    """A file beside the page or an address elsewhere; ``webcal:`` once the address is known; nothing when there is no calendar."""
    beside = (await written(tmp_path / "a", sessions, make_view([]), calendar="agenda.ics", folder="velo"))["velo/index.html"]
    elsewhere = (await written(tmp_path / "b", sessions, make_view([]), calendar="https://nuage.example/a.ics", public_url=None))[
        "index.html"
    ]
    unknown = (await written(tmp_path / "c", sessions, make_view([]), calendar="agenda.ics", public_url=None))["index.html"]
    none = (await written(tmp_path / "d", sessions, make_view([])))["index.html"]

    assert 'href="webcal://agenda.example/velo/agenda.ics"' in beside
    assert 'type="text/calendar" href="agenda.ics"' in beside
    assert 'href="webcal://nuage.example/a.ics"' in elsewhere
    assert "webcal" not in unknown
    assert 'href="agenda.ics"' in unknown
    assert "text/calendar" not in none


# The folder


async def test_only_what_differs_is_written(tmp_path: Path, sessions: Sessions) -> None:
    """A change of one post leaves the fragment, the data and the style untouched on disk."""
    post = make_post()
    await written(tmp_path, sessions, make_view([post, make_event()]))
    before = {path.name: path.stat().st_ino for path in (tmp_path / "public").iterdir()}
    await written(tmp_path, sessions, make_view([replace(post, html="<p>Corrigé</p>"), make_event()]))
    after = {path.name: path.stat().st_ino for path in (tmp_path / "public").iterdir()}

    assert {name for name in after if after[name] != before[name]} == {
        "index.html", "feed.atom", "feed.json", "widget.json", "links.html",
    }  # fmt: skip
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "public").rglob("*") if path.is_file()} == {0o644}


async def test_a_stranger_s_file_is_left_alone(tmp_path: Path, sessions: Sessions) -> None:
    """An index.html that is not ours: refused at ``check`` and at every projection, with what to do; other files do not matter."""
    public = tmp_path / "public"
    public.mkdir()
    (public / "index.html").write_text("<h1>Mon site</h1>")
    (public / "logo.png").write_bytes(b"logo")
    connector = projection(tmp_path, sessions)
    for attempt in (connector.open(), connector.project(make_view([make_event()]))):
        with pytest.raises(Rejected) as caught:
            await attempt
        assert "index.html" in (caught.value.hint or {})["fr"]

    assert {path.name for path in public.iterdir()} == {"index.html", "logo.png"}
    below = await written(tmp_path, sessions, make_view([]), folder="agenda")
    assert below["index.html"] == "<h1>Mon site</h1>"


@pytest.mark.parametrize("damage", [b"", b"{}", b"[]", b'{"files": ["../../etc/passwd", "/etc/passwd"], "pictures": {}}', b'{"files": 3}'])
async def test_a_damaged_record_is_survived(tmp_path: Path, sessions: Sessions, damage: bytes) -> None:
    """Our own files are known by their mark, nothing outside is touched, and the result is the same."""
    view = make_view([make_event()])
    outside = tmp_path / "etc"
    outside.write_text("à ne pas toucher")
    expected = await written(tmp_path, sessions, view)
    (tmp_path / "state" / "under-test" / "files.json").write_bytes(damage)

    assert await written(tmp_path, sessions, view) == expected
    assert outside.read_text() == "à ne pas toucher"


async def test_a_folder_that_cannot_be_written(tmp_path: Path, sessions: Sessions) -> None:
    """Told in plain words, tried again later, and no draft is left behind."""
    public = tmp_path / "public"
    public.mkdir()
    (public / "jeunesse").write_text("un fichier, pas un dossier")
    connector = projection(tmp_path, sessions, folder="jeunesse")
    with pytest.raises(Transient) as caught:
        await connector.project(make_view([]))

    assert "dossier public" in (caught.value.hint or {})["fr"]
    assert [path.name for path in public.iterdir()] == ["jeunesse"]


# Options, colours, words


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"accent": "rouge"}, "couleur"),
        ({"accent": "#fff;}body{display:none"}, "couleur"),
        ({"folder": "../ailleurs"}, "folder"),
        ({"folder": "/etc"}, "folder"),
        ({"folder": "a/"}, "folder"),
        ({"events_max": -1}, "events_max"),
        ({"past": timedelta(days=-1)}, "past"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], word: str) -> None:
    """Refused in both languages."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        Options(**options)

    said = caught.value.args[0]
    assert word in said["fr"]
    assert said["en"]


@pytest.mark.parametrize(("association", "accent", "wanted"), [
    ("", "", "#a8432f"), ("#0b6e4f", "", "#0b6e4f"), ("#0b6e4f", "#1f5f7a", "#1f5f7a"), ("", "#1f5f7a", "#1f5f7a"),
    ("rouge", "", "#a8432f"),
])  # fmt: skip
async def test_the_associations_colour_is_that_of_its_pages(
    tmp_path: Path, sessions: Sessions, association: str, accent: str, wanted: str
) -> None:
    """Unless the option says otherwise; ours where there is neither. In the stylesheet, the widget and the icon, legible everywhere."""
    files = await written(tmp_path, sessions, make_view([make_event()]), colour=association, accent=accent)
    day, night = colour.legible(wanted, colour.PAPER), colour.legible(wanted, colour.NIGHT)

    assert (
        files["style.css"]
        .rstrip()
        .endswith(
            f".syndicator {{ --syndicator-accent: {day}; --syndicator-tile: {day}; }}\n"
            f"@media (prefers-color-scheme: dark) {{ .syndicator-page {{ --syndicator-accent: {night}; }} }}"
        )
    )
    assert json.loads(files["widget.json"])["accent"] == [day, night]
    assert f'fill="{day}"' in files["icon.svg"]


async def test_another_colour_makes_anew_what_it_must(tmp_path: Path, sessions: Sessions) -> None:
    """From one projection to the next, though no item changed, the folder is as if it had been made from nothing; and back."""
    view = make_view([make_event(), make_post()])
    first = await written(tmp_path / "a", sessions, view, colour="#0b6e4f")
    other = await written(tmp_path / "a", sessions, replace(view, changed=frozenset()), colour="#1f5f7a")
    option = await written(tmp_path / "a", sessions, replace(view, changed=frozenset()), colour="#1f5f7a", accent="#0b6e4f")

    assert other == await written(tmp_path / "b", sessions, view, colour="#1f5f7a")
    assert {name for name in other if first[name] != other[name]} == {"style.css", "icon.svg", "widget.json"}
    assert option == first


@pytest.mark.parametrize("accent", ["#a8432f", "#ffcc00", "#ffffff", "#000000", "#00ff00", "#0000ff", "#808080", "#ff0080"])
@pytest.mark.parametrize("background", [colour.PAPER, colour.NIGHT, "#ffffff"])
def test_any_colour_becomes_legible(accent: str, background: str) -> None:
    """Text in the accent colour reaches the contrast of level AA on the page by day and by night, and white does on the tiles."""
    found = colour.legible(accent, background)

    assert re.fullmatch(r"#[0-9a-f]{6}", found)
    assert colour.contrast(found, background) >= 4.5
    if background == colour.PAPER:
        assert colour.contrast(found, "#ffffff") >= 4.5
    if colour.contrast(accent, background) >= colour.CONTRAST:
        assert found == accent


def test_contrast_is_the_one_of_the_guidelines() -> None:
    """Black on white is 21, a colour on itself 1, and #767676 on white the well-known 4.54."""
    found = (colour.contrast("#000000", "#ffffff"), colour.contrast("#abcdef", "#abcdef"), colour.contrast("#767676", "#ffffff"))

    assert found == pytest.approx((21, 1, 4.54), abs=0.005)


@pytest.mark.parametrize(("tag", "language"), [("fr", "fr"), ("fr-CA", "fr"), ("br", "fr"), ("en", "en"), ("de", "en")])
def test_the_words_of_the_page(tag: str, language: str) -> None:
    """French for French and the languages of France, English for the rest."""
    assert labels_for(tag).language == language


@pytest.mark.parametrize(
    ("text", "length", "expected"),
    [("court", 10, "court"), ("un deux trois", 9, "un deux…"), ("a" * 20, 10, "a" * 9 + "…"), ("un, deux", 4, "un…")],
)
def test_excerpts(text: str, length: int, expected: str) -> None:
    """Cut between words, never longer than asked, no dangling punctuation."""
    assert clean.excerpt(text, length) == expected


def test_an_excerpt_ends_with_a_paragraph_where_it_can() -> None:
    """The beginning is whole paragraphs as long as they are short; block ends part words."""
    html = "<p>Un bal.</p><h4>Programme</h4><ul><li>danse</li></ul><p>Une très longue suite qui ne compte plus</p>"

    assert clean.lead(html, 40) == "Un bal. Programme"
    assert clean.lead("<p>Un</p>", 40) == "Un"
    assert clean.text_of("<p>Un</p><p>Deux<br>Trois</p>&lt;b&gt; &amp;") == "Un Deux Trois <b> &"


def test_days_are_the_event_s_own() -> None:
    """An event at half past midnight in Paris is on the next day there, whatever UTC says."""
    from connectors.website.selection import first_day

    assert first_day(make_event(starts_at=datetime(2026, 12, 4, 23, 30, tzinfo=UTC))) == date(2026, 12, 5)
