"""Cases, metrics, runs, comparison, gate and report: how good the answers are, and what changed.

```python
from pathlib import Path

from rag.app import open_chatbot
from rag.evaluate import evaluate
from rag.settings import read_settings

frame = evaluate(Path("questions.jsonl"), open_chatbot(read_settings()))
print(frame.groupby("kind")["right"].mean())
assert frame["quotes_exact"].min() == 1.0
```

As tests, one a case:

```python
import pytest

from rag.evaluate.asking import answer
from rag.evaluate.cases import read_cases
from rag.evaluate.scoring import score

bot = open_chatbot(read_settings())


@pytest.mark.parametrize("case", read_cases(Path("questions.jsonl")), ids=lambda case: case.id)
def test_it_answers(case):
    assert score(case, answer(bot, case), bot.articles).label in ("right", "right refusal")
```
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas

    from rag.evaluate.asking import Bot
    from rag.evaluate.cases import Case

__all__ = ["evaluate"]


def evaluate(cases: Path | Sequence[Case], bot: Bot) -> pandas.DataFrame:
    """Ask every case and score the answers: a row a case, in its order, indexed by id.

    Columns: question, language, label, answered, confidence, text, one for each tag (`tag.x` where a metric
    is called x already) and one for each metric (missing where it does not apply). A case that failed has the
    label `error`. `frame.attrs["figures"]` holds each metric of the whole set with its interval and n. To
    keep a run on disk, resume or compare it, use `rag.evaluate.run.run`.
    """
    import pandas

    from rag.evaluate.asking import answer
    from rag.evaluate.cases import read_cases
    from rag.evaluate.scoring import score
    from rag.evaluate.summary import summarise

    chosen = read_cases(cases) if isinstance(cases, Path) else cases
    answers = [answer(bot, case) for case in chosen]
    scores = [score(case, given, bot.articles) for case, given in zip(chosen, answers, strict=True)]
    rows = []
    for given, s in zip(answers, scores, strict=True):
        about = {
            "id": s.id,
            "question": s.question,
            "language": s.language,
            "label": s.label,
            "answered": given.get("answered", False),
            "confidence": s.confidence,
            "text": given.get("text", given.get("error", "")),
        }
        values = {"same_language" if k == "language" else k: v for k, v in s.values.items()}
        tags = {f"tag.{k}" if k in about or k in values else k: v for k, v in s.tags.items()}
        rows.append({**about, **tags, **values})
    frame = pandas.DataFrame(rows).set_index("id")
    frame.attrs["figures"] = {name: figure.to_json() for name, figure in summarise(scores).items()}
    return frame
