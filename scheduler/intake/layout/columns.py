"""The columns of the study's layout, under their English and French names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache

from config.schema import LabFile

__all__ = [
    "CODES",
    "COLUMNS",
    "NUMBERS",
    "REQUIRED",
    "known_names",
    "lab_aliases",
    "looks_identifying",
    "normalised",
]

# canonical (English) name → further names: French first, then its aliases
COLUMNS: dict[str, tuple[str, ...]] = {
    "study_id": ("etude",),
    "subject_id": ("code_patient", "n_inclusion"),
    "visit": ("visite",),
    "timepoint": ("temps", "t", "prelevement"),
    "specimen_id": ("numero_echantillon", "n_demande"),
    "collected_at": ("date_heure_prelevement",),
    "received_at": ("date_heure_reception",),
    "reported_at": ("date_heure_validation",),
    "analyte": ("analyse",),
    "value": ("resultat",),
    "unit": ("unite",),
    "status": ("statut",),
    "specimen_quality": ("conformite",),
    "lloq": ("lq_inf",),
    "uloq": ("lq_sup",),
    "method": ("technique",),
    "matrix": ("milieu",),
    "result_id": ("id_resultat",),
    "replaces": ("remplace",),
    "laboratory": ("laboratoire",),
    "comment": ("commentaire",),
}
REQUIRED = (
    "study_id",
    "subject_id",
    "visit",
    "timepoint",
    "specimen_id",
    "collected_at",
    "reported_at",
    "analyte",
    "value",
    "unit",
    "status",
    "method",
    "matrix",
    "laboratory",
)
NUMBERS = ("value", "lloq", "uloq")
CODES = ("subject_id", "specimen_id", "result_id", "replaces")

_IDENTIFYING = re.compile(
    r"(nom|prenom|nompatient|patient|identite|civilite|firstname|lastname|surname|familyname|givenname|name"
    r"|patientname|nir|ins|inss?|ipp|nss|ssn|ddn|dob|adresse|address|telephone|phone|email"
    r"|(nom|prenom|noms|prenoms)(usuel|(de)?naissance|defamille|jeunefille|complet|dupatient|patient)?"
    r"|.*(datenaissance|datedenaissance|birthdate|dateofbirth|nele|securitesociale|numerosecu).*)"
)


@lru_cache(maxsize=2000)  # the codes and words of a study are few, and asked for in every row
def normalised(text: str) -> str:
    """Header or word without case, accents, blanks and punctuation.

    >>> normalised("N° d'Inclusion "), normalised("Unité")
    ('ndinclusion', 'unite')
    """
    if text.isascii():
        return text.lower() if text.isalnum() else "".join(filter(str.isalnum, text.lower()))
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(letter for letter in plain if letter.isalnum())


def lab_aliases(labs: Iterable[LabFile]) -> dict[str, str]:
    """The header names that laboratories add, normalised, with the columns they mean."""
    return {
        normalised(name): column
        for lab in labs
        for column, names in lab.column_aliases.items()
        if column in COLUMNS
        for name in names
    }


def known_names(aliases: Mapping[str, str]) -> dict[str, str]:
    """Every normalised header name that is understood, with its column."""
    own = {normalised(name): column for column, names in COLUMNS.items() for name in (column, *names)}
    return {**aliases, **own}


def looks_identifying(header: str) -> bool:
    """Whether a column seems to hold a name, a national number, a date of birth or an address."""
    return _IDENTIFYING.fullmatch(normalised(header)) is not None
