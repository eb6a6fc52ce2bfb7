"""Applicants on the web: who visits, what they have typed so far, and how they come back.

`visits` are browsers' sessions, `drafts` what was typed and not sent, `entering` links and one-time codes, `letters`
the mails that carry them. None of it knows pages (api.journey does) or decides anything.
The rule it keeps: whoever has a browser's cookie, a link or a code sees what belongs to it and nothing else, and no
answer tells whether an address or a business is known.
"""
