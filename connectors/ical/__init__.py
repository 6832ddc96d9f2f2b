"""Calendars in the iCalendar format (RFC 5545, RFC 7986): a source that reads one by its address, a projection that writes feeds.

Source ``ical``
===============

Reads a calendar: a Nextcloud calendar's public link, Google's, a ``webcal://`` link, any ``.ics`` file; or one on a CalDAV server
(Radicale, Xandikos, Nextcloud), with the name and password of an account that may read it where it asks for them.

*What to give it.* The address that the calendar's own "share" or "publish" dialogue offers. In Nextcloud: the calendar's menu, "share
link", copy; both the page and its ``?export`` address are understood. In Google Calendar: settings of the calendar, "public address
in iCal format". No account, no key. Anybody who knows Google's *secret* address sees everything in it: give the public one.
Where there is no public link: the address of the calendar itself (Radicale: what its page shows as the URL; Nextcloud: "copy private
link"), ``user``, and as ``password`` an app password (Nextcloud: settings, security). Events that are not public stay out then too.

*What it reads.* Events, those of series one by one (``RRULE``, ``RDATE``, ``EXDATE``, changed and cancelled dates, "this and all that
follow"), from ``history`` ago to ``ahead``, at most 18 months together, 500 dates a series and 5,000 in all. All-day events, tentative
and cancelled ones, place, tags, picture, online address. Times in any zone, by its IANA, Windows or vendor's name or by the
calendar's own definition; times without one are in the calendar's zone, else in the association's.

*What it never reads.* Events that are not public (``CLASS:PRIVATE``, ``CONFIDENTIAL``); attendees; anybody's e-mail address: the
organiser is a name, or a web page. Tasks and journals are no events.

*Names.* An event's ``uid`` is its ``UID``, with ``@`` and the calendar's host when it is neither a URI nor an address-like name nor a
UUID. One date of a series has ``#`` and its original start behind it, in UTC (``#20261205T193000Z``), or its day (``#20261205``).

*Cost.* One conditional request a poll. A reduced copy is kept in the state folder (without private events or addresses), so that an
unchanged calendar is not downloaded again, and the window still moves on once a day. A server that knows no conditional requests
sends everything every time; one that sends an ETag and yet pays no heed to it (Radicale) is asked for the ETag first.

*What it cannot do.* Tell a deletion from an export that lost something, otherwise than by asking twice; tell when a date was
changed; read series that repeat by the hour or finer, which are refused with a line in the log, as is every event that cannot be
understood, while the rest goes on. Calendars of more than 5 MB are refused.

Destination ``ical``
====================

Writes feeds that Google Calendar, Apple Calendar, Outlook and Thunderbird subscribe to, into the public folder, served by the
daemon's web server or any other.

*What it writes.* ``agenda.ics`` with everything, or the files that ``feeds`` names, by tag or source; with ``each``, one more for every
tag or source; with ``per_event``, one for every event. Every timezone is defined in the file; days are days; a cancelled event stays and
says so in its title; past events stay for ``past``, and the feed of a tag or source as long as anything of it is known, even empty. An
event that several sources show is in the feed of each of them. Nothing changes in a file, and it is not written, unless an event in it
changed. Only files of its own are ever replaced or removed.

*An event's own file* (``per_event``) is ``agenda/`` (the first feed's name), ten letters and digits that stay the event's for
ever, and ``.ics``: what "add to my calendar" leads to.

*Cost.* None. No account, no key.

*What it cannot do.* Make programs look more often: Google takes up to a day whatever we ask, Outlook some hours. Hold much more than a
thousand events or a megabyte, where Google stops reading. Hide from the origin that somebody looks at an event's picture in a
calendar program: ``images = false`` leaves pictures out.
"""

from typing import Any

_HOMES = {"Feed": "projection", "IcalProjection": "projection", "IcalSource": "source"}

__all__ = ["Feed", "IcalProjection", "IcalSource"]


def __getattr__(name: str) -> Any:
    """Load the half that is asked for: who only writes calendars need not carry what reads them."""
    import importlib

    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(importlib.import_module(f"connectors.ical.{_HOMES[name]}"), name)
