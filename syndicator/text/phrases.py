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
