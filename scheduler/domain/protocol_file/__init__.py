"""From a protocol file to the protocol, or everything that keeps it from being one. Pure."""
