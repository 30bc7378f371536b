"""What is wrong with a file of patients, or with what is asked of it, by code."""

TARGET_FILE_SENTENCES: dict[str, str] = {
    "target_file_unreadable": "{file} cannot be read: {why}.",
    "target_file_empty": "The file has no header row.",
    "target_file_not_text": "The file is no text in UTF-8, UTF-16 or Windows-1252.",
    "target_file_quotes": "Line {line}: quotation marks are not closed or are followed by text.",
    "target_file_ragged": "Fields in line {line}: {count}; the header has {expected}.",
    "target_column_unknown": "There is no column {column_id}; the columns are: {known}.",
    "target_column_repeated": "The column {column_id} occurs more than once in the header.",
    "target_columns_equal": "{column_id} was given for two purposes; every purpose needs a column of its own.",
    "target_cell_not_number": "Line {line}, column {column_id}: {value} is not a number.",
    "target_cell_out_of_range": (
        "Line {line}, column {column_id}: {value} is beyond 1 000 000 000 or nearer to 0 than 0.000000001; "
        "use another unit."
    ),
    "target_decimals_mixed": (
        "Column {column_id} has decimal points and decimal commas (lines {line} and {other}); use one of them."
    ),
    "target_outcome_not_01": (
        "The outcome has 0, 1 and {value} (line {line}); write 0 or 1, or say that the outcome is continuous."
    ),
    "target_outcome_two_values": (
        "The outcome has the two values {low} and {high}; write 0 for non-responders and 1 for responders, "
        "or say that the outcome is continuous."
    ),
    "target_outcome_not_binary": "The outcome has {value} (line {line}); a binary outcome is 0 or 1.",
    "target_events_not_binary": (
        "Column {column_id} of adverse events has {value} (line {line}); write 1 where there was one, 0 where not."
    ),
    "target_rule_unreadable": "The rule {rule} is not understood; write a comparison and a number, such as <=-5.",
    "target_rule_binary": "The outcome is 0 or 1 already; a rule for response needs a continuous one.",
}
