"""The durable store: what was asked, known, decided and promised, kept once and never overwritten.

database.py opens SQLite or PostgreSQL, tables.py says what is kept, queries/ holds every query as a named
function, and migrations/ makes and changes the tables.
The rule: what is answered has been committed before.
"""
