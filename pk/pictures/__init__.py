"""Pictures of an exposure: values, and how they are drawn."""
