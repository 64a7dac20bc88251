"""The report as one HTML file without outside references."""

from html import escape

from engine.training.report.content import Section, Table
from engine.training.report.figures import to_svg

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;
 color:#1b1b1b}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.2rem;border-bottom:1px solid #ccc}
table{border-collapse:collapse;font-size:13px;margin:1rem 0}
td,th{padding:.25rem .7rem;text-align:left;border-bottom:1px solid #ddd;vertical-align:top}
figure{margin:1.2rem 0}figcaption{font-size:13px;color:#444}svg{max-width:100%;height:auto}
.note{background:#fff3cd;padding:.4rem .8rem}
"""


def to_html(sections: tuple[Section, ...], *, statement: str) -> str:
    """HTML text of the report.

    Args:
        sections: The first one gives the title.
        statement: Research-use statement, printed at the top.
    """
    title = escape(sections[0].heading)
    body = "\n".join(_section(s, level=1 if k == 0 else 2) for k, s in enumerate(sections))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style></head><body>\n"
        f'<p class="note">{escape(statement)}</p>\n{body}\n</body></html>\n'
    )


def _section(section: Section, *, level: int) -> str:
    parts = [f"<h{level}>{escape(section.heading)}</h{level}>"]
    parts += [f"<p>{escape(text)}</p>" for text in section.paragraphs]
    parts += [_table(table) for table in section.tables]
    parts += [
        f"<figure>{to_svg(figure)}<figcaption>{escape(caption)}</figcaption></figure>"
        for caption, figure in section.figures
    ]
    return "\n".join(parts)


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table[0])
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table[1:]
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
