"""A server that speaks OpenAI's chat completions, asked with many requests in flight and patience for its faults."""

import asyncio
import os
import queue
import random
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import aiohttp

from curation.errors import ServiceError
from trainers.engines import WORKERS, Completion, Prompt, seed_of
from trainers.families import FAMILIES

if TYPE_CHECKING:
    from trainers.presets import Decoding, Preset

ADDRESS = "https://api.openai.com/v1"  # where OPENAI_BASE_URL does not say otherwise
TRIES = 6  # with the pauses below, half a minute of a server that restarts
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds; doubled from one try to the next
TIMEOUT = 600.0  # seconds for one answer: 1,024 tokens of a busy server
PASSING = {408, 409, 425, 429, 500, 502, 503, 504, 529}  # statuses that may be another at the next try
NEWER = "max_completion_tokens"
SHOWN = 200  # characters of a server's error that are told


class ChatApi:
    """One model behind a server; every prompt is a request of its own, `workers` of them at a time."""

    def __init__(self, model: str, preset: "Preset", workers: int = WORKERS) -> None:
        self._address = (os.environ.get("OPENAI_BASE_URL") or ADDRESS).rstrip("/")
        self._key = os.environ.get("OPENAI_API_KEY") or ""
        self._model = model
        self._form = FAMILIES[preset.family].thinking[preset.thinking]
        self._workers = workers
        self._limit = "max_tokens"  # what servers of the protocol know; see NEWER
        self.version = f"openai {self._address}"

    def complete(self, prompts: Sequence[Prompt], decoding: "Decoding", seed: int) -> Iterator[tuple[int, Completion]]:
        """Raises ServiceError, after what is in flight has ended, where the server refuses or cannot be reached."""
        done: queue.Queue[tuple[int, Completion] | BaseException | None] = queue.Queue()
        stop = threading.Event()
        asking = threading.Thread(target=self._run, args=(prompts, decoding, seed, done, stop), daemon=True)
        asking.start()
        try:
            while (found := done.get()) is not None:
                if isinstance(found, BaseException):
                    raise found
                yield found
        finally:
            stop.set()
            asking.join()

    def _run(self, prompts: Sequence[Prompt], decoding: "Decoding", seed: int, done: Any, stop: Any) -> None:
        try:
            asyncio.run(self._ask_all(prompts, decoding, seed, done, stop))
        except BaseException as error:
            done.put(error)
        done.put(None)

    async def _ask_all(self, prompts: Sequence[Prompt], decoding: "Decoding", seed: int, done: Any, stop: Any) -> None:
        """As many workers as asked for, each taking the next prompt until there is none or one of them failed."""
        waiting = iter(range(len(prompts)))
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        connector = aiohttp.TCPConnector(limit=self._workers)
        limit = aiohttp.ClientTimeout(total=TIMEOUT)
        async with aiohttp.ClientSession(headers=headers, connector=connector, timeout=limit) as session:

            async def work() -> None:
                for i in waiting:
                    if stop.is_set():
                        return
                    try:
                        done.put((i, await self._ask(session, prompts[i], decoding, seed)))
                    except ServiceError:
                        stop.set()
                        raise

            workers = [work() for _ in range(min(self._workers, len(prompts)))]
            results = await asyncio.gather(*workers, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _ask(self, session: Any, prompt: Prompt, decoding: "Decoding", seed: int) -> Completion:
        """One prompt, tried until it is answered."""
        pause, why = FIRST_PAUSE, ""
        for left in range(TRIES - 1, -1, -1):
            wait = pause * random.uniform(0.5, 1.0)
            try:
                body = self._body(prompt, decoding, seed)
                async with session.post(f"{self._address}/chat/completions", json=body) as response:
                    if response.status == 200:
                        return self._read(await response.json(content_type=None))
                    why = f"status {response.status}: {(await response.text())[:SHOWN]}"
                    if response.status == 400 and self._learns(body, why):
                        continue
                    if response.status not in PASSING:
                        raise ServiceError(f"{self._address} refused a request for {self._model}: {why}")
                    wait = max(wait, _seconds(response.headers.get("Retry-After")))
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                why = f"{type(error).__name__}: {error}"[:SHOWN]
            if left:
                await asyncio.sleep(min(wait, LONGEST_PAUSE))
            pause *= 2
        raise ServiceError(
            f"{self._address} did not answer in {TRIES} tries ({why}); run the command again when it does: "
            "it goes on with what has no completion"
        )

    def _body(self, prompt: Prompt, decoding: "Decoding", seed: int) -> dict[str, Any]:
        return {
            "model": self._model,
            "messages": list(prompt),
            "temperature": decoding.temperature,
            "top_p": decoding.top_p,
            "seed": seed_of(prompt, seed),
            self._limit: decoding.max_new_tokens,
        }

    def _learns(self, body: dict[str, Any], why: str) -> bool:
        """Whether the server only wants the limit under its newer name, as OpenAI's own newer models do."""
        if NEWER in body or NEWER not in why:
            return False
        self._limit = NEWER
        return True

    def _read(self, body: Any) -> Completion:
        """The completion in a response; reasoning that the server took out of the text is put back before it."""
        try:
            choice = body["choices"][0]
            message = choice["message"]
            text = message.get("content") or ""
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise ValueError(f"the response has no choices[0].message ({error!r})") from error
        reasoning = message.get("reasoning_content") or message.get("reasoning")
        if isinstance(reasoning, str) and reasoning:
            text = f"{self._form.open}{reasoning}{self._form.close}{text}"
        tokens = (body.get("usage") or {}).get("completion_tokens")
        return Completion(text, "length" if choice.get("finish_reason") == "length" else "stop", tokens)


def _seconds(text: str | None) -> float:
    """A Retry-After header in seconds; 0 where there is none that is a number."""
    try:
        return max(0.0, float(text or 0))
    except ValueError:
        return 0.0
