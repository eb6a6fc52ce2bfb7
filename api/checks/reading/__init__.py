"""A document read: its text with places from the PDF itself or by OCR, and what its structure tells.

It does: choose the way of reading page by page, inside bounds of pages, lines and time. It does not: judge anything.
The rule it keeps: a page that was not read is counted as not read.
"""

from api.checks.reading.document import Reading, read
from api.checks.reading.lines import Line, Row, rounded, rows_of

__all__ = ["Line", "Reading", "Row", "read", "rounded", "rows_of"]
