"""The static projection: data and pages for site generators, whom they serve, and what they leave alone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from PIL import Image

from connectors.website.static import Options, Section, StaticProjection
from connectors.website.static.inert import inert
from syndicator.contract import View
from syndicator.errors import Rejected
from syndicator.http import Sessions
from syndicator.model import Actor, Attachment
from syndicator.sandbox.server import Fault, Simulator
from syndicator.testing import NOW, PARIS, ProjectionContract, make_event, make_post, make_view
from tests.static_scene import DATA, PAGES, SYNTAX, WICKED, event, files, front_matter, hostile, projection, written


@pytest.fixture
async def sessions() -> AsyncIterator[Sessions]:
    """One set of sessions per test."""
    sessions = Sessions()
    yield sessions
    await sessions.close()


class StaticContract(ProjectionContract):
    """The site instead of the public folder."""

    connector = StaticProjection
    generator: Any
    site: Path

    async def project(self, folder: Path, sessions: Sessions, *views: View, now: datetime = NOW) -> dict[str, bytes]:
        self.site = folder / "site"
        self.site.mkdir(parents=True, exist_ok=True)
        return await super().project(folder, sessions, *views, now=now)

    def options(self) -> Options:
        return Options(generator=self.generator, site=self.site, sections=(Section(name="tout"),))

    def files(self, folder: Path) -> dict[str, bytes]:
        return files(folder / "site")


class TestJekyll(StaticContract):
    """What every projection promises."""

    generator = "jekyll"


class TestHugo(StaticContract):
    """The same."""

    generator = "hugo"


class TestEleventy(StaticContract):
    """The same."""

    generator = "eleventy"


class TestJson(StaticContract):
    """The same."""

    generator = "json"


@pytest.mark.parametrize("generator", ["jekyll", "hugo", "eleventy"])
async def test_the_files(tmp_path: Path, sessions: Sessions, generator: str) -> None:
    """Data and one page an event, where the generator looks for them, named after title and uid; posts have no page."""
    found = await written(tmp_path, sessions, make_view([event(1, title="Fête de l'été"), make_post()]), generator=generator)

    assert sorted(found) == sorted([DATA[generator], f"{PAGES[generator]}/fete-de-l-ete-ee844bb68a.md"])


async def test_json_is_data_alone(tmp_path: Path, sessions: Sessions) -> None:
    """For programs that are no site generators."""
    assert list(await written(tmp_path, sessions, make_view([event(1), make_post()]), generator="json")) == ["agenda.json"]


async def test_folders_of_ones_own(tmp_path: Path, sessions: Sessions) -> None:
    """Another place for each kind of file, as the site likes it."""
    found = await written(tmp_path, sessions, make_view([event(1)]), events_dir="_sorties", data_dir="_data/velo")

    assert [name.rpartition("/")[0] for name in sorted(found)] == ["_data/velo", "_sorties"]


def data_of(found: dict[str, bytes], generator: str = "jekyll") -> dict[str, Any]:
    """The data file, read as JSON and, as Jekyll does, as YAML."""
    raw = found[DATA[generator]]
    data = json.loads(raw)
    assert yaml.safe_load(raw.decode()) == data
    assert isinstance(data, dict)
    return data


async def test_what_the_data_says_of_an_event(tmp_path: Path, sessions: Sessions) -> None:
    """What ``events.json`` says, and the page's name, the sections, the tags for comparison, and the states in words."""
    one = event(1, title="Bal", full=True, tags=("Vélo", "Été"), organizer=Actor(name="Les Amis", url="https://mobilizon.example/@amis"))
    sections = (Section(name="accueil", tags=("#velo",)), Section(name="bals", tags=("bal",)))
    found = await written(tmp_path, sessions, make_view([one]), generator="hugo", sections=sections)
    record = data_of(found, "hugo")["upcoming"][0]

    assert {key: record[key] for key in ("title", "start", "end", "when", "slug", "sections", "tags", "tag_keys", "states")} == {
        "title": "Bal", "start": "2026-12-05T20:30:00+01:00", "end": "2026-12-05T22:30:00+01:00",
        "when": "samedi 5 décembre 2026 de 20h30 à 22h30", "slug": "bal-ee844bb68a", "sections": ["accueil"],
        "tags": ["Vélo", "Été"], "tag_keys": ["velo", "ete"], "states": ["Complet"],
    }  # fmt: skip
    assert record["organizer"] == {"name": "Les Amis", "url": "https://mobilizon.example/@amis"}
    assert "page" not in record


async def test_a_page_says_the_same_as_the_data(tmp_path: Path, sessions: Sessions) -> None:
    """Below ``event``, but for the description, which is the page's text."""
    for generator in PAGES:
        found = await written(
            tmp_path / generator, sessions, make_view([event(1), event(2, html="<p>Venez <b>tous</b></p>")]), generator=generator
        )
        records = {record["slug"]: record for record in data_of(found, generator)["upcoming"]}
        for name, record in records.items():
            matter, text = front_matter(found[f"{PAGES[generator]}/{name}.md"])
            html, plain = record.pop("description_html"), record.pop("description_text")

            assert matter["event"] == record
            assert (matter["title"], matter["description"]) == (record["title"], plain)
            assert text == html.removeprefix("<p>").removesuffix("</p>").replace("<b>", "**").replace("</b>", "**")


async def test_sections(tmp_path: Path, sessions: Sessions) -> None:
    """By tag or by organizer, soonest first, cut where asked, never what is over; a section without events is there and empty."""
    events = [
        event(1, tags=("Accueil",)),
        event(2, starts_at=datetime(2026, 12, 1, 20, tzinfo=PARIS), ends_at=None, organizer=Actor(name="L'Étoile")),
        event(3, tags=("accueil",), starts_at=datetime(2026, 12, 2, tzinfo=PARIS), ends_at=None),
        event(4, tags=("accueil",), starts_at=datetime(2026, 11, 2, tzinfo=PARIS), ends_at=None),
    ]
    sections = (
        Section(name="accueil", tags=("accueil",), organizers=("letoile",)),
        Section(name="prochain", limit=1),
        Section(name="jeunes", tags=("jeunes",)),
    )
    data = data_of(await written(tmp_path, sessions, make_view(events), sections=sections))

    listed = {name: [record["uid"][-1] for record in records] for name, records in data["sections"].items()}
    assert listed == {"accueil": ["2", "3", "1"], "prochain": ["2"], "jeunes": []}
    assert [record["uid"][-1] for record in data["past"]] == ["4"]


async def test_dates(tmp_path: Path, sessions: Sessions) -> None:
    """Summer and winter with their offsets, another clock named, a day without hour bare; never as the page's own date."""
    events = [
        event(1, starts_at=datetime(2027, 7, 14, 20, tzinfo=PARIS), ends_at=None),
        event(
            2,
            starts_at=datetime(2026, 12, 5, tzinfo=PARIS),
            ends_at=datetime(2026, 12, 7, tzinfo=PARIS),
            start_is_date=True,
            end_is_date=True,
        ),
        event(3, starts_at=datetime(2026, 12, 6, 0, 30, tzinfo=UTC), ends_at=None, timezone="America/Montreal"),
        event(4, starts_at=datetime(2027, 3, 27, 23, tzinfo=PARIS), ends_at=datetime(2027, 3, 28, 5, tzinfo=PARIS)),
    ]
    expected = {
        "1": ("2027-07-14T20:00:00+02:00", None, "mercredi 14 juillet 2027 à 20h"),
        "2": ("2026-12-05", "2026-12-07", "du 5 au 7 décembre 2026"),
        "3": ("2026-12-05T19:30:00-05:00", None, "samedi 5 décembre 2026 à 19h30 (heure locale, Montreal)"),
        "4": ("2027-03-27T23:00:00+01:00", "2027-03-28T05:00:00+02:00", "samedi 27 mars 2027 de 23h à 5h"),
    }
    for generator in PAGES:
        found = await written(tmp_path / generator, sessions, make_view(events), generator=generator)
        matters = [front_matter(page)[0] for name, page in found.items() if name.endswith(".md")]
        told = [*data_of(found, generator)["upcoming"], *(matter["event"] for matter in matters)]

        assert [(record["start"], record["end"], record["when"]) for record in told] == [expected[record["uid"][-1]] for record in told]
        assert len(told) == 8
        # Hugo hides what is dated in the future.
        assert {matter.get("date", NOW.isoformat())[:10] for matter in matters} == {"2026-11-21"}


async def test_a_moved_event_says_what_it_was(tmp_path: Path, sessions: Sessions) -> None:
    """In the data and on its page, which keeps its address though the title changed too."""
    old = event(1, title="Bal")
    new = replace(old, title="Grand bal", starts_at=old.starts_at + timedelta(days=1), ends_at=None, sequence=1)
    connector = projection(tmp_path, sessions)
    await connector.project(make_view([old]))
    await connector.project(replace(make_view([new]), previous={new.uid: old}))
    found = files(tmp_path / "site")

    assert [name for name in found if name.endswith(".md")] == ["_events/bal-ee844bb68a.md"]
    matter, _ = front_matter(found["_events/bal-ee844bb68a.md"])
    assert (matter["title"], matter["event"]["start"]) == ("Grand bal", "2026-12-06T20:30:00+01:00")
    assert matter["event"]["previous"]["when"] == "samedi 5 décembre 2026 de 20h30 à 22h30"
    assert matter["event"]["states"] == ["Nouvelle date"]


async def test_a_cancelled_event_stays_and_says_so(tmp_path: Path, sessions: Sessions) -> None:
    """As a status, and in words."""
    found = await written(tmp_path, sessions, make_view([event(1, status="cancelled", full=True)]))

    for record in (
        data_of(found)["upcoming"][0],
        front_matter(next(page for name, page in found.items() if name.endswith(".md")))[0]["event"],
    ):
        assert (record["status"], record["states"]) == ("cancelled", ["Annulé"])


async def test_the_past(tmp_path: Path, sessions: Sessions) -> None:
    """What is over leaves the list of what is to come at midnight, the data after ``past``; its page stays."""
    one = event(1, starts_at=datetime(2026, 11, 21, 9, tzinfo=PARIS), ends_at=None)
    view = make_view([one])

    async def at(now: datetime) -> tuple[int, int, int]:
        found = await written(tmp_path, sessions, replace(view, changed=frozenset()), now)
        data = data_of(found)
        return len(data["upcoming"]), len(data["past"]), len(found)

    assert await at(datetime(2026, 11, 21, 22, 59, tzinfo=UTC)) == (1, 0, 2)
    assert await at(datetime(2026, 11, 21, 23, 1, tzinfo=UTC)) == (0, 1, 2)
    assert await at(datetime(2026, 12, 23, tzinfo=UTC)) == (0, 0, 2)


async def test_posts_and_videos(tmp_path: Path, sessions: Sessions) -> None:
    """As data, latest first, bounded; behind a warning, the warning alone."""
    posts = [make_post(uid=f"https://s.example/{n}", html=f"<p>Pouet {n}</p>", published_at=NOW - timedelta(hours=n)) for n in range(4)]
    warned = make_post(uid="https://s.example/9", html="<p>Du sang</p>", content_warning="Blessure", sensitive=True)
    video = make_post(uid="https://v.example/1", kind="video", title="La balade", duration_s=300.0)
    data = data_of(await written(tmp_path, sessions, make_view([*posts, warned, video]), posts_max=3))

    assert [post["html"] for post in data["posts"]] == ["<p>Pouet 0</p>", "", "<p>Pouet 1</p>"]
    assert (data["posts"][1]["warning"], data["posts"][1]["excerpt"]) == ("Blessure", "Blessure")
    assert [(one["title"], one["duration"], one["kind"]) for one in data["videos"]] == [("La balade", "5:00", "video")]


def texts(value: Any, key: str = "") -> list[tuple[str, str]]:
    """Every text of a piece of data, with its key."""
    if isinstance(value, dict):
        return [found for name, inner in value.items() for found in texts(inner, name)]
    if isinstance(value, list):
        return [found for inner in value for found in texts(inner, key)]
    return [(key, value)] if isinstance(value, str) else []


@pytest.mark.parametrize("generator", ["jekyll", "eleventy"])
async def test_hostile_words_are_inert_where_templates_do_not_escape(tmp_path: Path, sessions: Sessions, generator: str) -> None:
    """No text can begin an element, end an attribute, or open a Liquid tag, in the data or above a page."""
    found = await written(tmp_path, sessions, make_view(hostile()), generator=generator)
    pages = [front_matter(page) for name, page in found.items() if name.endswith(".md")]
    said = [pair for part in (data_of(found, generator), *(matter for matter, _ in pages)) for pair in texts(part)]

    assert any(key == "title" and value.startswith("‹script>window.pwned=1‹/script>") for key, value in said)
    for key, value in said:
        if key not in ("html", "description_html"):
            assert not any(sign in value for sign in ("<s", "<b", "<i", "<a", "</", '"', "'", "{{", "{%")), (key, value)


@pytest.mark.parametrize("generator", ["hugo", "json"])
async def test_words_are_told_as_they_are_where_templates_escape(tmp_path: Path, sessions: Sessions, generator: str) -> None:
    """Go's templates do, and a program that reads JSON knows."""
    data = data_of(await written(tmp_path, sessions, make_view(hostile()), generator=generator), generator)

    assert [record["title"] for record in data["upcoming"]][1] == SYNTAX


@pytest.mark.parametrize("generator", ["jekyll", "hugo", "eleventy"])
async def test_no_page_holds_a_generators_syntax(tmp_path: Path, sessions: Sessions, generator: str) -> None:
    """Nothing in its text, whatever its version knows about switching templates off; nor an address that does something."""
    found = await written(tmp_path, sessions, make_view(hostile()), generator=generator)
    texts_below = [front_matter(page)[1] for name, page in found.items() if name.endswith(".md")]

    assert len(texts_below) == 2
    for text in texts_below:
        assert not any(sign in text for sign in ("{", "}", "<", "](java", "pwned", "`", "$"))


@pytest.mark.parametrize(("generator", "expected"), [
    ("jekyll", {"render_with_liquid": False, "last_modified_at": "2026-11-21T12:00:00+00:00"}),
    ("hugo", {"date": "2026-11-21T11:55:00+00:00", "lastmod": "2026-11-21T12:00:00+00:00", "tags": ["img src=x onerror=window pwned=1"]}),
    ("eleventy", {"templateEngineOverride": "md"}),
])  # fmt: skip
async def test_what_each_generator_is_told(tmp_path: Path, sessions: Sessions, generator: str, expected: dict[str, Any]) -> None:
    """Keys of its own, and no key of its own that would hide the page, move it, or come from a stranger."""
    found = await written(tmp_path, sessions, make_view(hostile()[:1]), generator=generator)
    matter, _ = front_matter(next(page for name, page in found.items() if name.endswith(".md")))

    assert expected.items() <= matter.items()
    reserved = {
        "url",
        "permalink",
        "slug",
        "layout",
        "type",
        "published",
        "draft",
        "publishDate",
        "expiryDate",
        "aliases",
        "eleventyComputed",
    }
    assert matter.keys() & reserved == set()


async def test_letters_that_yaml_does_not_take(tmp_path: Path, sessions: Sessions) -> None:
    """Line separators, byte order marks, astral and bidirectional letters: PyYAML reads what JSON reads."""
    title = "a\u2028b\u0085c\ufeffd\x7fe🚲\u2067עברית\u2069 \t: - ? &x *y !z %w @v"
    found = await written(
        tmp_path, sessions, make_view([event(1, title=title, accessibility=(("a: b\u2028", "\u0085"),))]), generator="hugo"
    )
    matter, _ = front_matter(next(page for name, page in found.items() if name.endswith(".md")))

    assert matter["title"] == data_of(found, "hugo")["upcoming"][0]["title"] == "a b cde🚲\u2067עברית\u2069 : - ? &x *y !z %w @v"


def test_inert_words_stay_the_same_to_readers() -> None:
    """Hearts, arithmetic and addresses are not harmed."""
    assert inert({"title": "I <3 l'été < \"l'hiver\"", "html": "<p>'</p>", "url": "https://a.example/?q='x'&r=1", "n": 3}) == {
        "title": "I <3 l’été < “l’hiver”", "html": "<p>'</p>", "url": "https://a.example/?q=%27x%27&r=1", "n": 3,
    }  # fmt: skip


async def test_one_event_costs_one_page_and_the_data(tmp_path: Path, sessions: Sessions) -> None:
    """An update of one among many touches nothing else, and leaves what a full rebuild leaves."""
    events = [
        event(number, title=f"Bal {number}", starts_at=datetime(2026, 12, 1 + number, 20, tzinfo=PARIS), ends_at=None)
        for number in range(20)
    ]
    connector = projection(tmp_path, sessions)
    await connector.project(make_view(events))
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "site").rglob("*") if path.is_file()}
    events[7] = replace(events[7], html="<p>Autre chose</p>")
    await connector.project(replace(make_view(events), changed=frozenset({events[7].uid})))
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "site").rglob("*") if path.is_file()}

    touched = sorted(path.name for path in after if after[path] != before.get(path))
    assert [name[:5] for name in touched] == ["agend", "bal-7"]
    assert files(tmp_path / "site") == await written(tmp_path / "anew", sessions, make_view(events))


async def test_records_that_stand_are_not_made_again(tmp_path: Path, sessions: Sessions) -> None:
    """What a running projection remembers is what it would make: after each of a row of changes, the same bytes as from nothing."""
    one, other = event(1, tags=("a",)), event(2, starts_at=datetime(2026, 11, 21, 9, tzinfo=PARIS), ends_at=None)
    moved = replace(one, starts_at=one.starts_at + timedelta(days=1), ends_at=None)
    options: dict[str, Any] = {"generator": "hugo", "sections": (Section(name="a", tags=("a",)),)}
    today, tomorrow = NOW, NOW + timedelta(days=1)
    rows = [
        (make_view([one, other]), today),
        (replace(make_view([moved, other]), changed=frozenset({one.uid}), previous={one.uid: one}), today),
        (replace(make_view([moved, other]), changed=frozenset(), previous={one.uid: one}), tomorrow),
        (replace(make_view([moved]), changed=frozenset({other.uid}), previous={one.uid: one}), tomorrow),
        (replace(make_view([moved]), changed=frozenset(), sources={"agenda": "Autre nom"}), tomorrow),
    ]
    clock = iter([now for _, now in rows])
    connector = projection(tmp_path, sessions, lambda: next(clock), **options)
    for number, (view, now) in enumerate(rows):
        await connector.project(view)

        assert files(tmp_path / "site") == await written(tmp_path / str(number), sessions, view, now, **options)


async def test_what_is_not_ours_is_left_alone(tmp_path: Path, sessions: Sessions) -> None:
    """A page of theirs beside ours stays; a file of theirs in our way is refused, in words, and stays."""
    site = tmp_path / "site"
    (site / "_events").mkdir(parents=True)
    (site / "_events" / "a-nous.md").write_text("à nous")
    connector = projection(tmp_path, sessions)
    await connector.project(make_view([event(1)]))
    await connector.project(make_view([]))
    assert sorted(files(site)) == ["_data/agenda.json", "_events/a-nous.md"]

    (site / "_events" / "atelier-velo-ee844bb68a.md").write_text("---\ntitle: à nous aussi\n---\n")
    with pytest.raises(Rejected) as refused:
        await connector.project(make_view([event(1)]))
    assert "atelier-velo-ee844bb68a.md" in (refused.value.hint or {})["fr"]
    assert "à nous aussi" in (site / "_events" / "atelier-velo-ee844bb68a.md").read_text()


async def test_a_site_that_is_not_there(tmp_path: Path, sessions: Sessions) -> None:
    """Is not made: the disk may not be mounted. A folder that holds no site of the kind is remarked upon."""
    connector = projection(tmp_path, sessions)
    await connector.open()
    assert "Jekyll" in (connector.remark or {})["fr"]
    (tmp_path / "site" / "_config.yml").touch()
    await connector.open()
    assert connector.remark is None

    absent = projection(tmp_path, sessions, site=tmp_path / "absent")
    with pytest.raises(Rejected, match="not a folder"):
        await absent.open()
    with pytest.raises(Rejected, match="not a folder"):
        await absent.project(make_view([event(1)]))
    assert not (tmp_path / "absent").exists()


async def test_a_page_lost_or_changed_by_hand_comes_back(tmp_path: Path, sessions: Sessions) -> None:
    """Lost: at the next projection. The state lost: everything is looked at again."""
    view = make_view([event(1), event(2)])
    complete = await written(tmp_path, sessions, view)
    next((tmp_path / "site" / "_events").iterdir()).unlink()
    assert await written(tmp_path, sessions, replace(view, changed=frozenset())) == complete

    for path in (tmp_path / "state").rglob("*.json"):
        path.unlink()
    next((tmp_path / "site" / "_events").iterdir()).write_text('"syndicator"')
    assert await written(tmp_path, sessions, replace(view, changed=frozenset())) == complete


class PictureHost(Simulator):
    """A server of pictures with something to hide in them."""

    def __init__(self) -> None:
        super().__init__()
        self.app.router.add_get("/p.jpg", self._picture)
        self.asked = 0

    async def _picture(self, _: web.Request) -> web.Response:
        self.asked += 1
        exif = Image.Exif()
        exif[0x010E] = "GPS 48.39 -4.48"
        out = BytesIO()
        Image.new("RGB", (900, 600), "teal").save(out, "JPEG", exif=exif)
        return web.Response(body=out.getvalue(), content_type="image/jpeg")


@pytest.mark.parametrize(("generator", "folder", "url"), [
    ("jekyll", "assets/agenda/", "/assets/agenda/"), ("hugo", "static/agenda/", "/agenda/"),
    ("eleventy", "assets/agenda/", "/assets/agenda/"), ("json", "agenda/", "/agenda/"),
])  # fmt: skip
async def test_pictures(tmp_path: Path, sessions: Sessions, generator: str, folder: str, url: str) -> None:
    """Copied once, stripped, found at the address that the built site serves them at, and gone with the event."""
    async with PictureHost() as host:
        image = Attachment(url=f"{host.url}/p.jpg", description=WICKED["alt"])
        view = make_view([event(1, image=image)])
        found = await written(tmp_path, sessions, view, generator=generator)
        assert await written(tmp_path, sessions, replace(view, changed=frozenset()), generator=generator) == found
        assert host.asked == 1
    shown = data_of(found, generator)["upcoming"][0]["image"]
    copies = [shown["url"], *(one["url"] for one in shown["variants"])]

    assert (shown["width"], shown["height"]) == (900, 600)
    assert {folder + copy.removeprefix(url) for copy in copies} == {name for name in found if name.endswith(".jpg")}
    assert all(b"GPS" not in data for data in found.values())
    if generator == "jekyll":
        matter, _ = front_matter(next(page for name, page in found.items() if name.endswith(".md")))
        assert matter["image"] == {"path": shown["url"], "alt": "“ onerror=”window.pwned=1"}

    assert [name for name in await written(tmp_path, sessions, make_view([]), generator=generator) if name.endswith(".jpg")] == []


async def test_a_picture_that_comes_late(tmp_path: Path, sessions: Sessions) -> None:
    """Is put onto the page as soon as it is had, though the event did not change; what was refused is asked for the next day."""
    async with PictureHost() as host:
        host.faults.append(Fault(action="answer", status=404))
        view = make_view([event(1, image=Attachment(url=f"{host.url}/p.jpg"))])
        without = await written(tmp_path, sessions, view)
        found = await written(tmp_path, sessions, replace(view, changed=frozenset()), NOW + timedelta(days=1))

    assert [front_matter(one["_events/atelier-velo-ee844bb68a.md"])[0]["event"]["image"] is None for one in (without, found)] == [
        True,
        False,
    ]


@pytest.mark.parametrize("options", [
    {"events_dir": "../x"}, {"events_dir": ""}, {"media_dir": ""},
    {"events_dir": "/x"}, {"data_dir": "a//b"}, {"media_dir": "a/../b"}, {"data_dir": ".git"},
    {"posts_max": -1}, {"videos_max": -1}, {"past": timedelta(days=-1)}, {"hook_timeout": timedelta(0)}, {"hook": ("", "x")},
    {"author": "moi"}, {"author": "a\nb <c@d>"},
    {"generator": "json", "events_dir": "x"}, {"sections": (Section(name="a"), Section(name="a"))},
])  # fmt: skip
def test_options_that_cannot_be(tmp_path: Path, options: dict[str, Any]) -> None:
    """Are refused in words, before anything is written."""
    with pytest.raises(ValueError, match="fr"):
        Options(**{"generator": "jekyll", "site": tmp_path, **options})


@pytest.mark.parametrize("section", [{"name": "À la une"}, {"name": "a-b"}, {"name": ""}, {"name": "a", "limit": -1}])
def test_sections_that_cannot_be(section: dict[str, Any]) -> None:
    """Their names are words of a template."""
    with pytest.raises(ValueError, match="fr"):
        Section(**section)


def test_two_destinations_cannot_share_a_file(tmp_path: Path) -> None:
    """What each says it writes is what the configuration compares."""
    one, other = Options(generator="jekyll", site=tmp_path), Options(generator="jekyll", site=tmp_path, data_dir="_data/velo")

    assert set(one.files) & set(other.files) == {str(tmp_path / "_events")}
    assert set(one.files) & set(replace(other, events_dir="_velo").files) == set()


async def test_nothing_of_the_hour_is_left(tmp_path: Path, sessions: Sessions) -> None:
    """Twice on one day: byte for byte the same."""
    view = make_view([make_event(), make_post()])
    early = await written(tmp_path / "early", sessions, view, datetime(2026, 11, 21, 0, 5, tzinfo=PARIS))
    late = await written(tmp_path / "late", sessions, view, datetime(2026, 11, 21, 23, 55, tzinfo=PARIS))

    assert early == late
