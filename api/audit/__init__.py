"""The audit that can be proved: signed checkpoints outside the database, and verification that trusts nobody.

`checkpoints` is what is signed and where it is kept, `settings` the keys, `checkpointing` what the worker does,
`verification` reads the whole chain beside its checkpoints, `records` compares rows with their entries, `export` writes
what an outside auditor takes away, `standalone` is the auditor's own program, `roles` the roles of PostgreSQL.
The rule it keeps: nothing here repairs; what does not hold is named and left as it is.
"""
