"""What is told of an issue where whole letters do not go: how it begins, never all of it. Pure."""

from __future__ import annotations

from html import escape

from syndicator.model import Entry, Issue

TITLES_MAX = 5


def announced(issue: Issue) -> str:
    """The editorial, which the destination shows as much of as of an article; without one, the first titles, each with its date."""
    if issue.editorial.strip():
        return issue.editorial
    entries = [entry for section in issue.sections for entry in section.entries]
    first = list({entry.uid: entry for entry in entries}.values())[:TITLES_MAX]
    return f"<ul>{''.join(f'<li>{escape(_line(entry))}</li>' for entry in first)}</ul>" if first else ""


def _line(entry: Entry) -> str:
    return f"{entry.title} – {entry.when}" if entry.kind == "event" and entry.when else entry.title
