"""What the built sites show: ordinary events, an agenda of every kind of time, and strangers who try everything."""

from __future__ import annotations

import html
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from syndicator.contract import View
from syndicator.model import Actor, Attachment, Event, Item, Place, Post

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
BASE = "https://mobilizon.example/events/"
SCRIPT = '<script>window.pwned=1</script><img src=x onerror=window.pwned=1>"\' onmouseover="window.pwned=1" {{ 7*7 }}'
LINES = (
    "1. un", "12) douze", "- tiret", "+ plus", "===", ": deux-points", "# dièse", "> citation", "* étoile", "```", "| a | b |",
    "[a]: https://evil.example", "[clic](javascript:window.pwned=1)", "![a](https://evil.example/p.png)", "<https://evil.example>",
    "https://evil.example www.evil.example moi@evil.example",
    "{: .classe onclick=\"window.pwned=1\"}", "{::nomarkdown}<b>{:/}", "$$x$$", "^",
    "[^1]: note", "*[HTML]: x", "&copy; &amp; &#60;b&#62;", "{{ site.title }}", "{% include agenda.html %}", "{% raw %}", "{{< agenda >}}",
    "{{% agenda %}}", "{{< /x >}}", "<%= 7*7 %>", "{{ agenda.title }}", "{# commentaire #}", "${7*7}", "\\*", "fin\\", "---", "~~~",
    "**gras** _souligné_ `code` ~~barré~~", "<b>gras</b>", "a\u00a0: b", "<!-- more -->", "<!--more-->", ":smile: :+1:",
    "é\u0301🚲\u2067עברית\u2069",
)  # fmt: skip
"""Each is a description of its own: what it says must be read on the built page, letter by letter."""


def event(number: int, **changes: object) -> Event:
    """One on a day of its own."""
    said: dict[str, object] = {
        "uid": f"{BASE}{number}",
        "url": f"{BASE}{number}",
        "source": "agenda",
        "title": f"Atelier {number}",
        "html": "<p>Venez <strong>réparer</strong> votre vélo.</p>",
        "starts_at": datetime(2026, 12, 5, 20, 30, tzinfo=PARIS),
        "ends_at": None,
        "timezone": "Europe/Paris",
        "place": Place(name="La Maison", street="3 rue du Port", postal_code="29200", locality="Brest"),
        "language": "fr",
        "published_at": NOW - timedelta(days=1),
    }
    return Event(**{**said, **changes})  # type: ignore[arg-type]


def ordinary(picture: str) -> list[Event]:
    """Every kind of time, of state and of place."""
    return [
        event(1, title="Bal d'hiver", tags=("Accueil", "Bal"), ends_at=datetime(2026, 12, 5, 23, tzinfo=PARIS),
              image=Attachment(url=picture, description="Une affiche « rouge » & bleue")),
        event(2, title="Fête d'été", starts_at=datetime(2027, 7, 14, 20, tzinfo=PARIS), tags=("accueil",), full=True),
        event(3, title="Trois jours", starts_at=datetime(2026, 12, 11, tzinfo=PARIS), ends_at=datetime(2026, 12, 13, tzinfo=PARIS),
              start_is_date=True, end_is_date=True, tags=("Atelier",)),
        event(4, title="À Montréal", starts_at=datetime(2026, 12, 6, 0, 30, tzinfo=UTC), timezone="America/Montreal"),
        event(5, title="Nuit du changement d'heure", starts_at=datetime(2027, 3, 27, 23, tzinfo=PARIS),
              ends_at=datetime(2027, 3, 28, 5, tzinfo=PARIS)),
        event(6, title="Annulé hier", status="cancelled", tags=("accueil",), starts_at=datetime(2026, 12, 20, 18, tzinfo=PARIS)),
        event(7, title="Déjà passé", starts_at=datetime(2026, 11, 10, 18, tzinfo=PARIS), tags=("accueil",)),
    ]  # fmt: skip


TIMES = {
    "Bal d'hiver": ("2026-12-05T20:30:00+01:00", "samedi 5 décembre 2026 de 20h30 à 23h"),
    "Fête d'été": ("2027-07-14T20:00:00+02:00", "mercredi 14 juillet 2027 à 20h"),
    "Trois jours": ("2026-12-11", "du 11 au 13 décembre 2026"),
    "À Montréal": ("2026-12-05T19:30:00-05:00", "samedi 5 décembre 2026 à 19h30 (heure locale, Montreal)"),
    "Nuit du changement d'heure": ("2027-03-27T23:00:00+01:00", "samedi 27 mars 2027 de 23h à 5h"),
    "Annulé hier": ("2026-12-20T18:00:00+01:00", "dimanche 20 décembre 2026 à 18h"),
    "Déjà passé": ("2026-11-10T18:00:00+01:00", "mardi 10 novembre 2026 à 18h"),
}
"""What each page must say, to machines and to people; written by hand."""


def hostile() -> list[Event]:
    """Strangers' events: one that holds a script wherever there is room for text, and one for each line."""
    wicked = event(
        90,
        title=SCRIPT,
        html=f'<p onclick="window.pwned=1">{SCRIPT}<a href="javascript:window.pwned=1">ici</a><iframe src="https://evil.example/"></iframe></p>',
        url="javascript:window.pwned=1",
        tags=("accueil", SCRIPT, "../../index"),
        place=Place(name=SCRIPT, url="javascript:window.pwned=1"),
        organizer=Actor(name=SCRIPT, url="javascript:window.pwned=1"),
        category=SCRIPT,
        starts_at=datetime(2027, 1, 5, 18, tzinfo=PARIS),
    )
    lines = [
        event(
            100 + index, title=f"Ligne {index} {line}", html=f"<p>{html.escape(line)}</p>", starts_at=datetime(2027, 2, 1, 18, tzinfo=PARIS)
        )
        for index, line in enumerate(LINES)
    ]
    return [wicked, *lines]


def posts(picture: str) -> list[Post]:
    """A toot with a picture, and a hostile one."""
    url = "https://mastodon.example/@amis/"
    return [
        Post(uid=f"{url}1", url=f"{url}1", source="toots", html="<p>Bonjour</p>", published_at=NOW, attachments=(Attachment(url=picture),)),
        Post(uid=f"{url}2", url="javascript:window.pwned=1", source="toots", title=SCRIPT, html=SCRIPT, published_at=NOW),
    ]


def view(items: list[Item], **more: object) -> View:
    """As the core would show them."""
    uids = [item.uid for item in items]
    said: dict[str, object] = {
        "items": sorted(items, key=lambda item: (item.starts_at if isinstance(item, Event) else item.published_at or NOW, item.uid)),
        "changed": frozenset(uids),
        "changed_at": dict.fromkeys(uids, NOW),
        "first_seen_at": dict.fromkeys(uids, NOW),
        "sources": {"agenda": "Agenda", "toots": "Mastodon"},
    }
    return View(**{**said, **more})  # type: ignore[arg-type]
