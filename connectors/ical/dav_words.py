"""What a person is told when a CalDAV server does not do what is needed."""

from __future__ import annotations

from syndicator.errors import words

LOCKED = words(
    fr="Ce serveur de calendriers demande un compte : donnez user et password (un mot de passe d'application).",
    en="This calendar server asks for an account: give user and password (an app password).",
)
REFUSED = words(
    fr="Ce nom ou ce mot de passe n'est pas accepté : vérifiez user, et refaites le mot de passe d'application "
    "(Nextcloud : Paramètres → Sécurité).",
    en="This name or password is not accepted: check user, and make a new app password (Nextcloud: Settings → Security).",
)
DIGEST = words(
    fr="Ce serveur n'accepte que l'authentification « Digest », que nous ne connaissons pas : réglez-le sur « Basic », par https "
    "(Baïkal : Settings → WebDAV authentication type).",
    en="This server only takes “Digest” authentication, which we do not know: set it to “Basic”, by https "
    "(Baïkal: Settings → WebDAV authentication type).",
)
READ_ONLY = words(
    fr="Ce compte n'a pas le droit d'écrire dans ce calendrier : donnez-lui ce droit là-bas, ou choisissez un calendrier qui est à lui.",
    en="This account may not write into this calendar: give it that right there, or choose a calendar of its own.",
)
VANISHED = words(
    fr="Il n'y a pas de calendrier à cette adresse : vérifiez url (Nextcloud : menu du calendrier → Modifier → copier le lien privé).",
    en="There is no calendar at this address: check url (Nextcloud: the calendar's menu → Edit → copy private link).",
)
NOT_DAV = words(
    fr="Il n'y a pas de serveur CalDAV à cette adresse : donnez celle du calendrier lui-même (Nextcloud : menu du calendrier → Modifier → "
    "copier le lien privé ; Radicale : l'adresse que montre sa page).",
    en="There is no CalDAV server at this address: give that of the calendar itself (Nextcloud: the calendar's menu → Edit → copy private "
    "link; Radicale: the address its page shows).",
)
NONE_THERE = words(
    fr="Ce compte n'a aucun calendrier où écrire des événements : créez-en un là-bas, réservé à cet usage.",
    en="This account has no calendar to write events into: make one there, for this use alone.",
)
ELSEWHERE = words(
    fr="Ce serveur dit que les calendriers de ce compte sont sur un autre serveur : donnez dans url l'adresse du calendrier lui-même.",
    en="This server says that this account's calendars are on another server: give the calendar's own address in url.",
)
MOVED = words(
    fr="Ce calendrier a changé d'adresse : mettez la nouvelle dans url.",
    en="This calendar has another address now: put the new one into url.",
)
FULL = words(
    fr="Il n'y a plus de place dans ce compte de calendrier : faites-en, tout se mettra à jour tout seul.",
    en="There is no room left in this calendar account: make some, and everything will update by itself.",
)
BUSY = words(
    fr="Quelqu'un ou quelque chose tient cet événement verrouillé dans le calendrier : nous réessayons.",
    en="Somebody or something keeps this event locked in the calendar: we try again.",
)
NOT_OURS = words(
    fr="il y a là-bas, sous notre nom d'objet, un événement que nous n'avons pas écrit ; nous n'y touchons pas. "
    "Supprimez-le du calendrier si vous voulez le nôtre.",
    en="there is an event under our object's name that we did not write; we leave it alone. Delete it from the calendar if you want ours.",
)
UID_TAKEN = words(
    fr="cet événement est déjà dans le calendrier, ajouté par quelqu'un d'autre que nous ; nous n'y touchons pas. "
    "Supprimez cet exemplaire (et videz la corbeille du calendrier) si vous voulez le nôtre.",
    en="this event is in the calendar already, added by somebody else than us; we leave it alone. "
    "Delete that copy (and empty the calendar's trash) if you want ours.",
)
NOT_TAKEN = words(
    fr="le calendrier ne le prend pas. S'il y a été supprimé à la main, videz la corbeille du calendrier ; sinon montrez le détail aux "
    "personnes qui administrent ce serveur.",
    en="the calendar does not take it. If it was deleted there by hand, empty the calendar's trash; else show the detail to the people who "
    "run that server.",
)
TOO_LARGE = words(
    fr="il est trop gros pour ce calendrier.",
    en="it is too large for this calendar.",
)
