"""What people say becomes facts: who may say it, what is refused, forms, amendments."""
