"""What the program decides by itself about people, and on which of their information: the automated-decision notice.

It does: say it from what the live release reads. It does not: decide, or advise on law. The rule it keeps: everything
that can reach a decision is declared here, and a test that reads the engine fails where something is not.
"""
