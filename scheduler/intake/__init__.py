"""Laboratory intake: from a file in the drop folder to a trustworthy result, or a clear refusal."""
