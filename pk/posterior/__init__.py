"""The posterior of each subject, sampled; and what a model foresees without the samples."""
