"""What a calendar object resource must be (RFC 4791 4.1, RFC 5545 3.6), for the simulator: nothing of ours reads it."""

from __future__ import annotations

import re

_FOLD = re.compile(rb"\r\n[ \t]")
_LINE = re.compile(r"([A-Za-z0-9-]+)((?:;[A-Za-z0-9-]+=(?:\"[^\"]*\"|[^\";:,]*)(?:,(?:\"[^\"]*\"|[^\";:,]*))*)*):(.*)")
_TZID = re.compile(r";TZID=\"?([^\";:]+)", re.IGNORECASE)
_DATE = re.compile(r"\d{8}")
_TIME = re.compile(r"\d{8}T\d{6}Z?")
_ONCE = frozenset({"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "DESCRIPTION", "SEQUENCE", "STATUS", "URL", "LOCATION", "ORGANIZER"})


class Invalid(ValueError):
    """It is no calendar object; why."""


def uid_of(data: bytes, *, strict: bool = False) -> str:
    """The UID of the object's events, unescaped; with ``strict``, Invalid for whatever the RFCs do not allow."""
    zones: set[str] = set()
    events: list[dict[str, list[tuple[str, str]]]] = []
    stack: list[str] = []
    for name, parameters, value in _lines(data, strict=strict):
        if name == "BEGIN":
            stack.append(value.upper())
            if stack == ["VCALENDAR", "VEVENT"]:
                events.append({})
            elif strict and len(stack) == 2 and stack[1] not in ("VTIMEZONE", "VEVENT"):
                raise Invalid(f"{stack[1]} in a calendar of events")
        elif name == "END":
            if not stack or stack.pop() != value.upper():
                raise Invalid(f"END:{value} without its BEGIN")
        elif stack == ["VCALENDAR", "VEVENT"]:
            events[-1].setdefault(name, []).append((parameters, value))
        elif stack == ["VCALENDAR", "VTIMEZONE"] and name == "TZID":
            zones.add(value)
        elif strict and stack == ["VCALENDAR"] and name == "METHOD":
            raise Invalid("a calendar object resource must not have a METHOD (RFC 4791 4.1)")
    if strict:
        if stack:
            raise Invalid(f"BEGIN:{stack[-1]} without its END")
        _check(events, zones)
    uids = {event["UID"][0][1] for event in events if "UID" in event}
    return _unescaped(next(iter(uids))) if len(uids) == 1 else ""


def _lines(data: bytes, *, strict: bool) -> list[tuple[str, str, str]]:
    try:
        text = _FOLD.sub(b"", data).decode()
    except UnicodeDecodeError as error:
        raise Invalid("not UTF-8") from error
    if strict and (not text.startswith("BEGIN:VCALENDAR\r\n") or not text.endswith("END:VCALENDAR\r\n")):
        raise Invalid("not one VCALENDAR with lines that end in CRLF")
    found = []
    for line in filter(None, text.splitlines() if not strict else text.split("\r\n")):
        match = _LINE.fullmatch(line)
        if match is not None:
            found.append((match[1].upper(), match[2], match[3]))
        elif strict:
            raise Invalid(f"not a content line: {line[:40]!r}")
    return found


def _check(events: list[dict[str, list[tuple[str, str]]]], zones: set[str]) -> None:
    if not events:
        raise Invalid("no VEVENT")
    if len({event.get("UID", [("", "")])[0][1] for event in events}) > 1:
        raise Invalid("events of several UIDs (RFC 4791 4.1)")
    for event in events:
        for needed in ("UID", "DTSTAMP", "DTSTART"):
            if not event.get(needed, [("", "")])[0][1]:
                raise Invalid(f"VEVENT without {needed}")
        for name, values in event.items():
            if name in _ONCE and len(values) > 1:
                raise Invalid(f"{name} twice")
        for name in ("DTSTART", "DTEND"):
            _check_date(*event.get(name, [(";VALUE=DATE", "20000101")])[0], zones)
        if "DTEND" in event and ("VALUE=DATE" in event["DTEND"][0][0]) != ("VALUE=DATE" in event["DTSTART"][0][0]):
            raise Invalid("DTEND is of another type than DTSTART")


def _check_date(parameters: str, value: str, zones: set[str]) -> None:
    if not (_DATE if "VALUE=DATE" in parameters.upper() else _TIME).fullmatch(value):
        raise Invalid(f"{value} is no date")
    named = _TZID.search(parameters)
    if named and named[1] not in zones:
        raise Invalid(f"no VTIMEZONE for {named[1]} (RFC 5545 3.2.19)")


def _unescaped(text: str) -> str:
    return re.sub(r"\\([\\;,])", r"\1", text)
