"""What the service needs from outside: the record in the database, a cache, hints, fairness.

A module an area; callers import from it.

Every method of the record raises `SheafError`: `Unavailable` if the database does not
answer (reason `COMMIT_UNKNOWN`: the change may have been made; all of them may be repeated),
`OverCapacity` if there is no connection to be had, `Conflict` after lost races. A change is
one transaction, and is complete when the method returns. Cache, hints and fairness never
raise: without them everything works, slower; but a new attempt of what has ended, which caches
keep for minutes, needs a cache that says it has heard of it.
"""
