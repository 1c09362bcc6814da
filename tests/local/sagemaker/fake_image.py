"""A source tree that stands for the image: jobs and a server of a few lines each, on the standard library."""

from __future__ import annotations

from pathlib import Path

MAIN = """
import json, os, shutil, signal, sys, tarfile, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ML = Path(os.environ["SAGEMAKER_BASE_DIR"])
INPUT, OUTPUT = ML / "processing" / "input", ML / "processing" / "output"


def fail(path, message):
    path.write_text(message)
    print(message, file=sys.stderr)
    raise SystemExit(1)


def prepare(*arguments):
    print("preparing", *arguments)
    for file in sorted((INPUT / "dataset").iterdir()):
        shutil.copy(file, OUTPUT / "train" / file.name)


def environment():
    (OUTPUT / "report" / "environment.json").write_text(json.dumps(dict(os.environ)))


def broken():
    fail(ML / "output" / "message", "column age: 3 values are no numbers")


def half_done():
    for folder in OUTPUT.iterdir():
        (folder / "half.txt").write_text("half")
    raise SystemExit(1)


def wait():
    print("waiting", flush=True)
    signal.pause()


def train():
    settings = json.loads((ML / "input" / "config" / "hyperparameters.json").read_text())
    if settings.get("fail"):
        fail(ML / "output" / "failure", settings["fail"])
    rows = sum(len(f.read_bytes().splitlines()) for f in (ML / "input" / "data" / "train").iterdir())
    print(f"rows={rows}; loss=0.25;")
    (ML / "model" / "model.json").write_text(json.dumps({"rows": rows, **settings}))
    if (ML / "checkpoints").is_dir():
        starts = len(list((ML / "checkpoints").iterdir())) + 1
        (ML / "checkpoints" / str(starts)).write_text("")
        print(f"starts={starts};")
    if "x" in settings:
        score = -abs(float(settings["x"]) - 3)
        if score < float(settings.get("least", "-inf")):
            fail(ML / "output" / "failure", f"x is {settings['x']}")
        for share in (0.5, 1):
            print(f"score={score * share};", flush=True)


def evaluate(passed="true"):
    with tarfile.open(INPUT / "model" / "model.tar.gz") as archive:
        model = json.load(archive.extractfile("model.json"))
    document = {"passed": passed == "true", "missed": "auc is 0.1", "metrics": {"auc": {"value": 0.9}}, "model": model}
    (OUTPUT / "evaluation" / "evaluation.json").write_text(json.dumps(document))


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200, b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if body == "die":
            os._exit(3)
        if body == "slow":
            time.sleep(1.5)
        if body.startswith("until "):
            print(body, flush=True)
            while not Path(body.removeprefix("until ")).exists():
                time.sleep(0.01)
        status = 500 if os.environ.get("RELEASE") == "failing" else {"boom": 500, "bad": 400}.get(body, 200)
        self.answer(status, json.dumps({"body": body, "release": os.environ.get("RELEASE"), **MODEL}).encode())

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        name = "X-Amzn-SageMaker-Custom-Attributes"
        self.send_header(name, "answered:" + self.headers.get(name, ""))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def serve():
    global MODEL
    MODEL = json.loads((ML / "model" / "model.json").read_text())
    if os.environ.get("RELEASE") == "broken":
        raise SystemExit("this model cannot be served")
    print("serving", flush=True)
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler).serve_forever()


command, *arguments = sys.argv[1:]
globals()[command](*arguments)
"""


def write(root: Path) -> Path:
    """Write the tree and return its root."""
    package = root / "training"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(MAIN)
    return root
