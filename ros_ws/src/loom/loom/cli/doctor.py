"""loom doctor: what is missing or wrong on this machine, and how to mend it."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from loom.observe.doctor import examine

MARKS = {'ok': '[green]ok[/]', 'note': '[yellow]note[/]', 'fault': '[red]fault[/]'}


def doctor() -> None:
    """Examine this machine; exit 1 when something is wrong."""
    table = Table('', 'what', 'found', 'what to do', show_lines=False)
    findings = examine()
    for finding in findings:
        table.add_row(MARKS[finding.level], finding.what, escape(finding.found), finding.remedy)
    Console().print(table)
    if any(f.level == 'fault' for f in findings):
        raise typer.Exit(1)
