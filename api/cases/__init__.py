"""Verification cases: from an accepted conditional offer to full approval.

`accepting` opens a case, `receiving` takes documents in, `reading` has machines look at them, `working` is what a
verifier does, `approving` what an approver does, `deciding` decides again on what was verified, `ticking` is what time
itself does. `acts` is the one way in which all of them change a case. None of it knows HTTP or HTML.
The rule it keeps: the tables in engine.verification say what may happen when; whoever was not quick enough is told.
"""
