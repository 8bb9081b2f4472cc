"""Each measured claim of the docs, as a command."""
