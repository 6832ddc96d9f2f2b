"""Matrix: one room, where an account of the association's own writes. A destination.

*What it does.* One message per item, with its words as links where the author made them links, and each picture or video as a message of
its own right after it, described (alt text) in its caption. Edits and deletions follow, pictures included. Long texts become a thread
where a route asks for it. Nobody is ever called: every message says that it mentions nobody, so that ``@room`` and names stay text.

*Credential.* Make an account for the association on its server, invite it into the room (Element: the room → Inviter), and make it a
moderator if only those may write there; it joins by itself when it first has something to say. Then either its ``user`` and
``password``: we log in once, as one device that keeps its name, and keep the token, readable by us alone; or an ``access_token`` (Element:
Paramètres → Aide et à propos → Avancé → Jeton d'accès; it dies when that Element session is logged out). Neither expires unless the
server's owner wants it to. On servers with the newer login pages (matrix.org), Element's token lives for minutes: use the password.

*Cost.* Nothing. One request for each message, two for each picture. Servers slow accounts down after about ten messages in a row, for a few
seconds each; what is left of a message with many pictures follows then.

*"Did it go out?"* Every message carries a transaction number of its own: repeated within a day, by the same device, it is still one
message. Beyond that (for what was published more than a day ago), or after the token was replaced, our own messages of the last two weeks
are looked through for the key that each carries (``org.syndicator.key``). If an answer is lost and somebody deletes the message before we
ask again, it comes back.

*What it cannot do.* Encrypted rooms: their messages would have to be encrypted for each reader's device; a room for announcements needs
none (a room cannot be decrypted again: make another one). Pictures that an edit adds come as an answer below the text. Polls and content
warnings are text; sensitive media stay at home. What was deleted is gone for every client that is up to date, not from what other servers
keep.

Specification: https://spec.matrix.org/v1.16/client-server-api/. Proven against a real Synapse: ``./run interop matrix``. Words in a caption
are shown by clients since 2024 (specification 1.10); older ones show the file's name.
"""

from connectors.matrix.publisher import MatrixPublisher

__all__ = ["MatrixPublisher"]
