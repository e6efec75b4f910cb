"""The embedded metric format: lines of the log that CloudWatch makes metrics of.

A line that breaks it is kept as a line of the log, and no metric comes of it.
"""

import time
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator

_MOST_METRICS, _MOST_VALUES, _MOST_DIMENSIONS, _LONGEST_NAME = 100, 100, 30, 255
_LONGEST_DIMENSION = 1024
_LINE_BYTES = 256 * 1024
_OLDEST_SECONDS, _NEWEST_SECONDS = 14 * 86_400, 2 * 3600
_SIZES = [
    f"{prefix}{unit}"
    for unit in ("bytes", "bits")
    for prefix in ("", "kilo", "mega", "giga", "tera")
]
_AMOUNTS = ["Count", *(size.capitalize() for size in _SIZES)]
_UNITS = [
    *("Seconds", "Microseconds", "Milliseconds", "Percent", "None"),
    *(f"{amount}{per}" for amount in _AMOUNTS for per in ("", "/Second")),
]

_NAME = {"type": "string", "minLength": 1, "maxLength": _LONGEST_NAME}
_METRIC = {
    "type": "object",
    "required": ["Name"],
    "additionalProperties": False,
    "properties": {
        "Name": _NAME,
        "Unit": {"enum": _UNITS},
        "StorageResolution": {"enum": [1, 60]},
    },
}
_DIRECTIVE = {
    "type": "object",
    "required": ["Namespace", "Dimensions", "Metrics"],
    "additionalProperties": False,
    "properties": {
        "Namespace": _NAME,
        "Dimensions": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "array", "maxItems": _MOST_DIMENSIONS, "items": _NAME},
        },
        "Metrics": {"type": "array", "minItems": 1, "maxItems": _MOST_METRICS, "items": _METRIC},
    },
}
_SCHEMA = Draft202012Validator(
    {
        "type": "object",
        "required": ["_aws"],
        "properties": {
            "_aws": {
                "type": "object",
                "required": ["Timestamp", "CloudWatchMetrics"],
                "properties": {
                    "Timestamp": {"type": "integer"},
                    "CloudWatchMetrics": {"type": "array", "minItems": 1, "items": _DIRECTIVE},
                },
            }
        },
    }
)
_VALUES = Draft202012Validator(
    {
        "anyOf": [
            {"type": "number"},
            {"type": "array", "minItems": 1, "maxItems": _MOST_VALUES, "items": {"type": "number"}},
        ]
    }
)
_DIMENSION = Draft202012Validator(
    {"type": "string", "minLength": 1, "maxLength": _LONGEST_DIMENSION}
)


def check(line: Mapping[str, Any]) -> None:
    """Raises ValidationError or AssertionError for a line that CloudWatch makes no metric of."""
    _SCHEMA.validate(line)
    assert len(str(line)) < _LINE_BYTES
    seconds = line["_aws"]["Timestamp"] / 1000  # a time in seconds would be one of 1970
    assert time.time() - _OLDEST_SECONDS < seconds < time.time() + _NEWEST_SECONDS
    for directive in line["_aws"]["CloudWatchMetrics"]:
        for name in [metric["Name"] for metric in directive["Metrics"]]:
            _VALUES.validate(line[name])
        for names in directive["Dimensions"]:
            for name in names:
                _DIMENSION.validate(line[name])


def metrics(line: Mapping[str, Any]) -> list[str]:
    """Names of the metrics of a line."""
    directives = line["_aws"]["CloudWatchMetrics"]
    return [metric["Name"] for directive in directives for metric in directive["Metrics"]]


def properties(line: Mapping[str, Any]) -> dict[str, Any]:
    """What else a line says: neither a metric nor a dimension."""
    directives = line["_aws"]["CloudWatchMetrics"]
    dimensions = {
        one for directive in directives for some in directive["Dimensions"] for one in some
    }
    others = {"_aws", *metrics(line), *dimensions}
    return {name: value for name, value in line.items() if name not in others}
