"""One prompt, as text and as the messages of a chat."""

from typing import NamedTuple


class Shot(NamedTuple):
    """An answered question.

    Attributes:
      question: as in a data set.
      answer: as in a data set; it ends in a blank line.
    """

    question: str
    answer: str


class Prompt(NamedTuple):
    """What a model is given.

    Attributes:
      instruction: what stands before all else; "" for nothing.
      shots: answered questions.
      question: the one to be answered.
    """

    instruction: str
    shots: tuple[Shot, ...]
    question: str

    def text(self) -> str:
        """Returns the text for a model to go on with."""
        shots = "".join(shot.question + shot.answer for shot in self.shots)
        return self.instruction + shots + self.question

    def messages(self) -> list[dict[str, str]]:
        """Returns the messages of a chat: shots are turns that were had before."""
        turns = []
        for shot in self.shots:
            turns += [_turn("user", shot.question), _turn("assistant", shot.answer.rstrip("\n"))]
        turns.append(_turn("user", self.question))
        turns[0]["content"] = self.instruction + turns[0]["content"]
        return turns


def _turn(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}
