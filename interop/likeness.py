"""Our simulators asked what the real servers were asked: status, headers and shape must be the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from xml.etree import ElementTree

from interop.calendar_server import PASSWORD, USER, Calendar, Server
from interop.processes import Answer, ask
from interop.report import Report
from interop.site_server import WordPress
from syndicator.sandbox.calendar import CalendarSimulator
from syndicator.sandbox.feed import FeedSimulator

PRESENT = ("ETag", "Last-Modified", "Link")
"""Headers that are there or not."""
EQUAL = ("Content-Type", "WWW-Authenticate", "Content-Disposition")
"""Headers that say the same."""


async def of_site(report: Report, real: WordPress) -> None:
    """The blog simulator against the real WordPress."""
    report.title("Does our blog simulator answer as WordPress does?")
    async with FeedSimulator() as simulator:
        for number in range(25):
            at = datetime.now(UTC) - timedelta(hours=number + 1)
            simulator.publish(f"Article {number}", "<p>Fête 🎉</p>", at=at, password="x" if number == 3 else "")
        theirs, ours = await _site(real.url), await _site(simulator.url)
    for question in theirs:
        report.same(f"{question}: {theirs[question][0]}", ours[question], theirs[question])


async def of_calendar(report: Report, real: Server) -> None:
    """The collection of our calendar simulator against the real one."""
    report.title(f"Does our calendar simulator answer as {real.name} does?")
    async with CalendarSimulator() as simulator:
        simulator.accounts = {USER: PASSWORD}
        simulator.add_event("Atelier", datetime(2026, 12, 5, 18, tzinfo=UTC))
        ours = Calendar(f"{simulator.url}{real.home}agenda/", real.login)
        found, expected = await _calendar(ours), await _calendar(real.calendar)
    for question in expected:
        report.same(f"{question}: {expected[question][0]}", found[question], expected[question])


async def _site(url: str) -> dict[str, tuple[object, ...]]:
    feed = await ask("GET", f"{url}/feed/")
    etag, modified = str(feed.headers["ETag"]), str(feed.headers["Last-Modified"])
    later = format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)
    conditions = {
        "the ETag": {"If-None-Match": etag},
        "the ETag made weak": {"If-None-Match": f"W/{etag}"},
        "another ETag": {"If-None-Match": '"x"'},
        "the date": {"If-Modified-Since": modified},
        "a later date": {"If-Modified-Since": later},
        "an earlier date": {"If-Modified-Since": "Sat, 01 Jan 2022 00:00:00 GMT"},
        "no date": {"If-Modified-Since": "hier"},
        "both": {"If-None-Match": etag, "If-Modified-Since": modified},
        "another ETag and the date": {"If-None-Match": '"x"', "If-Modified-Since": modified},
        "the ETag and an earlier date": {"If-None-Match": etag, "If-Modified-Since": "Sat, 01 Jan 2022 00:00:00 GMT"},
    }
    told = {f"/feed/ asked with {name}": _told(await ask("GET", f"{url}/feed/", headers=sent)) for name, sent in conditions.items()}
    for path in ("/feed/", "/feed/?paged=2", "/feed/?paged=99", "/feed/atom/", "/comments/feed/", "/no-such-page/"):
        answer = await ask("GET", url + path)
        shape = _shape(answer.body) if answer.body.startswith(b"<?xml") else ()
        told[path] = (*_told(answer), *shape)
    return told


async def _calendar(calendar: Calendar) -> dict[str, tuple[object, ...]]:
    ours = {"Accept": "text/calendar, text/plain;q=0.5, text/html;q=0, */*;q=0.1"}
    etag = str((await calendar.ask("GET", headers=ours)).headers["ETag"])
    questions: dict[str, tuple[str, str, dict[str, str], str | None]] = {
        "GET as our source asks": ("GET", "", ours, None),
        "HEAD as our source asks": ("HEAD", "", ours, None),
        "GET with the ETag": ("GET", "", {**ours, "If-None-Match": etag}, None),
        "GET with another ETag": ("GET", "", {**ours, "If-None-Match": '"x"'}, None),
        "HEAD with the ETag": ("HEAD", "", {**ours, "If-None-Match": etag}, None),
        "GET of anything": ("GET", "", {"Accept": "*/*"}, None),
        "GET of anything, rather a calendar": ("GET", "", {"Accept": "text/calendar, */*;q=0.1"}, None),
        "GET of a calendar only": ("GET", "", {"Accept": "text/calendar"}, None),
        "GET without a wish": ("GET", "", {}, None),
        "GET by a browser": ("GET", "", {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}, None),
        "GET of the export": ("GET", "?export", {}, None),
        "GET by a stranger": ("GET", "", ours, ""),
        "GET with a wrong password": ("GET", "", ours, f"{USER}:autre"),
        "GET of what is not there": ("GET", "nothing.ics", ours, None),
    }
    return {
        name: _told(await calendar.ask(method, path, headers=sent, login=login)) for name, (method, path, sent, login) in questions.items()
    }


def _told(answer: Answer) -> tuple[object, ...]:
    there = tuple(name for name in PRESENT if answer.headers[name])
    said = tuple(f"{name}: {answer.headers[name].lower()}" for name in EQUAL if answer.headers[name])
    return (answer.status, there, said)


def _shape(xml: bytes) -> tuple[object, ...]:
    """The names of what stands in the feed, and of what stands in all its items together."""
    root = ElementTree.fromstring(xml)  # noqa: S314 - of our own servers
    top = root.find("channel") if root.find("channel") is not None else root
    assert top is not None
    items = [child for child in top if child.tag.rpartition("}")[2] in ("item", "entry")]
    return (sorted({child.tag for child in top}), sorted({part.tag for item in items for part in item}), len(items))
