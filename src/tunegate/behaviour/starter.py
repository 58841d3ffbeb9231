"""A first file of behaviour tests for a new pipeline: what should hold for most models, and examples to fill in."""

import json
from collections.abc import Sequence

from tunegate.behaviour.perturbations import HAN

LONGEST_EXAMPLE = 80  # characters of a person's own text in an example

HEAD = """\
# Behaviour tests of {pipeline}: what the model must do whatever its accuracy. A test fails the gate when surely more of
# its cases fail than `tolerated`; see docs/how-to/behaviour.md. Try changes with: tunegate gate behaviour {pipeline}

"""
ANY = """\
tests:
  # Invariance: test rows are changed in a way that must not change the answer.
  typos:
    kind: invariance
    perturb: typos
    rows: 200
    tolerated: 0.2
  punctuation left out:
    kind: invariance
    perturb: punctuation
    rows: 200
    tolerated: 0.2
  white space:
    kind: invariance
    perturb: whitespace
    rows: 200
    tolerated: 0.1
"""
LATIN = """\
  small letters:
    kind: invariance
    perturb: case
    rows: 200
    tolerated: 0.15
"""
CHINESE = """\
  full-width letters, digits and marks:
    kind: invariance
    perturb: width
    rows: 200
    tolerated: 0.2
  half-width letters, digits and marks:
    kind: invariance
    perturb: {{width: {{to: half}}}}
    rows: 200
    tolerated: 0.2
  {form} characters:
    kind: invariance
    perturb: {form}
    rows: 200
    tolerated: 0.3
"""
EXAMPLES = """
  # Minimum functionality: the answer is known. Slots are filled from lists, which stand above `tests`:
  # lists:
  #   thing: [lamp, mug]
  #
  # plain cases:
  #   kind: minimum_functionality
  #   templates:
  #     - {text}
  #     - "... {{thing}} ..."
  #   expected: {label}
  #   tolerated: 0.1
  #
  # Direction: an addition must not move a label's score the wrong way.
  # more of it is not less:
  #   kind: direction
  #   rows: 100
  #   add: ["..."]
  #   label: {label}
  #   score: must_not_fall
"""
NUMBERS = """
  # An invariance holds where the number stays within the interval of the first answer; `within: 0.5` says how far it
  # may move instead, in the numbers' own unit.
  #
  # Minimum functionality: the number is known. Slots are filled from lists, which stand above `tests`:
  # lists:
  #   thing: [lamp, mug]
  #
  # plain cases:
  #   kind: minimum_functionality
  #   templates:
  #     - {text}
  #     - "... {{thing}} ..."
  #   expected: "4.5"
  #   within: 0.5
  #   tolerated: 0.1
  #
  # Direction: an addition must not move the number the wrong way.
  # praise is no less:
  #   kind: direction
  #   rows: 100
  #   add: ["..."]
  #   score: must_not_fall
  #   by: 0.1
"""


def starter(
    pipeline: str,
    texts: Sequence[str],
    labels: Sequence[str],
    changed: Sequence[str] | None = None,
    *,
    numbers: bool = False,
) -> str:
    """The file's text; `texts` are a few of the pipeline's, which tell its script. `changed`: the text fields that
    invariance tests change, where it is not all of them. `numbers`: the task answers numbers."""
    whole = "".join(texts)
    chinese = 4 * len(HAN.findall(whole)) > len(whole)
    more = CHINESE.format(form=_other_form(whole)) if chinese else LATIN
    example = next(iter(texts), "...")[:LONGEST_EXAMPLE]
    label = json.dumps(next(iter(labels), "..."), ensure_ascii=False)
    text = json.dumps(example, ensure_ascii=False).replace("{", "{{").replace("}", "}}")  # as in a template
    fields = "" if changed is None else f"    fields: [{', '.join(changed)}]\n"
    tests = (ANY + more).replace("    rows: 200\n", f"    rows: 200\n{fields}")
    return HEAD.format(pipeline=pipeline) + tests + (NUMBERS if numbers else EXAMPLES).format(label=label, text=text)


def _other_form(text: str) -> str:
    """The form that the texts are not written in."""
    from opencc import OpenCC

    return "simplified" if OpenCC("t2s").convert(text) != text else "traditional"
