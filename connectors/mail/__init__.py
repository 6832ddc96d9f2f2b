"""mail and mailinglist: a newsletter's issues by SMTP, to a list of readers of yours, or to a mailing list's address.

What it does
    Sends each issue of a ``[newsletters.…]`` as a mail with a text part and an HTML part. ``type = "mailinglist"`` writes one mail to the
    address of a list (Sympa, Framalistes, Mailman), which sends it on and keeps its readers. ``type = "mail"`` writes one mail to each
    address of a file, at the pace of ``per_minute``, each with its own way out (``List-Unsubscribe``). A dead address, a full mailbox or a
    greylisting server does not keep the letter from the others; after an interruption it goes on with the reader whose turn it was.
    Where ``public_url`` is in https and our page is seen to answer there (or ``one_click = true`` says so), a link in the letter leads to
    a page of ours where a reader leaves by pressing a button, which mail programs press too (RFC 8058): they are noted in
    ``unsubscribed.txt`` in the state folder, and are written to no more. Whoever is taken out of the file while an issue is on its way
    is not written to either; whoever is added has the next one.

How to get the credential
    The account of a mailbox, at whoever hosts your mail: the name of its SMTP server, a user name and a password (some hosts ask for an
    "application password"). For a list, ``sender`` must be allowed to write to it: subscribe that address, or add it to the list's
    writers (Sympa: "Qui peut envoyer des messages"). A list that moderates
    holds the letter until a moderator lets it go: we see it as sent.

Cost
    None but your mail host's. Ask how many letters an hour it allows, and set ``per_minute`` below that.

How long it lives
    As long as the mailbox.

What it cannot do
    Call a letter back, or correct it: what was sent was sent. Sign it: DKIM, SPF and DMARC are your mail server's, and without them many
    letters end as spam. Know whether a reader opened it: nobody is tracked. Read bounces that come later by mail: they go to ``sender``.
    A list cannot be asked about a letter whose answer was lost: unless ``drops_repeats`` says that it drops repeats (Sympa does, for a
    day), a person is asked. A reader whose letter was under way at a crash is not written to again: nobody gets an issue twice.
"""

from connectors.mail.mailing_list import ListPublisher
from connectors.mail.readers import MailPublisher

__all__ = ["ListPublisher", "MailPublisher"]
