"""Data: what each kind of file forbids, and to whom it may be shown. ``docs/servers/`` says the same to nginx and Caddy."""

from __future__ import annotations

from syndicator.web.types import FileType

ALWAYS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "strict-origin-when-cross-origin"}
PAGE = (
    "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors "
)
"""A page loads what is ours and nothing else, and sends nothing anywhere; who may frame it stands at the end."""
FILE = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
"""Opened by itself, a picture or a data file is not a page: what may hide in an SVG does nothing."""
PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
FRAMED = "embed.html"
"""The page that is made to stand in a frame of other sites, and has nothing to click in secret; in whichever folder."""


def policy(name: str, kind: FileType) -> dict[str, str]:
    """The headers of the file with this path."""
    if not kind.page:
        # Pictures, styles, scripts and data are made to be used by other sites too.
        return {**ALWAYS, "Content-Security-Policy": FILE, "Cross-Origin-Resource-Policy": "cross-origin"}
    framed = name.rpartition("/")[2] == FRAMED
    return {
        **ALWAYS,
        "Content-Security-Policy": PAGE + ("*" if framed else "'self'"),
        "Permissions-Policy": PERMISSIONS,
        "Cross-Origin-Resource-Policy": "cross-origin" if framed else "same-origin",
    }
