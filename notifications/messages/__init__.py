"""What an event calls for: messages to roles, by the protocol version that holds."""
