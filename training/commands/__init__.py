"""The commands of `creditline-train`, a module each; training.cli brings them together.

A command reads arguments, shows progress and prints what came out; it imports what it needs when it runs, so that
help is quick.
"""
