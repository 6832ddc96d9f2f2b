"""letters: the archive of a newsletter: a page for each issue, a page of all of them, and feeds, as plain files. A view.

*What it does.* Name it among a newsletter's ``destinations``, beside those that send it. Below ``lettres/`` in the public folder it writes

- ``index.html``: all issues, latest first;
- one page for each issue, at the address that letters and posts link ("read this letter online"): it stays the issue's for ever;
- ``feed.atom`` and ``feed.rss``: the last twenty issues, whole, for feed readers; ``feed-NAME.atom`` and ``feed-NAME.rss``, those of one
  newsletter alone;
- ``latest-NAME.rss``: the last issue alone, made for Mailtrain's RSS campaigns, which send whatever entry they have not seen: from a feed
  of twenty, the readers of a new campaign would get twenty letters;
- ``style.css``, and ``pictures/``: our copies of pictures, without what cameras hide in them.

Pages are legible from 320 px up, by day and by night, with a keyboard or a screen reader, without JavaScript; no cookie, and no request
to any other server. Feeds need ``public_url`` in ``[web]`` for their links and pictures.

*Credential.* None.

*Cost.* None. One request for each picture, once.

*How long it keeps.* For ever: an issue stays after what it tells is long gone, as a letter in somebody's mailbox does. What each told is
kept in the state folder (``issues/``), some kilobytes an issue; the pages are made anew from it when our wording or looks change. To
take an issue back, delete its file there and its page: as long as the newsletter shows it (400 days), it would come back.

*What it cannot do.* Show anything but issues: posts and events that a route brings are left out (the ``website`` shows them). Stand in
another folder: letters that are out lead here. Ask for a picture again that could not be had while its issue was among the newest.
"""

from connectors.letters.projection import LettersProjection

__all__ = ["LettersProjection"]
