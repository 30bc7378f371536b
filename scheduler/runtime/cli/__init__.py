"""The command line of the scheduler; `main.py` puts it together with the rest."""
