"""Rocket.Chat: one room, where an account of the association's own writes. A destination.

*What it does.* One message per item, and each picture or video (up to four) as a message of its own right after it, described (alt text).
Edits and deletions follow; long texts become a thread where a route asks for it. Nobody is ever called: ``@all``, ``@here`` and names get
an invisible sign behind their @.

*Credential.* Make an account for the association and let it into the room. Logged in as that account: Mon compte → Jetons d'accès
personnels → name it, tick « Ignorer l'authentification à deux facteurs », Ajouter. That shows the token and the user id, once; they do not
expire. If the room is read-only, make the account its moderator. An administrator who gives it the role *bot* beside *user* spares it the
limits below.

*Cost.* Nothing. One request for each message, two for each picture. Servers take ten of a kind in a minute from each address, unless told
otherwise; what is left of a message then follows a minute later.

*"Did it go out?"* We choose each message's ``_id`` ourselves, from the delivery's key: the server takes it once, for ever. Pictures are
recognised by their file's name. If an answer is lost and somebody deletes the message before we ask again, it comes back.

*Markup.* Rocket.Chat reads ``*a*`` as bold and knows no way to say otherwise: where signs come in pairs, they are replaced by others that
look alike (∗ ˍ ∼ ˋ); elsewhere an invisible sign keeps them what they are.

*What it cannot do.* Pictures that an edit adds: they stay at home, the log says so. Servers older than 2024 take no pictures this way.
Encrypted rooms. Content warnings open the text; sensitive media stay at home. Edits and deletions later than the workspace's own limit wait
for a person. Incoming webhooks are no part of this: they answer without a number, so that nothing could be edited, deleted or found again.

Not verified against a real server: written from https://github.com/RocketChat/Rocket.Chat (7 and 8) and its OpenAPI description of 2026-08.
"""

from connectors.rocketchat.publisher import RocketchatPublisher

__all__ = ["RocketchatPublisher"]
