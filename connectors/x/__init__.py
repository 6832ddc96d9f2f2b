"""X (once Twitter): one account. A destination: one post for each item, one way, and each one is paid for.

*What it does.* One post per item: 280 weighted characters, up to four pictures, or one GIF, or one video, with their descriptions (alt
texts). What the author hid carries X's own warning. Deletions follow. The media of a post take the place of the card that X makes of its
link. One ``$ABC`` symbol is kept, further ones lose their link: X refuses them.

*Credential.* Four strings, which never expire. At console.x.com, logged in as the account that is to post: accept the agreement; Apps →
Create App; in its settings, User authentication settings → App permissions: **Read and write** (a website and a callback address are asked
for: the association's address will do, twice); *then* Keys and tokens → Consumer keys: « API Key » and « API Key Secret » →
``api_key``, ``api_key_secret``; Access Token and Secret → Generate → ``access_token``, ``access_token_secret``. Each is shown once. Tokens
made before the permission was changed cannot post: generate them again. Under Billing, buy credits (5 dollars are enough for a long time)
and set a spending limit; leave auto-recharge off. In the account's own settings (Votre compte → Automatisation), label it as automated.

*Cost.* In dollars, before tax, as published by X on 2026-08-28: a post 0.015, **a post with an address in it 0.200**, each picture's
description 0.005, a deletion 0.010. Thirty posts a month: 0.45 without links, 6 with them; descriptions of thirty pictures: 0.15. X links
``asso.bzh`` by itself, so that we count it as an address. Hence, for a route that leads here: ``link = "never"`` and
``text_links = "drop"``; and for the destination ``budget = 5.0``, beyond which posts wait for the next month. To see whose strings these
are costs 0.010, once a day at most, on days on which we start or ``check`` is run; looking for a post whose answer was lost costs 0.001
for each post of the account since then. With no credit left, X answers 402: everything waits for a person, nothing is lost.

*"Did it go out?"* X knows no keys. After an unknown outcome the account's own posts are read, from shortly before the first attempt on,
and compared: text (X's short addresses taken back), number of media. X refuses the same text twice within some weeks: after an unknown
outcome that too means that it is there; at a first attempt it means that somebody posted the same words before, and a person is told.

*What it cannot do.* Threads: X forbids replies by programs unless their author was called (since 2026-02-23): long texts are shortened.
Edits (a paid privilege, for an hour): an edit stays without effect here, unless the route says ``edit = "replace"``. Quotes, polls: as
text. Videos longer than 140 seconds: their picture and a link. Mentions: nobody is called.

*Not verified against X itself*: whether a bare domain is billed as an address; whether a video's description is shown; what exactly is
answered to a text too long or to two symbols (refused, in any case); X's documentation now speaks of videos of 20 minutes.

Specification: https://docs.x.com/x-api (API v2, OpenAPI 2.167).
"""

from connectors.x.publisher import XPublisher

__all__ = ["XPublisher"]
