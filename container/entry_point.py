"""The image's entry point: `python -m training JOB`, on AWS and in a folder alike."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from container.errors import JobError, report
from container.paths import Paths

JOBS = {
    "validate": "hold a dataset against its contract; every problem is named, with file and line",
    "prepare": "split a dataset into rows to train on and rows held out",
    "train": "fit the model, export it to ONNX, prove that both agree, and seal the artifact",
    "evaluate": "measure a sealed artifact on the rows held out, and judge its gates",
    "split": "cut an upload into parts, each a request to the model server",
    "assemble": "make the answers to all parts one result, in the upload's order, and commit it",
    "monitor": "count what is new of the predictions, and judge each model version by what they add up to",
    "serve": "answer /ping and /invocations with the model in the model folder",
}
"""Descriptions of the jobs, for people."""
ROOMS = {
    "split": "scoring.batch",
    "assemble": "scoring.batch",
    "serve": "scoring.server",
    "monitor": "monitoring.jobs",
}
"""A job is a module of its name with a function `run(paths, environ)`: here, or in `training.jobs`."""

_EPILOG = """\
SageMaker passes `train` to a training job and `serve` to a model; a processing job names
its job in its container arguments. Files are where SageMaker puts them, under /opt/ml.
To run a job in a folder of the same layout:

  SAGEMAKER_BASE_DIR=/tmp/job python -m training validate
"""


def main(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    """Run one job. Exit code 0, or 1 with the reason in the file that SageMaker reads."""
    job = _parser().parse_args(arguments).job
    paths = Paths.from_environ(environ)
    # OpenMP's threads spin while they wait, which makes a fit a hundred times slower as soon
    # as another process wants a core too. It reads this when a job first loads it.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        import_module(f"{ROOMS.get(job, 'training.jobs')}.{job}").run(paths, environ)
    except Exception as failure:
        if not isinstance(failure, JobError):
            traceback.print_exc()
        text = report(failure, _report_file(job, paths))
        sys.stderr.write(f"{job}: {text}\n")
        return 1
    return 0


def _report_file(job: str, paths: Paths) -> Path | None:
    """Return the file in which SageMaker looks for a job's failure. A server has its log alone."""
    if job == "serve":
        return None
    return paths.training_failure if job == "train" else paths.processing_message


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Run one job of the training pipeline, or the model server.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    jobs = parser.add_subparsers(dest="job", metavar="JOB", required=True)
    for name, does in JOBS.items():
        jobs.add_parser(name, help=does, description=does)
    return parser


def run_as_container() -> None:
    """Run the job that the command line names as process 1 of a container; never returns."""
    # As process 1 a signal means nothing unless it is handled.
    signal.signal(signal.SIGTERM, _end)
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(message)s")
    sys.exit(main(sys.argv[1:]))


def _end(number: int, _frame: object) -> None:
    """End at once: a job keeps what it has done as it goes, and the server handles its own end."""
    sys.stderr.write(f"stopped by {signal.Signals(number).name}\n")
    sys.stdout.flush()
    os._exit(128 + number)
