"""The lender's staff: what each role may do, how people sign in, their sessions, and the check in front of every route.

`authority` holds the one table of actions and roles and the rules at start-up; `door` signs people in and out;
`guarding` stands before the routes; `pages` are what people see. Who verified which case is no matter of this package.
"""
