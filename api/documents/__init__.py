"""Documents kept safely: taken into quarantine, looked at by a process of its own, sealed at rest, shown as pictures.

It does not know cases, nor what a document says. The rule it keeps: no byte of a sender's file is parsed in the process
that serves, and none is ever sent to a browser as anything but a picture of ours or an attachment.
"""
