"""Issues of newsletters as a view brings them to the archive."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from syndicator.contract import View
from syndicator.model import Attachment, Entry, Issue, Post, Section
from syndicator.testing import make_view

FIRST = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)
"""A Monday, 9 in Paris."""
ADDRESS = "https://agenda.example/lettres/"


def entry(uid: str, title: str, **changes: Any) -> Entry:
    """A post that an issue tells."""
    return Entry(**{"uid": uid, "kind": "note", "title": title, "url": f"https://social.example/{uid}", **changes})


def issue(week: int = 0, **changes: Any) -> Issue:
    """What the issue of a week tells."""
    fete = entry(
        "fete",
        "Fête de l’hiver",
        kind="event",
        when="samedi 5 décembre 2026 à 20h30",
        place="Salle des fêtes, Brest",
        text="Un bal, une soupe.\nVenez nombreuses et nombreux !",
        state="Complet",
        image=Attachment(url="https://mobilizon.example/fete.jpg", description="Une guirlande"),
    )
    sections = (
        Section(title="À venir", entries=(fete,), brief=(entry("bal", "Bal folk", when="12 décembre"),)),
        Section(title="Nouvelles", entries=(entry(f"toot-{week}", "Un atelier samedi", when="18 novembre 2026"),)),
    )
    at = FIRST + timedelta(days=7 * week)
    return Issue(
        **{
            "newsletter": "lettre",
            "title": "La lettre du vélo",
            "subject": f"Fête de l’hiver, et un atelier (n° {week + 1})",
            "language": "fr",
            "since_at": at - timedelta(days=7),
            "until_at": at,
            "editorial": '<p>Chères toutes, chers tous,</p><p>il fait <strong>froid</strong> : <a href="https://asso.example/">venez</a>.</p>',
            "sections": sections,
            **changes,
        }
    )


def post(told: Issue, **changes: Any) -> Post:
    """The issue as the core makes it a post."""
    name = f"{told.newsletter}:{told.until_at:%Y-%m-%d}"
    return Post(
        **{
            "uid": f"urn:syndicator:velo:newsletter:{name}",
            "url": "https://agenda.example/lettres/",
            "kind": "digest",
            "source": f"newsletter:{told.newsletter}",
            "title": f"{told.title} : {told.subject}",
            "html": told.editorial,
            "language": told.language,
            "published_at": told.until_at,
            "issue": told,
            **changes,
        }
    )


def view(issues: Iterable[Issue]) -> View:
    """What the archive gets."""
    return make_view([post(one) for one in issues], changed_at=FIRST)
