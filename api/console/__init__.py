"""The face of the staff console: view models, the templates that show them, its one style sheet and one script.

It does not: read the store, know who may do what, or act; api.cases hands over views and takes what the forms send.
The rule it keeps: a page is a pure function of its view, and works without its script.
"""
