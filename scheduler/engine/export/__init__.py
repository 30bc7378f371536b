"""What goes out as a file: the collected data, the audit trail."""
