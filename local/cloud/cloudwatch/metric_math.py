"""CloudWatch metric math, the part that is arithmetic on time series.

A series maps a period's start (epoch seconds) to its value. Operators work where both sides have a value.
Numbers, + - * / ^, comparisons (1 or 0), && and ||, and the functions of `FUNCTIONS`.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

Series = Mapping[int, float]
Value = Series | float

_OPERATORS: Mapping[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.And: lambda left, right: bool(left) and bool(right),
    ast.Or: lambda left, right: bool(left) or bool(right),
}


class UnsupportedExpressionError(ValueError):
    """The expression uses metric math that the local cloud does not evaluate."""


def evaluate(expression: str, series: Mapping[str, Series], periods: Sequence[int]) -> Series:
    """The expression's series, given those of the ids it names, at the given periods.

    Raises UnsupportedExpressionError; see `check`.
    """
    value = _evaluate(_parse(expression), series, periods)
    return value if isinstance(value, Mapping) else dict.fromkeys(periods, value)


def check(expression: str, ids: Iterable[str]) -> None:
    """Raise UnsupportedExpressionError unless `evaluate` can evaluate it with these ids."""
    evaluate(expression, {name: {} for name in ids}, [])


def _parse(expression: str) -> ast.expr:
    spelled = expression.replace("&&", " and ").replace("||", " or ").replace("^", "**")
    spelled = re.sub(r"\bREPEAT\b", '"REPEAT"', spelled)
    try:
        return ast.parse(spelled.strip(), mode="eval").body
    except SyntaxError as error:
        raise UnsupportedExpressionError(f"metric math {expression!r}: {error.msg}") from error


def _evaluate(node: ast.expr, series: Mapping[str, Series], periods: Sequence[int]) -> Value:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name) if name in series:
            return series[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _each(operator.sub, 0.0, _evaluate(operand, series, periods))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _each(
                _OPERATORS[type(op)], _evaluate(left, series, periods), _evaluate(right, series, periods)
            )
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPERATORS:
            return _each(
                _OPERATORS[type(op)], _evaluate(left, series, periods), _evaluate(right, series, periods)
            )
        case ast.BoolOp(op=op, values=[first, *others]):
            value = _evaluate(first, series, periods)
            for other in others:
                value = _each(_OPERATORS[type(op)], value, _evaluate(other, series, periods))
            return value
        case ast.Call(func=ast.Name(id="FILL"), args=[operand, filler]):
            return _fill(_evaluate(operand, series, periods), filler, series, periods)
        case ast.Call(func=ast.Name(id="IF"), args=[condition, *branches]) if 1 <= len(branches) <= 2:
            return _if(*(_evaluate(part, series, periods) for part in (condition, *branches)))
        case ast.Call(func=ast.Name(id=name), args=arguments) if name in FUNCTIONS:
            return _across(FUNCTIONS[name], [_evaluate(part, series, periods) for part in _flat(arguments)])
        case _:
            raise UnsupportedExpressionError(
                f"metric math {ast.unparse(node)!r}: the local cloud evaluates ids, numbers, + - * / ^, "
                f"comparisons, && and ||, FILL, IF, {', '.join(FUNCTIONS)}"
            )


FUNCTIONS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "SUM": sum,
    "MIN": min,
    "MAX": max,
    "AVG": lambda values: sum(values) / len(values),
    "ABS": lambda values: abs(values[0]),
}
"""They work across series, period by period: SUM([m1, m2])."""


def _flat(arguments: Sequence[ast.expr]) -> Sequence[ast.expr]:
    return arguments[0].elts if len(arguments) == 1 and isinstance(arguments[0], ast.List) else arguments


def _each(apply: Callable[[float, float], float], left: Value, right: Value) -> Value:
    if not isinstance(left, Mapping) and not isinstance(right, Mapping):
        return float(apply(left, right))
    result = {}
    for period in _periods_of([left, right]):
        try:
            result[period] = float(apply(_at(left, period), _at(right, period)))
        except ZeroDivisionError:
            continue  # CloudWatch gives no data point there
    return result


def _across(apply: Callable[[Sequence[float]], float], values: Sequence[Value]) -> Value:
    """Where some series has a value; CloudWatch leaves the others out there."""
    periods = {period for value in values if isinstance(value, Mapping) for period in value}
    return {
        period: float(
            apply(
                [_at(value, period) for value in values if not isinstance(value, Mapping) or period in value]
            )
        )
        for period in sorted(periods)
    }


def _fill(value: Value, filler: ast.expr, series: Mapping[str, Series], periods: Sequence[int]) -> Value:
    if not isinstance(value, Mapping):
        return value
    filled: dict[int, float] = {}
    repeat = isinstance(filler, ast.Constant) and filler.value == "REPEAT"
    other = None if repeat else _evaluate(filler, series, periods)
    last: float | None = None
    for period in periods:
        last = value.get(period, last)
        if period in value:
            filled[period] = value[period]
        elif other is not None and (not isinstance(other, Mapping) or period in other):
            filled[period] = _at(other, period)
        elif repeat and last is not None:
            filled[period] = last
    return filled


def _if(condition: Value, then: Value, otherwise: Value | None = None) -> Value:
    if not isinstance(condition, Mapping):
        chosen = then if condition else otherwise
        return {} if chosen is None else chosen
    result = {}
    for period, holds in condition.items():
        chosen = then if holds else otherwise
        if chosen is not None and (not isinstance(chosen, Mapping) or period in chosen):
            result[period] = _at(chosen, period)
    return result


def _periods_of(values: Sequence[Value]) -> Sequence[int]:
    """Periods at which every series has a value."""
    series = [set(value) for value in values if isinstance(value, Mapping)]
    return sorted(set.intersection(*series))


def _at(value: Value, period: int) -> float:
    return value[period] if isinstance(value, Mapping) else value
