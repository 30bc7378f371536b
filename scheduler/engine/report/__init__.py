"""What stands, for people to read: rows for tables and JSON, a subject's report and page, the study in numbers."""
