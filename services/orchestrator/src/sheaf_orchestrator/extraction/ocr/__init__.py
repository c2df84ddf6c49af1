"""Optical character recognition: pages that have no usable text, read from their pictures.

    engine.py       the port: a picture in, lines out
    paddle.py       faster-paddle, the default
    tesseract.py    tesserocr, for the languages that the default cannot read
    choosing.py     which engine reads which languages
    turning.py      upright and straight before it is read
    pieces.py       lines cut out to be read in another direction
    bands.py        long pictures, read band by band
    layout.py       lines to text in reading order
    wording.py      lines to words with places
    recogniser.py   a picture to a recognised page
    drawing.py      the pages of a document as pictures
    registry.py     what a subprocess of the OCR lane is told to load

Nothing outside this package imports it: the text lane's subprocesses never load an engine.
"""
