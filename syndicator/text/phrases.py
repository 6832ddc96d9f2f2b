"""The few words that we add to what people wrote, in French and English."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from syndicator.model import Offer, Place

NBSP = "\u00a0"

_PHRASES = {
    "fr": {
        "cancelled": f"ANNULÉ{NBSP}: {{title}}",
        "tentative": f"À CONFIRMER{NBSP}: {{title}}",
        "changed": f"CHANGEMENT{NBSP}: {{title}}",
        "reminder": f"RAPPEL{NBSP}: {{title}}",
        "ahead": f"{{lead}}{NBSP}: {{title}}",
        "ahead-tentative": f"{{lead}} (à confirmer){NBSP}: {{title}}",
        "confirmed": f"CONFIRMÉ{NBSP}: {{title}}",
        "back-on": f"FINALEMENT MAINTENU{NBSP}: {{title}}",
        "was": f"{{now}} (avant{NBSP}: {{before}})",
        "was-titled": f"{{now}} (avant{NBSP}: «{NBSP}{{before}}{NBSP}»)",
        "no-place": "Lieu à préciser",
        "outdated": "Ce message n’est plus à jour : la date, le lieu ou le titre a changé.",
        "series": "🔁 Une date parmi d’autres : ce rendez-vous revient",
        "today": "Aujourd’hui",
        "tonight": "Ce soir",
        "tomorrow": "Demain",
        "in-days": "Dans {count} jours",
        "in-hour": "Dans une heure",
        "in-hours": "Dans {count} heures",
        "in-minutes": "Dans {count} minutes",
        "recap-week": "L’agenda {days}",
        "recap-month": "L’agenda {days}",
        "nothing-left": "Finalement, rien n’est prévu.",
        "updated": f"Mis à jour{NBSP}: {{title}}",
        "online": "En ligne",
        "also-online": "{place} et en ligne",
        "full": "Complet",
        "free": "Gratuit",
        "price": f"Tarif{NBSP}: {{price}}",
        "prices": f"Tarif{NBSP}: de {{low}} à {{high}}",
        "live-scheduled": "En direct {when}",
        "live-now": "En direct maintenant",
        "vote": f"Pour voter{NBSP}: {{url}}",
        "vote-until": f"Pour voter jusqu’au {{when}}{NBSP}: {{url}}",
        "poll-until": "Vote ouvert jusqu’au {when}",
        "poster": f"Affiche{NBSP}: {{title}}",
        "thumbnail": f"Image de la vidéo{NBSP}: {{title}}",
        "quoting": f"{{name}} a écrit{NBSP}:",
        "face": f"Visuel avec ces mots{NBSP}: {{words}}",
    },
    "en": {
        "cancelled": "CANCELLED: {title}",
        "tentative": "TO BE CONFIRMED: {title}",
        "changed": "CHANGED: {title}",
        "reminder": "REMINDER: {title}",
        "ahead": "{lead}: {title}",
        "ahead-tentative": "{lead} (to be confirmed): {title}",
        "confirmed": "CONFIRMED: {title}",
        "back-on": "BACK ON: {title}",
        "was": "{now} (was: {before})",
        "was-titled": "{now} (was: “{before}”)",
        "no-place": "Place to be confirmed",
        "outdated": "This message is out of date: the date, the place or the title has changed.",
        "series": "🔁 One date of several: this takes place again",
        "today": "Today",
        "tonight": "Tonight",
        "tomorrow": "Tomorrow",
        "in-days": "In {count} days",
        "in-hour": "In an hour",
        "in-hours": "In {count} hours",
        "in-minutes": "In {count} minutes",
        "recap-week": "What’s on {days}",
        "recap-month": "What’s on {days}",
        "nothing-left": "Nothing is planned after all.",
        "updated": "Updated: {title}",
        "online": "Online",
        "also-online": "{place} and online",
        "full": "Fully booked",
        "free": "Free",
        "price": "Price: {price}",
        "prices": "Price: {low} to {high}",
        "live-scheduled": "Live on {when}",
        "live-now": "Live now",
        "vote": "To vote: {url}",
        "vote-until": "To vote until {when}: {url}",
        "poll-until": "Voting is open until {when}",
        "poster": "Poster: {title}",
        "thumbnail": "Picture of the video: {title}",
        "quoting": "{name} wrote:",
        "face": "Card with these words: {words}",
    },
}
_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}


def phrase(language: str, key: str, /, **values: str) -> str:
    """The phrase ``key`` in ``language`` (``fr`` or ``en``)."""
    return _PHRASES[language][key].format(**values)


def where(place: Place) -> str:
    """One line: name, street, postal code and town, nothing said twice."""
    parts: list[str] = []
    town = " ".join(part for part in (place.postal_code.strip(), place.locality.strip()) if part)
    for part in (place.name.strip(), place.street.strip(), town):
        said = ", ".join(parts).casefold()
        if part and part.casefold() not in said:
            parts.append(part)
    if len(parts) > 1 and parts[0].casefold() == place.locality.strip().casefold():
        parts = parts[1:]
    return ", ".join(" ".join(part.split()) for part in parts)


def price(offers: Sequence[Offer], language: str) -> str:
    """What it costs, in one line; empty when nobody said, or said something that is no amount."""
    amounts = sorted((amount, offer.currency) for offer in offers if (amount := _amount(offer.price)) is not None)
    if not amounts or len({currency for _, currency in amounts}) > 1:
        return ""
    (low, currency), (high, _) = amounts[0], amounts[-1]
    if high == 0:
        return phrase(language, "free")
    if low == high:
        return phrase(language, "price", price=_money(low, currency, language))
    return phrase(language, "prices", low=_money(low, currency, language), high=_money(high, currency, language))


def _amount(text: str) -> Decimal | None:
    try:
        amount = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None


def _money(amount: Decimal, currency: str, language: str) -> str:
    number = f"{amount:.0f}" if amount == amount.to_integral_value() else f"{amount:.2f}"
    sign = _SIGNS.get(currency.upper(), currency.upper())
    if language == "fr":
        return f"{number.replace('.', ',')}{NBSP}{sign}"
    return f"{sign}{number}" if len(sign) == 1 else f"{number} {sign}"
