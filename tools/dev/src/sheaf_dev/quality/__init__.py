"""How good extraction is on a labelled folder: what is read, what is missed, what it costs.

walking.py       the files of the folder, and which of them are references for others
expectations.py  how a file should end, by its folder and kind
references.py    what a file's text should be: poppler's, or a text beside it
form_values.py   the filled values of a PDF's form
scoring.py       words of texts, recall and precision
running.py       each file through the sandbox's subprocesses
recognition.py   character recognition against texts that are known
measuring.py     all of it, over the whole folder
report.py        the figures; for programs
showing.py       the same; for people
"""
