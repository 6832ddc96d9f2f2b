"""YouTube: the videos of a PeerTube channel, uploaded to a channel of YouTube. A destination, for those who want it.

*Read this first.* YouTube says that what comes through a Google Cloud project that it has not audited stays **private**, whatever is
asked for; in the autumn of 2026 its own documents contradict each other on that. Try it with one video. If it stays private: ask for the
audit (a form, some weeks, free), or publish each video by hand in YouTube Studio.

*What it does.* One upload per video, with its title, description, tags, language and the way home. The file comes from the PeerTube
instance, the best one up to 1080 lines, goes through this machine's disk and on in pieces: whatever is interrupted goes on where it
stopped. Corrections of title, description and tags follow; so do deletions.

*Credential.* Half an hour, once, with the Google account that owns the channel:

1. https://console.cloud.google.com: make a project; APIs & Services → Library → "YouTube Data API v3" → Enable.
2. OAuth consent screen: External, the association's name and address, then **Publish app: "In production"**. While it says "Testing",
   Google ends the access after seven days.
3. Credentials → Create → OAuth client ID → Web application, with the redirect address ``https://developers.google.com/oauthplayground``.
   Copy the client's id (``client_id``) and secret (``client_secret``).
4. https://developers.google.com/oauthplayground: the wheel → "Use your own OAuth credentials", put both in. Step 1: the scope
   ``https://www.googleapis.com/auth/youtube.force-ssl``, Authorize, choose the channel, accept the warning that the app was not verified
   (it is yours). Step 2: Exchange; copy ``refresh_token``.

It does not expire, unless nobody uses it for six months, the account's password changes, or somebody takes the access back. Google tells
when it will end, where it does: a person is told in time.

*Cost.* Nothing. A project may upload 100 videos a day, and has 10,000 units for everything else (50 for a correction or a deletion, 1 for
a start); both begin anew at midnight, Pacific time. A channel has a limit of its own, which YouTube does not tell. Uploads longer than 15
minutes need a channel whose telephone number was verified.

*"Did it go out?"* The upload itself tells, for a week; after that, the channel's latest fifty videos do.

*What it cannot do.* Anything but videos. Videos whose download PeerTube does not allow, that are sensitive, above 10 GB or 12 hours:
those are left to a person. Lives are uploaded once their replay is a video. Thumbnails, chapters, subtitles and playlists stay at home. A
video cannot be replaced by another: edits change words only.

Not verified against the real service: all of it; made after its published documents (discovery document of 2026-11-04,
https://developers.google.com/youtube/v3/guides/using_resumable_upload_protocol).
"""

from connectors.youtube.publisher import YoutubePublisher

__all__ = ["YoutubePublisher"]
