"""Discourse: topics in one category of a forum. A destination.

*What it does.* One topic per post or event, with its pictures and their descriptions (alt texts), in the category and with the tags that
you choose. Words that are links stay links; an address alone on its line is shown as a card by the forum itself. Corrections follow, of
text, title and pictures; so do deletions. Nobody is ever called: what looks like a mention stays text.

*Credential.* The forum's administrators make it, in a minute, free and without an end: Administration → Advanced → API keys → New key,
"User level: single user" with the account that is to write, "Scope: global". Such a key can do what that account can do, and no more.
Make an account for it ("the association"), a **moderator or of trust level 2 at least**: forums let new accounts post two links and one
picture, correct for a day, and delete nothing that is older than a day or was answered. Then copy the key, which is shown once, and the
account's name.

*Cost.* Nothing. One request for a topic, one for each new picture. A forum allows 60 requests a minute with a key, and its own limits of
new topics a day; what it says of waiting is obeyed.

*Titles.* A forum wants at least 15 characters, and each title once: a short one gets the date, a title that is refused is tried once more
with date and time. A text of less than 20 characters is signed with the association's name, for want of length.

*"Did it go out?"* Always known: every topic carries a number of ours (``external_id``), which the forum accepts once and finds again.

*What it cannot do.* Videos, which most forums refuse: they become a still picture and a link. Threads: long texts are one topic, up to
32,000 characters. Content warnings have no place of their own: they open the text, and what is hidden at home stays there. A post that
the forum keeps for its moderators is given to a person: it is accepted there, or not.

Not verified against a real forum: the limits of length, size and links, which each forum may set, and which its API does not tell; the
form of tags, which changed in 2026 and is read from the tags that the forum lists.

Specification: https://docs.discourse.org/; what it leaves out, from https://github.com/discourse/discourse.
"""

from connectors.discourse.publisher import DiscoursePublisher

__all__ = ["DiscoursePublisher"]
