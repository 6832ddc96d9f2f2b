"""Bluesky, and any other server of the AT Protocol (a PDS). A destination: one post for each item, one way.

**What it does.** Posts of up to 300 characters as readers see them (and 3,000 bytes), links and hashtags that can be clicked, links on
their own words, the post's language, up to four pictures or one video with their alt text and their shape, threads where a route asks for
them. A post without a picture shows a card for its link (``link_card``): title, first words and picture of what it leads to, made by us;
for a stranger's link only its host, because we do not go and read strangers' pages. A post whose media are sensitive carries the label
``sensitive_label``, which apps blur; the words of a content warning open the text. Mentions stay plain text: nobody there is notified in
your name. The date is the one of the original.

**Videos.** MP4, up to 10 minutes and 300 MB, one a post. Bluesky has a service of its own for them (``video``), which makes them fit to be
played; the post waits until that is done, some minutes at most. The account's owner must have confirmed the e-mail address. What the
service does not take (three failures, or one that is final) stays at home: the post goes with the video's picture and the link. Outside of
bsky.social no service is used unless you name one; Bluesky's takes the videos of other servers as well, within what those let it leave
there. This part follows the documentation and Bluesky's own programs; it was not tried with the real service.

**Credential.** ``handle`` is the account's name, such as ``asso.bsky.social``. On bsky.app: Paramètres → Confidentialité et sécurité → Mots
de passe d'application → Ajouter, leave direct messages out, copy the 19 characters into ``app_password``. It does not expire, it can be
revoked alone, and it cannot change the account's own password; never use that one here. What we get in exchange for it (a session of 2
hours, renewed for as long as it is used) is kept in our state folder, readable by us alone: Bluesky allows 30 logins in 5 minutes and
300 a day, so we log in once and renew.

**Cost.** Nothing. A text is one request, each picture one more, a video three, and one more for each look while the service works on it. An
account may write 5,000 points an hour and 35,000 a day, a post being 2 and a deletion 1, and upload 1,000 pictures a day.

**"Did it go out?"** Each post has a name of its own, made of its date and of the delivery's key, and is *put* under that name: sending it
again changes nothing. One thing follows: if an answer is lost, and somebody deletes the post on Bluesky in the moments before we
send it again, it comes back. Deletions follow; deleting what is gone already is no error.

**What it cannot do.** Edits: the protocol takes them, but the apps go on showing the first version, so they are not sent; correct the
original, delete it and write it again. Videos of another kind than MP4, sounds: their picture and the link home. Pictures and a card, or
pictures and a video, in one post. Quotes, polls: as text. A post older than a day (``backfill``) is shown by the apps as archived.
Everything on Bluesky is public: there is nothing like "unlisted" or "followers only".
"""

from connectors.bluesky.publisher import BlueskyPublisher

__all__ = ["BlueskyPublisher"]
