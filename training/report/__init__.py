"""The report on a model that a risk committee reads: one content record, written as JSON and as one HTML file.

subject reads a draft or a release, judging judges it, changing lays the champion beside, gathering puts the record
(content) together and summary says it in sentences; sections lay the record out in blocks, figures draw, page writes
the file. The rule it keeps: the HTML is made from the record alone, so whatever stands in one stands in the other.
"""

from training.report.content import Report
from training.report.defining import definitions
from training.report.gathering import gather
from training.report.judging import Asked, Examples
from training.report.page import render
from training.report.subject import Subject, read_subject

__all__ = ["Asked", "Examples", "Report", "Subject", "definitions", "gather", "read_subject", "render"]
