"""The routes that issues of newsletters take. Light: every association's start loads it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from syndicator.route import Filter, Route, Style

if TYPE_CHECKING:
    from syndicator.config import Config

PREFIX = "newsletter:"
ARCHIVE = "lettres"
"""Where the pages of issues stand below the public folder."""
LATE = timedelta(days=30)
"""An issue that could not leave for so long is history."""


def source_of(newsletter: str) -> str:
    """The name of the source that its issues come from; none that a configuration can have."""
    return f"{PREFIX}{newsletter}"


def is_newsletter(source: str) -> bool:
    """Whether a source is ours."""
    return source.startswith(PREFIX)


def newsletter_routes(config: Config) -> tuple[Route, ...]:
    """The route that each newsletter's issues take."""
    return tuple(
        Route(
            name=source_of(letter.name),
            sources=(source_of(letter.name),),
            destinations=letter.destinations,
            filter=Filter(unlisted=True),
            style=Style(link="always", language=letter.language),
            delay=timedelta(0),
            max_age=LATE,
            edit="ignore",
            deletions=False,
        )
        for letter in config.newsletters.values()
    )
