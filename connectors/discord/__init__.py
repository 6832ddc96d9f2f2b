"""Discord: one channel of a server, through a webhook. A destination.

*What it does.* One message per item, links on their own words, with up to ten pictures or a video and their descriptions (alt texts). What
is sensitive lies under a cover until somebody clicks it. Edits and deletions follow, pictures included. Nobody is ever called: @everyone,
@here and whatever else looks like a mention stays text. Discord makes a card of each address that stands in a text by itself, such as
the way home; not of links on words.

*Credential.* In Discord, on the channel: Modifier le salon → Intégrations → Webhooks → Nouveau webhook → « Copier l'URL du webhook ». Half
a minute, free, for ever, or until somebody deletes the webhook. The address is the secret: whoever has it can write there. The name and
picture that the messages show are those given to the webhook there. For a thread or a post of a forum, put its number into ``thread_id``
(Paramètres → Avancés → Mode développeur, then right click → « Copier l'identifiant »).

*Cost.* Nothing. One request for each message; about 5 in 2 seconds and 30 a minute for each channel. What Discord says of the room that is
left is obeyed before it has to refuse: too many refusals ban an address for an hour.

*Long texts.* 2,000 characters, in which also counts what is not seen: the addresses behind words, and the backslashes that keep signs such
as * and _ from becoming markup. Where only those make a text too long, it is shown as an embed, whole: nothing is cut.

*"Did it go out?"* Nobody can tell: a webhook cannot read its channel, and there are no keys. Such a message waits for a person, or is sent
again where ``on_unknown = "retry"``.

*What it cannot do.* Threads: a webhook cannot answer a message, so that long texts are shortened. Videos above 10 MB, or any file above:
they become a still picture and a link. Content warnings have no place of their own: they open the text.

Specification: https://discord.com/developers/docs/resources/webhook (API v10).
"""

from connectors.discord.publisher import DiscordPublisher

__all__ = ["DiscordPublisher"]
