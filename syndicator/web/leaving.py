"""The page by which a reader leaves a list that we hold (RFC 8058): looking at it changes nothing, its button does.

Programs that examine mail open every link; none of them presses a button. Mail programs POST to the address themselves.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from html import escape
from pathlib import Path

from syndicator.letter.unsubscribe import is_known, leave
from syndicator.logs import event
from syndicator.web.ways import Asked, Said, Way

STYLE = (
    ":root{color-scheme:light dark}body{font:1.125rem/1.5 system-ui,sans-serif;max-width:34rem;margin:0 auto;padding:2rem 1rem}"
    "h1{font-size:1.5rem;line-height:1.25}button{font:inherit;font-weight:600;padding:.75rem 1.25rem;border:2px solid;border-radius:.5rem;"
    "background:Canvas;color:CanvasText;cursor:pointer}button:focus-visible{outline:3px solid Highlight;outline-offset:3px}"
)
_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
WORDS = {
    "fr": {
        "ask": (
            "Ne plus recevoir cette lettre\N{NARROW NO-BREAK SPACE}?",
            "Vous ne recevrez plus cette lettre d’information ({who}).",
            "Me désabonner",
        ),
        "done": ("C’est fait.", "Vous ne recevrez plus cette lettre d’information ({who}). Vous pouvez fermer cette page.", ""),
        "failed": ("Cela n’a pas marché.", "Réessayez dans un moment, ou répondez à la lettre pour le demander.", "Réessayer"),
        "unknown": ("Ce lien ne mène nulle part.", "Il manque peut-être sa fin. Répondez à la lettre pour ne plus la recevoir.", ""),
    },
    "en": {
        "ask": ("Stop receiving this letter?", "You will no longer get the newsletter of {who}.", "Unsubscribe"),
        "done": ("Done.", "You will no longer get the newsletter of {who}. You may close this page.", ""),
        "failed": ("That did not work.", "Try again in a while, or answer the letter to ask for it.", "Try again"),
        "unknown": ("This link leads nowhere.", "Its end may be missing. Answer the letter to stop receiving it.", ""),
    },
}


def way_out(lists: Mapping[str, Path], who: str, now: Callable[[], datetime], language: str = "fr") -> Way:
    """What answers at a list's name and a token; ``lists`` says in which folder each list is kept, ``who`` whose they are.

    A reader whose program names no language is spoken to in ``language``.
    """
    ours = language.split("-")[0].lower()
    usual = ours if ours in WORDS else "en"

    async def answer(asked: Asked) -> Said:
        name, _, token = asked.rest.partition("/")
        said = asked.language or usual
        folder = lists.get(name)
        if folder is None or not await asyncio.to_thread(is_known, folder, token):
            return _page("unknown", who, said, status=404)
        if asked.form is None:
            return _page("ask", who, said)
        try:
            await asyncio.to_thread(leave, folder, token, now())
        except OSError as error:
            event(logging.getLogger("syndicator"), logging.ERROR, "unsubscribe.failed", destination=name, detail=error.strerror)
            return _page("failed", who, said, status=503)
        return _page("done", who, said)

    return answer


def _page(what: str, who: str, language: str, *, status: int = 200) -> Said:
    title, text, press = (escape(words.format(who=who)) for words in WORDS[language][what])
    # The field is the one that RFC 8058 has mail programs send.
    field = '<input type="hidden" name="List-Unsubscribe" value="One-Click">'
    form = f'<form method="post">{field}<button>{press}</button></form>\n' if press else ""
    page = (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n'
        f"<body>\n<main>\n<h1>{title}</h1>\n<p>{text}</p>\n{form}</main>\n</body>\n</html>\n"
    )
    return Said(status=status, page=page, policy=POLICY, headers={"Vary": "Accept-Language"})
