"""Champion and challenger in service: shadow, split, promotion and rollback while requests are being answered.

It does: choose the release that decides, let the other one decide beside it, take up what people changed in the folder
of releases, and take a challenger out by itself. It does not: change that folder; the desk does. The rules it keeps:
the release of a request never changes under it; a challenger never delays or fails a reply; what was taken out stays
out until a person acts.
"""
