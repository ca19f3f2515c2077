"""Whoever looks for something finds it: folders and modules on the page that names them, pages in the README."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
NO_PACKAGES = {"static", "templates", "api", "pages", "migrations", "versions"}


def packages() -> list[str]:
    folder = ROOT / "gateway" / "doorward"
    found = (path.parent.relative_to(folder).parts for path in folder.glob("*/**/__init__.py"))
    return sorted("/".join(parts) for parts in found if not NO_PACKAGES.intersection(parts))


def drawn() -> set[str]:
    """The packages in the page's tree, "app/audit" for one below another."""
    tree = PAGE.split("gateway/doorward/\n", 1)[1].split("\nlab/", 1)[0]
    found, above = set(), ""
    for indent, name in re.findall(r"^( +)(\w+)/ +\S", tree, re.MULTILINE):
        above = name if len(indent) == 2 else above
        found.add(name if len(indent) == 2 else f"{above}/{name}")
    return found


def test_architecture_draws_the_packages_that_there_are() -> None:
    assert drawn() == set(packages())


def test_architecture_names_every_module_of_the_boards_program() -> None:
    table = PAGE.split("## The board's program", 1)[1].split("\n## ", 1)[0]
    rows = [row.split("|")[2] for row in table.splitlines() if row.startswith("| ")]
    named = set(re.findall(r"`(\w+)`", " ".join(rows)))
    folder = ROOT / "firmware" / "doorward_node"
    modules = {path.stem for path in folder.rglob("*.py")} - {"__init__"}
    assert named == modules


def test_the_readme_leads_to_every_page() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}
    assert pages == set(re.findall(r"\(docs/(\w[\w-]*\.md)\)", readme)) & pages
