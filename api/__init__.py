"""The shell: HTTP, sources, persistence and the command line.

It fetches the arguments of a decision and keeps its result. It decides nothing, and never imports training/.
"""
