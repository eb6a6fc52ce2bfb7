"""The lender's own time zone: its days begin and end here, and moments are shown in it."""

from typing import Final
from zoneinfo import ZoneInfo

SYDNEY: Final = ZoneInfo("Australia/Sydney")
