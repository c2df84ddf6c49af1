"""Office documents: OOXML, OpenDocument, the binary formats before them, and RTF.

Map of the package; each format is a module with ``extract``, loaded when it is first needed:

    reading.py    what every reader carries: limits, deadline, warnings, composer
    package.py    zip containers, bounded by declared and by real sizes
    xml.py        XML without entities, as a tree or block by block
    opc.py        relationships and properties of OOXML
    inline.py     the text of a paragraph and its Markdown, built side by side
    rows.py       rows of a table as they are read
    locked.py     OOXML locked with a password; agile.py and standard.py its two methods
    legacy_locks.py   what a password locks in the binary formats; rc4.py their method
    refusing.py   why a locked document is not opened
    symbols.py    letters of the symbol fonts
    docx.py       Word: the body; wordruns.py its text, wordstyles.py its headings and lists
    xlsx.py       Excel: workbook and sheets; formats.py shows numbers, grid.py lays out
                  cells, printed.py reads headers and footers
    pptx.py       PowerPoint; drawingml.py its text, tables, charts and diagrams
    odf.py        what odt.py, ods.py and odp.py share
    ole.py        the container of the binary formats; ole_properties.py its summary
    doc.py        Word 97-2003; doc_pieces.py and doc_properties.py its structures
    xls.py        Excel up to 2003, by xlrd; biff.py what xlrd leaves out
    ppt.py        PowerPoint 97-2003; ppt_records.py and ppt_text.py its structures
    rtf.py        RTF; rtf_tokens.py cuts it, rtf_flow.py makes paragraphs, rtf_sides.py the rest

What is hidden (text, rows, sheets, slides) is read like the rest, and a warning says so.
"""
