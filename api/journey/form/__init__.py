"""The form as data: which questions there are and when, how an answer is read, and what becomes of them all.

`fields` reads one answer, `questions` is the form itself, `industries` and `consents` are its two lists, `submission`
makes the application of it, `summary` the lines of "check your answers". All of it is pure: answers in, words out.
The rule it keeps: an answer is kept as it was typed, right or wrong; what is wrong with it is worked out, never stored.
"""
