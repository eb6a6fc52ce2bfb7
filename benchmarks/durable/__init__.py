"""Durable decisions under load: capacity, latency against load, throughput against workers, and replay.

`loaded` is a warm service with its load and its count of rows, `capacity` measures, `plots` draws.
"""
