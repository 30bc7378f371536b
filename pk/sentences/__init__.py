"""The English sentence of every reason: what is wrong and what would be right, by code.

Codes and fields are never renamed once released: stored estimates and the translations refer to them.
"""

from pk.sentences.estimate import ESTIMATE_SENTENCES
from pk.sentences.exposure import EXPOSURE_SENTENCES
from pk.sentences.input import INPUT_SENTENCES
from pk.sentences.model import MODEL_SENTENCES
from pk.sentences.nca import NCA_SENTENCES
from pk.sentences.posterior import POSTERIOR_SENTENCES
from pk.sentences.target import TARGET_SENTENCES
from pk.sentences.target_file import TARGET_FILE_SENTENCES
from pk.sentences.target_missing import TARGET_MISSING_SENTENCES

SENTENCES: dict[str, str] = {
    **EXPOSURE_SENTENCES,
    **ESTIMATE_SENTENCES,
    **INPUT_SENTENCES,
    **MODEL_SENTENCES,
    **NCA_SENTENCES,
    **POSTERIOR_SENTENCES,
    **TARGET_SENTENCES,
    **TARGET_FILE_SENTENCES,
    **TARGET_MISSING_SENTENCES,
}
