"""The words of the presence page that the other pages do not have."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PresenceLabels:
    """All of them, in one language."""

    links: str
    accounts: str
    whole_agenda: str
    all_news: str
    feeds: str


FRENCH = PresenceLabels(
    links="Nos liens",
    accounts="Nos comptes",
    whole_agenda="Tout l’agenda",
    all_news="Toutes les nouvelles",
    feeds="Ne rien manquer",
)
ENGLISH = PresenceLabels(
    links="Our links",
    accounts="Our accounts",
    whole_agenda="The whole agenda",
    all_news="All the news",
    feeds="Miss nothing",
)


def presence_labels_for(language: str) -> PresenceLabels:
    """The words for a page in ``language``, which is that of its ``Labels``."""
    return FRENCH if language == "fr" else ENGLISH
