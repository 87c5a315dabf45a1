"""Bring home what old programs left: read, merge, resolve, clean up."""

from eventsync_core.migration._body_rows import BODIES, FAILURES, read_name
from eventsync_core.migration._columns import (
    TableRow,
    Value,
    columns_text,
    folded,
    micros_of,
    whole_of,
)
from eventsync_core.migration._migrate import migrate, preview
from eventsync_core.migration._model import Migration, MigrationRules, OnRow, SourceReport
from eventsync_core.migration._of_project import find_left
from eventsync_core.migration._past_port import OldRecords, OldTable, RowsReading
from eventsync_core.migration._port import Emptying, Left, OldSource, Reading
from eventsync_core.migration._waiting import Waiting, find_waiting
from eventsync_core.migration._wire import as_document

__all__ = [
    "BODIES",
    "FAILURES",
    "Emptying",
    "Left",
    "Migration",
    "MigrationRules",
    "OldRecords",
    "OldSource",
    "OldTable",
    "OnRow",
    "Reading",
    "RowsReading",
    "SourceReport",
    "TableRow",
    "Value",
    "Waiting",
    "as_document",
    "columns_text",
    "find_left",
    "find_waiting",
    "folded",
    "micros_of",
    "migrate",
    "preview",
    "read_name",
    "whole_of",
]
