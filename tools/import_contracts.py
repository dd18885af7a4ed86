"""An import-linter contract: a context is entered only through its ``api`` module."""

from __future__ import annotations

from typing import Any

import grimp
from importlinter import Contract, ContractCheck, fields, output


class ContextDoors(Contract):
    """Breaks when a module outside a context imports anything of it but the package or its ``api``.

    `contexts` lists packages below the root package. One that does not exist yet is skipped, so
    the rule stands before the room is built. (import-linter's own ``protected`` contract needs
    every private module of every context by name.)
    """

    # A field descriptor for import-linter; on an instance it is a plain list.
    contexts: Any = fields.ListField(subfield=fields.StringField())

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:
        """Collect every import that goes around a door."""
        root = self.session_options["root_packages"][0]
        broken = []
        for context in self.contexts:
            package = f"{root}.{context}"
            if package not in graph.modules:
                continue
            private = graph.find_descendants(package) - {f"{package}.api"}
            own = private | {package, f"{package}.api"}
            for module in sorted(private):
                for importer in sorted(graph.find_modules_that_directly_import(module) - own):
                    lines = graph.get_import_details(importer=importer, imported=module)
                    broken.append((importer, module, sorted(detail["line_number"] for detail in lines)))
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Name each import, so that it can be found and sent through the door."""
        for importer, module, lines in check.metadata["broken"]:
            where = ", ".join(str(line) for line in lines)
            output.print_error(f"{importer} -> {module} (l.{where}): import it through the api", bold=False)
