"""Tags of any resource that the service keeps."""

from __future__ import annotations

from typing import Any

from local.sagemaker.errors import invalid
from local.sagemaker.service import Backend, Call, Operation


class Tags:
    """AddTags, ListTags and DeleteTags."""

    def __init__(self, backend: Backend) -> None:
        self._state = backend.state

    def operations(self) -> dict[str, Operation]:
        """The table of this part's operations."""
        return {"AddTags": self._add, "ListTags": self._list, "DeleteTags": self._delete}

    def _add(self, call: Call) -> dict[str, Any]:
        tags = self._of(call)
        tags.update({tag["Key"]: tag["Value"] for tag in call["Tags"]})
        return {"Tags": _wire(tags)}

    def _list(self, call: Call) -> dict[str, Any]:
        return {"Tags": _wire(self._of(call))}

    def _delete(self, call: Call) -> dict[str, Any]:
        tags = self._of(call)
        for key in call["TagKeys"]:
            tags.pop(key, None)
        return {}

    def _of(self, call: Call) -> dict[str, str]:
        arn = call["ResourceArn"].lower()
        if not self._state.knows(arn):
            raise invalid(f"Resource {arn} does not exist.")
        return self._state.tags.setdefault(arn, {})


def _wire(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
