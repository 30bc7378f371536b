"""What the intake says, in English, by the code of the reason. French is in templates/locale/fr/lab.po.

Every sentence says what is wrong and what would be right. The part of a code before the dot is the rule.
"""

from __future__ import annotations

from scheduler.domain import subject_code
from scheduler.intake.sentences import files, held, rows, told

__all__ = ["SENTENCES"]

SENTENCES: dict[str, str] = {
    **subject_code.SENTENCES,
    **files.SENTENCES,
    **rows.SENTENCES,
    **told.SENTENCES,
    **held.SENTENCES,
}
