"""The open-loop load test behind `./sheaf bench`.

`plan` says what is offered, `report` what came out; what offers it and what watches meanwhile
stand in modules of their own.
"""
