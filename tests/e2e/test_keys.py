"""The life of an API key on the real system."""

from typing import Any

import httpx

from support.system import System
from support.waiting import until_answer


async def test_a_key_is_made_used_and_revoked_by_its_user(system: System) -> None:
    """It does what it was given for, at its rate; revoked with itself it does nothing more."""
    made = await system.http.post(
        "/v1/keys",
        json={"name": "import", "scopes": ["documents:read", "keys"], "rate_limit_per_s": 20},
    )
    new = made.json()
    async with httpx.AsyncClient(
        base_url=system.stack.env["SHEAF_URL"], headers={"X-API-Key": new["key"]}, timeout=30
    ) as http:
        listed = await http.get("/v1/keys", params={"limit": 1})
        refused = await http.post("/v1/documents")
        revoked = await http.delete(f"/v1/keys/{new['id']}")
        after = await http.get("/v1/keys")
    shown: dict[str, Any] = {}

    async def is_used() -> bool:
        page = await system.http.get("/v1/keys", params={"limit": 1})
        (found,) = page.json()["keys"]
        shown.update(found)
        return shown["last_used_at"] is not None

    await until_answer(is_used)
    listed_once = listed.json()["keys"][0] | {"last_used_at": None}

    assert made.status_code == 201
    assert listed_once == {name: new[name] for name in new if name != "key"}
    assert listed.headers["ratelimit-policy"] == '"default";q=100;w=5'
    assert (refused.status_code, refused.json()["scope"]) == (403, "documents:write")
    assert revoked.status_code == 204
    assert (after.status_code, after.json()["code"]) == (401, "API_KEY_REVOKED")
    assert shown["revoked_at"] is not None
