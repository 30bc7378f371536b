"""What is wrong with a line or a field of JSON input, by code. A field is named by its path, as `blq.first`."""

INPUT_SENTENCES: dict[str, str] = {
    # a line
    "line_not_utf8": "Line {line} is not UTF-8 text; save the input as UTF-8.",
    "line_not_json": "Line {line} is not JSON from column {column} on; write one object per line.",
    "line_too_deep": "Line {line} nests lists or objects too deeply.",
    "line_number_too_long": "Line {line} has a number with too many digits.",
    "line_number_not_json": "Line {line} has {constant}, which is no JSON number; write null where there is none.",
    "line_field_repeated": "Line {line} gives the field {field} more than once; give it once.",
    "line_not_object": "Line {line} is a JSON {found}; an object is needed.",
    # a field
    "field_missing": "{field} is missing.",
    "field_unknown": "{field} is not a known field; known are {known}.",
    "field_wrong_kind": "{field} is a JSON {found}; it must be a JSON {expected}.",
    "field_not_finite": "{field} is not a finite number.",
    "field_not_whole": "{field} is {value}; a whole number is needed.",
    "field_too_small": "{field} is {value}; it must be {least} or more.",
    "field_too_large": "{field} is {value}; it must be {most} or less.",
    "field_not_above": "{field} is {value}; it must be above {limit}.",
    "field_not_choice": "{field} is none of {known}.",
    "field_wrong_length": "Items of {field}: {count}; needed: {expected}.",
    "fields_exclusive": "{field} cannot be given together with {other}.",
}
