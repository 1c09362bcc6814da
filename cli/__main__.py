"""`python -m cli`, which is `./millrace`."""

from cli.main import app

app(prog_name="./millrace")
