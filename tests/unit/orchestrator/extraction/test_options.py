"""What a client may ask of an extraction."""

from sheaf_orchestrator.extraction import Options, Request


def test_a_password_is_never_shown() -> None:
    """Neither the options nor what carries them say it."""
    options = Options(password=b"geheim")
    request = Request(document_id="d", attempt=1, content_type="x/y", options=options)
    assert "geheim" not in repr(options) + repr(request) + str(options)
    assert options.password == b"geheim"
