"""Who signed a request: the root's key is a key like every other, and no signature is nobody.

ministack takes the key `test`, any account's number and no key at all for its root, and looks at no
signature of theirs.
"""

from __future__ import annotations

from ministack.core import iam_evaluator
from ministack.services import sts

from local.cloud.patching import replace
from local.cloud.process.root_key import RootKey


def install(root: RootKey, account: str) -> None:
    """Make the root one of the principals whose signatures are checked."""
    replace(iam_evaluator, "is_root_access_key", "access_key_id", lambda _: _is_no_root_access_key)
    sts.register_session(
        root.access_key,
        {
            "Arn": f"arn:aws:iam::{account}:root",
            "UserId": account,
            "SecretAccessKey": root.secret_key,
            "AccountId": account,
            "PrincipalType": "Root",
        },
    )


def _is_no_root_access_key(access_key_id: str) -> bool:  # noqa: ARG001 - as it is called
    return False
