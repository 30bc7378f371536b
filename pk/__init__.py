"""Pure numerics of mycophenolic acid exposure: hours, mg, mg/L; no dates, no storage.

For research use; not a medical device. A method that does not apply to the data at hand
returns its reasons instead of a number (`pk.values`). `python -m pk --help` shows the
command line. The package imports nothing else of this project.
"""
