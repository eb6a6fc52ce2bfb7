"""Hostile files made by code, each with the verdict that is expected of it, and honest ones that have to pass.

They do no harm: a script here says nothing, a bomb is a few megabytes of zeroes, an attachment is a word.
"""
