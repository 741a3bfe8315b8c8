"""Why a record is in the log and in the ledger, but not in the tables."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """The codes of `rejects.reason`; `sentence` says each in words.

    There is no code for a missing type: a row that has an identity and a time happened, so it stays in the totals,
    with a null type.
    """

    unreadable_row = "unreadable_row"
    no_id = "no_id"
    id_not_integer = "id_not_integer"
    id_scientific = "id_scientific"
    time_missing = "time_missing"
    time_unreadable = "time_unreadable"

    @property
    def sentence(self) -> str:
        """What happened, for a person."""
        return _SENTENCES[self]


_SENTENCES = {
    Reason.unreadable_row: "The row could not be split into the columns of its file.",
    Reason.no_id: "The row has nothing that identifies it.",
    Reason.id_not_integer: "The identifier of this dataset is a whole number, and this is none.",
    Reason.id_scientific: "A spreadsheet rounded the identifier to scientific notation; the digits are lost.",
    Reason.time_missing: "The row does not say when it happened.",
    Reason.time_unreadable: "The time of occurrence is in none of the forms that the city file names.",
}
