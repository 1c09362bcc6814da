"""Starting, finding and stopping clouds, and what they leave behind: nothing."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import local
from local import CloudError
from local.cloud.process.folder import LOCK_NAME, claim

NODE_GET = """
require("https").get(process.env.AWS_ENDPOINT_URL, (answer) => {
  console.log(answer.statusCode); answer.resume();
});
"""


def test_a_taken_port_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CloudError, match=f"--port {port + 1}"):
            local.start(tmp_path / "cloud", port)


def test_a_folder_of_other_things_is_not_emptied(tmp_path: Path, free_port: Callable[[], int]) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(CloudError, match="--folder"):
        local.start(tmp_path, free_port())
    assert (tmp_path / "thesis.tex").exists()


def test_no_cloud_has_no_environment(tmp_path: Path) -> None:
    assert local.status(tmp_path) is None
    assert not local.stop(tmp_path)
    with pytest.raises(CloudError, match=r"\./millrace up"):
        local.environment(tmp_path)


def test_a_cloud_that_is_not_ready_in_time_is_ended_and_its_log_shown(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    folder = tmp_path / "cloud"
    with pytest.raises(CloudError, match=r"The end of .*cloud\.log"):
        local.start(folder, free_port(), timeout=0)
    assert local.status(folder) is None


@pytest.mark.local_cloud
@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["aws", "sts", "get-caller-identity"], id="AWS CLI"),
        pytest.param(["node", "-e", NODE_GET], id="Node, as the CDK CLI"),
    ],
)
def test_the_environment_makes_tools_talk_to_the_cloud_and_trust_it(
    running_cloud: Any, command: list[str]
) -> None:
    environment = {**os.environ, **local.environment(running_cloud.folder)}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "000000000000" in ended.stdout or ended.stdout.strip() == "403"


def test_a_cloud_of_another_version_is_told_with_the_way_out(tmp_path: Path) -> None:
    folder = tmp_path / "cloud"
    claim(folder)
    (folder / "cloud.json").write_text('{"pid": 4711, "port": 4566}')
    with (folder / LOCK_NAME).open("r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(CloudError, match="another version of this code: end it with kill 4711"):
            local.stop(folder)


@pytest.mark.local_cloud
def test_a_folder_runs_one_cloud(running_cloud: Any, free_port: Callable[[], int]) -> None:
    with pytest.raises(CloudError, match="already runs"):
        local.start(running_cloud.folder, free_port())


@pytest.mark.local_cloud
def test_a_second_cloud_has_its_own_state_and_takes_its_processes_with_it_when_killed(
    running_cloud: Any, free_port: Callable[[], int], tmp_path: Path, eventually: Callable[..., Any]
) -> None:
    folder = tmp_path / "second"
    info = local.start(folder, free_port())
    second = type(running_cloud)(info, folder)
    second.client("s3").create_bucket(Bucket="only-here")
    buckets = {bucket["Name"] for bucket in running_cloud.client("s3").list_buckets()["Buckets"]}
    assert "only-here" not in buckets
    deploy_sleeper(second)
    worker = eventually(lambda: (folder / "worker.pid").exists() and (folder / "worker.pid").read_text())
    os.kill(info.pid, signal.SIGKILL)
    eventually(lambda: not is_running(int(worker)))
    eventually(lambda: local.status(folder) is None)
    assert not local.stop(folder)
    with pytest.raises(ChildProcessError):  # it was waited for
        os.waitpid(info.pid, os.WNOHANG)


def deploy_sleeper(cloud: Any) -> None:
    """A function that writes its process's id into the cloud's folder and then hangs."""
    code = (
        "import os, pathlib, time\n"
        "def handler(event, context):\n"
        f"    pathlib.Path({str(cloud.folder)!r}, 'worker.pid').write_text(str(os.getpid()))\n"
        "    time.sleep(600)\n"
    )
    template = f"""
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{{Effect: Allow, Principal: {{Service: lambda.amazonaws.com}}, Action: "sts:AssumeRole"}}]
  Sleeper:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: sleeper
      Runtime: python3.13
      Handler: index.handler
      Timeout: 900
      Role: !GetAtt Role.Arn
      Code: {{ZipFile: {code!r}}}
"""
    # YAML reads Python's single-quoted text with its backslashes as they are: let it be double-quoted.
    template = template.replace(repr(code), '"' + code.replace("\n", "\\n") + '"')
    cloud.client("cloudformation").create_stack(
        StackName="sleeper", TemplateBody=template, Capabilities=["CAPABILITY_IAM"]
    )
    cloud.client("cloudformation").get_waiter("stack_create_complete").wait(
        StackName="sleeper", WaiterConfig={"Delay": 0.1}
    )
    cloud.client("lambda").invoke(FunctionName="sleeper", InvocationType="Event")


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
