"""What can go wrong with the warehouse; a message names the file and the remedy, never what a record says."""


class StoreError(Exception):
    """The warehouse cannot be opened, read or written as asked; `again` says whether it may be in a while, by itself."""

    exit_code = 1

    def __init__(self, sentence: str, again: bool = False) -> None:
        super().__init__(sentence)
        self.again = again
