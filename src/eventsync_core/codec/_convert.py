from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")


def structure(document: object, kind: type[T]) -> T:
    """
    Return *document*, as it was read from JSON, as an attrs class.

    Nothing is converted: a text is no number, and unknown keys are refused.

    Raises:
        ValueError: It has another shape; the message names the places.
    """
    import cattrs

    if not isinstance(document, dict):
        raise ValueError("expected an object @ $")  # noqa: TRY004 - a value of a document
    try:
        return _converter().structure(document, kind)
    except (cattrs.BaseValidationError, TypeError, ValueError, AttributeError) as error:
        raise ValueError("; ".join(cattrs.transform_error(error))) from None


@cache
def _converter() -> "Converter":
    import cattrs

    converter = cattrs.Converter(forbid_extra_keys=True)
    for kind, taken in ((str, (str,)), (int, (int,)), (float, (float, int))):
        converter.register_structure_hook(kind, _only(*taken))
    return converter


def _only(*taken: type) -> Any:
    def take(value: object, _: type) -> object:
        if type(value) not in taken:
            raise ValueError(f"expected {taken[0].__name__}")
        return value

    return take
