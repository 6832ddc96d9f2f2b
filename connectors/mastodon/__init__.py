"""Mastodon, and what speaks its API: GoToSocial, Pixelfed, Pleroma, Akkoma, Friendica. A source and a destination.

**Reading** (``MastodonSource``, ``type = "mastodon"`` in ``[sources.…]``) mirrors one account: posts with their pictures, videos and alt
texts, content warnings, polls, quotes, threads of its own, boosts, language, edits and deletions.

*Credential.* None on Mastodon, Pleroma, Akkoma and Friendica: read anonymously, nothing private can leak. A token is needed where the
server shows nothing to strangers (GoToSocial, Pixelfed, a Mastodon with DISALLOW_UNAUTHENTICATED_API_ACCESS or in limited federation), and
to be told of news within seconds. Make one on the account itself: Préférences → Développement → Nouvelle application, tick
``read:statuses`` alone, save, open the application, copy « Votre jeton d'accès ». An account's own token shows its private and direct posts
too; they are dropped on arrival, by their visibility, whatever the server answers. Posts that stay on their own server (``local_only``)
never leave it.

*Without a token on a closed server* the account's feed is read: the newest posts only, no boosts, no answers to oneself on some servers,
no polls; on Pixelfed the first picture of each post and up to four hours late. Posts keep one identity by both ways: the uid is always the
ActivityPub id (``uri``), never the page's address (``url``), since the feed's addresses can be turned into it and not the other way. A
Mastodon with AUTHORIZED_FETCH as well will not say which posts are public: then only a token helps (or ``unlisted = true``).

*Cost.* Nothing. A poll without news is one small request; every ``recheck_every``, the last ``recheck`` of posts (60 at most) is read
again: one request for each 20 where the server can, else the newest are listed again. The limit met first is 300 paged requests a
quarter of an hour per token or address.

*Edits and deletions* are seen for as long as ``recheck`` says. A post counts as gone when the server, asked for it alone, does not know it
any more, and the core asks once more. On Friendica, whose posts are numbered apart from their addresses, older posts are asked for by
their ActivityPub id. What a deleted-and-redrafted post was is not known: it comes as a deletion and a new post.

*What it cannot do.* Streaming from GoToSocial, Pleroma and Akkoma (WebSocket only): these are polled. Languages of Pixelfed posts (it
claims English for all). Followers-only posts, by design. Posts by others: replies to others are marked, and routes refuse them.

**Publishing** (``MastodonPublisher``, ``type = "mastodon"`` in ``[destinations.…]``) announces events and mirrors videos, photos and feed
entries to one account: one status per item, in plain text, with up to four pictures or one video and their alt texts, content warning,
language, and threads where a route asks for them. Edits and deletions follow. GoToSocial, Akkoma, Friendica and Pixelfed (only what has a
picture) are written to as well. A file that cannot be used is left out and logged; it never stops the text.

*Credential.* On the account: Préférences → Développement → Nouvelle application, tick ``read:accounts``, ``read:statuses``,
``write:statuses`` and ``write:media``, nothing else, save, open the application, copy « Votre jeton d'accès ». It does not expire.

*Cost.* Nothing. A text is one request, each picture one more. Mastodon allows 300 requests in 5 minutes, and 30 uploads and 30 deletions
in half an hour.

*"Did it go out?"* is answered by Mastodon itself for an hour (Idempotency-Key), and by the account's own timeline after that and
everywhere else; hence ``read:statuses``.

*What it cannot do.* Polls become text. On servers other than Mastodon, an edit changes text and pictures but not the alt text of a
picture that stays. Videos above 40 MB are not carried.
"""

from connectors.mastodon.publisher import MastodonPublisher
from connectors.mastodon.source import MastodonSource

__all__ = ["MastodonPublisher", "MastodonSource"]
