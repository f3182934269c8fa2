"""Make a city: simulate it, write its extracts, and write the truth beside them."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from synthetic_city import truth
from synthetic_city.circumstances import Circumstances
from synthetic_city.column_slips import ColumnSlips
from synthetic_city.earlier import Earlier
from synthetic_city.extracts import BUILDERS, City, build_all
from synthetic_city.history import History
from synthetic_city.names import Names
from synthetic_city.parameters import Parameters
from synthetic_city.population import Population, shape
from synthetic_city.slips import Slips
from synthetic_city.standard_layout import in_standard_layout
from synthetic_city.writing import Writer

Progress = Callable[[str, float], None]


class SynthError(Exception):
    """The city cannot be made there or that way; ``template`` with ``details`` says why and what to do."""

    def __init__(self, template: str, **details: object) -> None:
        self.template, self.details = template, details
        super().__init__(template.format(**details))


def generate(
    out: Path,
    parameters: Parameters,
    progress: Progress | None = None,
    earlier: Sequence[dt.date] = (),
    column_slips: bool = False,
) -> dict[str, object]:
    """Write ``out/landing`` and ``out/truth``; returns a summary for machines (counts, no person's values).

    ``out`` must not exist or be empty. ``progress`` is called with a step's name and the share done. ``earlier``: days
    for which ``out/earlier/<date>`` has what the city delivered then; the last file is dated on the as-of date, not on
    the day after. ``column_slips``: ``out/column_slips`` has the last deliveries again, each with a column gone wrong.
    """
    if any(on >= parameters.as_of for on in earlier):
        raise SynthError("An earlier day lies before the as-of date.")
    if parameters.residents < 500:
        raise SynthError("A city needs at least 500 residents: with fewer there are no families to speak of.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SynthError("{out} exists and is not empty: give a new folder, or remove this one first.", out=out)
    say = progress or (lambda _step, _share: None)
    started = time.monotonic()
    names = Names()
    population = Population(parameters, names, say)
    population.simulate()
    say("families", 0.0)
    history = History(population)
    segments = history.segments()
    say("families", 1.0)
    circumstances = Circumstances(population, history, say)
    city = City(population, history, circumstances, segments, names)
    (out / "landing").mkdir(parents=True)
    slips = Slips(parameters.seed, parameters.slip_rate, parameters.as_of)
    writer = Writer(out / "landing", parameters.as_of, parameters.seed, parameters.dirty_rate, slips)
    if earlier:
        writer.first_on -= dt.timedelta(days=1)
    before = [Earlier(out, city, parameters, on) for on in sorted(earlier)]
    wrong = ColumnSlips(out, parameters, writer.first_on) if column_slips else None
    for number, extract in enumerate(build_all(city), 1):
        for one in before:
            one.write(extract)
        if wrong is not None:
            wrong.write(extract)
        is_standard = parameters.standard_register and extract.source == "resident_register"
        writer.write(in_standard_layout(extract, parameters.seed) if is_standard else extract)
        say("extracts", number / len(BUILDERS))
    figures = truth.write_all(out / "truth", city, writer.planted, slips.made, say)
    if wrong is not None:
        figures["column_slips"] = truth.write_column_slips(out / "truth", city, wrong.made)
    return {
        "out": str(out),
        "seed": parameters.seed,
        "as_of": parameters.as_of.isoformat(),
        **shape(population),
        "rows": writer.rows,
        "dirty_rows": len(writer.planted),
        "slips": len(slips.made),
        "truth": figures,
        "seconds": round(time.monotonic() - started, 1),
    }
