"""`python -m training JOB`: the command of the image."""

from container.entry_point import run_as_container

if __name__ == "__main__":
    run_as_container()
