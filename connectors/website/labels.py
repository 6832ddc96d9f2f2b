"""The words of the page and of the feeds, in French and in English."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Everything the page says by itself, in one language."""

    language: str
    months: tuple[str, ...]
    """Abbreviated, for small calendars."""
    agenda: str
    upcoming: str
    ongoing: str
    past: str
    none_upcoming: str
    news: str
    videos: str
    cancelled: str
    cancelled_prefix: str
    tentative: str
    full: str
    online: str
    free: str
    when: str
    where: str
    price: str
    organizer: str
    map: str
    attend_online: str
    tickets: str
    whole_text: str
    read_on: str
    read_post: str
    watch: str
    see_pictures: str
    listen: str
    post_without_text: str
    sensitive: str
    live_now: str
    live_planned: str
    poll: str
    quoting: str
    subscribe: str
    calendar: str
    calendar_download: str
    atom: str
    json_feed: str
    website: str
    no_tracking: str
    colon: str


FRENCH = Labels(
    language="fr",
    months=("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."),
    agenda="Agenda",
    upcoming="Prochains rendez-vous",
    ongoing="En ce moment, au long cours",
    past="Rendez-vous passés",
    none_upcoming="Aucun rendez-vous n’est annoncé pour l’instant. Revenez bientôt\u00a0!",
    news="Nouvelles",
    videos="Vidéos",
    cancelled="Annulé",
    cancelled_prefix="ANNULÉ\u00a0: ",
    tentative="À confirmer",
    full="Complet",
    online="En ligne",
    free="Gratuit",
    when="Quand",
    where="Où",
    price="Tarif",
    organizer="Avec",
    map="Plan",
    attend_online="Participer en ligne",
    tickets="Billetterie",
    whole_text="Lire la suite",
    read_on="Lire l’article",
    read_post="Voir la publication",
    watch="Regarder la vidéo",
    see_pictures="Voir les photos",
    listen="Écouter",
    post_without_text="Publication",
    sensitive="Contenu sensible",
    live_now="En direct",
    live_planned="Direct prévu",
    poll="Sondage\u00a0: votez sur la publication d’origine",
    quoting="Cite la publication de",
    subscribe="Suivre",
    calendar="S’abonner à l’agenda",
    calendar_download="Fichier de l’agenda (iCal)",
    atom="Flux Atom",
    json_feed="Flux JSON",
    website="Site de l’association",
    no_tracking="Cette page ne dépose aucun cookie et ne contacte aucun autre site.",
    colon="\u00a0: ",
)

ENGLISH = Labels(
    language="en",
    months=("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    agenda="Events",
    upcoming="Upcoming events",
    ongoing="On now, for a while",
    past="Past events",
    none_upcoming="No event is announced at the moment. Come back soon!",
    news="News",
    videos="Videos",
    cancelled="Cancelled",
    cancelled_prefix="CANCELLED: ",
    tentative="To be confirmed",
    full="Full",
    online="Online",
    free="Free",
    when="When",
    where="Where",
    price="Price",
    organizer="With",
    map="Map",
    attend_online="Attend online",
    tickets="Tickets",
    whole_text="Read more",
    read_on="Read the article",
    read_post="See the post",
    watch="Watch the video",
    see_pictures="See the pictures",
    listen="Listen",
    post_without_text="Post",
    sensitive="Sensitive content",
    live_now="Live now",
    live_planned="Live planned",
    poll="Poll: vote on the original post",
    quoting="Quotes the post of",
    subscribe="Follow",
    calendar="Subscribe to the calendar",
    calendar_download="Calendar file (iCal)",
    atom="Atom feed",
    json_feed="JSON feed",
    website="The association’s site",
    no_tracking="This page sets no cookie and contacts no other site.",
    colon=": ",
)


def labels_for(language: str) -> Labels:
    """The words for a BCP 47 tag: French for French and the languages of France, English for the rest."""
    primary = language.lower().partition("-")[0]
    return FRENCH if primary in {"fr", "br", "co", "eu", "oc", "gsw"} else ENGLISH
