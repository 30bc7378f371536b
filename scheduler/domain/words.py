"""What a status, a flag or a mail is called in English. French is in templates/locale/fr/*.po."""

from __future__ import annotations

__all__ = ["word_of"]

# Of the codes that do not read well with spaces for underscores.
_CALLED = {
    "auc_amended": "AUC amended",
    "auc_available": "AUC available",
    "auc_not_computable": "AUC not computable",
    "auc_outside_band": "AUC outside a borrowed band",
    "auc_withdrawn": "AUC withdrawn",
    "eligibility_open": "eligibility in doubt",
    "file_quarantined": "laboratory file refused",
    "folder_trouble": "problem with the drop folder",
    "mail_failed": "mail not delivered",
    "no_open_day": "no working day in the window",
    "profile_unusual": "unusual profile",
    "quarantined": "refused",
    "rows_held": "laboratory rows held",
    "set_held": "samples do not fit together",
    "storage_trouble": "storage problem",
    "visit_overdue_escalation": "visit still overdue",
}


def word_of(code: str) -> str:
    """What it is called.

    >>> word_of("visit_overdue"), word_of("set_held")
    ('visit overdue', 'samples do not fit together')
    """
    return _CALLED.get(code) or code.replace("_", " ")
