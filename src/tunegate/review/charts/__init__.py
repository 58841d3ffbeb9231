"""Drawings on the server, as SVG that needs no script and no style of its own: colours come from the page's sheet.

Every drawing has a title and a description for those who do not see it; the page gives the same numbers as a table.
"""
