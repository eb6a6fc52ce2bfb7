"""Decisions and scores over HTTP beside the services that one would take for them; nothing here is stored.

`app` is ours, `load` the client, `servers` starts each service, `capacity` lets them take turns.
"""
