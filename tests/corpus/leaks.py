"""Credentials that nobody ever issued, of every common form, planted wherever a sample has text."""

import base64
import random
import string
from collections.abc import Callable, Iterator
from typing import Any

from tests.corpus.bases import Base
from tests.corpus.planting import PARAMETERS, expecting, put, text_places

Json = Any
LOWER, UPPER, DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
LETTERS, HEX = LOWER + UPPER + DIGITS, "0123456789abcdef"
URLSAFE = LETTERS + "-_"
Make = Callable[[random.Random], str]


def some(rng: random.Random, alphabet: str, size: int) -> str:
    """So many characters by chance."""
    return "".join(rng.choices(alphabet, k=size))


def encoded(text: str) -> str:
    """Base64 for URLs, without padding."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def jwt(rng: random.Random) -> str:
    """A signed token of some user."""
    head, body = (
        encoded('{"alg":"HS256","typ":"JWT"}'),
        encoded(f'{{"sub":"{rng.randint(10**5, 10**6)}","iat":1795000000}}'),
    )
    return f"{head}.{body}.{some(rng, URLSAFE, 43)}"


def pem(rng: random.Random, what: str) -> str:
    """A private key's file."""
    lines = "\n".join(some(rng, LETTERS + "+/", 64) for _ in range(6))
    return f"-----BEGIN {what}PRIVATE KEY-----\n{lines}\n-----END {what}PRIVATE KEY-----"


def password(rng: random.Random, size: int = 14) -> str:
    """A password as a generator makes it."""
    text = (
        some(rng, LOWER, 3)
        + some(rng, UPPER, 3)
        + some(rng, DIGITS, 3)
        + some(rng, "!#$%^&*+=?~", 2)
        + some(rng, LETTERS, size - 11)
    )
    return "".join(rng.sample(text, len(text)))


# The tell-tale beginnings are written in two parts, so that no scanner takes this file for a leak.
FORMS: dict[str, Make] = {
    "aws id": lambda r: "AK" + "IA" + some(r, UPPER + "234567", 16),
    "aws session id": lambda r: "AS" + "IA" + some(r, UPPER + "234567", 16),
    "aws secret": lambda r: "aws_secret_access_" + "key=" + some(r, LETTERS + "+/", 40),
    "AWS_SECRET export": lambda r: "export AWS_SECRET_ACCESS_" + "KEY=" + some(r, LETTERS + "+/", 40),
    "github": lambda r: "gh" + "p_" + some(r, LETTERS, 36),
    "github app": lambda r: "gh" + "s_" + some(r, LETTERS, 36),
    "github oauth": lambda r: "gh" + "o_" + some(r, LETTERS, 36),
    "github fine": lambda r: "github" + "_pat_" + some(r, LETTERS, 22) + "_" + some(r, LETTERS, 59),
    "gitlab": lambda r: "gl" + "pat-" + some(r, URLSAFE, 20),
    "slack bot": lambda r: "xo" + f"xb-{some(r, '123456789', 12)}-{some(r, DIGITS, 13)}-{some(r, LETTERS, 24)}",
    "slack user": lambda r: (
        "xo" + f"xp-{some(r, DIGITS, 12)}-{some(r, DIGITS, 12)}-{some(r, DIGITS, 12)}-{some(r, HEX, 32)}"
    ),
    "slack app": lambda r: "xa" + f"pp-1-A{some(r, UPPER + DIGITS, 10)}-{some(r, DIGITS, 13)}-{some(r, HEX, 64)}",
    "slack hook": lambda r: (
        "https://hooks.sl"
        + f"ack.com/services/T{some(r, UPPER + DIGITS, 8)}/B{some(r, UPPER + DIGITS, 8)}/{some(r, LETTERS, 24)}"
    ),
    "discord hook": lambda r: (
        "https://disc" + f"ord.com/api/webhooks/{some(r, '123456789', 18)}/{some(r, URLSAFE, 68)}"
    ),
    "discord bot": lambda r: (
        encoded(some(r, "123456789", 18)) + "." + "G" + some(r, URLSAFE, 5) + "." + some(r, URLSAFE, 38)
    ),
    "teams hook": lambda r: (
        "https://acme.web"
        + f"hook.office.com/webhookb2/{uuid(r)}@{uuid(r)}/IncomingWebhook/{some(r, HEX, 32)}/{uuid(r)}"
    ),
    "stripe live": lambda r: "sk" + "_live_" + some(r, LETTERS, 24),
    "stripe long": lambda r: "sk" + "_live_51" + some(r, LETTERS, 97),
    "stripe test": lambda r: "sk" + "_test_" + some(r, LETTERS, 24),
    "stripe restricted": lambda r: "rk" + "_live_" + some(r, LETTERS, 24),
    "stripe hook": lambda r: "wh" + "sec_" + some(r, LETTERS, 32),
    "google": lambda r: "AI" + "za" + some(r, URLSAFE, 35),
    "google oauth": lambda r: "ya" + "29.a0" + some(r, URLSAFE, 120),
    "google client": lambda r: "GOC" + "SPX-" + some(r, URLSAFE, 28),
    "google refresh": lambda r: "1/" + "/0" + some(r, URLSAFE, 60),
    "anthropic": lambda r: "sk" + "-ant-api03-" + some(r, URLSAFE, 93) + "AA",
    "openai old": lambda r: "sk" + "-" + some(r, LETTERS, 20) + "T3BlbkFJ" + some(r, LETTERS, 20),
    "openai project": lambda r: "sk" + "-proj-" + some(r, URLSAFE, 120),
    "openrouter": lambda r: "sk" + "-or-v1-" + some(r, HEX, 64),
    "deepseek": lambda r: "sk" + "-" + some(r, HEX, 32),
    "hugging face": lambda r: "h" + "f_" + some(r, LOWER + UPPER, 34),
    "replicate": lambda r: "r" + "8_" + some(r, LETTERS, 37),
    "groq": lambda r: "gs" + "k_" + some(r, LETTERS, 52),
    "perplexity": lambda r: "pp" + "lx-" + some(r, LETTERS, 48),
    "xai": lambda r: "xa" + "i-" + some(r, LETTERS, 80),
    "jwt": jwt,
    "rsa": lambda r: pem(r, "RSA "),
    "ec": lambda r: pem(r, "EC "),
    "pkcs8": lambda r: pem(r, ""),
    "openssh": lambda r: pem(r, "OPENSSH "),
    "encrypted rsa": lambda r: pem(r, "RSA ").replace(
        "-----\n", "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,9F2A\n\n", 1
    ),
    "pkcs8 as code": lambda r: pem(r, "").replace("\n", '\\n" +\n  "'),
    "pkcs8 on one line": lambda r: pem(r, "").replace("\n", "\\n"),
    "sendgrid": lambda r: "S" + "G." + some(r, URLSAFE, 22) + "." + some(r, URLSAFE, 43),
    "mailgun": lambda r: "ke" + "y-" + some(r, HEX, 32),
    "mailchimp": lambda r: some(r, HEX, 32) + "-us" + str(r.randint(1, 21)),
    "twilio": lambda r: "S" + "K" + some(r, HEX, 32),
    "twilio context": lambda r: "TWILIO_AUTH_TOKEN" + "=" + some(r, HEX, 32),
    "npm": lambda r: "np" + "m_" + some(r, LETTERS, 36),
    "pypi": lambda r: "py" + "pi-AgEIcHlwaS5vcmc" + some(r, URLSAFE, 120),
    "docker": lambda r: "dc" + "kr_pat_" + some(r, URLSAFE, 27),
    "azure storage": lambda r: (
        "DefaultEndpointsProtocol=https;AccountName=acme;Account"
        + "Key="
        + some(r, LETTERS + "+/", 86)
        + "==;EndpointSuffix=core.windows.net"
    ),
    "azure signature": lambda r: (
        "https://acme.blob.core.windows.net/c/f.csv?sv=2024-11-04&se=2026-12-01&sr=b&sp=r&s"
        + "ig="
        + some(r, LETTERS, 40)
        + "%2B%3D"
    ),
    "digitalocean": lambda r: "do" + "p_v1_" + some(r, HEX, 64),
    "databricks": lambda r: "da" + "pi" + some(r, HEX, 32),
    "shopify": lambda r: "shp" + "at_" + some(r, HEX, 32),
    "vault": lambda r: "hv" + "s." + some(r, URLSAFE, 90),
    "grafana": lambda r: "gl" + "sa_" + some(r, LETTERS, 32) + "_" + some(r, HEX, 8),
    "atlassian": lambda r: "ATA" + "TT3xFfGF0" + some(r, URLSAFE, 180) + "=" + some(r, UPPER + DIGITS, 8),
    "notion": lambda r: "nt" + "n_" + some(r, LETTERS, 46),
    "linear": lambda r: "lin_" + "api_" + some(r, LETTERS, 40),
    "postman": lambda r: "PM" + "AK-" + some(r, HEX, 24) + "-" + some(r, HEX, 34),
    "new relic": lambda r: "NR" + "AK-" + some(r, UPPER + DIGITS, 27),
    "telegram": lambda r: some(r, "123456789", 10) + ":" + "AA" + some(r, URLSAFE, 33),
    "facebook": lambda r: "EAA" + "CEdEose0cBA" + some(r, LETTERS, 90),
    "square": lambda r: "sq0" + "csp-" + some(r, URLSAFE, 43),
    "figma": lambda r: "fi" + "gd_" + some(r, URLSAFE, 40),
    "airtable": lambda r: "pa" + "t" + some(r, LETTERS, 14) + "." + some(r, HEX, 64),
    "hubspot": lambda r: "pa" + "t-na1-" + uuid(r),
    "sentry": lambda r: "sn" + "trys_" + some(r, LETTERS, 100),
    "supabase": lambda r: "sb" + "p_" + some(r, HEX, 40),
    "planetscale": lambda r: "pscale_" + "tkn_" + some(r, URLSAFE, 43),
    "doppler": lambda r: "dp" + ".pt." + some(r, LETTERS, 43),
    "terraform": lambda r: some(r, LETTERS, 14) + ".atlas" + "v1." + some(r, LETTERS, 67),
    "mapbox": lambda r: (
        "sk"
        + "."
        + encoded(f'{{"u":"acme{r.randint(10, 99)}","a":"{some(r, LETTERS, 26)}"}}')
        + "."
        + some(r, URLSAFE, 22)
    ),
    "alibaba": lambda r: "LT" + "AI" + some(r, LETTERS, 20),
    "postgres": lambda r: f"postgres://orders:{some(r, LETTERS, 14)}@db2.northquay.com:5432/orders",
    "mongodb": lambda r: f"mongodb+srv://app:{some(r, LETTERS, 12)}@cluster0.ab1cd.mongodb.net/prod",
    "redis": lambda r: f"redis://:{some(r, LETTERS, 16)}@10.0.0.4:6379/0",
    "amqp": lambda r: (
        f"amqp://svc:{password(r).replace('#', 'x').replace('?', 'y').replace('%', 'z')}@mq.internal:5672"
    ),
    "https with password": lambda r: f"https://deploy:{some(r, LETTERS, 20)}@git.northquay.com/app.git",
    "ado.net": lambda r: "Server=db1;Database=crm;User Id=svc;Pass" + f"word={password(r)};",
    "bearer": lambda r: "Authorization: Bea" + "rer " + some(r, LETTERS, 40),
    "basic": lambda r: "Authorization: Ba" + "sic " + base64.b64encode(f"svc:{some(r, LETTERS, 16)}".encode()).decode(),
    "curl user": lambda r: f"curl -u svc:{some(r, LETTERS, 16)} https://api.northquay.com/v1",
    "api_key =": lambda r: "api_" + "key = " + some(r, LETTERS, 32),
    "API key is": lambda r: "our API " + "key is " + some(r, LETTERS, 32),
    "x-api-key": lambda r: "x-api-" + "key: " + some(r, LETTERS, 40),
    "apikey hex": lambda r: "api" + "key=" + some(r, HEX, 32),
    "client secret": lambda r: "client_" + f'secret: "{some(r, URLSAFE, 40)}"',
    "access token": lambda r: "access_" + f"token={some(r, LETTERS, 64)}",
    "SECRET env": lambda r: "DJANGO_SECRET_" + f"KEY={some(r, LETTERS, 50)}",
    "password env": lambda r: "DB_PASS" + f"WORD={password(r)}",
    "password is": lambda r: "the pass" + f"word is {password(r)}",
    "pwd:": lambda r: "pw" + f"d: {password(r, 16)}",
    "heroku": lambda r: "HEROKU_API_" + f"KEY={uuid(r)}",
}


def uuid(rng: random.Random) -> str:
    """A UUID."""
    text = some(rng, HEX, 32)
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def leaks(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """Every form in one place or another."""
    for name in rng.sample(sorted(FORMS), 16):
        yield from planted(base, name, FORMS[name](rng), rng)


def planted(base: Base, name: str, secret: str, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """One credential in one place, by chance."""
    where = rng.choice(
        [
            "request",
            "history",
            "system",
            "thinking",
            "value",
            "value in text",
            "key",
            "candidate",
            "description",
            "broken answer",
            "beside",
        ]
    )
    changed = base.copy()
    last = len(changed.before) - 1
    at = ""
    if where == "request" and changed.before:
        changed.before[last]["content"] = f"{changed.before[last].get('content') or ''} Use {secret} if it asks."
        at = f"/messages/{last}/content"
    elif where in ("history", "system"):
        changed.before.insert(
            0,
            {
                "role": "user" if where == "history" else "system",
                "content": f"Remember this for later:\n{secret}\nThanks.",
            },
        )
        if where == "history":
            changed.before.insert(1, {"role": "assistant", "content": "I will."})
        at = "/messages/0/content"
    elif where == "thinking":
        changed.thinking, at = f"They gave us {secret}, so I use it.", "/thinking"
    elif where in ("value", "value in text", "beside") and text_places(base):
        place = rng.choice(text_places(base))
        changed = put(
            base,
            place,
            secret if where == "value" else f"{secret}," if where == "beside" else f"log in with {secret} please",
        )
        at = place.pointer()
    elif where == "key":
        changed.steps[0][PARAMETERS][secret] = 1
        at = f"/plugins/0/{PARAMETERS}"
    elif where in ("candidate", "description") and changed.candidates:
        changed.candidates[0]["description"] = f"Needs {secret} in its header."
        at = "/candidates/0/description"
    else:
        changed.answer, at = f"Sure: {changed.plan_text()} with {secret}", ""
    broken = [("schema.not_json", "")] if changed.answer is not None else []
    yield f"{name} in {where}", expecting(changed, ("secret.found", at), *broken)
