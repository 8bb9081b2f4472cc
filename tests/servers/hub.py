"""A local server that speaks the Hub's protocol for dataset and model repositories, with real storage and faults on demand.

Run it with `python -m tests.servers.hub --port 8090 --root FOLDER`; it prints one line when it listens. A request must
carry the bearer token (`--token`, default `hf_local`). `GET /_log` lists the requests so far. A fault is asked for by
`POST /_faults {"match": REGEX, "kind": KIND, "times": N}`: it befalls the next N requests whose "METHOD path" matches.
KIND is `clear` (no faults any more), an HTTP status, `drop` (the connection is cut in the middle of the body), `hang` (no answer comes) or `race`
(somebody else's commit comes first).
"""

import argparse
import asyncio
import base64
import hashlib
import json
import re
import uuid
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

from tests.servers.hub_repo import Repo, error

LFS_FROM = 10 * 2**20


class Hub:
    """The endpoints, over a folder of repositories."""

    def __init__(self, root: Path, token: str) -> None:
        self.root, self.token = root, token
        self.faults: list[dict[str, Any]] = []
        self.log: list[str] = []

    def app(self) -> web.Application:
        app = web.Application(client_max_size=2**30, middlewares=[self.guard])
        app.router.add_get("/_log", self.show_log)
        app.router.add_post("/_faults", self.add_fault)
        app.router.add_get("/api/whoami-v2", self.whoami)
        app.router.add_post("/api/repos/create", self.create)
        app.router.add_post("/api/validate-yaml", self.validate_yaml)
        app.router.add_put("/_lfs/{oid}", self.upload)
        app.router.add_post("/_lfs/{oid}/verify", self.verify)
        for kind, before in (("datasets", "/datasets"), ("models", "")):
            self.add_repos(app, before + "/{ns}/{n}", f"/api/{kind}" + "/{ns}/{n}")
        return app

    def add_repos(self, app: web.Application, repo: str, api: str) -> None:
        """The endpoints of repositories of one kind."""
        app.router.add_get(api, self.info)
        app.router.add_get(api + "/revision/{rev}", self.info)
        app.router.add_post(api + "/preupload/{rev}", self.preupload)
        app.router.add_post(repo + ".git/info/lfs/objects/batch", self.batch)
        app.router.add_post(api + "/commit/{rev}", self.commit)
        app.router.add_get(api + "/tree/{rev}", self.tree)
        app.router.add_get(api + "/tree/{rev}/{path:.+}", self.tree)
        app.router.add_post(api + "/paths-info/{rev}", self.paths_info)
        app.router.add_get(api + "/refs", self.refs)
        app.router.add_get(api + "/commits/{rev}", self.commits)
        app.router.add_post(api + "/tag/{rev}", self.tag)
        app.router.add_post(api + "/branch/{name}", self.branch)
        app.router.add_get(repo + "/resolve/{rev}/{path:.+}", self.resolve)  # and HEAD

    @web.middleware
    async def guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Control requests pass; others are logged, fail if told to, and need the token."""
        if request.path.startswith("/_log") or request.path == "/_faults":
            return await handler(request)  # type: ignore[no-any-return]
        line = f"{request.method} {request.path}"
        self.log.append(line)
        for fault in self.faults:
            if fault["times"] > 0 and re.search(fault["match"], line):
                fault["times"] -= 1
                await self.fail(request, fault["kind"])
        if not request.path.startswith("/_lfs/") or request.method != "PUT":  # uploads go to signed addresses
            given = request.headers.get("Authorization")
            if given is None:
                raise error(401, "RepoNotFound", "Repository not found")
            if given != f"Bearer {self.token}":
                raise error(401, "", "Invalid credentials in Authorization header")
        return await handler(request)  # type: ignore[no-any-return]

    async def fail(self, request: web.Request, kind: int | str) -> None:
        if kind == "drop":
            await request.content.read(1000)
            if request.transport is not None:
                request.transport.abort()
            raise web.HTTPInternalServerError
        if kind == "race":
            repo = Repo(self.root, place(request))
            repo.commit({**repo.tree("main"), "LICENSE": repo.put(uuid.uuid4().bytes, lfs=False)}, "somebody else's")
        elif kind != "hang":
            raise error(int(kind), "", f"told to answer {kind}")
        else:
            await asyncio.sleep(3600)

    def repo(self, request: web.Request) -> Repo:
        repo = Repo(self.root, place(request))
        if not repo.exists:
            raise error(404, "RepoNotFound", "Repository not found")
        return repo

    async def show_log(self, request: web.Request) -> web.Response:
        return web.json_response(self.log)

    async def add_fault(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self.faults = [] if asked["kind"] == "clear" else [*self.faults, asked]
        return web.json_response({})

    async def whoami(self, request: web.Request) -> web.Response:
        return web.json_response({"type": "user", "name": "owner", "auth": {"accessToken": {"role": "write"}}})

    async def create(self, request: web.Request) -> web.Response:
        asked = await request.json()
        kind = asked.get("type") or "model"
        if kind not in ("dataset", "model"):
            raise error(400, "", "only datasets and models here")
        name = f"{asked['organization']}/{asked['name']}"
        repo = Repo(self.root, name if kind == "dataset" else f"_models/{name}")
        answer = {"url": f"{request.url.origin()}/{'datasets/' * (kind == 'dataset')}{name}", "name": name}
        if repo.exists:
            return web.json_response(answer | {"error": f"You already created this {kind} repo"}, status=409)
        repo.create(private=asked.get("visibility") == "private")
        return web.json_response(answer)

    async def validate_yaml(self, request: web.Request) -> web.Response:
        content = (await request.json())["content"]
        errors = []
        try:
            found = re.match(r"---\n(.*?)\n---\n", content, re.DOTALL)
            values = yaml.safe_load(found[1]) if found else {}
            errors += [f"configs[{i}].config_name is required" for i, config in enumerate(values.get("configs", []))
                       if "config_name" not in config]  # fmt: skip
            if not re.fullmatch(r"[a-z0-9.+-]+", values.get("license", "other")):
                errors.append("license must be one of the known ids")
        except yaml.YAMLError as broken:
            errors.append(str(broken))
        body = {"errors": [{"message": message} for message in errors], "warnings": []}
        return web.json_response(body, status=400 if errors else 200)

    async def info(self, request: web.Request) -> web.Response:
        repo = self.repo(request)
        sha = repo.resolve(request.match_info.get("rev", "main"))
        tree = repo.tree(sha)
        return web.json_response({
            "_id": "0", "id": repo.name.removeprefix("_models/"), "author": request.match_info["ns"], "sha": sha,
            "private": repo.state["private"],
            "gated": False, "disabled": False, "tags": [], "downloads": 0, "likes": 0,
            "siblings": [{"rfilename": path} for path in tree],
        })  # fmt: skip

    async def preupload(self, request: web.Request) -> web.Response:
        tree = self.repo(request).tree(request.match_info["rev"])
        files = []
        for asked in (await request.json())["files"]:
            path, there = asked["path"], tree.get(asked["path"])
            lfs = path.endswith((".parquet", ".safetensors")) or asked["size"] > LFS_FROM
            oid = None if there is None else there["sha256" if there["lfs"] else "oid"]
            mode = "lfs" if lfs else "regular"
            files.append({"path": path, "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        return web.json_response({"files": files})

    async def batch(self, request: web.Request) -> web.Response:
        repo, objects = self.repo(request), []
        for asked in (await request.json())["objects"]:
            answer = {"oid": asked["oid"], "size": asked["size"], "authenticated": True}
            if not (repo.blobs / asked["oid"]).exists():
                href = f"{request.url.origin()}/_lfs/{asked['oid']}"
                answer["actions"] = {"upload": {"href": href}, "verify": {"href": href + "/verify"}}
            objects.append(answer)
        return web.json_response({"transfer": "basic", "objects": objects})

    async def upload(self, request: web.Request) -> web.Response:
        content, oid = await request.read(), request.match_info["oid"]
        if hashlib.sha256(content).hexdigest() != oid:
            raise error(400, "", "sha256 does not match")
        blobs = self.root / "_blobs"
        blobs.mkdir(exist_ok=True)
        (blobs / oid).write_bytes(content)
        return web.Response()

    async def verify(self, request: web.Request) -> web.Response:
        path, asked = self.root / "_blobs" / request.match_info["oid"], await request.json()
        if not path.exists() or path.stat().st_size != asked["size"]:
            raise error(404, "", "object not found")
        return web.json_response({})

    async def commit(self, request: web.Request) -> web.Response:
        repo, lines = self.repo(request), (await request.read()).splitlines()
        items = [json.loads(line) for line in lines]
        header = items[0]["value"]
        parent = header.get("parentCommit")
        if parent is not None and parent != repo.state["main"]:
            raise error(412, "", "A commit has happened since. Please refresh and try again.")
        tree = dict(repo.tree("main"))
        for item in items[1:]:
            self.apply(repo, tree, item["key"], item["value"])
        oid = repo.commit(tree, header["summary"])
        kind = "" if repo.name.startswith("_models/") else "datasets/"
        url = f"{request.url.origin()}/{kind}{repo.name.removeprefix('_models/')}/commit/{oid}"
        return web.json_response({"success": True, "commitOid": oid, "commitUrl": url})

    def apply(self, repo: Repo, tree: dict[str, Any], key: str, value: dict[str, Any]) -> None:
        """One line of a commit on the tree that is to be."""
        if key == "file":
            tree[value["path"]] = repo.put(base64.b64decode(value["content"]), lfs=False)
        elif key == "lfsFile":
            blob = repo.blobs / value["oid"]
            if not blob.exists():
                raise error(400, "", f"{value['path']} was never uploaded")
            tree[value["path"]] = repo.put(blob.read_bytes(), lfs=True)
        elif key == "deletedFile":
            if tree.pop(value["path"], None) is None:
                raise error(404, "EntryNotFound", f"A file with this name doesn't exist: {value['path']}")
        else:
            raise error(400, "", f"unknown operation {key}")

    def entry(self, path: str, blob: dict[str, Any]) -> dict[str, Any]:
        lfs = {"lfs": {"oid": blob["sha256"], "size": blob["size"], "pointerSize": 130}} if blob["lfs"] else {}
        return {"type": "file", "path": path, "oid": blob["oid"], "size": blob["size"]} | lfs

    async def tree(self, request: web.Request) -> web.Response:
        tree, below = self.repo(request).tree(request.match_info["rev"]), request.match_info.get("path", "").strip("/")
        prefix = f"{below}/" if below else ""
        recursive = request.query.get("recursive", "").lower() in ("true", "1")
        found: dict[str, Any] = {}
        for path, blob in tree.items():
            if not path.startswith(prefix):
                continue
            parts = path.removeprefix(prefix).split("/")
            for depth in range(1, len(parts) if recursive else min(2, len(parts))):
                folder = prefix + "/".join(parts[:depth])
                found[folder] = {"type": "directory", "path": folder, "oid": "0" * 40, "size": 0}
            if recursive or len(parts) == 1:
                found[path] = self.entry(path, blob)
        if not found and below:
            raise error(404, "EntryNotFound", f"{below} does not exist")
        return web.json_response([found[path] for path in sorted(found)])

    async def paths_info(self, request: web.Request) -> web.Response:
        tree = self.repo(request).tree(request.match_info["rev"])
        asked = await request.post() if request.content_type != "application/json" else await request.json()
        paths = asked.getall("paths") if hasattr(asked, "getall") else asked["paths"]
        found = []
        for path in [paths] if isinstance(paths, str) else paths:
            if path in tree:
                found.append(self.entry(path, tree[path]))
            elif any(other.startswith(f"{path}/") for other in tree):
                found.append({"type": "directory", "path": path, "oid": "0" * 40, "size": 0})
        return web.json_response(found)

    async def refs(self, request: web.Request) -> web.Response:
        state = self.repo(request).state
        branches = {"main": state["main"], **state["branches"]}
        return web.json_response({
            "branches": [{"name": b, "ref": f"refs/heads/{b}", "targetCommit": oid} for b, oid in branches.items()],
            "tags": [{"name": t, "ref": f"refs/tags/{t}", "targetCommit": oid} for t, oid in state["tags"].items()],
            "converts": [],
        })  # fmt: skip

    async def commits(self, request: web.Request) -> web.Response:
        repo, listed = self.repo(request), []
        oid: str | None = repo.resolve(request.match_info["rev"])
        while oid is not None:
            commit = repo.state["commits"][oid]
            listed.append({"id": oid, "title": commit["title"], "message": "", "date": "2026-01-01T00:00:00.000Z",
                           "authors": [{"user": "owner"}]})  # fmt: skip
            oid = commit["parent"]
        return web.json_response(listed)

    async def tag(self, request: web.Request) -> web.Response:
        repo, tag = self.repo(request), (await request.json())["tag"]
        if tag in repo.state["tags"]:
            raise error(409, "", f"Tag reference exists already: {tag}")
        repo.state["tags"][tag] = repo.resolve(request.match_info["rev"])
        repo.save()
        return web.json_response({})

    async def branch(self, request: web.Request) -> web.Response:
        repo, name, body = self.repo(request), request.match_info["name"], await request.text()
        if name in repo.state["branches"] or name == "main":
            raise error(409, "", f"Reference already exists: {name}")
        start = json.loads(body or "{}").get("startingPoint") or "main"
        repo.state["branches"][name] = repo.resolve(start)
        repo.save()
        return web.json_response({})

    async def resolve(self, request: web.Request) -> web.StreamResponse:
        repo = self.repo(request)
        commit = repo.resolve(request.match_info["rev"])
        blob = repo.tree(commit).get(request.match_info["path"])
        if blob is None:
            raise error(404, "EntryNotFound", "Entry not found")
        etag = blob["sha256"] if blob["lfs"] else blob["oid"]
        headers = {"X-Repo-Commit": commit, "ETag": f'"{etag}"', "Accept-Ranges": "bytes"}
        if blob["lfs"]:
            headers |= {"X-Linked-Size": str(blob["size"]), "X-Linked-Etag": f'"{etag}"'}
        content, status = (repo.blobs / blob["sha256"]).read_bytes(), 200
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", ""))
        if asked:
            start, stop = int(asked[1]), min(int(asked[2] or blob["size"] - 1), blob["size"] - 1)
            headers["Content-Range"] = f"bytes {start}-{stop}/{blob['size']}"
            content, status = content[start : stop + 1], 206
        return web.Response(body=content, status=status, headers=headers)


def place(request: web.Request) -> str:
    """Where a repository lies below the root: `owner/name` of a dataset, `_models/owner/name` of a model."""
    name = f"{request.match_info['ns']}/{request.match_info['n']}"
    return name if request.path.startswith(("/datasets/", "/api/datasets/")) else f"_models/{name}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--token", default="hf_local")
    options = parser.parse_args()
    asyncio.run(serve(Hub(options.root, options.token), options.port))


async def serve(hub: Hub, port: int) -> None:
    runner = web.AppRunner(hub.app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    server = site._server
    assert isinstance(server, asyncio.Server)
    print(f"listening on http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    main()
