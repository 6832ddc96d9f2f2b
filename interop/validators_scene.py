"""What we write, judged by validators that nobody here wrote; and each of them shown a broken copy, which it must refuse."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from html import unescape
from pathlib import Path

from interop.report import Report
from interop.static_server import origin
from interop.validators_letters import FOR_OLD_PROGRAMS, Papers, sorted_out, write_letters
from interop.validators_tools import ICAL, NPM, Tools, by_schema, tools
from interop.validators_world import CANCELLED, DAYS, MOVED, Mirror, write

EVENTS_SCHEMA = Path(__file__).parent.parent / "connectors" / "website" / "assets" / "events.schema.json"
LINKED_DATA = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.DOTALL)
Judge = Callable[[Sequence[Path]], Awaitable[list[str]]]


async def play(report: Report, folder: Path) -> None:
    """The whole scene."""
    report.title("validators: what others say of what we write")
    work = folder / "work"
    work.mkdir()
    with_them = await tools(work)
    report.played_with(f"vnu {NPM['vnu-jar']}, jing, ical {ICAL[1]}, schema-dts {NPM['schema-dts']}")
    runner, picture = await origin()
    try:
        mirror = await write(folder, picture)
        papers = await write_letters(folder / "lettres", picture)
    finally:
        await runner.cleanup()
    await _pages(report, with_them, mirror)
    await _feeds(report, with_them, mirror)
    await _calendars(report, with_them, mirror)
    await _linked_data(report, with_them, mirror)
    await _data(report, with_them, mirror)
    await _papers(report, with_them, papers)


async def _judged(report: Report, promise: str, judge: Judge, paths: Sequence[Path]) -> None:
    """One kind of file, by one validator."""
    report.check(f"there are files for it: {promise}", bool(paths), paths)
    found = await judge(paths)
    report.check(f"{promise} ({len(paths)} files)", not found, f"{len(found)}:\n" + "\n".join(found[:20]))


async def _refused(report: Report, what: str, judge: Judge, broken: Path, text: str) -> None:
    await asyncio.to_thread(broken.write_bytes, text.encode())
    report.check(f"negative control: {what} is refused", bool(await judge([broken])))


def _changed(text: str, old: str, new: str) -> str:
    assert old in text, f"the broken copy is not broken: {old!r} is not there"
    return text.replace(old, new, 1)


async def _pages(report: Report, them: Tools, mirror: Mirror) -> None:
    whole = [path for path in mirror.files(".html") if path.read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype")]
    await _judged(report, "Nu Html Checker: every page, no error, no warning", them.nu, whole)
    await _judged(report, "Nu Html Checker: every style sheet", them.nu, mirror.files(".css"))
    parts = [path for path in mirror.files(".html") if path not in whole]
    await _judged(report, "Nu Html Checker: every fragment, in a page", them.nu, [_framed(path, them.work) for path in parts])
    front = (mirror.public / "index.html").read_text(encoding="utf-8")
    await _refused(
        report, "a page with a list in a word", them.nu, them.work / "broken.html", _changed(front, "</main>", "<em><ul></em></main>")
    )
    await _refused(report, "a page with a picture nobody describes", them.nu, them.work / "broken.html",
                   _changed(front, "</main>", '<img src="a.png"></main>'))  # fmt: skip
    style = (mirror.public / "style.css").read_text(encoding="utf-8")
    await _refused(report, "a style sheet with a colour that is none", them.nu, them.work / "broken.css", style + "\na { color: douze }\n")


def _framed(path: Path, work: Path) -> Path:
    page = work / f"framed-{path.name}"
    said = path.read_text(encoding="utf-8")
    page.write_text(
        f'<!doctype html><html lang="fr"><head><title>Site</title></head><body><h1>Site</h1><h2>Agenda</h2>{said}</body></html>',
        encoding="utf-8",
    )
    return page


async def _feeds(report: Report, them: Tools, mirror: Mirror) -> None:
    await _judged(report, "Atom: the schema of RFC 4287 through jing, and feedparser", them.atom, mirror.files(".atom"))
    await _judged(report, "JSON Feed 1.1", them.json_feeds, mirror.files("feed.json"))
    await _judged(report, "sitemap: the schema of sitemaps.org", them.sitemap, mirror.files("sitemap.xml"))
    atom = (mirror.public / "feed.atom").read_text(encoding="utf-8")
    await _refused(report, "a feed without an id", them.atom, them.work / "broken.atom", re.sub(r"<id>.*?</id>", "", atom, count=1))
    wrong = re.sub(r"<updated>.*?</updated>", "<updated>5 décembre</updated>", atom, count=1)
    await _refused(report, "a feed with a date in words", them.atom, them.work / "broken.atom", wrong)
    feed = json.loads((mirror.public / "feed.json").read_text(encoding="utf-8"))
    broken = {**feed, "items": [{**feed["items"][0], "tags": "bal"}]}
    await _refused(report, "a JSON feed whose tags are no list", them.json_feeds, them.work / "feed.json", json.dumps(broken))
    sitemap = (mirror.public / "sitemap.xml").read_text(encoding="utf-8")
    await _refused(report, "a sitemap whose date is none", them.sitemap, them.work / "sitemap.xml",
                   re.sub(r"<lastmod>.*?</lastmod>", "<lastmod>hier</lastmod>", sitemap, count=1))  # fmt: skip


async def _calendars(report: Report, them: Tools, mirror: Mirror) -> None:
    await _judged(report, "iCalendar: sabre/vobject and ical, the feed and each event's own file", them.calendars, mirror.files(".ics"))
    feed = (mirror.public / "agenda.ics").read_bytes().decode()
    without = re.sub(r"\r\nUID:.*?(?=\r\n[A-Z])", "", feed, count=1, flags=re.DOTALL)
    for what, wrong in (
        ("a calendar whose event has no UID", without),
        ("a calendar with a month of thirteen", re.sub(r"\r\nDTSTART[^\r]*", "\r\nDTSTART:20261301T200000Z", feed, count=1)),
        ("a calendar whose event never ends", _changed(feed, "END:VEVENT\r\n", "")),
    ):
        await _refused(report, what, them.calendars, them.work / "broken.ics", wrong)


async def _linked_data(report: Report, them: Tools, mirror: Mirror) -> None:
    texts = linked_data(mirror)
    report.check("every page of an event says so to search engines", len(texts) >= len(mirror.events), len(texts))
    found = await them.vocabulary(texts)
    report.check(f"JSON-LD: {len(texts)} pages speak schema.org, by its types", not found, "\n".join(found[:20]))
    said = {str(one.get("url") or one.get("name")): one for one in map(json.loads, texts.values()) if one["@type"] == "Event"}
    moved = next(one for one in said.values() if one["name"] == "Assemblée")
    for what, wrong in (
        ("a term that schema.org does not know", {**moved, "previousDate": "2026-12-08"}),
        ("a status that it does not know", {**moved, "eventStatus": "https://schema.org/EventMoved"}),
        ("a place that is a number", {**moved, "location": 12}),
    ):
        report.check(f"negative control: {what} is refused", bool(await them.vocabulary({"broken": json.dumps(wrong)})))


def linked_data(mirror: Mirror) -> dict[str, str]:
    """What each page tells search engines."""
    pages = {str(path.relative_to(mirror.public)): path.read_text(encoding="utf-8") for path in mirror.files(".html")}
    return {f"{name}[{index}]": unescape(text) if "&quot;" in text else text
            for name, page in pages.items() for index, text in enumerate(LINKED_DATA.findall(page))}  # fmt: skip


async def _data(report: Report, them: Tools, mirror: Mirror) -> None:
    await _judged(report, "GeoJSON: RFC 7946, by the package geojson", them.maps, mirror.files(".geojson"))
    text = (mirror.public / "events.json").read_text(encoding="utf-8")
    schema: Mapping[str, object] = json.loads(EVENTS_SCHEMA.read_text(encoding="utf-8"))
    report.same("events.json: its own schema, by jsonschema", by_schema(text, schema)[:5], [])
    known = {one["uid"] for one in json.loads(text)["upcoming"]}
    report.check("with the moved, the cancelled and the days without hour", {MOVED, CANCELLED, DAYS} <= known, known)
    report.check(
        "negative control: events.json without its version is refused", bool(by_schema(text.replace('"version"', '"vision"', 1), schema))
    )
    (where,) = mirror.files(".geojson")[:1]
    broken = json.loads(where.read_text(encoding="utf-8"))
    broken["features"][0]["geometry"]["coordinates"] = [-4.48]
    await _refused(report, "a point with one coordinate", them.maps, them.work / "broken.geojson", json.dumps(broken))


async def _papers(report: Report, them: Tools, papers: Papers) -> None:
    """A newsletter: its letters, but for what old mail programs need; its archive and the pages that answer a person, for good."""
    archive = sorted(papers.archive.rglob("*.html"))
    await _judged(report, "the letters' archive: every page, by vnu", them.nu, archive)
    await _judged(report, "the letters' archive: its style sheet", them.nu, sorted(papers.archive.rglob("*.css")))
    await _judged(report, "the letters' archive: Atom", them.atom, sorted(papers.archive.glob("*.atom")))
    await _judged(report, "the letters' archive: RSS, by feedparser", them.rss, sorted(papers.archive.glob("*.rss")))
    report.check("the issue is there, and the page of all", len(archive) == 2, archive)
    await _judged(report, "reading an issue first, leaving a list: every page in every state, by vnu", them.nu, papers.answers)
    wrong, used = sorted_out(await them.nu(papers.letters))
    report.same(f"the letter as HTML ({len(papers.letters)} forms), by vnu: nothing but what is for old mail programs", wrong, [])
    report.same("and each of those exceptions is needed", used, frozenset(FOR_OLD_PROGRAMS))
    whole = papers.letters[0].read_text(encoding="utf-8")
    for what, old, new in (
        ("a letter with a list in a word", "</h1>", "<ul></ul></h1>"),
        ("a letter with a picture nobody describes", "</h1>", '</h1><img src="a.png">'),
        ("a letter with a style that nobody reads", "border-collapse:", "mso-collapse:1;border-collapse:"),
    ):
        broken = them.work / "broken-letter.html"
        await asyncio.to_thread(broken.write_text, _changed(whole, old, new), encoding="utf-8")
        report.check(f"negative control: {what} is refused", bool(sorted_out(await them.nu([broken]))[0]))
