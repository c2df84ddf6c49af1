"""The load test's report as one HTML file that needs nothing else.

`markup` builds elements, `plots` draws, `sections` makes parts of the page out of the JSON, `whole`
puts them together. It is made of the JSON, so that it shows the figures that programs read.
"""

from sheaf_dev.bench.load.page.whole import render

__all__ = ["render"]
