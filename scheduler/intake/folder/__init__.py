"""The drop folder: files at rest are found, taken, read and put away, never lost and never twice."""
