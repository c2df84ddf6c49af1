"""What operators look at and are woken by: alert rules and dashboards, made from our own lists.

`targets.py` and the dashboards name metrics by the catalogue and thresholds by the list of
targets; `generated.py` writes the files in `deploy/`, `expressions.py` and `promtool.py` check
them, those written by hand too.
"""
