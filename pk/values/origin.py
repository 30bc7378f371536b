"""In whom and by which assay a method was derived, and the caveats for other patients and assays."""

from dataclasses import dataclass

from pk.values.file_defect import phrase
from pk.values.reason import Reason
from pk.values.toml_table import TableReader


@dataclass(frozen=True, slots=True)
class Population:
    """In whom an equation or a model was derived; the texts are English phrases of the catalogue."""

    disease: str
    comedication: str
    n: int


def population_note(name: str, people: Population) -> Reason:
    """Return the caveat that an equation or a model was derived in other patients."""
    return Reason.of(
        "other_population",
        equation=name,
        n=people.n,
        disease=people.disease,
        comedication=people.comedication,
    )


def assay_note(name: str, assays: tuple[str, ...], assay: str | None) -> tuple[Reason, ...]:
    """Return a caveat unless the samples were measured by an assay that an equation or model comes from."""
    expected = " / ".join(assays)
    if assay is None or not assay.strip():
        return (Reason.of("assay_unknown", equation=name, expected=expected),)
    if assay.strip().casefold() in {known.casefold() for known in assays}:
        return ()
    return (Reason.of("assay_differs", equation=name, assay=assay.strip(), expected=expected),)


def read_population(reader: TableReader) -> Population:
    """Return in whom an equation or a model was derived; its defects go to the reader."""
    wanted = phrase("the number of patients, a whole number above 0")
    count = reader.number("n", wanted, 0.0, above=True)
    if not count.is_integer():
        problem = phrase("{value} cannot be used.", value=repr(count))
        reader.note("n", problem, phrase("Give {wanted}.", wanted=phrase("a whole number of patients")))
    population = Population(reader.words("disease"), reader.words("comedication"), int(count))
    reader.finish()
    return population
