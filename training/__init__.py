"""The risk team's desk, offline: files in, a release out.

It never imports api/. Between the two there is only a file: the export of decisions with their performance.
"""
