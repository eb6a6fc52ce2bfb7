"""The applicant's pages: before the form, the form, the decision, and everything after the offer.

`form` is the questions as data and what becomes of the answers; `pages` are the routes, one file a part of the way;
`views` what a page is told, `templates` how it looks. It does not: decide, or keep anything itself.
The rule it keeps: every page works without a script and is better with a little of it; nothing typed is lost.
"""
