"""``catalejo demo``."""

from __future__ import annotations

import click

from catalejo.catalog import Catalog
from catalejo.cli.adding import print_report, told
from catalejo.cli.output import drawing_option, json_option, note, print_json, with_catalog
from catalejo.cli.progress import progress_bar
from catalejo.records import to_json


@click.command()
@drawing_option("--sheet", "Where to draw the hits", default="demo.png", show_default=True)
@json_option
@with_catalog
def demo(catalog: Catalog, sheet: str, as_json: bool) -> None:
    """Try it on sample pictures: five searches in two languages.

    Indexes the pictures that come with scikit-image, asks five questions, prints the best hits
    and draws them all as a contact sheet.

    \b
    catalejo -c demo.catalog demo
    """
    from pathlib import Path

    from catalejo import demo as samples
    from catalejo.plots.canvas import save
    from catalejo.plots.sheet import contact_sheet

    folder = samples.pictures()
    with progress_bar() as show:
        report = catalog.add(folder, perceive="none", progress=told(show))
    results = samples.run(catalog)
    save(contact_sheet(results, catalog.thumbnail, columns=samples.HITS), sheet)
    if as_json:
        print_json({"add": to_json(report), "searches": [to_json(result) for result in results], "sheet": sheet})
        return
    print_report(catalog, report, False)
    for result in results:
        click.echo(f"\n{result.query}")
        for hit in result.hits:
            mark = " " if hit.matches else "·"
            click.echo(f" {mark} {hit.score:.3f}  {Path(hit.path).name:24} {hit.why}")
    note(f"\n· no better than chance for that query. All hits: {sheet}")
