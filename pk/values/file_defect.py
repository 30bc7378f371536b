"""One thing wrong in a file of equations or models, as sentences with named fields and what stands in them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrase:
    """English words with named fields. A value may be a phrase itself; any other is shown as it is."""

    english: str
    values: tuple[tuple[str, "Phrase | str"], ...] = ()

    def __str__(self) -> str:
        return self.english.format(**dict(self.values))


def phrase(english: str, /, **values: Phrase | str | float) -> Phrase:
    """Return the words with these values.

    >>> str(phrase("Give {wanted}.", wanted=phrase("one of {known}", known="mmf, ec_mps")))
    'Give one of mmf, ec_mps.'
    """
    kept = {name: one if isinstance(one, Phrase) else str(one) for name, one in values.items()}
    return Phrase(english, tuple(kept.items()))


@dataclass(frozen=True, slots=True)
class FileDefect:
    """Where it is, what is wrong and what would be right; both end in a full stop.

    As a text it is one line, `key: what is wrong; what would be right`.

    >>> str(FileDefect("n", phrase("missing."), phrase("Give {wanted}.", wanted="1 or 2")))
    'n: missing; give 1 or 2'
    """

    key: str
    problem: Phrase
    remedy: Phrase

    def __str__(self) -> str:
        english = self.remedy.english
        remedy = Phrase(english[:1].lower() + english[1:], self.remedy.values)
        return f"{self.key}: {str(self.problem).removesuffix('.')}; {str(remedy).removesuffix('.')}"
