"""What X answers instead of a result: https://docs.x.com/x-api/fundamentals/response-codes-and-errors."""

from __future__ import annotations

import json
from typing import Any

BLANK = "about:blank"
PROBLEMS = "https://api.x.com/2/problems/"
CREDITS = f"{PROBLEMS}credits"
USAGE_CAPPED = f"{PROBLEMS}usage-capped"
CLIENT_FORBIDDEN = f"{PROBLEMS}client-forbidden"
READ_ONLY = f"{PROBLEMS}oauth1-permissions"
INVALID = f"{PROBLEMS}invalid-request"
NOT_FOUND = f"{PROBLEMS}resource-not-found"


class Refusal(Exception):
    """A problem document (RFC 9457) on its way out."""

    def __init__(self, status: int, title: str, detail: str, kind: str = BLANK, **more: Any) -> None:
        self.status = status
        self.body = problem(status, title, detail, kind, **more)
        super().__init__(detail)


def problem(status: int, title: str, detail: str, kind: str = BLANK, **more: Any) -> bytes:
    """The body of a refusal."""
    return json.dumps({"title": title, "detail": detail, "type": kind, "status": status, **more}).encode()


def forbidden(detail: str, kind: str = BLANK) -> Refusal:
    """403: most of them are told by their detail alone."""
    return Refusal(403, "Forbidden", detail, kind)


def invalid(message: str, parameters: dict[str, list[str]]) -> Refusal:
    """400, and which parameter it is about."""
    detail = "One or more parameters to your request was invalid."
    return Refusal(400, "Invalid Request", detail, INVALID, errors=[{"parameters": parameters, "message": message}])


def duplicate() -> Refusal:
    """The same text again."""
    return forbidden("You are not allowed to create a Tweet with duplicate content.")


def unpaid(account_id: str) -> Refusal:
    """The balance is used up."""
    detail = f"Your enrolled account [{account_id}] does not have any credits to fulfill this request."
    return Refusal(402, "CreditsDepleted", detail, CREDITS, account_id=int(account_id))
