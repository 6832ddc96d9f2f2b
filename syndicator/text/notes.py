"""What was done to a text, in words for the person who wrote it."""

from __future__ import annotations

from syndicator.contract import Limits
from syndicator.model import Rendition
from syndicator.text.count import length

_NOTES = {
    "shortened": ("texte raccourci", "text shortened"),
    "excerpt": ("extrait, la suite est derrière le lien", "excerpt, the rest is behind the link"),
    "thread": ("texte réparti en plusieurs messages", "text told in several posts"),
    "title-cut": ("titre raccourci", "title shortened"),
    "details-left-out": ("détails laissés de côté, faute de place", "details left out for want of room"),
    "closing-left-out": ("sondage ou citation laissé de côté, faute de place", "poll or quote left out for want of room"),
    "quote-as-link": ("citation remplacée par son lien", "quote replaced by its link"),
    "hashtags-dropped": ("ligne de mots-dièse retirée, faute de place", "line of hashtags removed for want of room"),
    "hashtags-limited": ("mots-dièse en trop retirés", "hashtags beyond the limit removed"),
    "footer-left-out": ("pied de message laissé de côté, faute de place", "footer left out for want of room"),
    "cw-shown": ("avertissement placé en tête du texte", "content warning put at the head of the text"),
    "cw-link": ("avertissement et lien seulement", "content warning and link only"),
    "media-left-out": ("des médias restent derrière le lien", "some media stay behind the link"),
    "media-failed": ("un média introuvable reste derrière le lien", "a picture or video that cannot be had stays behind the link"),
    "sensitive-media-left-out": ("médias sensibles non repris", "sensitive media not mirrored"),
    "video-as-picture": ("vidéo remplacée par son image et le lien", "video replaced by its picture and the link"),
    "picture-made": ("ce réseau exige une image : visuel créé avec les mots du message", "this network insists on a picture: one was made"),
    "links-dropped": ("adresses retirées du texte", "addresses taken out of the text"),
    "template-left-out": (
        "modèle inutilisable ici, forme habituelle",
        "template of no use here, usual form",
    ),
    "alt-missing": ("description d’image manquante", "picture without a description"),
    "alt-cut": ("description d’image raccourcie", "picture description shortened"),
    "domain-linked": ("un nom de domaine dans le texte deviendra un lien", "a domain name in the text will become a link"),
    "link-costs": ("un lien, que ce réseau peut facturer", "a link, which this network may charge for"),
}


def explain(rendition: Rendition, limits: Limits, language: str) -> list[str]:
    """One line for each thing worth knowing of ``rendition``, in French or English: length, part, media, cuts."""
    french = language.split("-")[0].lower() == "fr"
    lines = [_length(rendition, limits, french=french)]
    if rendition.parts > 1:
        lines.append(f"{'partie' if french else 'part'} {rendition.part + 1}/{rendition.parts}")
    if rendition.attachments:
        lines.append(_media(rendition, french=french))
    return [*lines, *(_NOTES[note][0 if french else 1] for note in rendition.notes if note in _NOTES)]


def describe(note: str, language: str) -> str:
    """One of ``Rendition.notes`` in words; the note itself when it is not one of ours."""
    pair = _NOTES.get(note)
    return note if pair is None else pair[0 if language.split("-")[0].lower() == "fr" else 1]


def _length(rendition: Rendition, limits: Limits, *, french: bool) -> str:
    used = length(rendition.text, limits)
    unit = _UNITS[limits.text_unit][0 if french else 1]
    if limits.text_max is None:
        return f"{used} {unit}"
    return f"{used} {unit} {'sur' if french else 'of'} {limits.text_max}"


def _media(rendition: Rendition, *, french: bool) -> str:
    count = len(rendition.attachments)
    described = sum(1 for attachment in rendition.attachments if attachment.description)
    noun = ("média" if french else "attachment") + ("s" if count > 1 else "")
    return f"{count} {noun}, {described} {'avec description' if french else 'with a description'}"


_UNITS = {
    "characters": ("caractères", "characters"),
    "graphemes": ("caractères", "characters"),
    "utf16": ("caractères", "characters"),
    "weighted": ("caractères pondérés", "weighted characters"),
    "threads": ("caractères", "characters"),
    "bytes": ("octets", "bytes"),
}
