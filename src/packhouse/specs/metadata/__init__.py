"""Core metadata: one shape for what the upload form says and what METADATA or PKG-INFO in the file says.

https://packaging.python.org/specifications/core-metadata/ versions 1.0 to 2.6 (2.0 was withdrawn and is refused).

`parse_form` and `parse_embedded` return a `CoreMetadata`; `validate` refuses one that breaks the rules of an index;
`compare` refuses a form that says something else than the file: the file is what installers read.
"""

from packhouse.specs.metadata.agreement import compare
from packhouse.specs.metadata.fields import REASONS as FIELD_REASONS
from packhouse.specs.metadata.fields import CoreMetadata
from packhouse.specs.metadata.parsing import REASONS as PARSING_REASONS
from packhouse.specs.metadata.parsing import parse_embedded, parse_form
from packhouse.specs.metadata.validation import REASONS as VALIDATION_REASONS
from packhouse.specs.metadata.validation import validate

REASONS: dict[str, str] = {**FIELD_REASONS, **PARSING_REASONS, **VALIDATION_REASONS}

__all__ = ["REASONS", "CoreMetadata", "compare", "parse_embedded", "parse_form", "validate"]
