"""Referrals: what people do about an application that was referred to them, and about a request for a person.

`reading` says how an application stands; `acts` are notes and asking the sources again; `proposing` is what takes two
approvers; `answering` answers who asked for a person; `settling` is compliance's. Each act is written once, with its
entry in the audit chain, and a decision is never made by hand: it is decided again on facts that say what people did.
"""
