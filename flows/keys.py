"""The warehouse's own key: whoever wrote the data cannot guess what is made with it, and every rerun makes the same."""

import secrets

from warehouse import Store


def fence_secret(store: Store) -> bytes:
    """The key of the delimiters around judged data, and of what stands for hidden text: made once per warehouse."""
    known = store.read("secret", name="judge-fence")
    if known.is_empty():
        with store.write() as transaction:
            transaction.run("insert_secret", name="judge-fence", value=secrets.token_bytes(32))
        known = store.read("secret", name="judge-fence")
    return bytes(known.item())
