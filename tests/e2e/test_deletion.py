"""Deleting through HTTP, on the real system."""

from sheaf_dev.samples.generator import text_pdf
from support.system import System

PATHS = ("", "/content", "/text", "/markdown", "/result", "/thumbnail")


async def test_gone_means_gone(system: System) -> None:
    """At once, by every path, with caches that had it; the rest of the batch stays whole."""
    first, second = await system.accepted({f"{n}.pdf": text_pdf(700 + n, 2) for n in range(2)})
    await system.finished([first, second])
    for path in PATHS:
        assert (await system.http.get(f"/v1/documents/{first}{path}")).status_code == 200
    batch = f"/v1/batches/{(await system.document(first))['batch_id']}"
    assert len((await system.http.get(batch)).json()["documents"]) == 2

    assert (await system.http.delete(f"/v1/documents/{first}")).status_code == 204
    for path in PATHS:
        answer = await system.http.get(f"/v1/documents/{first}{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "DOCUMENT_NOT_FOUND")
    assert [each["id"] for each in (await system.http.get(batch)).json()["documents"]] == [second]
    assert not {key for key in await system.keys() if first in key}
    assert (await system.http.get(f"/v1/documents/{second}/text")).status_code == 200

    assert (await system.http.delete(batch)).status_code == 204
    for path in (batch, f"/v1/documents/{second}"):
        assert (await system.http.get(path)).status_code == 404
        assert (await system.http.delete(path)).status_code == 404
    assert not {key for key in await system.keys() if second in key}
    await system.assert_nothing_lost_or_doubled()
