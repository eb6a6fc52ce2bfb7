"""Scores, contributions, blocks of rows, training, rules, replay and what-ifs, beside what others offer."""
