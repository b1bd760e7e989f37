"""The same sheet as a PDF file: pages with numbers, headings as bookmarks, links, tags and texts for pictures."""

from __future__ import annotations

from functools import cache

from bellwire.engine.errors import EngineError, answer_of
from bellwire.engine.host.scratch import scratch_folder
from bellwire.engine.language import tr
from bellwire.viz.text.assets import asset

FONTS = (
    ("Inter", 400, "Inter-Regular.otf"),
    ("Inter", 600, "Inter-SemiBold.otf"),
    ("Inter", 700, "Inter-Bold.otf"),
    ("JetBrains Mono", 400, "JetBrainsMono-Regular.ttf"),
)
SCHEMES = ("data", "file")  # of what a sheet may load: its pictures, and our own fonts


def needs_pango() -> None:
    """EngineError, with what to do, if no PDF can be made on this machine."""
    try:
        import weasyprint  # noqa: F401
    except (OSError, ImportError) as error:
        why = answer_of(error).splitlines()[0]
        raise EngineError(
            tr(
                "No PDF can be made here ({why}): on Debian libpangoft2-1.0-0 and libharfbuzz-subset0 are what is "
                "needed; with --no-pdf it is done without.",
                why=why,
            )
        ) from error


def pdf_of(html: str) -> bytes:
    """The file. EngineError if there is no room for the fonts that it is made with."""
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher

    fonts, fetch = FontConfiguration(), URLFetcher(allowed_protocols=SCHEMES)
    with scratch_folder() as fonts._folder:  # one of its own would stay until garbage is collected, or for ever
        style = CSS(string=font_faces(), font_config=fonts, url_fetcher=fetch)
        page = HTML(string=html, url_fetcher=fetch)
        made: bytes = page.write_pdf(stylesheets=[style], font_config=fonts, pdf_tags=True)
    fonts._folder = None
    return made


@cache
def font_faces() -> str:
    """Our typefaces, as a style sheet names them."""
    return "\n".join(
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; src: url("{font_uri(name)}"); }}'
        for family, weight, name in FONTS
    )


def font_uri(name: str) -> str:
    """Where one of our fonts is."""
    return asset(f"fonts/{name}").as_uri()
