"""What a service charges for a request, and amounts in words."""

from __future__ import annotations

from decimal import Decimal

from syndicator.contract import Limits
from syndicator.model import Rendition
from syndicator.text.links import addresses

NBSP = "\u00a0"
_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}


def cost_of(rendition: Rendition, limits: Limits, purpose: str = "create") -> int:
    """What it costs to send ``rendition`` there, in thousandths of ``limits.prices.currency``; 0 where nothing is charged."""
    prices = limits.prices
    if prices is None:
        return 0
    if purpose == "delete":
        return prices.delete
    if purpose == "update":
        return prices.update
    described = sum(1 for attachment in rendition.attachments if attachment.description.strip())
    linked = _has_link(rendition, limits)
    return (prices.create_with_link if linked else prices.create) + prices.description * described


def _has_link(rendition: Rendition, limits: Limits) -> bool:
    """Whether the service sees a link: twitter-text's rules make one of a bare domain too."""
    if rendition.link or rendition.card or rendition.spans:
        return True
    return bool(addresses(rendition.text, bare=limits.text_unit == "weighted"))


def in_words(mills: int, currency: str, language: str) -> str:
    """An amount of thousandths: ``0,015 $`` or ``$0.015``; thousandths are only shown where there are some."""
    amount = Decimal(mills) / 1000
    number = f"{amount:.3f}" if mills % 10 else f"{amount:.2f}"
    sign = _SIGNS.get(currency.upper(), currency.upper())
    if language.split("-")[0].lower() == "fr":
        return f"{number.replace('.', ',')}{NBSP}{sign}"
    return f"{sign}{number}" if len(sign) == 1 else f"{number}{NBSP}{sign}"
