"""Links home that say where a visitor came from: https://matomo.org/faq/reports/what-is-campaign-tracking-and-why-it-is-important/."""

from __future__ import annotations

from urllib.parse import quote, urlencode, urlsplit

MEDIUM = "social"


def tagged(url: str, campaign: str, source: str) -> str:
    """``url`` with Matomo's campaign parameters; as it is where it has some already, or no campaign is wanted."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    if not campaign or parts.scheme not in {"http", "https"} or "mtm_campaign=" in parts.query:
        return url
    wanted = [("mtm_campaign", campaign), *([("mtm_source", source)] if source else []), ("mtm_medium", MEDIUM)]
    added = urlencode(wanted, quote_via=quote, safe="")
    # By hand: what the page's own query looks like is nobody's business but the page's.
    return parts._replace(query=f"{parts.query}&{added}" if parts.query else added).geturl()
