"""Terms become links once each, and what somebody else wrote never becomes HTML."""

from __future__ import annotations

from bellwire.viz.terms.linked import linked_html


def test_a_term_is_a_link_once_and_nothing_else_is_html() -> None:
    seen: set[str] = set()
    text = 'An <b>eventfd</b> & "eventfds"\nring\u202e'
    assert linked_html(text, lambda term, words: f"[{term.name}|{words}]", seen) == (
        "An &lt;b&gt;[eventfd|eventfd]&lt;/b&gt; &amp; &quot;eventfds&quot;<br>ring\\u202e"
    )
    assert seen == {"eventfd"}
    assert linked_html("eventfd", lambda term, words: "never", seen) == "eventfd"
