"""What is kept of a page in memory, and that it is the same page in every encoding."""

import gzip
import itertools
import random

import pytest
import zstandard

from packhouse.dataplane.page import Page
from packhouse.documents.segments import deflate
from packhouse.documents.store import Pieces

DECODED = {
    "identity": bytes,
    "gzip": gzip.decompress,
    "zstd": lambda body: zstandard.ZstdDecompressor().decompress(body, max_output_size=10_000_000),
}


@pytest.mark.parametrize("size", [20, 3000, 32 * 1024, 300_000])
@pytest.mark.parametrize("asked", list(itertools.permutations(DECODED)))
def test_a_page_is_the_same_in_every_encoding_in_whatever_order_they_are_asked_for(size, asked):
    content = bytes(random.Random(size).choices(b"abcdefgh<>/ \n", k=size))
    page = Page(Pieces(7, [deflate(content[: size // 2]), deflate(content[size // 2 :])]), ("simple/x", "html"))
    for encoding in (*asked, *asked):
        assert DECODED[encoding](page.encoded(encoding)[:]) == content
    for encoding in asked:
        variant = page.variant("text/html", encoding, list)
        headers = dict(variant.headers)
        assert headers["content-length"] == str(len(variant.body))
        assert DECODED[headers.get("content-encoding", "identity")](variant.body[:]) == content
    assert page.identity == content
