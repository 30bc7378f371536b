"""The tables, by what may be lost: truth, derived, ledger, people, operations. Rows live only in the store."""

from __future__ import annotations

from scheduler.store.tables.derived import FlagRow, SamplingRow, VisitRow
from scheduler.store.tables.ledger import AcknowledgementRow, DeliveryRow, ExposureRow, OutboxRow, ReminderRow
from scheduler.store.tables.operations import AuditRow, HeartbeatRow, LeaseRow, ReviewRow
from scheduler.store.tables.people import (
    AccountRow,
    FormReceiptRow,
    KeptFormRow,
    LoginAttemptRow,
    LoginSessionRow,
)
from scheduler.store.tables.truth import (
    FactRow,
    LabFileRow,
    LabProposalRow,
    LabResultRow,
    LabResultVersionRow,
    LabReviewRow,
    ProtocolVersionRow,
    SiteRow,
    StaffRow,
    SubjectRow,
)

__all__ = [
    "APPEND_ONLY",
    "AccountRow",
    "AcknowledgementRow",
    "AuditRow",
    "DeliveryRow",
    "ExposureRow",
    "FactRow",
    "FlagRow",
    "FormReceiptRow",
    "HeartbeatRow",
    "KeptFormRow",
    "LabFileRow",
    "LabProposalRow",
    "LabResultRow",
    "LabResultVersionRow",
    "LabReviewRow",
    "LeaseRow",
    "LoginAttemptRow",
    "LoginSessionRow",
    "OutboxRow",
    "ProtocolVersionRow",
    "ReminderRow",
    "ReviewRow",
    "SamplingRow",
    "SiteRow",
    "StaffRow",
    "SubjectRow",
    "VisitRow",
]

APPEND_ONLY = (
    "protocol_version",
    "fact",
    "lab_result",
    "lab_result_version",
    "lab_review",
    "lab_proposal",
    "exposure",
    "acknowledgement",
    "audit",
)
