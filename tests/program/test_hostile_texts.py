"""What a program may not say or do is refused at its line, quickly, and ahead of any run where that can be."""

from __future__ import annotations

import time

import pytest
from hostile_texts import COMPILED, RUN
from program_runs import findings_of

from gradwire.engine.graph import Graph
from gradwire.engine.plan import plan
from gradwire.engine.run import run
from gradwire.findings import Finding, Refusal
from gradwire.program.parse import read_program
from gradwire.program.syntax import MAX_TEXT_BYTES

FEW_STEPS = 20_000


def named(case: tuple[str, int, str]) -> str:
    return ascii(case[2][:40])


def test_there_are_enough_of_them() -> None:
    texts = {text for _, _, text in (*COMPILED, *RUN)}
    assert len(texts) == len(COMPILED) + len(RUN) >= 150


@pytest.mark.parametrize("case", COMPILED, ids=named)
def test_it_is_refused_by_reading_it(case: tuple[str, int, str]) -> None:
    code, line, text = case
    start = time.process_time()
    findings = findings_of(text)
    assert time.process_time() - start < 2
    assert (findings[0].code, findings[0].source.line) == (code, line)
    assert all(well_placed(finding, text) for finding in findings)


def well_placed(finding: Finding, text: str) -> bool:
    """Whether the place lies in the text, counted from 1, and the message shows its line with a caret."""
    place = finding.source
    assert place.pointer == "/program"
    assert place.line is not None
    assert place.column is not None
    assert place.end_line is not None
    assert place.end_column is not None
    assert 1 <= place.line <= place.end_line
    assert place.column >= 1
    assert place.end_line > place.line or place.end_column > place.column
    return finding.message.splitlines()[-1].strip(" ^") == "" and "^" in finding.message


@pytest.mark.parametrize("case", RUN, ids=named)
def test_it_is_refused_when_it_runs(case: tuple[str, int, str]) -> None:
    code, line, text = case
    program, findings = read_program(text, "/program")
    assert findings == []
    start = time.process_time()
    stopped = ended(Graph(nodes=program.statements, seed=0))
    assert time.process_time() - start < 10
    assert (stopped[0].code, stopped[0].source.line) == (code, line)


def ended(graph: Graph) -> list[Finding]:
    """What stops the run."""
    prepared, findings = plan(graph)
    if findings:
        return findings
    with pytest.raises(Refusal) as caught:
        run(prepared, max_steps=FEW_STEPS)
    return caught.value.findings


@pytest.mark.parametrize(
    "text",
    [
        "x=1\n" * 16_000,
        "x=[" + "[1,2]," * 10_000 + "]",
        "x=1\ny=x" + "<x" * 32_000,
        "x=1\nx(" + "x.grad,x()," * 5_900 + ")",
        "é=1\n" + "é=é+é;" * 7_000,
        "".join(f"a{i}\n" for i in range(9_000)),
        "".join(f"torch.ad{i}(1)\n" for i in range(3_000)),
        "lambda:" * 9_000 + "1",
        "(" * 65_000,
        "-" * 65_000 + "1",
        "a." * 30_000 + "a",
        "x = 'a' " * 8_000,
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_the_longest_texts_are_read_in_a_moment(text: str) -> None:
    assert len(text.encode()) <= MAX_TEXT_BYTES
    start = time.process_time()
    findings_of(text)
    assert time.process_time() - start < 2


def test_a_text_of_ten_megabytes_is_refused_unread() -> None:
    start = time.process_time()
    (finding,) = findings_of("x" * 10_000_000)
    assert time.process_time() - start < 0.05
    assert (finding.code, finding.got) == ("limit_exceeded", 10_000_000)


def test_no_more_than_fifty_mistakes_are_told() -> None:
    assert len(findings_of("".join(f"a{i}\n" for i in range(200)))) == 50
