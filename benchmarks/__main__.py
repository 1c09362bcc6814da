"""`python -m benchmarks COMMAND`."""

from __future__ import annotations

import typer

from benchmarks.suites.cold_start import cold_start
from benchmarks.suites.drift import drift
from benchmarks.suites.files import files
from benchmarks.suites.large import large
from benchmarks.suites.releases import releases
from benchmarks.suites.serving import serving
from benchmarks.suites.training import training
from benchmarks.suites.uploads import uploads

app = typer.Typer(
    help="What Millrace costs, beside what others cost or the limit, measured in one run.",
    epilog="Figures and what they mean: docs/performance.md.",
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (serving, files, uploads, large, training, cold_start, drift, releases):
    app.command(command.__name__)(command)

if __name__ == "__main__":
    app(prog_name="python -m benchmarks")
