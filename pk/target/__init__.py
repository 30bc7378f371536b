"""The trial's question, on any data: does exposure go with the outcome, and can a target be named?

Research use only; not a medical device. `analysis.analyse` is the way in: it computes what the number of patients
allows and nothing else (`tiers`). The other modules are the statistics, one concept each, usable alone; they know
nothing of tiers. numpy and scipy only; nothing is read or written, nothing is random without a seed.
"""
