"""Measurements, each beside what a user would pick instead: `make bench` writes RESULTS.md.

`scoring/` scores, contributions, blocks, rules, what-ifs, training. `http/` decisions over HTTP, nothing stored.
`durable/` decisions recorded: capacity, latency against load, workers. `peers/` what stands beside us, in environments
of its own. The modules here measure one decision in process, the service as it is served, its sources, the disk, and
what other commands measure (`claiming`, `parsing`, `casepage`, `journey`, `chaining`, `guards`, `papers/`,
`screening/`). `page` and `samples` are what all of them are put together with; `pytest benchmarks --benchmark-only`
times parts one by one.
"""
