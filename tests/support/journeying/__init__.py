"""An applicant at the pages of a running service: what a person does there is done here, and counted.

`hand` is what a person does on a page, `filling` the form answered for a story, `staging` the service beside the
sandbox with the lender's people, `gallery` every page and state in turn.
"""
