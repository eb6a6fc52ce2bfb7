"""Notices: what applicants, staff and the marketplace are told, kept in the outbox and sent after the fact.

It does: turn an act into messages for the transaction that it happened in, and send what is due by mail and webhook.
It does not: send from a request, or keep an address. The rule it keeps: the outbox holds ids and codes only; every
message is sent at least once, closed because there is nobody to tell, or dead and listed.
"""
