"""What a refused value is refused with."""

from pixelmirror.anything import Function
from pixelmirror.check import EventError


def refused(function: Function, *arguments: object) -> tuple[str, str]:
    """`(field, message)` of the EventError that the call raises; fails when it raises none."""
    try:
        taken = function(*arguments)
    except EventError as error:
        return error.field, str(error)
    raise AssertionError("taken, not refused: " + repr(arguments) + " as " + repr(taken))
