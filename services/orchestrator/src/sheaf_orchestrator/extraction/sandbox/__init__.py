"""Subprocesses that read strangers' documents, and the pool that keeps them.

pool.py        parent: has documents extracted; the door to all below
line.py        parent: the callers that wait, bounded in number and time
staff.py       parent: the subprocesses, replaced when due, spares kept warm
process.py     parent: one subprocess, from its start to its burial
launch.py      parent: its command line and clean environment
workspace.py   parent: its private temporary folder
channel.py     parent: frames over pipes, without blocking the event loop
tail.py        parent: the end of its standard error
watch.py       parent: that it has ended
death.py       parent: why it ended
counters.py    parent: what is counted
stats.py       parent: figures for telemetry
answers.py     parent: what an answer holds
protocol.py    both: the frames
isolation.py   child: what it gives up before it sees a document
answering.py   child: what it answers to a request
worker.py      child: the loop
"""
