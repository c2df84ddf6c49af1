"""Mail: RFC 5322 messages (``eml``) and those of Outlook (``msg``), with their attachments.

letter.py     what both are read into, and how it becomes a page
eml.py        messages of the internet, by the standard library
msg.py        messages of Outlook: properties in an OLE container
mapi.py       reading those properties
lzfu.py       the compression of RTF bodies in them
plain_rtf.py  the text of such a body
"""
