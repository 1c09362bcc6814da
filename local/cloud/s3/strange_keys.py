"""Keys with characters that XML cannot hold, of which S3 allows any.

ministack writes keys as they are, but for ListObjects: a list of versions with such a key is no XML, and
nobody can read it. Percent-encoded where asked (`encoding-type=url`, which boto3 asks for and undoes); else,
as in an error's text, such a character is replaced.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement

from ministack.services import s3

from local.cloud.patching import replace

_ENCODED = ("Delimiter", "Key", "KeyMarker", "NextKeyMarker", "Prefix")
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_encodes: ContextVar[bool] = ContextVar("keys are percent-encoded", default=False)


def install() -> None:
    """Encode what is listed, and write no XML that is none."""
    replace(s3, "_list_object_versions", "bucket_name query_params", _encoding_where_asked)
    replace(s3, "_xml_body", "root", _writing_xml)


def _encoding_where_asked(original: Callable[..., Any]) -> Callable[..., Any]:
    def list_object_versions(bucket_name: str, query_params: dict[str, Any]) -> Any:
        token = _encodes.set(s3._qp(query_params, "encoding-type", "") == "url")
        try:
            return original(bucket_name, query_params)
        finally:
            _encodes.reset(token)

    return list_object_versions


def _writing_xml(original: Callable[[Element], bytes]) -> Callable[[Element], bytes]:
    def xml_body(root: Element) -> bytes:
        if _encodes.get():
            _encode(root)
        for element in root.iter():
            if element.text:
                element.text = _NOT_IN_XML.sub("\ufffd", element.text)
        # A carriage return that is not escaped is read as a line feed.
        return original(root).replace(b"\r", b"&#13;")

    return xml_body


def _encode(root: Element) -> None:
    for element in list(root.iter()):
        if element.tag in _ENCODED and element.text:
            element.text = quote(element.text, safe="-_.~/")
    SubElement(root, "EncodingType").text = "url"
