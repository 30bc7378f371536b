"""What mails say: values looked up, made discreet, filled into templates, and turned into bytes."""
