"""Telegram: a channel (or a group) that a bot of the association's own writes to. A destination.

*What it does.* One message per item, links and hashtags live, links on their own words; every other sign is itself. With pictures (up to
ten) or a video, the text is their caption. What is sensitive lies under a blur until somebody taps it. Edits and deletions follow, and a
thread's parts answer each other.

*Credential.* In Telegram, talk to @BotFather: /newbot, a name, a user name that ends in « bot »; it answers with the token. Then open the
channel → Administrateurs → Ajouter, search for the bot, and leave it « Publier des messages » alone. One minute, free; the token lives
until somebody revokes it at @BotFather. It is part of every address that is called: it is taken out of whatever is said here.

*Cost.* Nothing. One request for each message, pictures included. Telegram slows bots down beyond about one message a second, and twenty a
minute in a group; it says for how long.

*Long texts with pictures.* A caption holds 1,024 characters, a message 4,096. A text too long for a caption is cut there, with the link
home; where the route makes threads (``long_text = "thread"``), the rest follows as answers and nothing is lost.

*"Did it go out?"* Nobody can tell: a bot cannot read what it wrote, and there are no keys. Such a message waits for a person, or is sent
again where ``on_unknown = "retry"``.

*What it cannot do.* Alt texts: Telegram has none, they are lost. Deleting a message older than 48 hours: delete it by hand. Changing the
pictures of an album: a single one is replaced, or added to a text, when an edit does so. Videos other than MP4 and above
50 MB become a still picture and a link. Pictures more than twenty times as long as wide get a border.

Specification: https://core.telegram.org/bots/api (10.1).
"""

from connectors.telegram.publisher import TelegramPublisher

__all__ = ["TelegramPublisher"]
