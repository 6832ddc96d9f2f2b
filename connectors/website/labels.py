"""The words of the page and of the feeds, in French and in English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Everything the page says by itself, in one language."""

    language: str
    months: tuple[str, ...]
    """Abbreviated, for small calendars."""
    month_names: tuple[str, ...]
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
    read_letter: str
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
    locale: str
    """As Open Graph writes it."""
    over: str
    cancelled_note: str
    moved: str
    was: str
    """Before the date it had."""
    original: str
    add_to_calendar: str
    accessibility: str
    access_words: Mapping[tuple[str, str], str]
    """(key, value) of Mobilizon's, in words."""
    announced_by: str
    tags: str
    no_tags: str
    years: str
    all_events: str
    sources: str
    explore: str
    before: str
    after: str
    neighbours: str
    no_events: str
    more: str
    about_tag: str


FRENCH = Labels(
    language="fr",
    months=("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."),
    month_names=(
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ),
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
    read_letter="Lire la lettre",
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
    locale="fr_FR",
    over="Ce rendez-vous est passé.",
    cancelled_note="Ce rendez-vous est annulé. Il était prévu\u00a0:",
    moved="Nouvelle date",
    was="Ce rendez-vous a été déplacé. Il était prévu\u00a0:",
    original="Voir la page d’origine",
    add_to_calendar="Ajouter à mon agenda",
    accessibility="Accessibilité",
    access_words={
        ("wheelchairAccessible", "fully"): "Accessible en fauteuil roulant",
        ("wheelchairAccessible", "partially"): "En partie accessible en fauteuil roulant",
        ("wheelchairAccessible", "no"): "Pas accessible en fauteuil roulant",
        ("live:subtitle", "true"): "Sous-titrage en direct",
        ("live:subtitle", "false"): "Pas de sous-titrage en direct",
        ("live:sign_language", "true"): "Interprétation en langue des signes",
        ("live:sign_language", "false"): "Pas d’interprétation en langue des signes",
        ("smokeFree", "true"): "Sans tabac",
        ("smokeFree", "false"): "Il est permis de fumer",
    },
    announced_by="Annoncé par",
    tags="Étiquettes",
    no_tags="Aucune étiquette pour l’instant.",
    years="Tous les rendez-vous, par année",
    all_events="Tous les rendez-vous",
    sources="Qui publie",
    explore="Explorer",
    before="Rendez-vous précédent",
    after="Rendez-vous suivant",
    neighbours="Autres rendez-vous",
    no_events="Aucun rendez-vous.",
    more="Les autres se trouvent sous",
    about_tag="Rendez-vous et nouvelles",
)

ENGLISH = Labels(
    language="en",
    months=("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    month_names=(
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
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
    read_letter="Read the letter",
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
    locale="en_GB",
    over="This event is over.",
    cancelled_note="This event is cancelled. It was to be:",
    moved="New date",
    was="This event was moved. It was to be:",
    original="See the original page",
    add_to_calendar="Add to my calendar",
    accessibility="Accessibility",
    access_words={
        ("wheelchairAccessible", "fully"): "Wheelchair accessible",
        ("wheelchairAccessible", "partially"): "Partly wheelchair accessible",
        ("wheelchairAccessible", "no"): "Not wheelchair accessible",
        ("live:subtitle", "true"): "Live subtitles",
        ("live:subtitle", "false"): "No live subtitles",
        ("live:sign_language", "true"): "Sign language interpretation",
        ("live:sign_language", "false"): "No sign language interpretation",
        ("smokeFree", "true"): "Smoke-free",
        ("smokeFree", "false"): "Smoking is allowed",
    },
    announced_by="Announced by",
    tags="Tags",
    no_tags="No tags at the moment.",
    years="All events, by year",
    all_events="All events",
    sources="Who publishes",
    explore="Explore",
    before="Previous event",
    after="Next event",
    neighbours="Other events",
    no_events="No event.",
    more="The others are under",
    about_tag="Events and news",
)


def labels_for(language: str) -> Labels:
    """The words for a BCP 47 tag: French for French and the languages of France, English for the rest."""
    primary = language.lower().partition("-")[0]
    return FRENCH if primary in {"fr", "br", "co", "eu", "oc", "gsw"} else ENGLISH
