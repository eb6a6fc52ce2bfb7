"""Measurements, side by side with what a user would pick instead.

Not shipped, and never imported by the product. A figure counts only with its command, machine and commit.
"""
