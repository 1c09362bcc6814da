"""Numbers as people write them and training does not read them, so that one can say what to write."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from cli.new_model.wording import short

_CURRENCY = (
    r"(?:US|A|C|R|HK|NZ|S)?[$]|[€£¥₹₽₩₪₺฿₫₦]|\b(?:EUR|USD|GBP|JPY|CHF|SEK|NOK|DKK|PLN|INR|CNY|BRL)\b|kr\b|zł"
)
_SEPARATORS = ",.'’ \u00a0\u202f\u2009"
_NUMERAL = re.compile(
    rf"""
    (?P<apostrophe>'?) (?P<open>\(?) \s* (?P<sign>[+\-−]?) \s*
    (?P<before>{_CURRENCY})? \s* (?P<inner>[+\-−]?) \s*
    (?P<core>\d(?:[\d{_SEPARATORS}]*\d)?|[.,]\d+)
    \s* (?P<after>[%‰]|{_CURRENCY}|[^\W\d_][^\d\s,;]{{0,9}}(?:/[^\W\d_]+)?)?
    \s* (?P<close>\)?) (?P<trailing>-?)
    """,
    re.VERBOSE,
)
_GROUPED = re.compile(rf"\d{{1,3}}(?:[{_SEPARATORS}]\d{{2,3}})*[{_SEPARATORS}]\d{{3}}(?:[.,]\d+)?")
_PLAIN = re.compile(r"\d*[.,]?\d+")
_DURATION = re.compile(r"-?\d{1,3}:\d{2}(?::\d{2}(?:\.\d+)?)?")
_THREE = 3


@dataclass(frozen=True)
class Numerals:
    """How a column writes its numbers, and one of them with what it would be in plain writing."""

    what: str
    example: str
    plain: str
    alternative: str = ""
    """The other thing that the example may mean."""

    @property
    def found(self) -> str:
        return f"{self.what}, such as {short(self.example)}"

    @property
    def write(self) -> str:
        if not self.plain:
            return "write them as plain numbers, such as 90.5"
        other = f", or {self.alternative} if its comma is a decimal one" if self.alternative else ""
        return f"write {self.plain}{other}"


def numerals(texts: Collection[str]) -> Numerals | None:
    """How texts, of which some may be plain numbers, write numbers otherwise; None if one is no number."""
    if texts and all(map(_DURATION.fullmatch, texts)):
        return Numerals("times or durations", min(texts), "")
    found = {text: match for text in texts if (match := _parsed(text))}
    if not found or len(found) < len(texts):
        return None
    units = {match["after"].rstrip("s") for match in found.values() if _is_unit(match["after"])}
    odd = {text: match for text, match in found.items() if not _plainly_written(text)}
    if len(units) > 1 or not odd:
        return None
    comma = _comma_is_decimal([match["core"] for match in found.values()])
    example = max(odd, key=lambda text: (len(_signs(odd[text])), "," in text, len(text), text))
    core = odd[example]["core"]
    alternative = _plain(odd[example], decimal=True) if comma is None and "," in core else ""
    return Numerals(_what(list(odd.values()), comma), example, _plain(odd[example], bool(comma)), alternative)


def _parsed(text: str) -> re.Match[str] | None:
    match = _NUMERAL.fullmatch(text)
    if match is None or bool(match["open"]) != bool(match["close"]):
        return None
    core = match["core"]
    return match if _PLAIN.fullmatch(core) or _GROUPED.fullmatch(core) else None


def _plainly_written(text: str) -> bool:
    return bool(re.fullmatch(r"[+-]?(?:\d+\.?\d*|\.\d+)", text)) and text.isascii()


def _is_unit(after: str | None) -> bool:
    return bool(after) and after not in ("%", "‰") and not re.fullmatch(_CURRENCY, after or "")


def _comma_is_decimal(cores: list[str]) -> bool | None:
    """What the comma of a column is; None where all may be read either way, or there is none."""
    commas = [core for core in cores if "," in core]
    if any(core.count(",") > 1 or core.rfind(".") > core.rfind(",") for core in commas):
        return False
    if any("." in core for core in commas):
        return True
    sizes = [[*map(len, core.split(","))] for core in commas]
    if any(
        tail != _THREE or head > _THREE or core.startswith("0")
        for core, (head, tail) in zip(commas, sizes, strict=True)
    ):
        return True
    return None


def _what(odd: list[re.Match[str]], comma: bool | None) -> str:
    signs = {sign for match in odd for sign in _signs(match)}
    if "%" in signs or "‰" in signs:
        return "percentages"
    if any(re.fullmatch(_CURRENCY, sign) for sign in signs):
        return "amounts of money"
    if units := sorted(sign for sign in signs if sign[0].isalpha()):
        return f"numbers with a unit ({units[0]})"
    cores = "".join(match["core"] for match in odd)
    if comma and "," in cores:
        return "numbers with a decimal comma"
    return "numbers with separators" if set(_SEPARATORS) & set(cores) else "numbers in another writing"


def _signs(match: re.Match[str]) -> list[str]:
    return [sign for sign in (match["before"], match["after"]) if sign]


def _plain(match: re.Match[str], decimal: bool) -> str:
    """A numeral in plain writing; `decimal` says that its comma is."""
    core = "".join(str(unicodedata.digit(sign)) if sign.isdigit() else sign for sign in match["core"])
    if decimal:
        core = core.replace(".", "").replace(",", ".")
    elif core.count(".") > 1:
        core = core.replace(".", "")
    core = re.sub(r"[^\d.]", "", core)
    negative = {match["sign"], match["inner"], match["trailing"]} & {"-", "−"} or match["open"]
    return f"-{core}" if negative else core
