"""How workflow and activity inputs are written into histories: Temporal's JSON, shorter.

A field with the metadata `omit_empty` is left out while it is empty, so what is only sometimes
used costs nothing when it is not. Reading is as it always was: a field that is missing has its
default.
"""

import dataclasses
from typing import Any, Final

from temporalio.converter import (
    AdvancedJSONEncoder,
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
)


class _Encoder(AdvancedJSONEncoder):
    def default(self, o: Any) -> Any:
        """A dataclass as an object of its fields; what they hold comes here in its turn."""
        if not dataclasses.is_dataclass(o) or isinstance(o, type):
            return super().default(o)
        return {
            field.name: value
            for field in dataclasses.fields(o)
            if (value := getattr(o, field.name)) or not field.metadata.get("omit_empty")
        }


class _PayloadConverter(CompositePayloadConverter):
    """The default one with that encoder in the place of its own."""

    def __init__(self) -> None:
        shorter = JSONPlainPayloadConverter(encoder=_Encoder)
        super().__init__(
            *(
                shorter if isinstance(each, JSONPlainPayloadConverter) else each
                for each in DefaultPayloadConverter.default_encoding_payload_converters
            )
        )


DATA_CONVERTER: Final = DataConverter(payload_converter_class=_PayloadConverter)
