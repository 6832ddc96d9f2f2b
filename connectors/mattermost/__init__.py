"""Mattermost (Framateam, or an association's own): one channel, where a bot writes. A destination.

*What it does.* One post per item, with up to five pictures or videos. Edits and deletions follow, pictures included; long texts become a
thread where a route asks for it. Nobody is ever called: ``@channel``, ``@all``, ``@here`` and names get an invisible sign behind their @.

*Credential.* A system administrator of the server makes a bot: Produits → Intégrations → Comptes bot → Ajouter un compte bot, with
« post:channels »; the token is shown once. Then add the bot to the team and to the channel (« Ajouter des membres »). Where bots are not
allowed (Framateam), make an account for the association and ask for a personal access token (Profil → Sécurité → Jetons d'accès
personnels), if the server's owner has switched those on. Neither expires. ``channel`` is what the channel's address says:
``https://…/equipe/channels/annonces`` is ``equipe/annonces``.

*Cost.* Nothing. One request for each post, one more for each file.

*Alt texts.* Mattermost has no place for them. The description becomes the name of the file, which is shown, and read aloud, with the
picture.

*"Did it go out?"* Each post carries a key of ours in its ``props``: the channel's newest posts are looked through for it. Besides, the
server itself takes a repetition within half a minute for the same post. If an answer is lost and somebody deletes the post before we ask
again, it comes back.

*What it cannot do.* Content warnings open the text; sensitive media stay at home. Edits later than the server's own limit, where it has
one, wait for a person. A text so full of signs such as * that the backslashes before them do not fit goes without them. Incoming webhooks
are no part of this: they answer without a number, so that nothing could be edited, deleted or found again.

Not verified against a real server: written from the server's source code (https://github.com/mattermost/mattermost, 2026) and its API
reference (https://developers.mattermost.com/api-documentation/).
"""

from connectors.mattermost.publisher import MattermostPublisher

__all__ = ["MattermostPublisher"]
