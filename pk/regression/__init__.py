"""Published limited-sampling equations."""
