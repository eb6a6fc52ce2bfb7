"""What a user might pick instead, each family in an environment of its own, never in the product's locks.

`environments` knows where they are (`make peers` makes them from requirements/peers/), `worker` runs inside one,
`contest` lets several workers take turns. `suites` holds what is timed; `servers` the web services of others.
"""
