"""The schema's history: Alembic revisions, run at start by one process.

Expand, then contract: a release may add tables, columns with a default, and indexes; what it
no longer uses is removed by a later release, once no older process runs. So services one
version apart work on one schema, and a deployment can be rolled back without touching data.
Revisions therefore have no downgrade. Each is named `vNNNN_what.py` with revision `NNNN`.
"""
