"""A newsletter before anything is sent: when it leaves next, and whether what it is made with can be used."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from syndicator.config import Config
from syndicator.errors import Rejected
from syndicator.letter.newsletter import Newsletter, template_of
from syndicator.letter.schedule import next_after
from syndicator.letter.shape import Hosted, shape
from syndicator.model import Attachment, Entry, Issue, Section
from syndicator.text.dates import describe_instant
from syndicator.text.way_out import BEGIN, END, UNSUBSCRIBE
from syndicator.words import pick, say

Kind = Literal["ok", "note", "config"]
PICTURE = "https://example.org/picture.jpg"


def examine(config: Config, letter: Newsletter, now: datetime) -> Iterator[tuple[Kind, str, str]]:
    """(kind, words for a person, what was said) of each thing worth knowing."""
    language = config.association.language
    yield "ok", _due(config, letter, now), ""
    if letter.editorial_file is not None and not _is_readable(letter.editorial_file):
        yield "config", say(language, "newsletter.no-editorial-file", path=letter.editorial_file), ""
    try:
        _try_template(config, letter, now)
    except Rejected as error:
        yield "config", pick(error.hint, language) if error.hint else str(error), str(error)
    except NoWayOut:
        yield "config", say(language, "newsletter.no-way-out", path=letter.template), ""
    if config.public_url is None:
        yield "note", say(language, "newsletter.no-pictures"), ""


class NoWayOut(Exception):
    """A template leaves its reader no way to leave the list."""


def _due(config: Config, letter: Newsletter, now: datetime) -> str:
    language, timezone = config.association.language, config.association.timezone
    due = next_after(letter.schedule, now, ZoneInfo(timezone), letter.starts)
    told = {"at": describe_instant(due, timezone, language), "names": ", ".join(letter.destinations)}
    if not letter.review:
        return say(language, "newsletter.due", **told)
    asked = describe_instant(due - letter.review_before, timezone, language)
    return say(language, "newsletter.due-review", **told, who=letter.review, asked=asked)


def _is_readable(path: Path) -> bool:
    try:
        with path.open("rb"):
            return True
    except OSError:
        return False


def _try_template(config: Config, letter: Newsletter, now: datetime) -> None:
    """Make letters that have everything, and next to nothing, with the template of one's own."""
    template = template_of(letter)
    if template is None:
        return
    for issue, pictures in ((_sample(letter, now), {PICTURE: Hosted(url=PICTURE, width=640)}), (_bare(letter, now), {})):
        made = shape(issue, config.association, pictures=pictures, web_address=PICTURE if pictures else None, template=template)
        if not all(sign in made.html for sign in (BEGIN, UNSUBSCRIBE, END)):
            raise NoWayOut


def _sample(letter: Newsletter, now: datetime) -> Issue:
    entry = Entry(
        uid="sample",
        kind="event",
        title="Exemple",
        url="https://example.org/",
        text="Un\nexemple",
        when="samedi",
        place="Brest",
        state="Complet",
        image=Attachment(url=PICTURE, description="Exemple"),
    )
    post = Entry(uid="post", kind="note", title="Exemple", url="", text="Un exemple")
    section = Section(title="Exemple", entries=(entry, post), brief=(entry, post))
    return Issue(
        newsletter=letter.name,
        title=letter.title,
        subject="Exemple",
        language=letter.language,
        since_at=now - timedelta(days=7),
        until_at=now,
        editorial="<p>Exemple</p>",
        sections=(section,),
    )


def _bare(letter: Newsletter, now: datetime) -> Issue:
    section = Section(title="Exemple", entries=(Entry(uid="post", kind="note", title="Exemple", url=""),))
    return Issue(
        newsletter=letter.name,
        title=letter.title,
        subject="Exemple",
        language=letter.language,
        since_at=now - timedelta(days=7),
        until_at=now,
        sections=(section,),
    )
