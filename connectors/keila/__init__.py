"""Keila: a newsletter's issues as campaigns of a Keila project. A destination.

*What it does.* For each issue of a ``[newsletters.…]``, makes a campaign with its HTML, and has Keila send it to the project's active
contacts, or to one segment of them. Keila keeps the readers and their way out (its ``{{ unsubscribe_link }}`` stands in the footer),
bounces and pace. Opening and clicking are not followed: the campaign says so (``do_not_track``).

*Credential.* In Keila, in two minutes. 1. In the project: API → New API key, and a name; the **key** is shown once. It can do everything
in that project, and nothing in others. 2. In the same project, Senders: copy the name of the sender that is to write (``sender``). 3.
Segments: if the letter is not for everybody, the name of the segment (``segment``).

*Cost.* On a server of yours, nothing but your mail host. On keila.io, Keila's own plans: an issue needs a credit a reader.

*How long it lives.* The key has no end.

*Exactly once.* The campaign carries a key of ours in its data. Preparing makes a draft, or takes up the one that is there; sending has
Keila send it, which it does once only. A draft that somebody sent or scheduled by hand counts as sent. A draft that somebody changed or
deleted is not sent: a person is told.

*What it cannot do.* Send our text part: of a campaign in HTML, Keila makes the text itself. Say at once what is wrong: Keila takes the
order, then finds that nobody is there to be written to, or that credits are missing; we ask again some times, then tell a person. Call a
letter back. Serve a Keila from before 2026, whose campaigns cannot be HTML.

Not verified against a real Keila: written after its published API, which each Keila shows under ``/api``, and its source,
https://github.com/pentacent/keila.
"""

from connectors.keila.publisher import KeilaPublisher

__all__ = ["KeilaPublisher"]
