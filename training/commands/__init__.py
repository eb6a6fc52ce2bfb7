"""Commands of the desk by subject, each module registered by one line of training/cli.py."""
