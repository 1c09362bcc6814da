"""SageMaker's scikit-learn container without its container: flask around the four functions.

Stands for sagemaker-containers' Worker and Transformer, whose last release does not install
on Python 3.11: the same two routes, the same chain of calls a request, no more.
"""

from __future__ import annotations

import os

import flask

from benchmarks.peers import sagemaker_inference as user_module

app = flask.Flask(__name__)
model = user_module.model_fn(os.environ["MODEL_DIR"])


def ping() -> flask.Response:
    return flask.Response(status=200)


def invocations() -> flask.Response:
    request = flask.request
    data = user_module.input_fn(request.get_data(), request.content_type or "")
    prediction = user_module.predict_fn(data, model)
    return flask.Response(user_module.output_fn(prediction, "application/json"), mimetype="application/json")


app.add_url_rule("/ping", view_func=ping)
app.add_url_rule("/invocations", view_func=invocations, methods=["POST"])
