"""The one error that is meant for whoever starts and operates the application."""


class OperatorError(Exception):
    """One sentence that says what is wrong and what to do; the command prints it and exits with `exit_code`."""

    def __init__(self, sentence: str, *, exit_code: int = 1) -> None:
        """Keep the sentence as it will be printed."""
        super().__init__(sentence)
        self.sentence = sentence
        self.exit_code = exit_code
