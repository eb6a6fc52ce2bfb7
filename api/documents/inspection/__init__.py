"""Looking at a file in a process of its own: what it really is, whether it may be kept, and its pages as pictures.

`python -m api.documents.inspection` is that process; `api.documents.inspector` starts it. Nothing here is imported by
the service itself.
"""
