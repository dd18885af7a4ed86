"""The one contract that is our own, on graphs drawn by hand."""

from __future__ import annotations

import grimp
import pytest

from tools.import_contracts import ContextDoors


def graph_with(importer: str, imported: str) -> grimp.ImportGraph:
    graph = grimp.ImportGraph()
    for module in (
        "comptoir",
        "comptoir.wallet",
        "comptoir.wallet.api",
        "comptoir.wallet.models",
        "comptoir.web",
    ):
        graph.add_module(module)
    graph.add_import(importer=importer, imported=imported, line_number=7, line_contents="")
    return graph


@pytest.mark.parametrize(
    ("importer", "imported", "kept"),
    [
        ("comptoir.web", "comptoir.wallet.models", False),
        ("comptoir.web", "comptoir.wallet.api", True),
        ("comptoir.web", "comptoir.wallet", True),
        ("comptoir.wallet.api", "comptoir.wallet.models", True),
    ],
)
def test_a_context_is_entered_through_its_api(importer: str, imported: str, kept: bool) -> None:
    contract = ContextDoors(
        name="one door",
        session_options={"root_packages": ["comptoir"]},
        contract_options={"contexts": ["wallet", "customs"]},
    )
    check = contract.check(graph_with(importer, imported), verbose=False)
    assert check.kept is kept
    assert check.metadata["broken"] == ([] if kept else [(importer, imported, [7])])
