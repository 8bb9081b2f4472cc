"""A failure is one sentence without what lies behind it, and only what may pass is tried again."""

import traceback

import pytest
from prefect.states import Failed

from curation.errors import InputError, ServiceError
from flows import failing
from warehouse import StoreError


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (ServiceError("the Hub cannot be reached"), True),
        (ServiceError("the token is refused", again=False), False),
        (StoreError("held open by process 7", again=True), True),
        (StoreError("not a warehouse of ours"), False),
        (InputError("there is no such file"), False),
        (ValueError("a bug"), False),
    ],
)
def test_only_what_may_pass_by_itself_is_tried_again(error: Exception, again: bool) -> None:
    assert failing.passes(Failed(data=error)) == again


def write() -> None:
    try:
        raise ValueError("a secret of a sample")
    except ValueError as error:
        raise StoreError("could not write") from error


def test_an_error_of_ours_leaves_without_the_one_behind_it_that_may_quote_a_record() -> None:
    with pytest.raises(StoreError) as raised, failing.plainly():
        write()
    assert "secret" not in "".join(traceback.format_exception(raised.value))


def test_what_nobody_foresaw_is_told_by_kind_and_place_where_a_server_started_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ValueError, match="secret"), failing.plainly():
        raise ValueError("a secret of a sample")
    monkeypatch.setenv("PREFECT__RUNTIME__DEPLOYMENT__ID", "d")
    with (
        pytest.raises(failing.UnexpectedError, match=r"ValueError at test_failing\.py:\d+") as raised,
        failing.plainly(),
    ):
        raise ValueError("a secret of a sample")
    assert "secret" not in "".join(traceback.format_exception(raised.value))
