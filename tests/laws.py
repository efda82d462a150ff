"""The laws that every answer keeps."""

from __future__ import annotations

from rag.answer import Answer
from rag.chat import Chatbot
from rag.text import figures


def check_laws(bot: Chatbot, answer: Answer) -> None:
    """Laws 1 and 2, and what the contract says of the JSON."""
    shown = [*answer.citations, *answer.closest]
    for citation in shown:
        article = bot.articles[citation.article]
        assert article.text[citation.start : citation.end] == citation.quote
        # Beside a refusal may stand the editor's own answer to a question that is anticipated.
        unsourced = {article.sentences[n].start for n, _ in article.anticipated if not article.sentences[n].sources}
        assert citation.sources or (not answer.answered and citation.start in unsourced)
    for claim in answer.claims:
        assert claim.citations
        assert claim.text == claim.citations[0].quote
        assert figures(claim.text) <= {f for c in claim.citations for f in figures(c.quote)}
    data = answer.to_json()
    assert data["answered"] == bool(data["claims"])
    assert 0 <= data["confidence"] <= 1
    assert [c["n"] for c in data["citations"]] == list(range(1, len(data["citations"]) + 1))
    cited = {n for c in data["claims"] for n in c["citations"]}
    cited |= {s["citation"] for c in data["conflicts"] for s in c["statements"]}
    assert cited == {c["n"] for c in data["citations"]}
    for conflict in answer.conflicts:
        assert len(conflict.statements) > 1
        assert conflict.about
        assert conflict.reason
        assert all(s.text == s.citation.quote for s in conflict.statements)
    assert data["independent_sources"] <= len({s["id"] for c in data["citations"] for s in c["sources"]})
    if not answer.answered:
        assert answer.note
        assert data["text"] == answer.note
        assert not data["citations"]
