"""The English sentence of every reason code of the domain, by what it is about.

`pages` says some of them otherwise, to readers of the console. French is in templates/locale/fr: console.po and
trial.po, of all others domain.po.
"""

from __future__ import annotations

from scheduler.domain.sentences.amendment import AMENDMENT_SENTENCES
from scheduler.domain.sentences.console import CONSOLE_SENTENCES
from scheduler.domain.sentences.exposures import EXPOSURE_SENTENCES
from scheduler.domain.sentences.flags import FLAG_SENTENCES
from scheduler.domain.sentences.mails import MAIL_SENTENCES
from scheduler.domain.sentences.refusals import REFUSAL_SENTENCES
from scheduler.domain.sentences.store import STORE_SENTENCES
from scheduler.domain.sentences.trial import TRIAL_SENTENCES
from scheduler.domain.sentences.visits import VISIT_SENTENCES

__all__ = ["GROUPS", "SENTENCES"]

GROUPS: tuple[dict[str, str], ...] = (
    AMENDMENT_SENTENCES,
    CONSOLE_SENTENCES,
    EXPOSURE_SENTENCES,
    FLAG_SENTENCES,
    MAIL_SENTENCES,
    REFUSAL_SENTENCES,
    STORE_SENTENCES,
    TRIAL_SENTENCES,
    VISIT_SENTENCES,
)
SENTENCES: dict[str, str] = {code: text for group in GROUPS for code, text in group.items()}
