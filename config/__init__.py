"""What an operator may change: settings, protocol and site files, words in two languages. Imports nothing of ours."""
